// What of a topic's records an archive keeps in columns. Records are JSON objects; a field that has no column is not kept,
// and a record that does not fit its columns is kept whole as text, so that nothing of a topic is ever missing.
import { InputError } from '../../lib/errors.ts';

export type ColumnShape =
  | 'text'
  | 'integer'
  | 'number'
  | { readonly listOf: ColumnShape }
  | { readonly fields: Readonly<Record<string, ColumnShape>> };

/** Columns are only ever added: old files have none of a new one, which reads as null. */
export interface ArchivedTable {
  /** The first part of its keys: `decisions`. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnShape>>;
  /** The text column by which single records are found; the record's key where the record itself cannot be read. */
  readonly idColumn: string;
}

/** Where a record stood in the log, and when it was written there. Orders an archive. */
export interface RowPlace {
  /** ms UTC */
  readonly recordedMs: number;
  readonly partition: number;
  readonly offset: number;
}

export interface ArchivedRow extends RowPlace {
  /** The record's columns, all of them; all but the id null where it could not be read. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The record as it was where it did not fit the columns; otherwise null. */
  readonly unread: string | null;
}

/** Columns that every archive has besides the table's own. */
export const PLACE_COLUMNS = {
  recordedMs: 'recordedMs',
  partition: 'logPartition',
  offset: 'logOffset',
  unread: 'unread',
};

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const COLUMN = /^[a-z][A-Za-z0-9]{0,62}$/;

/** @throws InputError where the table cannot be kept: names that keys or columns cannot have */
export function checkTable({ name, columns, idColumn }: ArchivedTable): void {
  const taken = new Set(Object.values(PLACE_COLUMNS).map((column) => column.toLowerCase()));
  for (const column of Object.keys(columns)) {
    // Columns that differ only in upper and lower case are one to a database.
    if (!COLUMN.test(column) || taken.has(column.toLowerCase())) throw badTable(name, `a column ${column}`);
    taken.add(column.toLowerCase());
  }
  if (!NAME.test(name)) throw badTable(name, 'such a name');
  if (columns[idColumn] !== 'text') throw badTable(name, `the id ${idColumn}, which is no text column of it`);
}

/** Whether a record, as JSON has it, can be kept in the columns and read back the same. */
export function fitsColumns({ columns }: ArchivedTable, record: unknown): boolean {
  return isObject(record) && fits({ fields: columns }, record);
}

/** What is missing fits everywhere. */
function fits(shape: ColumnShape, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  // Half of a surrogate pair is no text that can be written.
  if (shape === 'text') return typeof value === 'string' && value.isWellFormed();
  if (shape === 'integer') return Number.isSafeInteger(value);
  if (shape === 'number') return Number.isFinite(value);
  if ('listOf' in shape) return Array.isArray(value) && value.every((one) => fits(shape.listOf, one));
  return isObject(value) && Object.entries(shape.fields).every(([name, field]) => fits(field, value[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badTable(name: string, what: string): InputError {
  return new InputError('ARCHIVE_TABLE', `The archive '${name}' cannot have ${what}`, 'Give it another');
}

/** Newest first. */
export function newestFirst(a: RowPlace, b: RowPlace): number {
  return b.recordedMs - a.recordedMs || b.partition - a.partition || b.offset - a.offset;
}
