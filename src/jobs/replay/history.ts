// One pass over history: every version decides every transaction from the same features.

import type { Transaction } from '../../domain/transaction.ts';
import { type DecidedRow, foldBatch } from '../../pipeline/decide-transactions.ts';
import type { TransactionReader } from '../../ports.ts';
import type { BuiltVersions } from './versions.ts';

/** Event times that are counted: `[fromMs, untilMs)`. Features are computed from the file's beginning. */
export interface HistoryRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

export const ALL_HISTORY: HistoryRange = {
  fromMs: Number.NEGATIVE_INFINITY,
  untilMs: Number.POSITIVE_INFINITY,
};

export interface PassedRow {
  /** One per version, in their order; filled anew for the next row. */
  readonly decided: readonly DecidedRow[];
  /** The engine took the event into its state: its time is neither far behind nor far ahead. */
  readonly inTime: boolean;
}

/** A file is in the order of time but for stragglers: a batch wholly this far past the end is the last one read. */
const STRAGGLER_MS = 86_400_000;

export async function passHistory(
  reader: TransactionReader,
  { engine, deciders }: BuiltVersions,
  range: HistoryRange,
  visit: (row: PassedRow) => void,
  afterBatch: () => Promise<void> | void,
): Promise<void> {
  for await (const batch of reader) {
    const folded = foldBatch(batch, engine);
    const counted = batch.map(({ eventTimeMs }) => eventTimeMs >= range.fromMs && eventTimeMs < range.untilMs);
    if (counted.includes(true)) {
      const open = deciders.map((decider) => decider.open(folded));
      batch.forEach((_, row) => {
        if (!counted[row]) return;
        const result = folded.results[row];
        visit({ decided: open.map((decide) => decide(row)), inTime: result === 'ok' || result === 'late' });
      });
    }
    await afterBatch();
    if (batch.length > 0 && batch.every(({ eventTimeMs }) => eventTimeMs >= range.untilMs + STRAGGLER_MS)) return;
  }
}

/** Who bears it: the payer, or the card where no payer is told; else nobody else's transactions hang together with it. */
export function customerOf({ payerId, cardId, id }: Transaction): string {
  return payerId ?? cardId ?? id;
}
