// Transactions of a file onto the stream, as a bank's own producer would send them.
import type { Transaction } from '../../domain/transaction.ts';
import type { OutgoingRecord, StreamLog, TransactionReader } from '../../ports.ts';

const encoder = new TextEncoder();
const NO_HEADERS: OutgoingRecord['headers'] = [];

/** By whom the stream is partitioned: all of a payer's transactions stand in one order. */
export function streamKeyOf({ payerId, cardId, id }: Pick<Transaction, 'payerId' | 'cardId' | 'id'>): string {
  return payerId ?? cardId ?? id;
}

/** What is missing is left out, and so is the label: it is not known when the transaction comes. */
export function transactionRecord(transaction: Transaction, topic: string): OutgoingRecord {
  const { isFraud: _, typology: __, labelTimeMs: ___, ...fields } = transaction;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  return {
    ...{ topic, partition: null, headers: NO_HEADERS, timestampMs: null },
    ...{ key: encoder.encode(streamKeyOf(transaction)), value: encoder.encode(JSON.stringify(given)) },
  };
}

/** @returns how many were written, durably */
export async function feedStream(
  reader: TransactionReader,
  log: Pick<StreamLog, 'append'>,
  topic: string,
  onProgress: (share: number) => void,
): Promise<number> {
  let rows = 0;
  for await (const batch of reader) {
    await log.append(batch.map((transaction) => transactionRecord(transaction, topic)));
    rows += batch.length;
    onProgress(reader.progress());
  }
  return rows;
}
