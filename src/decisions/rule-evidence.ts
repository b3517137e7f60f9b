// Rules and a model in one ranking: what a rule that fires adds to the model's probability, learnt from labelled history.
//
// A transaction is fraud unless the model and every rule that fired are wrong (noisy or, Pearl 1988, §4.3.2):
// 1 − (1 − p) ∏ (1 − q_r). So a rule nobody doubts (wrong check digits) is enough although no model has ever seen such a
// case, and a rule that repeats what the model knows adds little. Each q_r is learnt by expectation–maximisation: a fraud is
// credited to the model and to the rules in proportion to what each could explain, so a rule is worth what it alone
// finds. q_r is shrunk towards the rule's precision on the whole history, and that towards what its author expects of it
// (its severity): a rule that has hardly fired is neither believed blindly nor ignored.
import type { Rule, Severity } from '../rules/rule.ts';

/** The rules that fired, row after row: row r's are `rules[starts[r]]` up to `rules[starts[r + 1]]`. */
export interface FiredRows {
  readonly starts: Uint32Array;
  readonly rules: Uint16Array;
}

/** One per rule, in (0, 1): how often it is right where it fires; beside a model, how often where the model sees nothing. */
export type RuleEvidence = Float64Array;

/** `id@version` of a rule → what was learnt of it. Rules that were not there, or could not fire, are missing. */
export type LearntEvidence = Readonly<Record<string, number>>;

/** What a rule of a severity is expected to be right, before it has fired. */
export const EXPECTED: Readonly<Record<Severity, number>> = { low: 0.02, medium: 0.1, high: 0.25, critical: 0.5 };
/** An expectation counts as much as so many labelled transactions. */
const EXPECTATION_ROWS = 4;
const ROUNDS = 30;

/** @param labels 1 fraud or error, 0 genuine, −1 unknown (such rows teach nothing) */
export function rulePrecisions(
  rules: readonly Pick<Rule, 'severity'>[],
  { starts, rules: fired }: FiredRows,
  labels: Int8Array,
): RuleEvidence {
  const right = Float64Array.from(rules, ({ severity }) => EXPECTED[severity] * EXPECTATION_ROWS);
  const rows = new Float64Array(rules.length).fill(EXPECTATION_ROWS);
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] < 0) continue;
    for (let i = starts[row]; i < starts[row + 1]; i++) {
      rows[fired[i]]++;
      right[fired[i]] += labels[row];
    }
  }
  return right.map((sum, rule) => sum / rows[rule]);
}

/**
 * What the rules add to a model, on labelled rows that the model's detectors have not seen.
 *
 * @param precisions of `rulePrecisions`, from the whole history
 * @param probabilities the model's, one per row of `fired`
 */
export function fitEvidence(
  precisions: RuleEvidence,
  probabilities: ArrayLike<number>,
  fired: FiredRows,
  labels: Int8Array,
): RuleEvidence {
  const { starts, rules } = fired;
  const rows = new Float64Array(precisions.length).fill(EXPECTATION_ROWS);
  const frauds: number[] = [];
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] < 0 || starts[row] === starts[row + 1]) continue;
    if (labels[row] === 1) frauds.push(row);
    for (let i = starts[row]; i < starts[row + 1]; i++) rows[rules[i]]++;
  }
  let evidence = precisions;
  for (let round = 0; round < ROUNDS; round++) {
    const credit = precisions.map((precision) => precision * EXPECTATION_ROWS);
    for (const row of frauds) {
      const explained = combinedProbability(evidence, probabilities[row], fired, row);
      for (let i = starts[row]; i < starts[row + 1]; i++) credit[rules[i]] += evidence[rules[i]] / explained;
    }
    evidence = credit.map((sum, rule) => sum / rows[rule]);
  }
  return evidence;
}

/**
 * Of fraud, by the model and the rules that fired.
 *
 * @param probability the model's; 0 without one
 */
export function combinedProbability(
  evidence: RuleEvidence,
  probability: number,
  { starts, rules }: FiredRows,
  row: number,
): number {
  let innocence = 1 - probability;
  for (let i = starts[row]; i < starts[row + 1]; i++) innocence *= 1 - evidence[rules[i]];
  return 1 - innocence;
}
