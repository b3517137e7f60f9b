// A second pass over the file: the transactions of some rows, and the recent history of their payers.
//
// Keeping every transaction of the first pass would cost hundreds of bytes a row; reading again costs a few seconds.
import type { Transaction } from '../../domain/transaction.ts';
import type { TransactionReader } from '../../ports.ts';

export interface PastPayment {
  readonly row: number;
  readonly timeMs: number;
  readonly amountMinor: number;
  readonly currency: string;
}

export interface FetchedTransactions {
  readonly byRow: ReadonlyMap<number, Transaction>;
  /** payer number → all its payments, in file order */
  readonly histories: ReadonlyMap<number, readonly PastPayment[]>;
}

/**
 * @param rows accepted rows whose transactions are wanted
 * @param payers the payer number of every row
 * @param payersWanted numbers of the payers whose history is wanted
 */
export async function fetchTransactions(
  reader: TransactionReader,
  rows: Uint32Array,
  payers: Uint32Array,
  payersWanted: ReadonlySet<number>,
  onProgress: (share: number) => void,
): Promise<FetchedTransactions> {
  const wanted = new Set(rows);
  const byRow = new Map<number, Transaction>();
  const histories = new Map<number, PastPayment[]>();
  let row = 0;
  for await (const batch of reader) {
    for (const transaction of batch) {
      if (wanted.has(row)) byRow.set(row, transaction);
      if (payersWanted.has(payers[row])) remember(histories, payers[row], row, transaction);
      row += 1;
    }
    onProgress(reader.progress());
  }
  return { byRow, histories };
}

/** Payments of one payer that are kept; an account with more is a shop's or a bank's own. */
const MAX_HISTORY = 20_000;

function remember(histories: Map<number, PastPayment[]>, payer: number, row: number, transaction: Transaction): void {
  let history = histories.get(payer);
  if (history === undefined) {
    history = [];
    histories.set(payer, history);
  }
  if (history.length === MAX_HISTORY) history.splice(0, MAX_HISTORY / 2);
  const { eventTimeMs: timeMs, amountMinor, currency } = transaction;
  if (amountMinor !== 0) history.push({ row, timeMs, amountMinor, currency });
}
