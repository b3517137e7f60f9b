// A StreamLog in memory: the same promises as the real ones, for tests and for the seeded simulation.
//
// Deterministic: time, waiting and randomness are arguments, and whatever a call does it has done before it first yields.
// Faults are injected by a function that is asked before and after every write.
import { InputError, StreamUnavailableError } from '../../lib/errors.ts';
import type {
  OutgoingRecord,
  StreamConsumer,
  StreamConsumerOptions,
  StreamLog,
  StreamPartition,
  StreamPosition,
  StreamRecord,
  TopicSettings,
} from '../../ports.ts';
import { type ConsumerGroup, groupToJoin, partitionName } from '../streams/consumer-group.ts';
import { createGroupConsumer, fenced, type GroupConsumer, type GroupLog } from '../streams/group-consumer.ts';
import { createLogTail } from '../streams/log-tail.ts';
import { checkTopic, createRecordRouter, unknownTopic } from '../streams/outgoing-records.ts';

/** A moment at which a fault may strike. */
export interface MemoryLogMoment {
  readonly operation: 'append' | 'commit';
  /** `before`: nothing is written yet. `after`: everything is, and the caller has not been told. */
  readonly when: 'before' | 'after';
  readonly records: readonly OutgoingRecord[];
  /** Empty for an append. */
  readonly positions: readonly StreamPosition[];
  /** null for an append. */
  readonly group: string | null;
}

/** Throws what the caller shall get, or says that the answer is lost: what was asked for is done, the caller gets StreamUnavailableError. */
export type MemoryLogFault = (moment: MemoryLogMoment) => 'answer-lost' | undefined;

/** What deliveries may do that they seldom do; shares are of polls and partitions, 0–1. */
export interface DeliveryFaults {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** How often records since the group's committed position are delivered again, without a word to the listener. */
  readonly redeliverShare: number;
  /** How often a partition's records come with a later poll; those that come do so in random order of the partitions. */
  readonly delayShare: number;
}

export interface MemoryLogOptions {
  /** Milliseconds UTC: the time of records without one. */
  readonly now: () => number;
  /** How `poll` and `read` wait where there is nothing, unless something is written first; without it they return at once. */
  readonly sleep?: (waitMs: number) => Promise<void>;
  readonly fault?: MemoryLogFault;
  readonly deliveries?: DeliveryFaults;
  /** Of all partitions together; beyond it the log is full and unavailable. Default 1,000,000. */
  readonly maxRecords?: number;
  /** Default 1 MiB. */
  readonly maxRecordBytes?: number;
}

export interface MemoryLog extends StreamLog {
  /** As if that member had died: the group's others take its partitions, its commits are fenced. */
  expel(member: StreamConsumer): void;
  /** Drops what retention and compaction no longer keep. */
  maintain(): void;
  /** Where a group stands; 0 where it never was. */
  committed(group: string, partition: StreamPartition): number;
}

interface Partition {
  records: StreamRecord[];
  /** Offset of the oldest record that was not dropped by retention. */
  start: number;
  end: number;
}

const MIB = 1_048_576;

export function createMemoryLog(options: MemoryLogOptions): MemoryLog {
  const { now, sleep, fault, deliveries, maxRecords = 1_000_000, maxRecordBytes = MIB } = options;
  const topics = new Map<string, TopicSettings>();
  const partitions = new Map<string, Partition>();
  const groups = new Map<string, ConsumerGroup>();
  const committedOffsets = new Map<string, number>();
  const members = new WeakMap<StreamConsumer, GroupConsumer>();
  const route = createRecordRouter((name) => topics.get(name), maxRecordBytes);
  const waiting = new Set<() => void>();
  let writes = 0;
  let held = 0;
  let closed = false;

  function partitionAt(at: StreamPartition): Partition {
    const found = partitions.get(partitionName(at));
    if (found !== undefined) return found;
    if (!topics.has(at.topic)) throw unknownTopic(at.topic);
    throw new InputError(
      'PARTITION_UNKNOWN',
      `topic '${at.topic}' has no partition ${at.partition}`,
      'Use one that it has',
    );
  }

  const committed = (group: string, at: StreamPartition) => committedOffsets.get(`${group} ${partitionName(at)}`) ?? 0;

  function write(moment: Omit<MemoryLogMoment, 'when'>, allowed: () => boolean): StreamPosition[] {
    if (closed) throw new StreamUnavailableError('the log in memory was closed');
    const { records, positions, group } = moment;
    for (const at of positions) partitionAt(at);
    const numbers = route(records);
    const lostBefore = fault?.({ ...moment, when: 'before' });
    if (!allowed()) throw fenced(group ?? '', positions);
    if (held + records.length > maxRecords) {
      throw new StreamUnavailableError(`the log in memory is full: it holds ${held} of ${maxRecords} records`);
    }
    const written = records.map((record, index) => store(record, numbers[index]!));
    for (const at of positions) committedOffsets.set(`${group} ${partitionName(at)}`, at.offset);
    if (written.length > 0) wakeAll();
    const lostAfter = fault?.({ ...moment, when: 'after' });
    if (lostBefore === 'answer-lost' || lostAfter === 'answer-lost') {
      throw new StreamUnavailableError(`the answer to this ${moment.operation} was lost`);
    }
    return written;
  }

  function store(record: OutgoingRecord, partition: number): StreamPosition {
    const { topic } = record;
    const to = partitionAt({ topic, partition });
    const offset = to.end++;
    // Copies: what the caller does with its bytes afterwards is not our records' business.
    to.records.push({
      offset,
      timestampMs: record.timestampMs ?? now(),
      key: record.key?.slice() ?? null,
      value: record.value?.slice() ?? null,
      headers: record.headers.map(({ name, value }) => ({ name, value: value.slice() })),
    });
    held++;
    return { topic, partition, offset };
  }

  function recordsFrom(from: StreamPosition, maxRecords: number): StreamRecord[] {
    const { records } = partitionAt(from);
    const first = firstAtOrAfter(records, from.offset);
    return records.slice(first, first + maxRecords);
  }

  function patience(maxWaitMs: number): () => Promise<boolean> {
    let waited = sleep === undefined || maxWaitMs <= 0;
    let seen = writes;
    return async () => {
      if (waited) return false;
      if (writes !== seen) {
        seen = writes;
        return true;
      }
      waited = true;
      let wake = () => {};
      const written = new Promise<void>((resolve) => {
        wake = resolve;
      });
      waiting.add(wake);
      await Promise.race([sleep!(maxWaitMs), written]);
      waiting.delete(wake);
      return true;
    };
  }

  function wakeAll(): void {
    writes++;
    const woken = [...waiting];
    waiting.clear();
    for (const wake of woken) wake();
  }

  /** The group's log; `name` is needed to know how far back a second delivery may go. */
  function logOf(name: string): GroupLog {
    return {
      async fetch(from, most) {
        const again = deliveries !== undefined && deliveries.random() < deliveries.redeliverShare;
        const offset = again ? Math.min(from.offset, committed(name, from)) : from.offset;
        return recordsFrom({ ...from, offset }, most);
      },
      end: (at) => partitionAt(at).end,
      committed,
      settle: () => Promise.resolve(),
      async write(group, records, positions, allowed) {
        write({ operation: 'commit', records, positions, group }, allowed);
      },
      patience,
      order(ready) {
        if (deliveries === undefined) return ready;
        const { random, delayShare } = deliveries;
        return shuffled(ready, random).filter(() => random() >= delayShare);
      },
    };
  }

  function groupOf({ group, topics: wanted }: StreamConsumerOptions): ConsumerGroup {
    const sizes = new Map(
      wanted.map((name) => {
        const settings = topics.get(name);
        if (settings === undefined) throw unknownTopic(name);
        return [name, settings.partitions];
      }),
    );
    return groupToJoin(groups, group, sizes, () => undefined);
  }

  function drop(partition: Partition, keeps: (record: StreamRecord) => boolean): void {
    const kept = partition.records.filter(keeps);
    held -= partition.records.length - kept.length;
    partition.records = kept;
  }

  return {
    async topics() {
      return [...topics.values()];
    },
    async createTopics(wanted) {
      wanted.forEach(checkTopic);
      for (const settings of wanted) {
        if (topics.has(settings.name)) continue;
        topics.set(settings.name, { ...settings });
        for (let partition = 0; partition < settings.partitions; partition++) {
          partitions.set(partitionName({ topic: settings.name, partition }), { records: [], start: 0, end: 0 });
        }
      }
    },
    async append(records) {
      return write({ operation: 'append', records, positions: [], group: null }, () => true);
    },
    async join(wanted) {
      if (closed) throw new StreamUnavailableError('the log in memory was closed');
      const consumer = createGroupConsumer(logOf(wanted.group), wanted.group, groupOf(wanted), wanted.listener);
      members.set(consumer, consumer);
      return consumer;
    },
    async read(from, most, maxWaitMs) {
      const somethingNew = patience(maxWaitMs);
      for (;;) {
        const records = recordsFrom(from, most);
        if (records.length > 0 || !(await somethingNew())) return records;
      }
    },
    async tail(names) {
      const ends = names.flatMap((topic) => {
        const settings = topics.get(topic);
        if (settings === undefined) throw unknownTopic(topic);
        return Array.from({ length: settings.partitions }, (_, partition) => {
          return { topic, partition, offset: partitionAt({ topic, partition }).end };
        });
      });
      return createLogTail(ends, {
        ...{ fetch: async (from, most) => recordsFrom(from, most), end: (at) => partitionAt(at).end, patience },
      });
    },
    async bounds(topic) {
      const settings = topics.get(topic);
      if (settings === undefined) throw unknownTopic(topic);
      return Array.from({ length: settings.partitions }, (_, partition) => {
        const { start, end } = partitionAt({ topic, partition });
        return { partition, start, end };
      });
    },
    async groupPositions(group, topic) {
      const settings = topics.get(topic);
      if (settings === undefined) throw unknownTopic(topic);
      return Array.from({ length: settings.partitions }, (_, partition) => {
        return { topic, partition, offset: committed(group, { topic, partition }) };
      });
    },
    async close() {
      closed = true;
      wakeAll();
    },
    expel: (member) => members.get(member)?.expel(),
    committed,
    maintain() {
      for (const { name: topic, partitions: count, retentionMs, compacted } of topics.values()) {
        for (let number = 0; number < count; number++) {
          const partition = partitionAt({ topic, partition: number });
          if (retentionMs !== null) {
            const first = partition.records.find((record) => record.timestampMs >= now() - retentionMs);
            partition.start = first?.offset ?? partition.end;
            drop(partition, ({ offset }) => offset >= partition.start);
          }
          if (compacted) {
            const newest = new Map(partition.records.map(({ key, offset }) => [keyText(key), offset]));
            drop(partition, ({ key, value, offset }) => value !== null && newest.get(keyText(key)) === offset);
          }
        }
      }
    },
  };
}

function firstAtOrAfter(records: readonly StreamRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

function keyText(key: Uint8Array | null): string {
  return key === null ? '' : Buffer.from(key).toString('latin1');
}
