// What the embedded log costs on this disk: single durable appends, batches, commits of outputs with positions, reading back.
//
//   node bench/file-log.ts [--json] [--records 400000]
//
// Figures are of one process; `syncMs` is what the disk itself takes for 600 bytes and a sync, measured in the same run.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFileLog } from '../src/adapters/files/stream-log/file-log.ts';
import type { OutgoingRecord, StreamLog, StreamPosition } from '../src/ports.ts';

const BATCH_RECORDS = 500;
const VALUE_BYTES = 500;
const SINGLES = 500;
const CALLERS = 64;
const PARTITIONS = 8;

function recordsFor(topic: string, count: number, partition: number | null): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    topic,
    partition,
    key: new TextEncoder().encode(`C${index}`),
    value: new Uint8Array(VALUE_BYTES).fill(index),
    headers: [],
    timestampMs: null,
  }));
}

async function measureSync(folder: string): Promise<number[]> {
  const handle = await open(join(folder, 'sync'), 'w');
  const times: number[] = [];
  for (let index = 0; index < SINGLES; index++) {
    const startMs = performance.now();
    await handle.write(new Uint8Array(600), 0, 600, index * 600);
    await handle.datasync();
    times.push(performance.now() - startMs);
  }
  await handle.close();
  return times;
}

async function measureSingles(log: StreamLog): Promise<number[]> {
  const times: number[] = [];
  for (const record of recordsFor('one', SINGLES, 0)) {
    const startMs = performance.now();
    await log.append([record]);
    times.push(performance.now() - startMs);
  }
  return times;
}

/** Records a second of many callers that each wait for their own. */
async function measureCallers(log: StreamLog): Promise<number> {
  const rounds = 100;
  const startMs = performance.now();
  const caller = async () => {
    for (const record of recordsFor('eight', rounds, null)) await log.append([record]);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return perSecond(CALLERS * rounds, startMs);
}

/** @param inFlight how many batches are under way at once */
async function measureBatches(
  log: StreamLog,
  topic: string,
  records: number,
  partition: number | null,
  inFlight: number,
): Promise<number> {
  const batch = recordsFor(topic, BATCH_RECORDS, partition);
  const startMs = performance.now();
  let written = 0;
  const writer = async () => {
    while (written < records) {
      written += BATCH_RECORDS;
      await log.append(batch);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  return perSecond(written, startMs);
}

async function measureReading(log: StreamLog, topic: string): Promise<number> {
  const startMs = performance.now();
  let records = 0;
  for (const { partition, start, end } of await log.bounds(topic)) {
    for (let offset = start; offset < end; ) {
      const some = await log.read({ topic, partition, offset }, BATCH_RECORDS, 0);
      records += some.length;
      offset = some.at(-1)!.offset + 1;
    }
  }
  return perSecond(records, startMs);
}

/** What a pipeline does: poll a batch, write as many outputs, and commit both. */
async function measurePipeline(log: StreamLog, records: number): Promise<{ perSecond: number; commitMs: number[] }> {
  const listener = {
    assigned: async (committed: readonly StreamPosition[]) => committed,
    revoked: async () => undefined,
    lost: async () => undefined,
  };
  const consumer = await log.join({ group: 'bench', topics: ['eight'], listener });
  const outputs = recordsFor('out', BATCH_RECORDS, null);
  const commitMs: number[] = [];
  const startMs = performance.now();
  let done = 0;
  while (done < records) {
    const batches = await consumer.poll(BATCH_RECORDS, 1000);
    if (batches.length === 0) break;
    const count = batches.reduce((sum, batch) => sum + batch.records.length, 0);
    const positions = batches.map(({ topic, partition, records: some }) => {
      return { topic, partition, offset: some.at(-1)!.offset + 1 };
    });
    const commitStartMs = performance.now();
    await consumer.commit(outputs.slice(0, count), positions);
    commitMs.push(performance.now() - commitStartMs);
    done += count;
  }
  const rate = perSecond(done, startMs);
  await consumer.close();
  return { perSecond: rate, commitMs };
}

function perSecond(count: number, startMs: number): number {
  return Math.round((count / (performance.now() - startMs)) * 1000);
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(3));
}

async function bench(records: number): Promise<Record<string, number>> {
  // Not in the system's folder for temporary files, which may be in memory.
  const folder = await mkdtemp(join(process.cwd(), '.bench-file-log-'));
  try {
    const sync = await measureSync(folder);
    const log = await openFileLog({ folder: join(folder, 'log'), onRecovery: () => undefined });
    const topic = { retentionMs: null, compacted: false, replicas: 1 };
    await log.createTopics([
      { ...topic, name: 'one', partitions: 1 },
      { ...topic, name: 'eight', partitions: PARTITIONS },
      { ...topic, name: 'out', partitions: PARTITIONS },
    ]);
    const singles = await measureSingles(log);
    const figures = {
      syncP50Ms: quantile(sync, 0.5),
      syncP99Ms: quantile(sync, 0.99),
      singleAppendP50Ms: quantile(singles, 0.5),
      singleAppendP99Ms: quantile(singles, 0.99),
      callers64PerSecond: await measureCallers(log),
      batchesOnePartitionPerSecond: await measureBatches(log, 'one', records, 0, 1),
      fourBatchesAtOnceOnePartitionPerSecond: await measureBatches(log, 'one', records, 0, 4),
      batchesEightPartitionsPerSecond: await measureBatches(log, 'eight', records, null, 1),
      fourBatchesAtOnceEightPartitionsPerSecond: await measureBatches(log, 'eight', records, null, 4),
      readOnePartitionPerSecond: await measureReading(log, 'one'),
      readEightPartitionsPerSecond: await measureReading(log, 'eight'),
    };
    const pipeline = await measurePipeline(log, records / 2);
    await log.close();
    const startMs = performance.now();
    const again = await openFileLog({ folder: join(folder, 'log'), onRecovery: () => undefined });
    const openMs = Number((performance.now() - startMs).toFixed(1));
    await again.close();
    return {
      ...figures,
      pollAndCommitPerSecond: pipeline.perSecond,
      commitP50Ms: quantile(pipeline.commitMs, 0.5),
      commitP99Ms: quantile(pipeline.commitMs, 0.99),
      openMs,
      peakMemoryMib: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const { values } = parseArgs({ options: { json: { type: 'boolean' }, records: { type: 'string' } } });
const figures = await bench(Number(values.records ?? 400_000));
if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(44)} ${value}\n`);
