// What a threshold costs in money, and the thresholds that money or the analysts' day would choose.
import { checkSameLength, descendingOrder, rankSteps, type Scores } from './order.ts';

/** Costs in the unit of the amounts (minor units of one currency). */
export interface CostModel {
  /** Share of a missed fraud's amount that the bank loses, in [0, 1]. */
  readonly lossGivenFraud: number;
  /** An analyst's time for one flagged transaction. */
  readonly review: number;
  /** The customer's trouble, and the business lost, for one genuine transaction that was flagged. */
  readonly wrongDecline: number;
}

export interface CostBreakdown {
  /** Rows at or above it are flagged; +∞ flags none. */
  readonly threshold: number;
  readonly flagged: number;
  readonly missedFraud: number;
  readonly review: number;
  readonly wrongDecline: number;
  readonly total: number;
}

/** @param amountsMinor amount of each row, minor units; its size counts, not its sign. */
export function expectedCost(
  labels: Uint8Array,
  scores: Scores,
  amountsMinor: Float64Array,
  costs: CostModel,
  threshold: number,
): CostBreakdown {
  checkSameLength(scores.length, labels.length, 'labels');
  checkSameLength(scores.length, amountsMinor.length, 'amounts');
  let flagged = 0;
  let genuineFlagged = 0;
  let missedMinor = 0;
  for (let row = 0; row < scores.length; row++) {
    if (scores[row] >= threshold) {
      flagged++;
      genuineFlagged += 1 - labels[row];
    } else if (labels[row] === 1) {
      missedMinor += Math.abs(amountsMinor[row]);
    }
  }
  const missedFraud = missedMinor * costs.lossGivenFraud;
  const review = flagged * costs.review;
  const wrongDecline = genuineFlagged * costs.wrongDecline;
  return { threshold, flagged, missedFraud, review, wrongDecline, total: missedFraud + review + wrongDecline };
}

/** The threshold with the least total cost among all that part the rows differently; the highest of equals. */
export function cheapestThreshold(
  labels: Uint8Array,
  scores: Scores,
  amountsMinor: Float64Array,
  costs: CostModel,
): CostBreakdown {
  checkSameLength(scores.length, labels.length, 'labels');
  checkSameLength(scores.length, amountsMinor.length, 'amounts');
  const order = descendingOrder(scores);
  // Costs relative to flagging nothing: a flagged fraud saves its loss.
  let change = 0;
  let least = 0;
  let threshold = Number.POSITIVE_INFINITY;
  for (let i = 0; i < order.length; i++) {
    const row = order[i];
    change += costs.review;
    change += labels[row] === 1 ? -Math.abs(amountsMinor[row]) * costs.lossGivenFraud : costs.wrongDecline;
    if (i + 1 < order.length && scores[order[i + 1]] === scores[row]) continue;
    if (change >= least) continue;
    least = change;
    threshold = scores[row];
  }
  return expectedCost(labels, scores, amountsMinor, costs, threshold);
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
