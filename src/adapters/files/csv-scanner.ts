// Cuts bytes into CSV records (RFC 4180) without making a string: quotes, doubled quotes, line breaks inside quotes,
// CRLF, LF or CR. One pass, one comparison or two per byte.
import type { RowBlock } from './row-block.ts';

const LF = 10;
const CR = 13;
const QUOTE = 34;

export interface CsvDialect {
  /** byte */
  readonly delimiter: number;
  /** byte that ends a record: LF, or CR in files of old Macs */
  readonly newline: number;
}

export class CsvScanner {
  /** Longest record in bytes; a longer one is refused and reading goes on at the next line. */
  readonly maxRecordBytes: number;
  readonly #delimiter: number;
  readonly #newline: number;
  #line: number;
  /** Inside a record that is too long: everything up to the next line break is dropped. */
  #skipping = false;
  /** Fields of the current record that contain doubled quotes. */
  readonly #escaped: number[] = [];

  constructor(dialect: CsvDialect, firstLine: number, maxRecordBytes: number) {
    this.#delimiter = dialect.delimiter;
    this.#newline = dialect.newline;
    this.#line = firstLine;
    this.maxRecordBytes = maxRecordBytes;
  }

  /** Line at which the next record begins. */
  get line(): number {
    return this.#line;
  }

  /**
   * Adds the records that end within `bytes[from, to)` to the block, until it is full.
   * @param final nothing follows: a last record without line break counts
   * @returns where the first record begins that was not added
   */
  scan(block: RowBlock, from: number, to: number, final: boolean): number {
    let position = from;
    while (position < to && !block.full) {
      if (this.#skipping) {
        const lineEnd = block.bytes.subarray(0, to).indexOf(this.#newline, position);
        if (lineEnd < 0) return to;
        this.#skipping = false;
        this.#line += 1;
        position = lineEnd + 1;
        continue;
      }
      const next = this.#scanRecord(block, position, to, final);
      if (next < 0) {
        if (!final && to - position < this.maxRecordBytes) return position;
        position = this.#refuseUnfinished(block, position, to);
      } else {
        position = Math.min(next, to);
      }
    }
    return position;
  }

  /** @returns where the next record begins, or −1 where this one does not end before `to` */
  #scanRecord(block: RowBlock, from: number, to: number, final: boolean): number {
    const { bytes, starts, ends, columns } = block;
    const delimiter = this.#delimiter;
    const newline = this.#newline;
    const base = block.rows * columns;
    const escaped = this.#escaped;
    escaped.length = 0;
    let lineBreaks = 0;
    let column = 0;
    let position = from;
    let badQuote = false;
    for (;;) {
      let start = position;
      let end: number;
      if (position < to && bytes[position] === QUOTE) {
        start = position + 1;
        position = start;
        let doubled = false;
        for (;;) {
          if (position >= to) return -1;
          const byte = bytes[position];
          if (byte === QUOTE) {
            if (position + 1 >= to && !final) return -1;
            if (position + 1 < to && bytes[position + 1] === QUOTE) {
              doubled = true;
              position += 2;
              continue;
            }
            break;
          }
          if (byte === newline) lineBreaks += 1;
          position += 1;
        }
        end = position;
        position += 1;
        if (doubled && column < columns) escaped.push(base + column);
        while (position < to && bytes[position] !== delimiter && bytes[position] !== newline) {
          if (bytes[position] !== CR) badQuote = true;
          position += 1;
        }
      } else {
        while (position < to) {
          const byte = bytes[position];
          if (byte === delimiter || byte === newline) break;
          position += 1;
        }
        end = position;
        if (newline === LF && end > start && (position >= to || bytes[position] === LF) && bytes[end - 1] === CR)
          end -= 1;
      }
      if (position >= to && !final) return -1;
      if (column < columns) {
        starts[base + column] = start;
        ends[base + column] = end;
      }
      column += 1;
      if (position < to && bytes[position] === delimiter) {
        position += 1;
        continue;
      }
      this.#endRecord(block, from, position, column, badQuote);
      this.#line += lineBreaks + 1;
      return position + 1;
    }
  }

  #endRecord(block: RowBlock, from: number, to: number, fields: number, badQuote: boolean): void {
    const { bytes, starts, ends, columns } = block;
    const line = this.#line;
    const base = block.rows * columns;
    const blank = fields === 1 && columns > 1 && isBlank(bytes, from, to);
    if (blank) return;
    if (to - from > this.maxRecordBytes) block.endRow(line, from, to, 'LINE_TOO_LONG');
    else if (badQuote) block.endRow(line, from, to, 'QUOTE_INVALID');
    else if (fields < columns) block.endRow(line, from, to, 'TOO_FEW_COLUMNS', fields);
    else if (fields > columns) block.endRow(line, from, to, 'TOO_MANY_COLUMNS', fields);
    else {
      for (const index of this.#escaped) if (index >= base) ends[index] = undouble(bytes, starts[index], ends[index]);
      block.endRow(line, from, to);
    }
  }

  /** A record that never ends: its first line is refused, and reading goes on at the next one. */
  #refuseUnfinished(block: RowBlock, from: number, to: number): number {
    const lineEnd = block.bytes.subarray(0, to).indexOf(this.#newline, from);
    if (lineEnd < 0) {
      const unclosed = to - from < this.maxRecordBytes;
      block.endRow(this.#line, from, to, unclosed ? 'QUOTE_UNCLOSED' : 'LINE_TOO_LONG');
      this.#skipping = true;
      return to;
    }
    block.endRow(this.#line, from, lineEnd, 'QUOTE_UNCLOSED');
    this.#line += 1;
    return lineEnd + 1;
  }
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 32 && bytes[i] !== CR && bytes[i] !== 9) return false;
  return true;
}

/** Turns doubled quotes into one, in place. @returns the new end */
function undouble(bytes: Uint8Array, from: number, to: number): number {
  let write = from;
  for (let read = from; read < to; read++) {
    bytes[write] = bytes[read];
    write += 1;
    if (bytes[read] === QUOTE) read += 1;
  }
  return write;
}
