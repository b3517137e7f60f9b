// What is done with a transaction whose risk is not known although it should be: no detector answered, or no decision came in
// time. By its amount alone: what is small goes through, what is large waits for somebody. Part of a decision like thresholds.
import type { RuleAction } from '../rules/rule.ts';

export interface UnscoredPolicy {
  /** Up to so much, céntimos of soles, it is approved. */
  readonly approveUpToMinor: number;
  /** Above it, or where the worth is not known. */
  readonly above: RuleAction;
}

/** S/ 200 and a look by an analyst: a bank sets its own. */
export const DEFAULT_UNSCORED: UnscoredPolicy = { approveUpToMinor: 20_000, above: 'review' };

/** @param amountMinor worth in céntimos of soles, NaN where it is not known */
export function unscoredAction(amountMinor: number, { approveUpToMinor, above }: UnscoredPolicy): RuleAction {
  return amountMinor <= approveUpToMinor ? 'approve' : above;
}
