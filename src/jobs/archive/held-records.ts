// Records that the archiver has taken from the log and that are in no file yet: they become the next parts, and meanwhile
// are found and listed here.
//
// Kept as the bytes that came, in blocks, which spares the collector of garbage: only what is asked for is parsed. Each partition fills one part; a part that is closed waits
// for its turn to be written and is let go of as a whole.
import { type Condition, meets } from './conditions.ts';
import { type ArchivedRow, type ArchivedTable, fitsColumns, newestFirst, type RowPlace } from './table.ts';

export interface HeldRecord {
  readonly recordedMs: number;
  readonly offset: number;
  readonly key: string;
  /** Its value is a part of it. */
  readonly block: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface TakenRecord extends Pick<HeldRecord, 'recordedMs' | 'offset' | 'key'> {
  readonly value: Uint8Array;
}

export interface HeldPart {
  readonly partition: number;
  readonly records: readonly HeldRecord[];
  readonly bytes: number;
  /** When its first record came here, ms of the caller's clock. */
  readonly sinceMs: number;
  /** Each record looks like an object on one line. */
  readonly isPlain: boolean;
  /** The newest record of each key. */
  readonly byKey: ReadonlyMap<string, HeldRecord>;
}

export function valueOfHeld({ block, start, end }: HeldRecord): Uint8Array {
  return block.subarray(start, end);
}

interface FillingPart extends HeldPart {
  block: Uint8Array;
  /** Of the block. */
  used: number;
  readonly records: HeldRecord[];
  bytes: number;
  isPlain: boolean;
  readonly byKey: Map<string, HeldRecord>;
}

/** What a record takes besides its bytes: the object, its key, its place in the map. */
const RECORD_OVERHEAD_BYTES = 256;
const BLOCK_BYTES = 256 * 1024;
/** Records are parsed for so long before others have a turn. */
const SLICE_MS = 2;
const BRACE = 123;
const NEWLINE = 10;
const decoder = new TextDecoder();

export class HeldRecords {
  readonly #filling = new Map<number, FillingPart>();
  /** In the order in which they were closed. */
  readonly #closed: FillingPart[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get rows(): number {
    return this.parts().reduce((sum, { records }) => sum + records.length, 0);
  }

  /** The oldest record's time; null where there is none. */
  get oldestMs(): number | null {
    const firsts = this.parts().map(({ records }) => records[0].recordedMs);
    return firsts.length === 0 ? null : Math.min(...firsts);
  }

  get filling(): readonly HeldPart[] {
    return [...this.#filling.values()];
  }

  get nextClosed(): HeldPart | null {
    return this.#closed[0] ?? null;
  }

  parts(): readonly HeldPart[] {
    return [...this.#closed, ...this.#filling.values()];
  }

  /** The value is copied: a log's values are views of what it has read, which would stay with them. */
  add(partition: number, { recordedMs, offset, key, value }: TakenRecord, nowMs: number): HeldPart {
    let part = this.#filling.get(partition);
    if (part === undefined) {
      const empty = { records: [], bytes: 0, block: new Uint8Array(0), used: 0 };
      part = { ...empty, partition, sinceMs: nowMs, isPlain: true, byKey: new Map() };
      this.#filling.set(partition, part);
    }
    if (part.used + value.length > part.block.length) {
      part.block = new Uint8Array(Math.max(BLOCK_BYTES, value.length));
      part.used = 0;
    }
    const start = part.used;
    part.block.set(value, start);
    part.used += value.length;
    const record: HeldRecord = { recordedMs, offset, key, block: part.block, start, end: part.used };
    const bytes = value.length + RECORD_OVERHEAD_BYTES;
    part.records.push(record);
    part.byKey.set(record.key, record);
    part.bytes += bytes;
    part.isPlain &&= value[0] === BRACE && !value.includes(NEWLINE);
    this.#bytes += bytes;
    return part;
  }

  close(partition: number): void {
    const part = this.#filling.get(partition);
    if (part === undefined) return;
    this.#filling.delete(partition);
    this.#closed.push(part);
  }

  /** Does nothing where the part was forgotten meanwhile. */
  letGo(part: HeldPart): void {
    const index = this.#closed.indexOf(part as FillingPart);
    if (index === -1) return;
    this.#closed.splice(index, 1);
    this.#bytes -= part.bytes;
  }

  /** All that is held of a partition. */
  forget(partition: number): void {
    this.close(partition);
    for (const part of this.#closed.filter((one) => one.partition === partition)) this.letGo(part);
  }
}

/** The record as a row, as it will be in the file. */
export function rowOfHeld(table: ArchivedTable, partition: number, record: HeldRecord): ArchivedRow {
  const { recordedMs, offset, key } = record;
  const { fields, text } = readHeld(table, record);
  const place = { recordedMs, partition, offset };
  const values = Object.fromEntries(Object.keys(table.columns).map((name) => [name, fields?.[name] ?? null]));
  return { ...place, values: { ...values, [table.idColumn]: values[table.idColumn] ?? key }, unread: text };
}

export function textOfHeld(record: HeldRecord): string {
  return decoder.decode(valueOfHeld(record));
}

export type ReadRecord =
  | { readonly fields: Readonly<Record<string, unknown>>; readonly text: null }
  | { readonly fields: null; readonly text: string };

/** The record's fields, or its text where it does not fit the columns. */
export function readHeld(table: ArchivedTable, record: HeldRecord): ReadRecord {
  const text = textOfHeld(record);
  const fields = parsed(text);
  return fitsColumns(table, fields)
    ? { fields: fields as Record<string, unknown>, text: null }
    : { fields: null, text };
}

export interface HeldSearch {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly after: RowPlace | null;
  readonly conditions: readonly Condition[];
  readonly limit: number;
}

/** Newest first. Gives others a turn as it goes. */
export async function searchHeld(
  table: ArchivedTable,
  parts: readonly HeldPart[],
  { fromMs, untilMs, after, conditions, limit }: HeldSearch,
): Promise<ArchivedRow[]> {
  const placed: (RowPlace & { readonly record: HeldRecord })[] = [];
  for (const { partition, records } of parts) {
    for (const record of records) {
      const { recordedMs, offset } = record;
      if (recordedMs < fromMs || recordedMs >= untilMs) continue;
      const place = { recordedMs, partition, offset, record };
      if (after === null || newestFirst(place, after) > 0) placed.push(place);
    }
  }
  placed.sort(newestFirst);
  const rows: ArchivedRow[] = [];
  let sinceMs = performance.now();
  for (const { partition, record } of placed) {
    if (rows.length === limit) break;
    const row = rowOfHeld(table, partition, record);
    if (meets(row.values, conditions)) rows.push(row);
    if (performance.now() - sinceMs < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sinceMs = performance.now();
  }
  return rows;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
