// How long who asks for a decision waits for it: score(transaction) through the log, with the worker in the same process.
//
//   node bench/sync-scoring.ts [--json] [--log files|memory|kafka] [--detectors gbdt,isolation-forest] [--seconds 10]
//
// `quiet`: one after the other; `busy`: as many in flight as `--callers`. For Kafka give KAFKA_BROKERS.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createFolderObjectStore } from '../src/adapters/files/folder-object-store.ts';
import { openFileLog } from '../src/adapters/files/stream-log/file-log.ts';
import { openKafkaLog } from '../src/adapters/kafka/kafka-log.ts';
import { createMemoryLog } from '../src/adapters/memory/memory-log.ts';
import { transactionRecord } from '../src/jobs/stream/feed-stream.ts';
import { openSyncScoring, type SyncScoring } from '../src/pipeline/stream/sync-scoring.ts';
import { topicNames, topicSettings } from '../src/pipeline/stream/topics.ts';
import type { StreamLog } from '../src/ports.ts';
import { startWorker } from '../src/roles/worker.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { benchStream } from './stream-setup.ts';

const PARTITIONS = 8;
const DEADLINE_MS = 10_000;
const WARM_UP = 300;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    log: { type: 'string', default: 'files' },
    detectors: { type: 'string', default: 'gbdt,isolation-forest' },
    seconds: { type: 'string', default: '10' },
    callers: { type: 'string', default: '64' },
  },
});

async function openLog(kind: string, folder: string): Promise<StreamLog> {
  if (kind === 'files') return openFileLog({ folder, onRecovery: () => undefined });
  if (kind === 'kafka') return openKafkaLog({ brokers: (process.env.KAFKA_BROKERS ?? '').split(',') });
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  return createMemoryLog({ now: Date.now, sleep, maxRecords: 10_000_000 });
}

/** Sorted waits, ms. */
async function measure(next: () => Promise<boolean>, callers: number, seconds: number) {
  const waits: number[] = [];
  let timeouts = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const call = async () => {
    while (performance.now() < endMs) {
      const beganMs = performance.now();
      if (!(await next())) timeouts++;
      waits.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const perSecond = waits.length / ((performance.now() - startMs) / 1000);
  waits.sort((a, b) => a - b);
  const at = (share: number) => Number(waits[Math.floor(share * (waits.length - 1))].toFixed(2));
  return { perSecond: Math.round(perSecond), p50: at(0.5), p99: at(0.99), most: at(1), timeouts };
}

const [seconds, callers] = [Number(values.seconds), Number(values.callers)];
const { setup, versions, transactions } = await benchStream({
  ...{ detectors: values.detectors, rules: 30, customers: 2000, historyDays: 20, liveDays: 40, seed: 11 },
});
const folder = await mkdtemp(join(tmpdir(), 'sync-scoring-'));
const log = await openLog(values.log, join(folder, 'log'));
const topics = topicNames(`sync-scoring-${Date.now()}.`);
await log.createTopics(topicSettings(topics, PARTITIONS, 1));
const worker = await startWorker({
  ...{ log, topics, setup, versions, stages: null, masters: null, ops: null, settings: {} },
  logger: createLogger('warn', (line) => process.stderr.write(line)),
  checkpoints: createFolderObjectStore(join(folder, 'checkpoints')),
});
const scoring: SyncScoring = await openSyncScoring({
  ...{
    log,
    topics,
    writer: transactionRecord,
    onTrouble: (error: Error) => process.stderr.write(`${error.message}\n`),
  },
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
});
let given = 0;
const next = async () => {
  const transaction = transactions[given % transactions.length];
  const id = `${transaction.id}-${given++}`;
  return (await scoring.score({ ...transaction, id }, { deadlineMs: DEADLINE_MS })).kind === 'decided';
};
for (let i = 0; i < WARM_UP; i++) await next();
const quiet = await measure(next, 1, seconds);
const busy = await measure(next, callers, seconds);
await scoring.close();
worker.stop();
await worker.done;
await log.close();
await rm(folder, { recursive: true });
const result = {
  ...{ log: values.log, detectors: values.detectors, callers },
  ...{ quietP50Milliseconds: quiet.p50, quietP99Milliseconds: quiet.p99, quietMostMilliseconds: quiet.most },
  ...{ busyDecisionsPerSecond: busy.perSecond, busyP50Milliseconds: busy.p50, busyP99Milliseconds: busy.p99 },
  timeouts: quiet.timeouts + busy.timeouts,
};
process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
