// An entry of the redo log: the statements of one commit, as texts.
//
// file:  8 bytes "CREDO" 0 0 1, entries.
// entry: u32 mark, u32 bytes of the text, u32 CRC-32C of number and text, u64 number, JSON [[text, parameters, changed], …].
import { crc32c } from '../../lib/crc32c.ts';
import type { RedoStatement } from './transactions.ts';

export const REDO_HEADER = Buffer.from('CREDO\0\0\x01', 'latin1');
/** "CRD1" */
const MARK = Buffer.from('CRD1', 'latin1');
const PREFIX_BYTES = 20;
/** Above what a group of transactions of the largest size may have. */
const MAX_TEXT_BYTES = 1_073_741_824;

export interface RedoEntry {
  /** Rises by one with each entry. */
  readonly number: number;
  readonly statements: readonly RedoStatement[];
}

type StoredStatement = readonly [text: string, parameters: RedoStatement['parameters'], changed: number];

export function encodeRedoEntry({ number, statements }: RedoEntry): Buffer {
  const stored = statements.map(({ text, parameters, changed }): StoredStatement => [text, parameters, changed]);
  const text = Buffer.from(JSON.stringify(stored));
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + text.length);
  MARK.copy(bytes, 0);
  bytes.writeUInt32LE(text.length, 4);
  bytes.writeBigUInt64LE(BigInt(number), 12);
  text.copy(bytes, PREFIX_BYTES);
  bytes.writeUInt32LE(crc32c(bytes, 12), 8);
  return bytes;
}

export interface FoundEntry {
  readonly number: number;
  readonly end: number;
}

/** null where no whole entry begins there */
export function findRedoEntry(bytes: Buffer, at: number): FoundEntry | null {
  if (at + PREFIX_BYTES > bytes.length || MARK.compare(bytes, at, at + 4) !== 0) return null;
  const length = bytes.readUInt32LE(at + 4);
  const end = at + PREFIX_BYTES + length;
  if (length > MAX_TEXT_BYTES || end > bytes.length) return null;
  if (crc32c(bytes, at + 12, end) !== bytes.readUInt32LE(at + 8)) return null;
  return { number: Number(bytes.readBigUInt64LE(at + 12)), end };
}

export function statementsOf(bytes: Buffer, at: number, end: number): readonly RedoStatement[] {
  const stored = JSON.parse(bytes.toString('utf8', at + PREFIX_BYTES, end)) as readonly StoredStatement[];
  return stored.map(([text, parameters, changed]) => ({ text, parameters, changed }));
}

/** Where a whole entry begins behind `from`; null where none does. */
export function laterRedoEntry(bytes: Buffer, from: number): number | null {
  for (let at = bytes.indexOf(MARK, from + 1); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    if (findRedoEntry(bytes, at) !== null) return at;
  }
  return null;
}
