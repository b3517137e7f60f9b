// A few thousand rows as places in a buffer of bytes: what every format is turned into before fields are decoded.
//
// One layout for all formats keeps one set of decoders, which see only bytes: nothing is allocated per cell until a
// decoder wants it. A block is valid until the next one is asked for.

/** Why a row could not be cut into fields. The number is stored per row; 0 is a sound row. */
export const ROW_FAULTS = [
  'NONE',
  'TOO_FEW_COLUMNS',
  'TOO_MANY_COLUMNS',
  'LINE_TOO_LONG',
  'QUOTE_INVALID',
  'QUOTE_UNCLOSED',
  'JSON_INVALID',
  'ENCODING_INVALID',
  /** A decoder refused one of its fields. */
  'FIELD',
] as const;
export type RowFault = (typeof ROW_FAULTS)[number];

export function faultNumber(fault: RowFault): number {
  return ROW_FAULTS.indexOf(fault);
}

export const MAX_BLOCK_ROWS = 8192;

export class RowBlock {
  bytes: Buffer;
  rows = 0;
  readonly columns: number;
  /** Field `column` of row `row` is `bytes[starts[row * columns + column], ends[…])`. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Line of the file (row number where there are no lines), 1-based. */
  readonly lines: Float64Array;
  readonly faults: Uint8Array;
  /** The whole row as it stands in the buffer, to show a bad one. */
  readonly rowStarts: Int32Array;
  readonly rowEnds: Int32Array;
  /** Number of fields found, where that is the fault. */
  readonly fieldCounts: Int32Array;

  constructor(bytes: Buffer, columns: number, capacity = MAX_BLOCK_ROWS) {
    this.bytes = bytes;
    this.columns = columns;
    this.starts = new Int32Array(capacity * columns);
    this.ends = new Int32Array(capacity * columns);
    this.lines = new Float64Array(capacity);
    this.faults = new Uint8Array(capacity);
    this.rowStarts = new Int32Array(capacity);
    this.rowEnds = new Int32Array(capacity);
    this.fieldCounts = new Int32Array(capacity);
  }

  get full(): boolean {
    return this.rows === this.lines.length;
  }

  clear(): void {
    this.rows = 0;
  }

  /** Closes the row whose fields were written at index `rows`. */
  endRow(line: number, start: number, end: number, fault: RowFault = 'NONE', fieldCount = this.columns): void {
    const row = this.rows;
    this.lines[row] = line;
    this.rowStarts[row] = start;
    this.rowEnds[row] = end;
    this.faults[row] = fault === 'NONE' ? 0 : faultNumber(fault);
    this.fieldCounts[row] = fieldCount;
    this.rows = row + 1;
  }
}

/** A file of rows, whatever its format. */
export interface RowSource {
  /** For people: `CSV separated by ';', gzip`. */
  readonly format: string;
  readonly columns: readonly string[];
  /** Columns of the mapping that the first rows lack but later ones may have; they follow `columns` in each row. */
  readonly hiddenColumns?: readonly string[];
  /** The first rows as texts, one array per row, to recognise columns and formats. */
  sample(): Promise<string[][]>;
  /** Reads from the beginning each time it is called. */
  blocks(): AsyncIterable<RowBlock>;
  /** Share of the file that has been read by the latest `blocks`, 0–1. */
  progress(): number;
  readonly encoding: TextEncoding;
}

export type TextEncoding = 'utf-8' | 'latin1';
