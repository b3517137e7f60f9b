// `bench kafka`: a worker on a real Apache Kafka on the same machine, from a topic of transactions to committed decisions.
//
// A backlog is written first; the worker, a process of its own, drains it, and the committed ends of the decisions tell the
// rate. Then transactions come at a steady rate, and a reader follows the decisions: from due to read. An independent program
// reads both topics and the ids are compared. Last, a Python consumer with a Keras model reads the same transactions.
//
// `bench kafka-workers`: the rate of 1, 2 and 4 workers on 8 partitions. `bench kafka-stages`: what keyed stages cost.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningKafka, startKafka } from '../scripts/kafka/broker.ts';
import { openKafkaLog } from '../src/adapters/kafka/kafka-log.ts';
import { type TopicNames, topicNames } from '../src/pipeline/stream/topics.ts';
import type { StreamLog } from '../src/ports.ts';
import { bytesOnDisk } from './kafka/bytes-on-disk.ts';
import { type EndlessStream, endlessStream, writeBacklog } from './kafka/endless-stream.ts';
import { independentReader } from './kafka/independent-reader.ts';
import { type Latencies, type LatencyOptions, measureLatency } from './kafka/latency.ts';
import { type PreparedModel, preparedModel, ROOT } from './kafka/prepared-model.ts';
import { KAFKA_PEER, runPeer } from './kafka/python-peer.ts';
import { Fingerprints, tally } from './kafka/tally.ts';
import { DecisionWatch, ratesOf, type Sample } from './kafka/throughput.ts';
import { startWorkerProcess, type WorkerProcess } from './kafka/worker-process.ts';
import { preparePython } from './python-environment.ts';

export interface KafkaBenchOptions {
  /** Processes of one group; default one a core of a two-core machine. */
  readonly workers?: number;
  /** Of the sustained phase. */
  readonly seconds?: number;
  /** Transactions of the backlog for each of those seconds. */
  readonly backlogPerSecond?: number;
  readonly latencySeconds?: number;
  /** Those that go on while latency is measured: as many as the rate needs. Default 1. */
  readonly latencyWorkers?: number;
  /** Before them, at the same rate; not counted. */
  readonly latencyWarmUpSeconds?: number;
  readonly arrivalsPerSecond?: number;
  /** Of each of the peer's ways; 0 leaves it out. */
  readonly peerSeconds?: number;
  /** Of the simulated bank. */
  readonly customers?: number;
}

export interface WorkersBenchOptions {
  readonly workers?: readonly number[];
  readonly seconds?: number;
  readonly backlogPerSecond?: number;
  readonly customers?: number;
}

export interface StagesBenchOptions {
  readonly seconds?: number;
  readonly backlogPerSecond?: number;
  readonly arrivalsPerSecond?: number;
  readonly customers?: number;
}

const HEAP_MB = 512;
const PARTITIONS = 4;
const WORKERS_PARTITIONS = 8;
const CUSTOMERS = 5000;
/** Code is compiled and windows fill meanwhile: memory is told from here on, and rates of several workers. */
const WARM_UP_SECONDS = 15;
/** A slow machine drains its backlog in a few times the measured seconds. */
const DRAIN_FACTOR = 10;
const PEER_BATCH = 256;

export async function benchKafka(options: KafkaBenchOptions = {}): Promise<Record<string, number>> {
  const { seconds = 300, backlogPerSecond = 30_000, customers = CUSTOMERS, peerSeconds = 20 } = options;
  const { workers: count = 2, latencySeconds = 60, latencyWarmUpSeconds = 30, arrivalsPerSecond = 5000 } = options;
  const { latencyWorkers = 1 } = options;
  const backlog = Math.round(seconds * backlogPerSecond);
  return withStation(customers, PARTITIONS, async (station) => {
    const { log, topics, stream } = station;
    const bytesPerRecord = await writeBacklog(log, topics.transactions, stream, backlog);
    const workers = Array.from({ length: count }, () => station.startWorker('bench', 'checkpoints'));
    const watch = new DecisionWatch({ log, decisions: topics.decisions, workers, backlog });
    await watch.begin();
    await watch.untilStarted();
    const samples = await watch.samples(seconds);
    await watch.untilDrained(seconds * DRAIN_FACTOR);
    const figures = {
      ...throughputFigures(samples, await watch.decisionsPerOffset()),
      bytesPerRecord: Math.round(bytesPerRecord),
      ...storedFigures(station, backlog),
    };
    await Promise.all(workers.slice(latencyWorkers).map((worker) => worker.stop()));
    const latencies = await measureWith(station, {
      from: backlog,
      perSecond: arrivalsPerSecond,
      seconds: latencySeconds,
      warmUpSeconds: latencyWarmUpSeconds,
    });
    await Promise.all(workers.map((worker) => worker.stop()));
    return {
      ...figures,
      ...latencyFigures(latencies),
      ...(await verified(station)),
      ...(peerSeconds > 0 ? await peerFigures(station, peerSeconds) : {}),
      transactions: backlog + latencies.sent,
      workers: count,
      latencyWorkers,
    };
  });
}

/** `transactionsPerSecond` of one worker, and `2WorkersTransactionsPerSecond` … of more. */
export async function benchKafkaWorkers(options: WorkersBenchOptions = {}): Promise<Record<string, number>> {
  const { workers = [1, 2, 4], seconds = 30, backlogPerSecond = 40_000, customers = CUSTOMERS } = options;
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, seconds);
  const backlog = Math.round((seconds + warmUpSeconds) * backlogPerSecond);
  return withStation(customers, WORKERS_PARTITIONS, async (station) => {
    const { log, topics, stream } = station;
    await writeBacklog(log, topics.transactions, stream, backlog);
    const figures: Record<string, number> = { partitions: WORKERS_PARTITIONS };
    for (const count of workers) {
      // A group of its own reads everything from the beginning.
      const some = Array.from({ length: count }, () => station.startWorker(`of-${count}`, `checkpoints-${count}`));
      const watch = new DecisionWatch({ log, decisions: topics.decisions, workers: some, backlog });
      await watch.begin();
      await watch.untilStarted();
      await watch.samples(warmUpSeconds);
      const samples = await watch.samples(seconds);
      const owned = some.map((worker) => worker.partitions());
      await Promise.all(some.map((worker) => worker.stop()));
      const name = count === 1 ? 'transactionsPerSecond' : `${count}WorkersTransactionsPerSecond`;
      figures[name] = Math.round(ratesOf(samples).whole * (await watch.decisionsPerOffset()));
      // One that has more than its share is what the others wait for.
      figures[`${count}WorkersMostPartitions`] = Math.max(...owned);
      figures[`${count}WorkersMegabytes`] = megabytes(samples.at(-1)!.residentBytes);
    }
    return figures;
  });
}

/**
 * The same arrivals decided by whole partitions and by keyed stages, in one process: what the hops between stages cost.
 * `oneTransactionsPerSecond`, `keyedTransactionsPerSecond`, and latencies of each.
 */
export async function benchKafkaStages(options: StagesBenchOptions = {}): Promise<Record<string, number>> {
  const { seconds = 30, backlogPerSecond = 10_000, arrivalsPerSecond = 500, customers = CUSTOMERS } = options;
  const backlog = Math.round(seconds * backlogPerSecond);
  const figures: Record<string, number> = {};
  for (const stages of ['one', 'keyed'] as const) {
    const measured = await withStation(customers, WORKERS_PARTITIONS, async (station) => {
      const { log, topics, stream } = station;
      await writeBacklog(log, topics.transactions, stream, backlog);
      const worker = station.startWorker(stages, 'checkpoints', stages);
      const watch = new DecisionWatch({ log, decisions: topics.decisions, workers: [worker], backlog });
      await watch.begin();
      await watch.untilStarted();
      // By stages the first decisions come late, and the last ones fast: only the whole tells.
      await watch.untilDrained(seconds * DRAIN_FACTOR);
      const rate = Math.round(backlog / watch.drainSeconds());
      const latencies = await measureWith(station, {
        from: backlog,
        perSecond: arrivalsPerSecond,
        seconds,
        warmUpSeconds: 0,
      });
      await worker.stop();
      return { transactionsPerSecond: rate, ...latencyFigures(latencies), ...(await verified(station)) };
    });
    for (const [name, value] of Object.entries(measured)) {
      figures[`${stages}${name[0].toUpperCase()}${name.slice(1)}`] = value;
    }
  }
  return figures;
}

/** Brokers with topics, a model, a stream, and workers on demand. */
interface Station {
  readonly kafka: RunningKafka;
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly stream: EndlessStream;
  /** Stopped at the latest when the station closes. */
  startWorker(group: string, checkpoints: string, stages?: 'one' | 'keyed'): WorkerProcess;
}

async function withStation<Figures>(
  customers: number,
  partitions: number,
  measure: (station: Station) => Promise<Figures>,
): Promise<Figures> {
  const kafka = await startKafka({ heapMb: HEAP_MB, forLoad: true });
  const folder = mkdtempSync(join(tmpdir(), 'centinela-bench-kafka-'));
  const log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
  const workers: WorkerProcess[] = [];
  try {
    const prepared: PreparedModel = await preparedModel({
      ...{ detectors: 'gbdt,isolation-forest,autoencoder', customers, historyDays: 30, liveDays: 6, seed: 7 },
    });
    // The brokers of KAFKA_BROKERS may hold other topics and groups.
    const topicPrefix = `bench-${randomUUID().slice(0, 8)}.`;
    applyTopics(kafka.bootstrap, topicPrefix, partitions);
    return await measure({
      ...{ kafka, log, topics: topicNames(topicPrefix), stream: endlessStream(prepared.lines) },
      startWorker(group, checkpoints, stages = 'one') {
        const worker = startWorkerProcess({
          ...{ brokers: kafka.bootstrap, topicPrefix, group: `${topicPrefix}${group}`, prepared, stages },
          checkpoints: join(folder, checkpoints),
        });
        workers.push(worker);
        return worker;
      },
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function applyTopics(brokers: string, prefix: string, partitions: number): void {
  const options = ['--brokers', brokers, '--topic-prefix', prefix, '--partitions', `${partitions}`];
  const main = join(ROOT, 'src', 'main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main, 'topics', 'apply', ...options], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`topics apply failed: ${stderr}`);
}

function throughputFigures(samples: readonly Sample[], decisionsPerOffset: number): Record<string, number> {
  const { whole, median, perProcessorSecond } = ratesOf(samples);
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, samples.at(-1)!.seconds / 2);
  const warm = samples.filter(({ seconds }) => seconds >= warmUpSeconds).map(({ residentBytes }) => residentBytes);
  return {
    transactionsPerSecond: Math.round(whole * decisionsPerOffset),
    medianTransactionsPerSecond: Math.round(median * decisionsPerOffset),
    transactionsPerProcessorSecond: Math.round(perProcessorSecond * decisionsPerOffset),
    sustainedSeconds: samples.at(-1)!.seconds - samples[0].seconds,
    memoryStartMegabytes: megabytes(warm[0]),
    memoryEndMegabytes: megabytes(warm.at(-1)!),
    memoryGreatestMegabytes: megabytes(Math.max(...samples.map(({ residentBytes }) => residentBytes))),
  };
}

/** Compressed, of one copy; left out where Kafka's tools cannot be run. */
function storedFigures({ kafka, topics }: Station, transactions: number): Record<string, number> {
  const perTransaction = (topic: string) => Math.round(bytesOnDisk(kafka, topic) / transactions);
  const stored = {
    storedBytesPerRecord: perTransaction(topics.transactions),
    storedBytesPerDecision: perTransaction(topics.decisions),
  };
  return Number.isNaN(stored.storedBytesPerRecord) ? {} : stored;
}

async function measureWith(
  { kafka, log, topics, stream }: Station,
  arrivals: Pick<LatencyOptions, 'from' | 'perSecond' | 'seconds' | 'warmUpSeconds'>,
): Promise<Latencies> {
  const reader = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
  try {
    return await measureLatency({ sender: log, reader, topics, stream, ...arrivals });
  } finally {
    await reader.close();
  }
}

function latencyFigures({ milliseconds, sent, sentLate, unanswered }: Latencies): Record<string, number> {
  const at = (share: number) => milliseconds[Math.floor((milliseconds.length - 1) * share)];
  return {
    ...{ p50Milliseconds: at(0.5), p99Milliseconds: at(0.99), p999Milliseconds: at(0.999) },
    ...{ sentLateShare: sentLate / sent, unanswered },
  };
}

/** What another program finds in the topics. */
async function verified({ kafka, log, topics }: Station): Promise<Record<string, number>> {
  const reader = independentReader(kafka, log);
  const idsOf = async (topic: string, part: 'key' | 'value', idOf: (text: string) => string) => {
    const ids = new Fingerprints(await recordsOf(log, topic));
    await reader.read({ topic, part }, (text) => ids.add(idOf(text)));
    return ids;
  };
  const transactions = await idsOf(topics.transactions, 'value', idOfTransaction);
  const decisions = await idsOf(topics.decisions, 'key', (text) => text);
  let deadLetters = 0;
  await reader.read({ topic: topics['dead-letters'], part: 'key' }, () => deadLetters++);
  process.stderr.write(`${reader.name} read ${transactions.count} transactions and ${decisions.count} decisions\n`);
  return { ...tally(transactions, decisions), deadLetters };
}

/** It is the first field that the stream writes. */
function idOfTransaction(text: string): string {
  const [, id] = /^\{"id":"([^"]+)"/.exec(text) ?? [];
  if (id === undefined) throw new Error(`no transaction: ${text.slice(0, 100)}`);
  return id;
}

/** Offsets in use: records, and where they were written in transactions the markers of commits. */
async function recordsOf(log: StreamLog, topic: string): Promise<number> {
  return (await log.bounds(topic)).reduce((sum, { start, end }) => sum + end - start, 0);
}

async function peerFigures({ kafka, log, topics }: Station, seconds: number): Promise<Record<string, number>> {
  const why = preparePython(KAFKA_PEER);
  if (why !== null) {
    process.stderr.write(`The Python consumer is left out: ${why}\n`);
    return {};
  }
  const outputTopic = `${topics.decisions}-of-peer`;
  const settings = { partitions: PARTITIONS, retentionMs: null, compacted: false, replicas: 1 };
  await log.createTopics([{ name: outputTopic, ...settings }]);
  const run = (batch: number) =>
    runPeer({ brokers: kafka.bootstrap, topic: topics.transactions, outputTopic, batch, seconds });
  return { peerTransactionsPerSecond: await run(1), peerBatchTransactionsPerSecond: await run(PEER_BATCH) };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
