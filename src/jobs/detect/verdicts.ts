// What is done with a scored row: as with a transaction that arrives, by the risk and by the rules that fired.
import { doubtsOf } from '../../decisions/combined-risk.ts';
import type { DecisionThresholds } from '../../decisions/decision.ts';
import { decide, type Verdict } from '../../decisions/verdict.ts';
import type { FeatureTable } from '../../pipeline/feature-table.ts';
import { type FiredRules, hitsOfRow } from '../../pipeline/rule-watch.ts';
import { segmentAt, type TableScores } from './score-table.ts';

/** @param rules null where none took part @returns the verdict of a row that a model scored */
export function verdictsOf(
  { timesMs, worthsMinor }: Pick<FeatureTable, 'timesMs' | 'worthsMinor'>,
  { segments, modelRisk }: TableScores,
  rules: FiredRules | null,
  thresholds: DecisionThresholds,
): (row: number) => Verdict {
  const doubts = segments.map(({ model }) => doubtsOf(rules?.rules ?? [], model));
  const policy = { thresholds, control: null, severest: null };
  return (row) => {
    const segment = segmentAt(segments, timesMs[row]);
    const given = {
      ...{ id: String(row), modelRisk: modelRisk[row], calibrated: segments[segment].model.stacking !== null },
      ...{ amountMinor: worthsMinor[row], ...hitsOfRow(rules, row, doubts[segment]) },
    };
    return decide(given, policy);
  };
}
