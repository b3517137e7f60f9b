// Erasure of a customer by destroying the keys (crypto-shredding): one asks, another approves, then it is done. What was
// sealed with those keys cannot be read by anybody any more, wherever copies of it are; counts, amounts and decisions stay.
// The customer is taken off the lists that the bank keeps itself, and what people wrote in cases of the customer alone goes.
//
// Ley 29733 gives the right of cancellation; records that the law asks to keep (against money laundering, ten years) are no
// ground for it before that time is over, and never under a legal hold.
import type { SubjectToken } from './tokens.ts';

export const ERASURE_STATES = ['requested', 'approved', 'executed', 'refused'] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];

export interface Erasure {
  readonly id: string;
  readonly subject: SubjectToken;
  readonly state: ErasureState;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedMs: number;
  readonly approvedBy: string | null;
  readonly approvedMs: number | null;
  /** Who executed or refused it, and when. */
  readonly endedBy: string | null;
  readonly endedMs: number | null;
  /** Why it was refused. */
  readonly refusal: string | null;
  readonly destroyedKeys: number | null;
  /** How many documents, accounts, cards, phones and names it looks for on lists; 0 once it has ended. */
  readonly identifiers: number;
  /** Values that were, or are just being, taken off lists. */
  readonly listedEntries: number | null;
  /** Comments, reasons, notes and names of files. */
  readonly erasedTexts: number | null;
  readonly version: number;
}

export interface ErasureDraft {
  readonly id: string;
  readonly subject: SubjectToken;
  /** As alerts have it: to find what was written about the customer. */
  readonly customerId: string | null;
  /** Of what else the customer is known by on lists, each as its token. */
  readonly identifiers: readonly SubjectToken[];
  readonly reason: string;
  readonly by: string;
  readonly nowMs: number;
}

/** A step from one state to the next. */
export interface ErasureStep {
  readonly id: string;
  /** As it was read: another one means that somebody was first. */
  readonly version: number;
  readonly by: string;
  readonly nowMs: number;
}
