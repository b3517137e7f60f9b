// What PostgreSQL's error codes mean for us (PostgreSQL documentation, appendix A), the same for the embedded database.
import { RecordConflictError, RecordsUnavailableError } from '../../lib/errors.ts';

/** The fields of an error that a server reports; `code` is its SQLSTATE. */
export interface SqlFailure {
  readonly code: string;
  readonly message: string;
  readonly detail: string | null;
  readonly constraint: string | null;
  readonly table: string | null;
  readonly column: string | null;
}

export function isSqlState(code: unknown): code is string {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}

/** Lost against another transaction: serialization failure, deadlock. */
export function isLostRace(code: string): boolean {
  return code === '40001' || code === '40P01';
}

/** What is on the disk is not what was written: data_corrupted, index_corrupted. */
export function isDamage(code: string): boolean {
  return code === 'XX001' || code === 'XX002';
}

/** The error to throw for what a server reported. */
export function errorOf(failure: SqlFailure): Error {
  const { code, message, constraint, table, column } = failure;
  if (code.startsWith('23')) {
    const which = constraint ?? (column === null ? null : `${column} is missing`);
    const of = table === null ? '' : ` of ${table}`;
    return new RecordConflictError(`a record${of} breaks ${which ?? 'a constraint'}: ${message}`, constraint, table);
  }
  if (isTrouble(code)) return new RecordsUnavailableError(`the database of records reports: ${message} (${code})`);
  if (code === '25006') return new Error(`${message}: what writes goes through \`transact\``);
  return Object.assign(new Error(`${message} (${code})`), { code });
}

/** Connections, resources, an operator's intervention, the system: none is the statement's fault. */
function isTrouble(code: string): boolean {
  return /^(08|28|53|57|58|XX00[12])/.test(code) || isLostRace(code) || code === '55P03' || code === '3D000';
}
