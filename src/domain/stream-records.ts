// What travels in the stream of transactions besides transactions.
import type { Transaction } from './transaction.ts';

/** What a label repeats of its transaction: by these the features that it counts in are found. */
export const LABELLED_FIELDS = [
  ...(['id', 'eventTimeMs', 'amountMinor', 'currency', 'operation', 'payerId', 'payeeId', 'cardId'] as const),
  ...(['deviceId', 'ipAddress', 'terminalId', 'merchantId', 'ubigeo', 'latitude', 'longitude'] as const),
] as const satisfies readonly (keyof Transaction)[];

export interface LabelRecord {
  readonly transaction: Transaction;
  readonly isFraud: boolean;
}

/** A change of what decides, from this record on. What is left out stays. */
export interface ControlRecord {
  /** `name@version` of the registry; null for none. */
  readonly model?: string | null;
  /** The whole set of rules, as files of rules. */
  readonly rules?: readonly { readonly path: string; readonly text: string }[];
}
