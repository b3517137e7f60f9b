// What is done with a transaction, from its risk: by levels of the risk, or by what each action would cost.
import type { DecisionAction } from './decision-action.ts';
import { cheapestAction, type DecisionCosts } from './money-policy.ts';

export interface DecisionThresholds {
  /** At or above this risk a transaction is flagged for review. */
  readonly reviewAtRisk: number;
  /** At or above this probability it is held; only for calibrated risks. */
  readonly holdAtRisk: number;
  /**
   * Where given, a transaction with a calibrated risk is decided by the least expected cost. One that moves no money (a
   * log-in, a change of telephone), or an amount of unknown worth, has no such cost and is decided by its risk.
   */
  readonly costs?: DecisionCosts;
  /** The level of review for what moves no money (a look-up, a claim): nothing is lost yet. `reviewAtRisk` where left out. */
  readonly reviewAtRiskWithoutMoney?: number;
  /**
   * Reviewed below the level of risk too where as much may be lost: risk × amount, céntimos of soles; only for calibrated
   * risks.
   */
  readonly reviewAtLossMinor?: number;
}

/** A probability from which holding costs less than letting the money go, when a wrong hold costs four times as much. */
export const DEFAULT_HOLD_AT_RISK = 0.8;

/**
 * @param calibrated the risk is a probability; without one nothing is held
 * @param amountMinor céntimos of soles, not negative; NaN where the worth is not known
 */
export function decideAction(
  risk: number,
  calibrated: boolean,
  amountMinor: number,
  thresholds: DecisionThresholds,
): DecisionAction {
  if (calibrated && thresholds.costs !== undefined && amountMinor > 0) {
    return cheapestAction(risk, amountMinor, thresholds.costs);
  }
  if (calibrated && risk >= thresholds.holdAtRisk) return 'hold';
  const { reviewAtRisk, reviewAtRiskWithoutMoney = reviewAtRisk, reviewAtLossMinor } = thresholds;
  if (risk >= (amountMinor === 0 ? reviewAtRiskWithoutMoney : reviewAtRisk)) return 'review';
  const mayBeLost = calibrated && reviewAtLossMinor !== undefined && risk * amountMinor >= reviewAtLossMinor;
  return mayBeLost ? 'review' : 'approve';
}
