// A reader over transactions in memory, in batches of any size.
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import type { TransactionReader } from '../../src/ports.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';

export function simulate(customers: number, days: number, seed: number): Transaction[] {
  return [...createSimulator({ customers, days, seed, startDate: '2026-01-05' }).batches()].flat();
}

export function readerOf(transactions: readonly Transaction[], batchSize: number): TransactionReader {
  const some = createTransaction({ id: '-', eventTimeMs: 0, amountMinor: 0, currency: 'PEN' });
  const fields = Object.keys(some) as (keyof Transaction)[];
  let read = 0;
  return {
    mapping: {
      ...{ name: 'canonical', guessed: false, unusedColumns: [], timeZone: 'America/Lima', labelDelayDays: null },
      ...{ catalogue: null, describe: () => [] },
      fields: new Map(fields.map((field) => [field, { kind: 'column', column: field, detail: '' }])),
    },
    fieldsPresent: new Set(fields),
    utcOffsetMinutes: -300,
    progress: () => read / transactions.length,
    summary: () => ({
      ...{ rows: read, accepted: read, rejected: 0, byReason: {}, firstExamples: [], findings: [] },
    }),
    async *[Symbol.asyncIterator]() {
      for (read = 0; read < transactions.length; ) {
        const batch = transactions.slice(read, read + batchSize);
        read += batch.length;
        yield batch;
      }
    },
  };
}
