// The segments of one partition, and reading from them.
import { setImmediate } from 'node:timers/promises';
import type { StreamPartition, StreamRecord } from '../../../ports.ts';
import { damaged, readFully } from './durable-files.ts';
import type { HandlePool } from './handle-pool.ts';
import type { RecentWrites } from './recent-writes.ts';
import { decodeRecord, measureRecord, neededBytes, SEGMENT_HEADER_BYTES } from './record-format.ts';
import { indexRecords, loadIndex, positionBefore, type Segment, type SegmentIndex, saveIndex } from './segment.ts';

export interface Partition extends StreamPartition {
  readonly folder: string;
  /** In order of their offsets; the last one is appended to. Empty before the first record. */
  segments: Segment[];
  /** The offset that comes next. */
  next: number;
  readonly reading: ReadingGate;
  readonly recent: RecentWrites;
  /** Where recent reads ended: offset → place. */
  readonly cursors: Map<number, { readonly segment: Segment; readonly position: number }>;
}

/** Readers pass together; who swaps files under their feet passes alone. */
export interface ReadingGate {
  read<T>(body: () => Promise<T>): Promise<T>;
  alone<T>(body: () => Promise<T>): Promise<T>;
}

const MAX_CURSORS = 64;
const MIN_READ_BYTES = 16_384;
const MAX_READ_BYTES = 1_048_576;
/** A guess before a segment's own records are known. */
const USUAL_RECORD_BYTES = 512;
/** Indexes of closed segments in memory, of all partitions together. */
const MAX_LOADED_INDEXES = 256;

export function createReadingGate(): ReadingGate {
  let readers = 0;
  let swap: Promise<unknown> | null = null;
  return {
    async read(body) {
      while (swap !== null) await swap;
      readers++;
      try {
        return await body();
      } finally {
        readers--;
      }
    },
    async alone(body) {
      while (swap !== null) await swap;
      const { promise, resolve } = Promise.withResolvers<void>();
      swap = promise;
      try {
        while (readers > 0) await setImmediate();
        return await body();
      } finally {
        swap = null;
        resolve();
      }
    },
  };
}

export function startOf({ segments, next }: Partition): number {
  return segments[0]?.base ?? next;
}

export interface PartitionReader {
  /** Consecutive committed records; from the start where the offset is before it. */
  read(partition: Partition, offset: number, maxRecords: number, maxBytes: number): Promise<StreamRecord[]>;
  /** The segment's whole index, made or loaded where it is not in memory. */
  wholeIndex(segment: Segment, isClosed: boolean): Promise<SegmentIndex>;
}

export function createPartitionReader(pool: HandlePool): PartitionReader {
  const loaded = new Set<Segment>();

  async function wholeIndex(segment: Segment, isClosed: boolean): Promise<SegmentIndex> {
    let known = segment.index;
    if (known?.from === SEGMENT_HEADER_BYTES) return known;
    if (isClosed && known === null) known = await loadIndex(segment);
    if (known?.from !== SEGMENT_HEADER_BYTES) {
      const { index, end } = await pool.use(segment.path, (handle) => indexRecords(handle, segment, known));
      // A damaged record ends the index early, and reading tells of it when it comes there.
      if (isClosed && end === segment.bytes) await saveIndex(segment, index).catch(() => undefined);
      known = index;
    }
    if (isClosed) keep(segment, known);
    return known;
  }

  function keep(segment: Segment, index: SegmentIndex): void {
    segment.index = index;
    loaded.add(segment);
    for (const oldest of loaded) {
      if (loaded.size <= MAX_LOADED_INDEXES) break;
      loaded.delete(oldest);
      oldest.index = null;
    }
  }

  async function placeOf(partition: Partition, segmentAt: number, offset: number): Promise<number> {
    const segment = partition.segments[segmentAt]!;
    const cursor = partition.cursors.get(offset);
    if (cursor?.segment === segment) {
      partition.cursors.delete(offset);
      return cursor.position;
    }
    const index = await wholeIndex(segment, segmentAt < partition.segments.length - 1);
    return positionBefore(index, offset);
  }

  async function readInside(partition: Partition, from: number, maxRecords: number, maxBytes: number) {
    const records: StreamRecord[] = [];
    let offset = Math.max(from, startOf(partition));
    let at = partition.segments.findLastIndex(({ base }) => base <= offset);
    while (at >= 0 && at < partition.segments.length && offset < partition.next && records.length < maxRecords) {
      const segment = partition.segments[at]!;
      const place = await placeOf(partition, at, offset);
      const reached = await pool.use(segment.path, (handle) =>
        readSegment(handle, segment, place, offset, maxRecords, maxBytes, records),
      );
      const last = records.at(-1);
      const after = last === undefined ? offset : last.offset + 1;
      if (reached.problem !== null) {
        // What is whole before it is given out; the next read begins at the bad one.
        if (last !== undefined) return records;
        throw damaged(segment.path, reached.position, reached.problem);
      }
      if (reached.position < segment.bytes) {
        remember(partition, after, segment, reached.position);
        return records;
      }
      const following = partition.segments[at + 1];
      if (following === undefined) {
        remember(partition, after, segment, reached.position);
        return records;
      }
      const isWhole = segment.coveredTo > 0 || reached.next === null || reached.next === following.base;
      if (!isWhole && last === undefined) {
        throw damaged(
          segment.path,
          reached.position,
          `records ${reached.next} to ${following.base - 1} are missing behind it`,
        );
      }
      if (!isWhole) return records;
      if (last !== undefined) return records;
      offset = following.base;
      at++;
    }
    return records;
  }

  return {
    read: async (partition, offset, maxRecords, maxBytes) =>
      (offset >= startOf(partition) ? partition.recent.read(offset, maxRecords, maxBytes) : null) ??
      (await partition.reading.read(() => readInside(partition, offset, maxRecords, maxBytes))),
    wholeIndex,
  };
}

function remember(partition: Partition, offset: number, segment: Segment, position: number): void {
  const { cursors } = partition;
  cursors.set(offset, { segment, position });
  for (const oldest of cursors.keys()) {
    if (cursors.size <= MAX_CURSORS) break;
    cursors.delete(oldest);
  }
}

interface Reached {
  /** Of the first record that was not taken. */
  readonly position: number;
  /** The offset behind the last record that was seen; null where none was. */
  readonly next: number | null;
  /** What is wrong with the record there. */
  readonly problem: string | null;
}

async function readSegment(
  handle: Parameters<typeof readFully>[0],
  segment: Segment,
  place: number,
  offset: number,
  maxRecords: number,
  maxBytes: number,
  into: StreamRecord[],
): Promise<Reached> {
  let position = place;
  let next: number | null = null;
  let taken = 0;
  let chunkBytes = clampChunk((maxRecords - into.length) * USUAL_RECORD_BYTES * 1.2);
  const { bytes: end } = segment;
  while (position < end) {
    const chunk = Buffer.from(new ArrayBuffer(Math.min(chunkBytes, end - position)));
    const read = await readFully(handle, chunk, position);
    let at = 0;
    let size = measureRecord(chunk, at, read);
    for (; typeof size === 'number'; size = measureRecord(chunk, at, read)) {
      const record = decodeRecord(chunk, at);
      if (record.offset >= offset) {
        if (into.length === maxRecords || (taken > 0 && taken + size > maxBytes))
          return { position: position + at, next, problem: null };
        into.push(record);
        taken += size;
      }
      next = record.offset + 1;
      at += size;
    }
    position += at;
    if (size === 'damaged') return { position, next, problem: 'the checksum of the record there does not fit' };
    if (read < chunk.length)
      return { position, next, problem: `the file ends at byte ${position - at + read} of ${end}` };
    if (into.length === maxRecords) break;
    if (at > 0) continue;
    chunkBytes = neededBytes(chunk, 0, read);
    if (chunkBytes > end - position) return { position, next, problem: 'the length of the record there cannot be' };
  }
  return { position, next, problem: null };
}

function clampChunk(bytes: number): number {
  return Math.min(MAX_READ_BYTES, Math.max(MIN_READ_BYTES, Math.ceil(bytes)));
}
