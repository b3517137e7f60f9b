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

/** A rule has no say for one entity, for events before a time (ms UTC). */
export interface ControlOverride {
  readonly ruleId: string;
  readonly field: 'payerId' | 'payeeId' | 'cardId' | 'deviceId' | 'terminalId' | 'merchantId';
  readonly value: string;
  readonly untilMs: number;
  readonly reason: string;
}

/** The lists as they were once so many entries of their history were written, and that entry's hash. */
export interface ControlLists {
  readonly entry: number;
  readonly hash: string;
}

/** From which risk on a model's transactions are reviewed and held, in place of its own; they count while that model decides. */
export interface ControlThresholds {
  /** `name@version` */
  readonly model: string;
  /** 0–1, at most `holdAtRisk`. */
  readonly reviewAtRisk: number;
  readonly holdAtRisk: number;
}

/** A change of what decides, from this record on. What is left out stays. */
export interface ControlRecord {
  /** `name@version` of the registry; null for none. */
  readonly model?: string | null;
  /** null: each model by its own. */
  readonly thresholds?: ControlThresholds | null;
  /** The whole set of rules, as files of rules. */
  readonly rules?: readonly { readonly path: string; readonly text: string }[];
  /** All of them. */
  readonly overrides?: readonly ControlOverride[];
  readonly lists?: ControlLists;
}
