// What is done with a transaction, from its risk.

/** From mild to severe: let through, let an analyst look, hold the money until one has looked. */
export type DecisionAction = 'approve' | 'review' | 'hold';

export interface DecisionThresholds {
  /** At or above this risk a transaction is flagged for review. */
  readonly reviewAtRisk: number;
  /** At or above this probability it is held; only for calibrated risks. */
  readonly holdAtRisk: number;
}

/** A probability from which holding costs less than letting the money go, when a wrong hold costs a quarter of the amount. */
export const DEFAULT_HOLD_AT_RISK = 0.8;

/** @param calibrated the risk is a probability; without one nothing is held */
export function decideAction(risk: number, calibrated: boolean, thresholds: DecisionThresholds): DecisionAction {
  if (calibrated && risk >= thresholds.holdAtRisk) return 'hold';
  return risk >= thresholds.reviewAtRisk ? 'review' : 'approve';
}
