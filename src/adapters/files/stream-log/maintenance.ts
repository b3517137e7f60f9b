// What goes from a log as time passes: whole old segments, and in compacted topics all but the newest record of each key.
import { open, rename, rm } from 'node:fs/promises';
import type { TopicSettings } from '../../../ports.ts';
import { damaged, syncFolder, writeFully } from './durable-files.ts';
import type { HandlePool } from './handle-pool.ts';
import type { Partition, PartitionReader } from './partition.ts';
import { decodeRecord, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './record-format.ts';
import { filesOf, type Segment, scanRecords } from './segment.ts';

export interface MaintenanceLimits {
  /** Bytes of a partition that stay at most, the newest segment not counted; null: no limit. */
  readonly retentionBytes: number | null;
  /** Files made by compaction are at most so large. */
  readonly segmentBytes: number;
  /** Keys that compaction remembers at once; records of others stay for now. */
  readonly compactionKeys: number;
  /** How long a key's removal stays readable in a compacted topic. */
  readonly removalKeptMs: number;
}

export interface Maintenance {
  /** @returns partitions whose newest segment holds old records only: they want a new one, and then this again */
  removeOld(partition: Partition, topic: TopicSettings, nowMs: number): Promise<boolean>;
  compact(partition: Partition, nowMs: number): Promise<void>;
}

export function createMaintenance(pool: HandlePool, reader: PartitionReader, limits: MaintenanceLimits): Maintenance {
  /** Partition → the newest segment at its last compaction: without another one there is nothing to gain. */
  const compactedUpTo = new WeakMap<Partition, number>();

  async function isOld(partition: Partition, segment: Segment, topic: TopicSettings, nowMs: number): Promise<boolean> {
    if (topic.retentionMs === null) return false;
    const { maxTimestampMs } = await reader.wholeIndex(segment, segment !== partition.segments.at(-1));
    return maxTimestampMs < nowMs - topic.retentionMs;
  }

  function isTooMuch({ segments }: Partition): boolean {
    if (limits.retentionBytes === null) return false;
    return segments.slice(0, -1).reduce((sum, { bytes }) => sum + bytes, 0) > limits.retentionBytes;
  }

  async function removeFirst(partition: Partition): Promise<void> {
    const [first] = partition.segments;
    await partition.reading.alone(async () => {
      partition.segments = partition.segments.slice(1);
      await removeFiles(first!);
      await syncFolder(partition.folder);
    });
  }

  async function removeFiles(segment: Segment): Promise<void> {
    await pool.drop(segment.path);
    for (const file of filesOf(segment)) await rm(file, { force: true });
  }

  async function removeOld(partition: Partition, topic: TopicSettings, nowMs: number): Promise<boolean> {
    while (partition.segments.length > 1) {
      if (!isTooMuch(partition) && !(await isOld(partition, partition.segments[0]!, topic, nowMs))) return false;
      await removeFirst(partition);
    }
    const [last] = partition.segments;
    return last !== undefined && partition.next > last.base && (await isOld(partition, last, topic, nowMs));
  }

  async function scan(segment: Segment, visit: Parameters<typeof scanRecords>[3]): Promise<void> {
    const { path, bytes } = segment;
    const end = await pool.use(path, (handle) => scanRecords(handle, SEGMENT_HEADER_BYTES, bytes, visit));
    if (end < bytes) throw damaged(path, end, 'the record there is not whole');
  }

  /** Key → offset of its newest record, of as many keys as may be remembered. */
  async function newestOffsets(partition: Partition): Promise<Map<string, number>> {
    const newest = new Map<string, number>();
    for (const segment of partition.segments) {
      await scan(segment, (bytes, at) => {
        const { key, offset } = decodeRecord(bytes, at);
        const name = keyName(key);
        if (newest.size < limits.compactionKeys || newest.has(name)) newest.set(name, offset);
      });
    }
    return newest;
  }

  async function compact(partition: Partition, nowMs: number): Promise<void> {
    const newestBase = partition.segments.at(-1)?.base;
    if (partition.segments.length < 2 || compactedUpTo.get(partition) === newestBase) return;
    let removalsLeft = 0;
    const newest = await newestOffsets(partition);
    const stays = (bytes: Buffer, at: number) => {
      const { key, value, offset, timestampMs } = decodeRecord(bytes, at);
      const last = newest.get(keyName(key)) ?? -1;
      if (offset < last) return false;
      // Where the key is not remembered, older values may be left: what removes it must stay as well.
      if (value !== null || last !== offset) return true;
      const isKept = timestampMs >= nowMs - limits.removalKeptMs;
      if (isKept) removalsLeft++;
      return isKept;
    };
    const closed = partition.segments.slice(0, -1);
    // The oldest first: a key's removal must not go before the values that it removes.
    for (let first = 0; first < closed.length; ) first += await compactFrom(partition, closed.slice(first), stays);
    if (removalsLeft === 0) compactedUpTo.set(partition, newestBase!);
  }

  /** Rewrites the first segment, with those after it that fit into the same file. @returns how many segments were looked at */
  async function compactFrom(
    partition: Partition,
    segments: readonly Segment[],
    stays: (bytes: Buffer, at: number) => boolean,
  ): Promise<number> {
    const kept: Buffer[] = [];
    let keptBytes = SEGMENT_HEADER_BYTES;
    let oldBytes = 0;
    let count = 0;
    for (const segment of segments) {
      const more: Buffer[] = [];
      let moreBytes = 0;
      await scan(segment, (bytes, at, size) => {
        if (!stays(bytes, at)) return;
        more.push(Buffer.from(bytes.subarray(at, at + size)));
        moreBytes += size;
      });
      if (count > 0 && keptBytes + moreBytes > limits.segmentBytes) break;
      kept.push(...more);
      keptBytes += moreBytes;
      oldBytes += segment.bytes;
      count++;
    }
    if (count === 1 && keptBytes === oldBytes) return 1;
    await replace(partition, segments.slice(0, count), Buffer.concat(kept));
    return count;
  }

  async function replace(partition: Partition, old: readonly Segment[], records: Buffer): Promise<void> {
    const { path, base } = old[0]!;
    const following = partition.segments[partition.segments.indexOf(old.at(-1)!) + 1]!;
    const coveredTo = following.base;
    const temporary = `${path}.tmp`;
    const handle = await open(temporary, 'w');
    try {
      await writeFully(handle, encodeSegmentHeader({ base, coveredTo }), 0);
      await writeFully(handle, records, SEGMENT_HEADER_BYTES);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await partition.reading.alone(async () => {
      for (const segment of old) await pool.drop(segment.path);
      for (const segment of old) await rm(filesOf(segment)[1]!, { force: true });
      await rename(temporary, path);
      // The new file must be there for good before what it repeats goes.
      await syncFolder(partition.folder);
      for (const segment of old.slice(1)) await rm(segment.path);
      const bytes = SEGMENT_HEADER_BYTES + records.length;
      const replaced = new Set(old);
      const rest = partition.segments.filter((segment) => !replaced.has(segment));
      partition.segments = [{ path, base, coveredTo, bytes, index: null }, ...rest].sort((a, b) => a.base - b.base);
      partition.cursors.clear();
      partition.recent.clear();
    });
  }

  return { removeOld, compact };
}

function keyName(key: Uint8Array | null): string {
  return key === null ? '' : Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
