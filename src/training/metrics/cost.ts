// What decisions cost in money on rows whose labels are known, and the thresholds that money or the analysts' day would
// choose.
import { costOfAction, type DecisionCosts, pricedAs } from '../../decisions/money-policy.ts';
import type { RuleAction } from '../../rules/rule.ts';
import { checkSameLength, descendingOrder, rankSteps, type Scores } from './order.ts';

/** Rows with known labels and worths. */
export interface CostedRows {
  readonly labels: Uint8Array;
  readonly risk: Scores;
  /** Céntimos of soles, not negative. */
  readonly worthsMinor: Float64Array;
}

/** Céntimos in all. */
export interface CostBreakdown {
  /** Frauds that were let through. */
  readonly approvedMinor: number;
  /** Analysts' time, for reviews and for what customers answer, and what they decide wrongly. */
  readonly reviewedMinor: number;
  /** Genuine transactions that were held or declined. */
  readonly heldMinor: number;
  readonly totalMinor: number;
  /** Not approved. */
  readonly flagged: number;
}

export function costOfActions(
  { labels, worthsMinor }: Pick<CostedRows, 'labels' | 'worthsMinor'>,
  actionOf: (row: number) => RuleAction,
  costs: DecisionCosts,
): CostBreakdown {
  checkSameLength(worthsMinor.length, labels.length, 'labels');
  const sums = { approve: 0, review: 0, hold: 0 };
  let flagged = 0;
  for (let row = 0; row < labels.length; row++) {
    const action = pricedAs(actionOf(row));
    sums[action] += costOfAction(action, labels[row] === 1, worthsMinor[row], costs);
    if (action !== 'approve') flagged++;
  }
  const { approve, review, hold } = sums;
  return {
    approvedMinor: approve,
    reviewedMinor: review,
    heldMinor: hold,
    totalMinor: approve + review + hold,
    flagged,
  };
}

/** The cost of flagging the rows at or above each threshold that parts them differently. */
export interface CostSteps {
  /** Descending; the first, +∞, flags none. */
  readonly thresholds: Float64Array;
  readonly flagged: Uint32Array;
  readonly costsMinor: Float64Array;
}

/** @param holdAtRisk flagged rows at or above it are held, the others reviewed */
export function costSteps(rows: CostedRows, costs: DecisionCosts, holdAtRisk: number): CostSteps {
  const { labels, risk, worthsMinor } = rows;
  checkSameLength(risk.length, labels.length, 'labels');
  const order = descendingOrder(risk);
  const thresholds = new Float64Array(order.length + 1);
  const flagged = new Uint32Array(order.length + 1);
  const costsMinor = new Float64Array(order.length + 1);
  let cost = costOfActions(rows, () => 'approve', costs).totalMinor;
  thresholds[0] = Number.POSITIVE_INFINITY;
  costsMinor[0] = cost;
  let steps = 1;
  for (let i = 0; i < order.length; i++) {
    const row = order[i];
    const isFraud = labels[row] === 1;
    cost += costOfAction(risk[row] >= holdAtRisk ? 'hold' : 'review', isFraud, worthsMinor[row], costs);
    cost -= costOfAction('approve', isFraud, worthsMinor[row], costs);
    if (i + 1 < order.length && risk[order[i + 1]] === risk[row]) continue;
    thresholds[steps] = risk[row];
    flagged[steps] = i + 1;
    costsMinor[steps] = cost;
    steps++;
  }
  return {
    thresholds: thresholds.subarray(0, steps),
    flagged: flagged.subarray(0, steps),
    costsMinor: costsMinor.subarray(0, steps),
  };
}

/** The step with the least cost; of equals the one with the highest threshold. */
export function cheapestStep({ costsMinor }: CostSteps): number {
  let cheapest = 0;
  for (let step = 1; step < costsMinor.length; step++) if (costsMinor[step] < costsMinor[cheapest]) cheapest = step;
  return cheapest;
}

/**
 * The lowest threshold that flags at most `alertsPerDay` rows a day on average; +∞ where even the greatest score is
 * shared by more.
 *
 * @param days number of days that the scores cover, greater than 0.
 */
export function capacityThreshold(scores: Scores, days: number, alertsPerDay: number): number {
  if (!(days > 0)) throw new Error(`the scores cover ${days} days, expected more than 0`);
  if (!(alertsPerDay >= 0)) throw new Error(`alerts per day are ${alertsPerDay}, expected 0 or more`);
  const { flagged, scores: distinct } = rankSteps(new Uint8Array(scores.length), scores);
  const capacity = alertsPerDay * days;
  let threshold = Number.POSITIVE_INFINITY;
  for (let step = 0; step < flagged.length && flagged[step] <= capacity; step++) threshold = distinct[step];
  return threshold;
}
