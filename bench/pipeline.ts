// `bench pipeline`: the whole way of a transaction on one core, from the bytes of its record to the bytes of its decision,
// with the default catalogue, boosted trees, isolation forest, autoencoder and 30 rules.
//
// Throughput is the best of a few runs (other work on the machine can only slow a run down) over a stream of a simulated
// bank. Latency is measured while transactions arrive at 5,000 a second: from the moment one is due to its decision.
import { outputsOf } from '../src/pipeline/stream/outputs.ts';
import { PartitionFold } from '../src/pipeline/stream/partition-fold.ts';
import { topicNames } from '../src/pipeline/stream/topics.ts';
import type { StreamRecord } from '../src/ports.ts';
import { type BenchStream, benchStream, encodeTransaction } from './stream-setup.ts';

const RUNS = 5;
const BATCH = 1024;
const ARRIVALS_PER_SECOND = 5000;
const LATENCY_SECONDS = 20;
const TOPICS = topicNames();
const FROM = { topic: TOPICS.transactions, partition: 0 };

export async function benchPipeline(): Promise<Record<string, number>> {
  const stream = await benchStream({
    ...{
      detectors: 'gbdt,isolation-forest,autoencoder',
      rules: 30,
      customers: 5000,
      historyDays: 30,
      liveDays: 6,
      seed: 7,
    },
  });
  const records = recordsOf(stream);
  let best = 0;
  let memoryBytes = 0;
  let entities = 0;
  for (let run = 0; run < RUNS; run++) {
    const fold = await openFold(stream);
    const startedMs = performance.now();
    for (let start = 0; start < records.length; start += BATCH) fold.take(records.slice(start, start + BATCH));
    best = Math.max(best, records.length / ((performance.now() - startedMs) / 1000));
    memoryBytes = fold.fold.engine.memoryBytes();
    entities = fold.fold.engine.counters().entities.payer ?? 1;
  }
  const latencies = await measureLatency(await openFold(stream), records);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)];
  return {
    ...{ transactionsPerSecond: Math.round(best), p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) },
    ...{ p999Milliseconds: at(0.999), bytesPerAccount: Math.round(memoryBytes / entities) },
    ...{ transactions: records.length, bytesPerRecord: Math.round(bytesOf(records) / records.length) },
    ...{ features: stream.setup.definitions.length, detectors: stream.detectors.length },
  };
}

interface OpenFold {
  readonly fold: PartitionFold;
  /** @returns bytes of the outputs */
  take(records: readonly StreamRecord[]): number;
}

async function openFold({ setup, versions }: BenchStream): Promise<OpenFold> {
  const fold = new PartitionFold(setup.createEngine(), setup.decoders, setup.fold);
  const version = await versions.initial(setup.definitions);
  return {
    fold,
    take: (records) =>
      outputsOf(fold.take(records, version), FROM, TOPICS).reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
  };
}

/** Sorted, ms. All that is due is taken at once, as a worker does. */
async function measureLatency(fold: OpenFold, records: readonly StreamRecord[]): Promise<Float64Array> {
  const wanted = Math.min(records.length, ARRIVALS_PER_SECOND * LATENCY_SECONDS);
  const latencies = new Float64Array(wanted);
  const startedMs = performance.now();
  const dueMs = (index: number) => startedMs + (index / ARRIVALS_PER_SECOND) * 1000;
  for (let next = 0; next < wanted; ) {
    const now = performance.now();
    let end = next;
    while (end < wanted && dueMs(end) <= now) end++;
    if (end === next) {
      await new Promise(setImmediate);
      continue;
    }
    fold.take(records.slice(next, end));
    const doneMs = performance.now();
    for (; next < end; next++) latencies[next] = doneMs - dueMs(next);
  }
  return latencies.sort();
}

function recordsOf({ transactions }: BenchStream): StreamRecord[] {
  return transactions.map((transaction, offset) => ({
    ...{ offset, timestampMs: transaction.eventTimeMs, key: null, headers: [] },
    value: encodeTransaction(transaction),
  }));
}

function bytesOf(records: readonly StreamRecord[]): number {
  return records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}
