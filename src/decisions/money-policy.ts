// The decision that costs least in expectation, per transaction: from its probability of fraud and its amount.
//
// Bayes decisions with costs that depend on the example (Elkan, "The foundations of cost-sensitive learning", IJCAI 2001),
// and with a reject option (Chow, "On optimum recognition error and reject tradeoff", 1970): between the probabilities
// where approving is clearly cheapest and those where holding is, the program abstains and an analyst decides. How wide
// that band is follows from what a review costs and how often the analyst is right; it is empty where a review costs more
// than it saves, and approve or hold are then all there is.
import type { RuleAction } from '../rules/rule.ts';
import type { DecisionAction } from './decision-action.ts';

/** Money in whole céntimos. */
export interface DecisionCosts {
  /** Share of an approved fraud's amount that the bank loses, in [0, 1]. */
  readonly lossGivenFraudShare: number;
  /** An analyst's time for one transaction. */
  readonly reviewMinor: number;
  /** A genuine transaction that was held: the calls, the business lost, the customers who leave. */
  readonly wrongDeclineMinor: number;
  /** Share of the reviewed transactions, frauds and genuine alike, that the analyst decides rightly, in [0.5, 1]. */
  readonly analystAccuracyShare: number;
}

/**
 * Assumptions, to be replaced by the bank's own figures: S/ 4.50 is an analyst who costs S/ 4,950 a month and looks at 50
 * alerts on each of 22 days. Since April 2026 the issuer bears what a second factor would have prevented (Res. SBS
 * 02220-2025), so little of a fraud's amount comes back.
 */
export const DEFAULT_COSTS: DecisionCosts = {
  lossGivenFraudShare: 0.9,
  reviewMinor: 450,
  wrongDeclineMinor: 3000,
  analystAccuracyShare: 0.95,
};

/** From mild to severe: of equally cheap actions the milder one is taken. */
const ACTIONS: readonly DecisionAction[] = ['approve', 'review', 'hold'];

/** What the action costs once it is known what the transaction was, in céntimos. @param amountMinor soles, not negative */
export function costOfAction(
  action: DecisionAction,
  isFraud: boolean,
  amountMinor: number,
  { lossGivenFraudShare, reviewMinor, wrongDeclineMinor, analystAccuracyShare }: DecisionCosts,
): number {
  if (action === 'approve') return isFraud ? amountMinor * lossGivenFraudShare : 0;
  if (action === 'hold') return isFraud ? 0 : wrongDeclineMinor;
  const ifWrong = isFraud ? amountMinor * lossGivenFraudShare : wrongDeclineMinor;
  return reviewMinor + (1 - analystAccuracyShare) * ifWrong;
}

/**
 * As `costOfAction`, of all that a verdict may do. A decline costs what a hold does; a question to the customer costs what
 * a review does, since somebody looks at what is answered.
 */
export function costOfVerdict(action: RuleAction, isFraud: boolean, amountMinor: number, costs: DecisionCosts): number {
  return costOfAction(pricedAs(action), isFraud, amountMinor, costs);
}

/** The action whose cost it has. */
export function pricedAs(action: RuleAction): DecisionAction {
  return action === 'decline' ? 'hold' : action === 'challenge' ? 'review' : action;
}

/** What the action costs on average over transactions of this probability, in céntimos. */
export function expectedCostOfAction(
  action: DecisionAction,
  probability: number,
  amountMinor: number,
  costs: DecisionCosts,
): number {
  const ifFraud = costOfAction(action, true, amountMinor, costs);
  const ifGenuine = costOfAction(action, false, amountMinor, costs);
  return probability * ifFraud + (1 - probability) * ifGenuine;
}

/** Never milder for a greater probability, nor for a greater amount of the same probability. */
export function cheapestAction(probability: number, amountMinor: number, costs: DecisionCosts): DecisionAction {
  let cheapest: DecisionAction = 'approve';
  let least = Number.POSITIVE_INFINITY;
  for (const action of ACTIONS) {
    const cost = expectedCostOfAction(action, probability, amountMinor, costs);
    if (cost >= least) continue;
    least = cost;
    cheapest = action;
  }
  return cheapest;
}

/** Probabilities between which neither approving nor holding is clearly cheaper, so that an analyst looks. */
export interface AbstainBand {
  readonly fromProbability: number;
  readonly toProbability: number;
}

/** The band of an amount; null where a review never pays, and the cheaper of approve and hold is taken. */
export function abstainBand(amountMinor: number, costs: DecisionCosts): AbstainBand | null {
  const { reviewMinor, wrongDeclineMinor, analystAccuracyShare: right } = costs;
  const lossMinor = amountMinor * costs.lossGivenFraudShare;
  const wrong = 1 - right;
  // Where a review costs what approving does, and where it costs what holding does.
  const fromProbability = (reviewMinor + wrong * wrongDeclineMinor) / (right * lossMinor + wrong * wrongDeclineMinor);
  const toProbability = (right * wrongDeclineMinor - reviewMinor) / (wrong * lossMinor + right * wrongDeclineMinor);
  return fromProbability < toProbability ? { fromProbability, toProbability } : null;
}
