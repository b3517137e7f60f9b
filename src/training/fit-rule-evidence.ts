// What rules add to a fitted model, learnt from the past that the model was fitted on.
//
// How often a rule is right is counted on all labels that were known; what it adds beside the model, on the rows that the
// detectors were combined on and have not seen. Only rules that add to the risk take part: a rule in shadow would be
// credited with frauds whose credit the others need.
import { addsEvidence, doubtsOf } from '../decisions/combined-risk.ts';
import { type RiskModel, scoreRisk } from '../decisions/risk-model.ts';
import { type FiredRows, fitEvidence, type LearntEvidence, rulePrecisions } from '../decisions/rule-evidence.ts';
import { type Rule, ruleVersion } from '../rules/rule.ts';
import { type SampleOptions, stackingPeriod, type TrainingTable } from './fit-risk-model.ts';

/**
 * @param rules of the set, a rule after those it asks about
 * @param fired one per row of the table
 * @param options those that the model was fitted with
 * @returns null for a model without labels
 */
export function fitRuleEvidence(
  model: RiskModel,
  table: TrainingTable,
  { rules, fired }: { readonly rules: readonly Rule[]; readonly fired: FiredRows },
  options: Pick<SampleOptions, 'endMs' | 'labelDelayMs' | 'stackingShare'>,
): LearntEvidence | null {
  if (model.stacking === null) return null;
  const doubts = doubtsOf(rules, model);
  const adds = rules.map((rule, index) => addsEvidence(rule, doubts[index]));
  const { stackingStartMs, knownUntilMs } = stackingPeriod(table, options);
  const known: number[] = [];
  const unseen: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (fired.starts[row] === fired.starts[row + 1] || table.labels[row] < 0) continue;
    if (!(table.timesMs[row] < knownUntilMs)) continue;
    known.push(row);
    if (table.timesMs[row] >= stackingStartMs) unseen.push(row);
  }
  const labelsOf = (rows: readonly number[]) => Int8Array.from(rows, (row) => table.labels[row]);
  const precisions = rulePrecisions(rules, takeFired(fired, known, adds), labelsOf(known));
  const risk = unseen.length === 0 ? [] : scoreRisk(model, table.take(Uint32Array.from(unseen))).risk;
  const evidence = fitEvidence(precisions, risk, takeFired(fired, unseen, adds), labelsOf(unseen));
  return Object.fromEntries(
    rules.flatMap((rule, index) => (adds[index] ? [[ruleVersion(rule), evidence[index]] as const] : [])),
  );
}

/** Of the rows, in their order, the rules that take part. */
function takeFired({ starts, rules }: FiredRows, rows: readonly number[], part: readonly boolean[]): FiredRows {
  const takenStarts = new Uint32Array(rows.length + 1);
  const taken: number[] = [];
  rows.forEach((row, index) => {
    for (let i = starts[row]; i < starts[row + 1]; i++) if (part[rules[i]]) taken.push(rules[i]);
    takenStarts[index + 1] = taken.length;
  });
  return { starts: takenStarts, rules: Uint16Array.from(taken) };
}
