// What kind of text a file is, from its beginning: its encoding, what separates its columns, what ends its lines.
import { isUtf8 } from 'node:buffer';
import { InputError } from '../../lib/errors.ts';
import { CsvScanner } from './csv-scanner.ts';
import { RowBlock, type TextEncoding } from './row-block.ts';

const LF = 10;
const CR = 13;
const DELIMITERS = [',', ';', '\t', '|'];
const SNIFFED_ROWS = 50;
const MAX_COLUMNS = 512;

export function skipByteOrderMark(sample: Uint8Array): number {
  return sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf ? 3 : 0;
}

/** Fails where the bytes are not text in the encoding, and says what they seem to be. */
export function checkText(path: string, sample: Buffer, encoding: TextEncoding): void {
  const magic = sample.subarray(0, 4);
  if (magic.equals(Buffer.from('PK\u0003\u0004', 'latin1'))) {
    throw new InputError(
      'FORMAT_UNKNOWN',
      `${path} is a zip archive or a spreadsheet (.xlsx)`,
      'Save it as CSV (UTF-8) and give that',
    );
  }
  if (magic.equals(Buffer.from('PAR1'))) {
    throw new InputError('FORMAT_UNKNOWN', `${path} is a Parquet file`, 'Rename it so that it ends in .parquet');
  }
  if ((sample[0] === 0xff && sample[1] === 0xfe) || (sample[0] === 0xfe && sample[1] === 0xff) || looksUtf16(sample)) {
    throw new InputError(
      'ENCODING_INVALID',
      `${path} is UTF-16 text, not UTF-8`,
      `Convert it: iconv -f UTF-16 -t UTF-8 '${path}' > converted.csv`,
    );
  }
  if (looksBinary(sample)) {
    throw new InputError(
      'FORMAT_UNKNOWN',
      `${path} is not text: it holds binary data`,
      'Give a CSV, NDJSON, JSON or Parquet file',
    );
  }
  if (encoding === 'utf-8' && looksLatin1(sample)) {
    throw new InputError(
      'ENCODING_INVALID',
      `${path} is Latin-1 (Windows-1252) text, not UTF-8: line ${firstBadLine(sample)} is not valid UTF-8`,
      `Write 'encoding: latin1' in the mapping, or convert it: iconv -f WINDOWS-1252 -t UTF-8 '${path}' > converted.csv`,
    );
  }
}

/** Every other byte zero: UTF-16 without a byte order mark. */
function looksUtf16(sample: Uint8Array): boolean {
  const length = Math.min(sample.length, 512) & ~1;
  if (length < 8) return false;
  const zeros = [0, 0];
  for (let i = 0; i < length; i++) if (sample[i] === 0) zeros[i & 1] += 1;
  return zeros.some((count, parity) => count > length * 0.35 && zeros[1 - parity] < length * 0.05);
}

/** Not UTF-8 and full of control characters, or mostly zeros. */
function looksBinary(sample: Buffer): boolean {
  let controls = 0;
  let zeros = 0;
  for (const byte of sample) {
    if (byte < 32 && byte !== LF && byte !== CR && byte !== 9) controls += 1;
    if (byte === 0) zeros += 1;
  }
  return zeros > sample.length * 0.3 || (controls > sample.length * 0.01 && !isUtf8(sample));
}

/** Lines that are not UTF-8 and none that is UTF-8 beyond ASCII; a single bad line is left to be refused as a row. */
function looksLatin1(sample: Buffer): boolean {
  if (isUtf8(sample)) return false;
  let bad = 0;
  for (const line of completeLines(sample)) {
    if (!line.some((byte) => byte >= 0x80)) continue;
    if (isUtf8(line)) return false;
    bad += 1;
  }
  return bad >= 2;
}

function firstBadLine(sample: Buffer): number {
  let number = 0;
  for (const line of completeLines(sample)) {
    number += 1;
    if (!isUtf8(line)) return number;
  }
  return number;
}

function* completeLines(sample: Buffer): Generator<Buffer> {
  let from = 0;
  for (let end = sample.indexOf(LF); end >= 0; end = sample.indexOf(LF, from)) {
    yield sample.subarray(from, end);
    from = end + 1;
  }
}

/** @param delimiter what the mapping says; null: the one that cuts the most rows into the header's number of columns */
export function sniffDialect(sample: Buffer, delimiter: string | null): { delimiter: number; newline: number } {
  const newline = sample.includes(LF) || !sample.includes(CR) ? LF : CR;
  if (delimiter !== null) return { delimiter: delimiter.charCodeAt(0), newline };
  let best = { score: 0, delimiter: 44 };
  for (const candidate of DELIMITERS) {
    const byte = candidate.charCodeAt(0);
    const score = scoreOf(sample, { delimiter: byte, newline });
    if (score > best.score) best = { score, delimiter: byte };
  }
  return { delimiter: best.delimiter, newline };
}

function scoreOf(sample: Buffer, dialect: { delimiter: number; newline: number }): number {
  const block = new RowBlock(Buffer.from(sample), MAX_COLUMNS, SNIFFED_ROWS);
  new CsvScanner(dialect, 1, sample.length + 1).scan(block, 0, sample.length, true);
  const header = block.fieldCounts[0];
  if (block.rows === 0 || header < 2) return 0;
  let alike = 0;
  for (let row = 0; row < block.rows; row++) if (block.fieldCounts[row] === header) alike += 1;
  // Rows that agree with the header count first; among equals the delimiter that gives more columns.
  return (alike / block.rows) * 1000 + header;
}
