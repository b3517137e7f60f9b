// Writes transactions with one column per field, as the built-in mapping `canonical` reads them back unchanged.
import { type Transaction, TransactionSchema } from '../../domain/transaction.ts';
import type { Cell, ColumnType, RowWriter, TableColumn } from '../../ports.ts';
import { createTableWriter } from './write-table.ts';

type Field = keyof Transaction;

const FIELDS = Object.keys(TransactionSchema.properties) as readonly Field[];

const TYPES: Partial<Record<Field, ColumnType>> = {
  eventTimeMs: 'integer',
  ingestTimeMs: 'integer',
  amountMinor: 'integer',
  balanceAfterMinor: 'integer',
  labelTimeMs: 'integer',
  latitude: 'number',
  longitude: 'number',
  isFraud: 'boolean',
};

const COLUMNS: readonly TableColumn[] = FIELDS.map((name) => ({ name, type: TYPES[name] ?? 'text' }));

/** @param path as for `createTableWriter` */
export async function createTransactionWriter(path: string): Promise<RowWriter<Transaction>> {
  const table = await createTableWriter(path, COLUMNS);
  return {
    write: (transactions) => table.write(transactions.map(cellsOf)),
    close: () => table.close(),
    abort: () => table.abort(),
  };
}

function cellsOf(transaction: Transaction): Cell[] {
  return FIELDS.map((field) => {
    const value = transaction[field];
    return Array.isArray(value) ? (value.length === 0 ? null : value.join('|')) : (value as Cell);
  });
}
