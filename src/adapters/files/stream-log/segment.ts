// One file of consecutive records, and the sparse index that finds an offset in it.
import { type FileHandle, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../../lib/crc32c.ts';
import { readFully } from './durable-files.ts';
import { measureRecord, neededBytes, offsetOf, SEGMENT_HEADER_BYTES, timestampOf } from './record-format.ts';

/** Between two entries of the index lie at least so many bytes. */
const INDEX_EVERY_BYTES = 32_768;
const SCAN_BYTES = 1_048_576;

export interface SegmentIndex {
  /** The index says nothing of what lies before this byte: it was there when the log was opened. */
  from: number;
  readonly offsets: number[];
  readonly positions: number[];
  /** Of all records in the segment; -Infinity without any. */
  maxTimestampMs: number;
}

export interface Segment {
  readonly path: string;
  /** Offset that its first record has or had. */
  readonly base: number;
  /** As in SegmentHeader. */
  readonly coveredTo: number;
  /** Up to here it is committed; what may lie behind is not. */
  bytes: number;
  /** null: not in memory; it is read from its file or made anew when needed. */
  index: SegmentIndex | null;
}

export function segmentPath(folder: string, base: number): string {
  return join(folder, `${String(base).padStart(20, '0')}.log`);
}

export function emptyIndex(from: number): SegmentIndex {
  return { from, offsets: [], positions: [], maxTimestampMs: Number.NEGATIVE_INFINITY };
}

export function addToIndex(index: SegmentIndex, offset: number, position: number, timestampMs: number): void {
  if (timestampMs > index.maxTimestampMs) index.maxTimestampMs = timestampMs;
  const last = index.positions.at(-1);
  if (last !== undefined && position - last < INDEX_EVERY_BYTES) return;
  index.offsets.push(offset);
  index.positions.push(position);
}

/** Where to begin to look for an offset. */
export function positionBefore({ offsets, positions }: SegmentIndex, offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? SEGMENT_HEADER_BYTES : positions[low - 1]!;
}

/**
 * Calls `visit` for each whole record from one byte of a file up to another.
 *
 * @returns the byte at which it stopped: `to`, or the first one that belongs to no whole record
 */
export async function scanRecords(
  handle: FileHandle,
  from: number,
  to: number,
  visit: (bytes: Buffer, at: number, size: number, position: number) => void,
): Promise<number> {
  let chunk = Buffer.allocUnsafe(Math.min(SCAN_BYTES, Math.max(0, to - from)));
  for (let position = from; position < to; ) {
    const wanted = chunk.subarray(0, Math.min(chunk.length, to - position));
    const read = await readFully(handle, wanted, position);
    let at = 0;
    let size = measureRecord(wanted, at, read);
    while (typeof size === 'number') {
      visit(wanted, at, size, position + at);
      at += size;
      size = measureRecord(wanted, at, read);
    }
    position += at;
    if (size === 'damaged' || read < wanted.length) return position;
    if (at > 0) continue;
    const needed = neededBytes(wanted, 0, read);
    if (needed > to - position) return position;
    chunk = Buffer.allocUnsafe(needed);
  }
  return to;
}

/** Reads the part of a segment that its index does not know yet; `end` is the byte at which whole records end. */
export async function indexRecords(
  handle: FileHandle,
  segment: Segment,
  known: SegmentIndex | null,
): Promise<{ readonly index: SegmentIndex; readonly end: number }> {
  const to = known?.from ?? segment.bytes;
  const found = emptyIndex(SEGMENT_HEADER_BYTES);
  const end = await scanRecords(handle, SEGMENT_HEADER_BYTES, to, (bytes, at, _size, position) =>
    addToIndex(found, offsetOf(bytes, at), position, timestampOf(bytes, at)),
  );
  // What cannot be read may be of any age, and is not taken for old.
  if (end < to) found.maxTimestampMs = Number.POSITIVE_INFINITY;
  if (known === null) return { index: found, end };
  // Another reader may have been faster.
  if (known.from > SEGMENT_HEADER_BYTES) {
    known.offsets.unshift(...found.offsets);
    known.positions.unshift(...found.positions);
    known.maxTimestampMs = Math.max(known.maxTimestampMs, found.maxTimestampMs);
    known.from = SEGMENT_HEADER_BYTES;
  }
  return { index: known, end };
}

const indexPath = (segment: Segment) => segment.path.replace(/\.log$/, '.index');

/** Not synced: an index that is missing, torn or of other contents is made anew. */
export async function saveIndex(segment: Segment, index: SegmentIndex): Promise<void> {
  const numbers = [segment.bytes, index.maxTimestampMs];
  for (const [entry, offset] of index.offsets.entries()) numbers.push(offset, index.positions[entry]!);
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer);
  const sum = new Uint8Array(Uint32Array.of(crc32c(bytes)).buffer);
  await writeFile(indexPath(segment), Buffer.concat([bytes, sum]));
}

/** null where there is none that fits */
export async function loadIndex(segment: Segment): Promise<SegmentIndex | null> {
  const file = await readFile(indexPath(segment)).catch(() => null);
  if (file === null || file.length < 20 || (file.length - 4) % 16 !== 0) return null;
  const bytes = new Uint8Array(file.subarray(0, -4));
  if (file.readUInt32LE(bytes.length) !== crc32c(bytes)) return null;
  const numbers = new Float64Array(bytes.buffer);
  if (numbers[0] !== segment.bytes) return null;
  const index = emptyIndex(SEGMENT_HEADER_BYTES);
  index.maxTimestampMs = numbers[1]!;
  for (let at = 2; at < numbers.length; at += 2) {
    index.offsets.push(numbers[at]!);
    index.positions.push(numbers[at + 1]!);
  }
  return index;
}

export function filesOf(segment: Segment): string[] {
  return [segment.path, indexPath(segment)];
}
