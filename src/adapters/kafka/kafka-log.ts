// Apache Kafka as a stream log: topics, appends, reads without a group, and members of groups.
import { randomUUID } from 'node:crypto';
import { ConfigResourceTypes, createTopicsV7, describeConfigsV4, initProducerIdV4 } from '@platformatic/kafka';
import { InputError } from '../../lib/errors.ts';
import type {
  OutgoingRecord,
  StreamConsumer,
  StreamConsumerOptions,
  StreamLog,
  StreamPosition,
  StreamRecord,
  StreamTail,
  TopicSettings,
} from '../../ports.ts';
import { checkTopic } from '../streams/outgoing-records.ts';
import { ClassicMembership } from './classic-membership.ts';
import { type ClusterOptions, KafkaCluster, type Purpose, topicMissing } from './cluster.ts';
import type { Compression } from './compressions.ts';
import { ConsumerProtocolMembership } from './consumer-membership.ts';
import { committedBatches, fetchFrom, listOffsets } from './fetch.ts';
import { committedOffsets } from './group-offsets.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { KafkaTail } from './kafka-tail.ts';
import { MemberName } from './membership.ts';
import { PartitionReader } from './partition-reader.ts';
import { createRecordSorter, type ProducerIdentity, produce, type RecordSorter } from './produce.ts';
import { readRecords } from './record-batch.ts';
import { createCommitter } from './transactions.ts';

export interface KafkaLogOptions extends Partial<Omit<ClusterOptions, 'brokers'>> {
  readonly brokers: readonly string[];
  /** Of what is written; `lz4` where it is left out. */
  readonly compression?: Compression;
  /**
   * Names this process in its groups and its transactional ids. A name that stays the same over restarts (a pod's of a
   * StatefulSet) takes the place of an earlier run at once and ends what it left open (with the classic protocol the group waits
   * for its session to end); two processes with the same name fence each other. Random where it is left out.
   */
  readonly instanceId?: string;
  /** After so long an open transaction is aborted by the broker, which holds up readers until then. */
  readonly transactionTimeoutMs?: number;
  /** `auto` takes the consumer protocol (KIP-848) where the broker has it. */
  readonly groupProtocol?: 'auto' | 'classic';
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly maxPollIntervalMs?: number;
  readonly maxFetchBytes?: number;
  readonly maxPartitionFetchBytes?: number;
  readonly maxHeldBytes?: number;
}

const MEBIBYTE = 1024 * 1024;
const DEFAULTS = {
  clientId: 'centinela',
  tls: null,
  sasl: null,
  connectTimeoutMs: 5000,
  requestTimeoutMs: 30_000,
  retryForMs: 30_000,
  compression: 'lz4',
  transactionTimeoutMs: 15_000,
  groupProtocol: 'auto',
  sessionTimeoutMs: 15_000,
  rebalanceTimeoutMs: 60_000,
  maxPollIntervalMs: 300_000,
  maxFetchBytes: 8 * MEBIBYTE,
  maxPartitionFetchBytes: MEBIBYTE,
  maxHeldBytes: 32 * MEBIBYTE,
} as const;

const CREATE_TIMEOUT_MS = 15_000;
const TOPIC_ALREADY_EXISTS = 36;
/** Appends that wait for their turn; more are not taken. */
const MAX_WAITING_APPENDS = 10_000;
/** Appends that are written together. */
const MAX_TOGETHER = 1000;
const MAX_IDLE_READ_CONNECTIONS = 8;
/** Of one request, well below the time after which it counts as unanswered. */
const LONGEST_READ_MS = 5000;

interface WaitingAppend {
  readonly records: readonly OutgoingRecord[];
  readonly resolve: (positions: readonly StreamPosition[]) => void;
  readonly reject: (error: unknown) => void;
}

type Settings = Required<Omit<KafkaLogOptions, 'instanceId'>> & { readonly instanceId: string | null };

export function openKafkaLog(options: KafkaLogOptions): StreamLog {
  if (options.brokers.length === 0) {
    throw new InputError('BROKER_ADDRESS', 'No broker is named', 'Give host:port of at least one');
  }
  return new KafkaLog({ ...DEFAULTS, instanceId: null, ...options });
}

class KafkaLog implements StreamLog {
  readonly #settings: Settings;
  readonly #cluster: KafkaCluster;
  readonly #sort: RecordSorter;
  readonly #waiting: WaitingAppend[] = [];
  #appending = false;
  #producer: ProducerIdentity | null = null;
  #members = 0;
  /** Numbers of those in each group: members of one process keep their names over restarts. */
  readonly #numbersIn = new Map<string, Set<number>>();
  readonly #memberNames = new Map<string, MemberName>();
  /** Numbers of connections for `read` that nobody uses now. */
  readonly #idleReads: number[] = [];
  #reads = 0;
  #tails = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#cluster = new KafkaCluster(settings);
    this.#sort = createRecordSorter(this.#cluster, Date.now);
  }

  async topics(): Promise<readonly TopicSettings[]> {
    const cluster = this.#cluster;
    return cluster.retrying('Listing topics', async () => {
      const layouts = [...(await cluster.fetchLayouts(null))].filter(([name]) => !name.startsWith('__'));
      if (layouts.length === 0) return [];
      const resources = layouts.map(([resourceName]) => ({
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName,
        configurationKeys: ['retention.ms', 'cleanup.policy'],
      }));
      const answer = await cluster.ask(
        await cluster.controller(),
        'ask',
        describeConfigsV4.api,
        resources,
        false,
        false,
      );
      const configs = new Map(answer.results.map(({ resourceName, configs: some }) => [resourceName, some]));
      return layouts.map(([name, { leaders, replicas }]) => {
        const valueFor = (key: string) => configs.get(name)?.find((one) => one.name === key)?.value ?? null;
        const retentionMs = Number(valueFor('retention.ms') ?? -1);
        const policy = valueFor('cleanup.policy') ?? 'delete';
        const kept = retentionMs < 0 || !policy.includes('delete');
        const compacted = policy.includes('compact');
        return { name, partitions: leaders.length, retentionMs: kept ? null : retentionMs, compacted, replicas };
      });
    });
  }

  async createTopics(wanted: readonly TopicSettings[]): Promise<void> {
    for (const topic of wanted) checkTopic(topic);
    const cluster = this.#cluster;
    const names = wanted.map(({ name }) => name);
    await cluster.retrying('Making topics', async () => {
      const there = await cluster.fetchLayouts(names);
      const missing = wanted.filter(({ name }) => !there.has(name));
      if (missing.length === 0) return;
      const answer = await cluster.askInParts(
        ...([
          await cluster.controller(),
          'ask',
          createTopicsV7.api,
          missing.map(creation),
          CREATE_TIMEOUT_MS,
          false,
        ] as const),
      );
      for (const { name, errorCode, errorMessage } of answer.topics) {
        if (errorCode === 0 || errorCode === TOPIC_ALREADY_EXISTS) continue;
        throw new InputError('TOPIC_REFUSED', `The brokers do not make ${name}: ${errorMessage ?? errorCode}`, HINT);
      }
    });
    // Made is not yet led.
    await cluster.retrying('Waiting for leaders', async () => {
      const layouts = await cluster.fetchLayouts(names);
      if (names.every((name) => layouts.get(name)?.leaders.every((leader) => leader >= 0))) return;
      throw Object.assign(new Error('topics are being made'), { apiId: 'LEADER_NOT_AVAILABLE' });
    });
  }

  append(records: readonly OutgoingRecord[]): Promise<readonly StreamPosition[]> {
    if (records.length === 0) return Promise.resolve([]);
    if (this.#waiting.length >= MAX_WAITING_APPENDS) {
      return Promise.reject(
        new InputError('TOO_MANY_APPENDS', `${MAX_WAITING_APPENDS} appends are waiting`, 'Wait for some before more'),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      if (!this.#appending) this.#appendWaiting();
    });
  }

  /** One request at a time; what comes meanwhile goes together in the next. */
  async #appendWaiting(): Promise<void> {
    this.#appending = true;
    while (this.#waiting.length > 0) {
      const together = await this.#sorted(this.#waiting.splice(0, MAX_TOGETHER));
      const records = together.flatMap((one) => one.records);
      if (records.length === 0) continue;
      try {
        const positions = await this.#write(records);
        let from = 0;
        for (const { records: own, resolve } of together) {
          resolve(positions.slice(from, from + own.length));
          from += own.length;
        }
      } catch (error) {
        // What became of it is not known: a new producer does not go on with the old one's sequence numbers.
        this.#producer = null;
        for (const { reject } of together) reject(error);
      }
    }
    this.#appending = false;
  }

  /** Those that can be written; a call that cannot is told so and does not stop the others. */
  async #sorted(appends: readonly WaitingAppend[]): Promise<WaitingAppend[]> {
    if (appends.length === 1) return [...appends];
    const good: WaitingAppend[] = [];
    for (const one of appends) {
      try {
        await this.#cluster.retrying('Looking at topics', () => this.#sort(one.records));
        good.push(one);
      } catch (error) {
        one.reject(error);
      }
    }
    return good;
  }

  async #write(records: readonly OutgoingRecord[]): Promise<StreamPosition[]> {
    const cluster = this.#cluster;
    const groups = await cluster.retrying('Looking at topics', () => this.#sort(records));
    this.#producer ??= await cluster.retrying('Becoming a producer', async () => {
      const node = await cluster.controller();
      const answer = await cluster.ask(node, 'ask', initProducerIdV4.api, null, 0, -1n, -1);
      const { producerId, producerEpoch } = answer;
      return { producerId, producerEpoch, transactionalId: null, sequences: new Map() };
    });
    const offsets = await produce(cluster, this.#producer, groups, this.#settings.compression);
    const positions = new Array<StreamPosition>(records.length);
    for (const { topic, partition, places } of groups) {
      for (const place of places) positions[place] = { topic, partition, offset: offsets.get(place) ?? -1 };
    }
    return positions;
  }

  async join({ group, topics, listener }: StreamConsumerOptions): Promise<StreamConsumer> {
    const cluster = this.#cluster;
    const settings = this.#settings;
    await cluster.retrying('Looking at topics', async () => {
      const there = await cluster.fetchLayouts(topics);
      for (const topic of topics) if (!there.has(topic)) throw topicMissing(topic);
    });
    const { consumerProtocol } = await cluster.features();
    const number = this.#members++;
    const { number: numberInGroup, giveBack } = this.#takeNumber(group);
    const name = `${group}-${settings.instanceId ?? randomUUID()}-${numberInGroup}`;
    const { rebalanceTimeoutMs, sessionTimeoutMs, maxPollIntervalMs, transactionTimeoutMs, compression } = settings;
    // The parts tell the consumer, which is made of them.
    const told: { consumer: KafkaConsumer | null } = { consumer: null };
    const changed = () => told.consumer?.notify();
    const timing = { rebalanceTimeoutMs, sessionTimeoutMs, maxPollIntervalMs };
    const memberName = settings.instanceId === null ? null : this.#memberName(name);
    const membershipOptions = { group, topics, ...timing, name: memberName, changed };
    const consumer = new KafkaConsumer({
      cluster,
      group,
      listener,
      membership:
        consumerProtocol && settings.groupProtocol === 'auto'
          ? new ConsumerProtocolMembership(cluster, membershipOptions)
          : new ClassicMembership(cluster, number, membershipOptions),
      reader: new PartitionReader(cluster, `fetch-${number}`, settings, changed),
      producer: createCommitter(cluster, {
        transactionalId: name,
        transactionTimeoutMs,
        compression,
      }),
      sort: this.#sort,
      isNamed: memberName !== null,
      unavailableAfterMs: settings.retryForMs,
      closed: giveBack,
    });
    told.consumer = consumer;
    return consumer;
  }

  /** One for each, as long as the process lives. */
  #memberName(name: string): MemberName {
    const known = this.#memberNames.get(name) ?? new MemberName(name);
    this.#memberNames.set(name, known);
    return known;
  }

  /** The lowest that no member of this process has in the group. */
  #takeNumber(group: string): { readonly number: number; readonly giveBack: () => void } {
    const taken = this.#numbersIn.get(group) ?? new Set<number>();
    this.#numbersIn.set(group, taken);
    let number = 0;
    while (taken.has(number)) number++;
    taken.add(number);
    return { number, giveBack: () => taken.delete(number) };
  }

  async read(from: StreamPosition, maxRecords: number, maxWaitMs: number): Promise<readonly StreamRecord[]> {
    const number = this.#idleReads.pop() ?? this.#reads++;
    try {
      return await this.#cluster.retrying(`Reading ${from.topic}/${from.partition}`, () =>
        this.#readOnce(`read-${number}`, from, maxRecords, maxWaitMs),
      );
    } finally {
      if (this.#idleReads.length < MAX_IDLE_READ_CONNECTIONS) this.#idleReads.push(number);
      else this.#cluster.hangUp(`read-${number}`);
    }
  }

  async #readOnce(purpose: Purpose, from: StreamPosition, maxRecords: number, maxWaitMs: number) {
    const { maxFetchBytes: maxBytes, maxPartitionFetchBytes: maxBytesPerPartition } = this.#settings;
    const untilMs = Date.now() + maxWaitMs;
    const { topic, partition } = from;
    for (let offset = from.offset; ; ) {
      const leader = await this.#cluster.leader(topic, partition);
      const limits = {
        maxWaitMs: Math.min(Math.max(0, untilMs - Date.now()), LONGEST_READ_MS),
        maxBytes,
        maxBytesPerPartition,
      };
      const [fetched] = await fetchFrom(this.#cluster, leader, purpose, [{ topic, partition, offset }], limits);
      if (fetched === undefined) return [];
      if (fetched.errorCode === 1) {
        const [oldest] = await listOffsets(this.#cluster, [from], 'oldest');
        if (oldest.offset <= offset) return [];
        offset = oldest.offset;
        continue;
      }
      if (fetched.errorCode !== 0) {
        throw Object.assign(new Error(`error ${fetched.errorCode}`), { apiId: 'NOT_LEADER_OR_FOLLOWER' });
      }
      const { batches, next } = committedBatches(fetched, offset);
      const records: StreamRecord[] = [];
      for (const batch of batches) {
        for (const record of readRecords(batch)) if (record.offset >= offset) records.push(record);
        if (records.length >= maxRecords) break;
      }
      if (records.length > 0) return records.slice(0, maxRecords);
      const moved = next > offset;
      offset = next;
      if (!moved && Date.now() >= untilMs) return [];
      if (offset >= fetched.lastStableOffset && Date.now() >= untilMs) return [];
    }
  }

  async tail(topics: readonly string[]): Promise<StreamTail> {
    const cluster = this.#cluster;
    const layouts = await Promise.all(
      topics.map((topic) => cluster.retrying('Looking at a topic', () => cluster.layout(topic))),
    );
    const partitions = layouts.flatMap(({ leaders }, index) =>
      leaders.map((_, partition) => ({ topic: topics[index], partition })),
    );
    const ends = await listOffsets(cluster, partitions, 'newest');
    const told: { tail: KafkaTail | null } = { tail: null };
    const reader = new PartitionReader(cluster, `tail-${this.#tails++}`, this.#settings, () => told.tail?.notify());
    told.tail = new KafkaTail(reader, ends, this.#settings.retryForMs);
    return told.tail;
  }

  async bounds(topic: string) {
    const { leaders } = await this.#cluster.retrying('Looking at a topic', () => this.#cluster.layout(topic));
    const partitions = leaders.map((_, partition) => ({ topic, partition }));
    const [oldest, newest] = await Promise.all([
      listOffsets(this.#cluster, partitions, 'oldest'),
      listOffsets(this.#cluster, partitions, 'newest'),
    ]);
    return oldest.map(({ partition, offset }, index) => ({ partition, start: offset, end: newest[index].offset }));
  }

  async groupPositions(group: string, topic: string, isSettled: boolean): Promise<StreamPosition[]> {
    const cluster = this.#cluster;
    const { leaders } = await cluster.retrying('Looking at a topic', () => cluster.layout(topic));
    const untilMs = Date.now() + this.#settings.retryForMs;
    const partitions = leaders.map((_, partition) => ({ topic, partition }));
    return committedOffsets(cluster, group, partitions, isSettled, () => Date.now() > untilMs);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

const HINT = 'Ask for as many copies as there are brokers, at most, and give the user the right to create topics';

function creation({ name, partitions, retentionMs, compacted, replicas }: TopicSettings) {
  const policy = compacted ? (retentionMs === null ? 'compact' : 'compact,delete') : 'delete';
  return {
    name,
    numPartitions: partitions,
    replicationFactor: replicas,
    assignments: [],
    configs: [
      { name: 'cleanup.policy', value: policy },
      { name: 'retention.ms', value: String(retentionMs ?? -1) },
      // One copy may be away; what was acknowledged is on the others.
      { name: 'min.insync.replicas', value: String(Math.max(1, replicas - 1)) },
    ],
  };
}
