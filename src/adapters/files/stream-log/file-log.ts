// The embedded StreamLog: topics in a folder, durable and whole through crashes, for one process (docs/file-log.md).
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError, StreamUnavailableError } from '../../../lib/errors.ts';
import type {
  StreamConsumerOptions,
  StreamLog,
  StreamPartition,
  StreamPosition,
  TopicSettings,
} from '../../../ports.ts';
import { type ConsumerGroup, groupToJoin, partitionName } from '../../streams/consumer-group.ts';
import { createGroupConsumer, type GroupLog } from '../../streams/group-consumer.ts';
import { createLogTail } from '../../streams/log-tail.ts';
import { checkTopic, createRecordRouter, unknownTopic } from '../../streams/outgoing-records.ts';
import { cannotWrite, replaceFile, syncFolder } from './durable-files.ts';
import { lockFolder } from './folder-lock.ts';
import { createHandlePool } from './handle-pool.ts';
import { openJournal } from './journal.ts';
import { createMaintenance } from './maintenance.ts';
import { createPartitionReader, createReadingGate, type Partition, startOf } from './partition.ts';
import { RecentWrites } from './recent-writes.ts';
import { partitionFolder, type RecoveryReport, readTopics, recoverLog, topicsPath } from './recovery.ts';
import { ROOM_LIMITS, type RoomLimits } from './room-ahead.ts';
import { createSignal } from './signal.ts';
import { createWriteQueue } from './write-queue.ts';

export interface FileLogOptions {
  /** Made when it is missing. */
  readonly folder: string;
  /** Told of each file that was cut when the log was opened; after it was. */
  readonly onRecovery: (report: RecoveryReport) => void;
  /** Milliseconds UTC: the time of records without one, and what retention counts from. Default: the system's clock. */
  readonly now?: () => number;
  readonly limits?: Partial<FileLogLimits>;
  /** Between two rounds of retention and compaction; 0: only when `maintain` is called. Default five minutes. */
  readonly maintenanceEveryMs?: number;
  /** Told where a round of its own failed (a damaged file, a full disk); the next round tries again. */
  readonly onMaintenanceError?: (error: unknown) => void;
}

export interface FileLogLimits {
  /** Key, value and headers of one record. */
  readonly recordBytes: number;
  /** A segment that would grow beyond it is closed; one group commit may be larger. */
  readonly segmentBytes: number;
  /** Of closed segments in a partition; null: only the topic's own retention counts. */
  readonly retentionBytes: number | null;
  readonly journalBytes: number;
  /** What waits to be written, of all callers together. */
  readonly queuedBytes: number;
  /** What shares one sync. */
  readonly groupBytes: number;
  /** What one `poll` of a partition or one `read` gives at most, beyond its first record. */
  readonly readBytes: number;
  readonly openFiles: number;
  readonly compactionKeys: number;
  readonly removalKeptMs: number;
  readonly groups: number;
  /** Of the files that are appended to. */
  readonly room: RoomLimits;
}

export interface FileLog extends StreamLog {
  /** Why nothing can be written at the moment; null while all is well. */
  readonly problem: string | null;
  /** A round of retention and compaction. */
  maintain(): Promise<void>;
}

const MIB = 1_048_576;
const DAY_MS = 86_400_000;
const MAX_GROUP_NAME = 200;

export const FILE_LOG_LIMITS: FileLogLimits = {
  recordBytes: MIB,
  segmentBytes: 64 * MIB,
  retentionBytes: null,
  journalBytes: 8 * MIB,
  queuedBytes: 256 * MIB,
  groupBytes: 16 * MIB,
  readBytes: 16 * MIB,
  openFiles: 128,
  compactionKeys: 500_000,
  removalKeptMs: DAY_MS,
  groups: 1000,
  room: ROOM_LIMITS,
};

/**
 * @throws InputError LOG_IN_USE where another process has it open, STREAM_DAMAGED where files do not fit together in a way
 *   that no crash explains
 */
export async function openFileLog(options: FileLogOptions): Promise<FileLog> {
  const folder = resolve(options.folder);
  const made = await mkdir(join(folder, 'topics'), { recursive: true });
  if (made !== undefined) await syncFolder(dirname(made));
  const unlock = await lockFolder(folder);
  try {
    return await openLocked(folder, options, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function openLocked(folder: string, options: FileLogOptions, unlock: () => Promise<void>): Promise<FileLog> {
  const { onRecovery, onMaintenanceError = () => undefined, now = Date.now, maintenanceEveryMs = 300_000 } = options;
  const limits = { ...FILE_LOG_LIMITS, ...options.limits };
  const topics = new Map((await readTopics(folder)).map((settings) => [settings.name, settings]));
  const { state, journal: found, partitions } = await recoverLog(folder, [...topics.values()], onRecovery);
  const news = createSignal();
  const pool = createHandlePool(limits.openFiles);
  const journal = await openJournal(folder, found.path, found.bytes, limits);
  const queue = createWriteQueue(journal, state, pool, limits, now, news.notify);
  const reader = createPartitionReader(pool);
  const maintenance = createMaintenance(pool, reader, limits);
  const route = createRecordRouter((name) => topics.get(name), limits.recordBytes);
  const groups = new Map<string, ConsumerGroup>();
  const timer = maintenanceEveryMs > 0 ? setInterval(startRound, maintenanceEveryMs).unref() : null;
  let round: Promise<void> | null = null;
  let creating: Promise<void> = Promise.resolve();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new StreamUnavailableError(`the log in ${folder} was closed`);
  }

  function partitionAt(at: StreamPartition): Partition {
    const partition = partitions.get(partitionName(at));
    if (partition !== undefined) return partition;
    const settings = topics.get(at.topic);
    if (settings === undefined) throw unknownTopic(at.topic);
    throw new InputError(
      'PARTITION_UNKNOWN',
      `topic '${at.topic}' has no partition ${at.partition}`,
      `It has 0 to ${settings.partitions - 1}`,
    );
  }

  const read = (from: StreamPosition, maxRecords: number) =>
    reader.read(partitionAt(from), from.offset, maxRecords, limits.readBytes);

  function patience(maxWaitMs: number): () => Promise<boolean> {
    const untilMs = performance.now() + maxWaitMs;
    let seen = news.count;
    return async () => {
      assertOpen();
      const isNew = await news.wait(seen, untilMs - performance.now());
      assertOpen();
      seen = news.count;
      return isNew;
    };
  }

  const groupLog: GroupLog = {
    fetch: read,
    end: (at) => partitionAt(at).next,
    committed: (group, at) => state.groups.get(group)?.get(partitionName(at)) ?? 0,
    settle: queue.settle,
    async write(group, records, positions, allowed) {
      for (const at of positions) checkPosition(partitionAt(at), at);
      await queue.write({ records, partitions: destinations(records), group, positions, allowed, roll: [] });
    },
    patience,
    order: (ready) => ready,
  };

  function destinations(records: Parameters<typeof route>[0]): Partition[] {
    return route(records).map((partition, index) => partitionAt({ topic: records[index]!.topic, partition }));
  }

  function groupOf({ group, topics: wanted }: StreamConsumerOptions): ConsumerGroup {
    if (group.length === 0 || group.length > MAX_GROUP_NAME) {
      throw new InputError('GROUP_NAME', `a group's name of ${group.length} characters`, `Use 1 to ${MAX_GROUP_NAME}`);
    }
    if (!state.groups.has(group) && new Set([...state.groups.keys(), ...groups.keys()]).size >= limits.groups) {
      throw new InputError(
        'GROUP_LIMIT',
        `the log in ${folder} has ${limits.groups} groups`,
        'Use one of those there are',
      );
    }
    const sizes = new Map(wanted.map((topic) => [topic, settingsOf(topic).partitions]));
    return groupToJoin(groups, group, sizes, news.notify);
  }

  function settingsOf(topic: string): TopicSettings {
    const settings = topics.get(topic);
    if (settings === undefined) throw unknownTopic(topic);
    return settings;
  }

  async function createMissing(wanted: readonly TopicSettings[]): Promise<void> {
    const missing = wanted.filter(({ name }) => !topics.has(name));
    if (missing.length === 0) return;
    const all = [...topics.values(), ...missing];
    const made: Partition[] = [];
    try {
      for (const { name: topic, partitions: count } of missing) {
        for (let partition = 0; partition < count; partition++) {
          const path = partitionFolder(folder, partitionName({ topic, partition }));
          await mkdir(path, { recursive: true });
          made.push({
            topic,
            partition,
            folder: path,
            segments: [],
            next: 0,
            reading: createReadingGate(),
            cursors: new Map(),
            recent: new RecentWrites(),
          });
        }
      }
      await syncFolder(join(folder, 'topics'));
      await replaceFile(topicsPath(folder), Buffer.from(`${JSON.stringify({ topics: all }, null, 2)}\n`));
    } catch (error) {
      throw cannotWrite(topicsPath(folder), error);
    }
    for (const partition of made) partitions.set(partitionName(partition), partition);
    for (const settings of missing) topics.set(settings.name, { ...settings });
  }

  async function maintainAll(): Promise<void> {
    for (const partition of partitions.values()) {
      if (closed) return;
      const topic = settingsOf(partition.topic);
      if (await maintenance.removeOld(partition, topic, now())) {
        await queue.write({
          records: [],
          partitions: [],
          group: null,
          positions: [],
          allowed: () => true,
          roll: [partition],
        });
        await maintenance.removeOld(partition, topic, now());
      }
      if (topic.compacted) await maintenance.compact(partition, now());
    }
  }

  function maintain(): Promise<void> {
    round ??= maintainAll().finally(() => {
      round = null;
    });
    return round;
  }

  function startRound(): void {
    maintain().catch(onMaintenanceError);
  }

  return {
    get problem() {
      return queue.problem;
    },
    async topics() {
      return [...topics.values()];
    },
    async createTopics(wanted) {
      assertOpen();
      wanted.forEach(checkTopic);
      // One after another: each writes the whole list.
      creating = creating.catch(() => undefined).then(() => createMissing(wanted));
      await creating;
    },
    async append(records) {
      assertOpen();
      const to = destinations(records);
      return await queue.write({ records, partitions: to, group: null, positions: [], allowed: () => true, roll: [] });
    },
    async join(wanted) {
      assertOpen();
      return createGroupConsumer(groupLog, wanted.group, groupOf(wanted), wanted.listener);
    },
    async read(from, maxRecords, maxWaitMs) {
      const somethingNew = patience(maxWaitMs);
      for (;;) {
        assertOpen();
        const records = await read(from, maxRecords);
        if (records.length > 0 || !(await somethingNew())) return records;
      }
    },
    async tail(names) {
      assertOpen();
      const ends = names.flatMap((topic) =>
        Array.from({ length: settingsOf(topic).partitions }, (_, partition) => {
          return { topic, partition, offset: partitionAt({ topic, partition }).next };
        }),
      );
      return createLogTail(ends, groupLog);
    },
    async bounds(topic) {
      return Array.from({ length: settingsOf(topic).partitions }, (_, number) => {
        const partition = partitionAt({ topic, partition: number });
        return { partition: number, start: startOf(partition), end: partition.next };
      });
    },
    async groupPositions(group, topic) {
      return Array.from({ length: settingsOf(topic).partitions }, (_, partition) => {
        return { topic, partition, offset: groupLog.committed(group, { topic, partition }) };
      });
    },
    maintain,
    async close() {
      if (closed) return;
      closed = true;
      if (timer !== null) clearInterval(timer);
      news.notify();
      await round?.catch(() => undefined);
      await queue.close();
      await pool.close();
      await unlock();
    },
  };
}

function checkPosition({ topic, partition }: Partition, { offset }: StreamPosition): void {
  if (Number.isSafeInteger(offset) && offset >= 0) return;
  throw new InputError('POSITION', `position ${offset} in ${topic}-${partition}`, 'Use a whole number from 0');
}
