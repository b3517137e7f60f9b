// A worker whose detectors are slow or fail: what it decides, what it says of it, and that all of it is made again the same.
import { expect, it } from 'vitest';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import { DEFAULT_DEGRADED_MODE } from '../../src/pipeline/stream/degraded-mode.ts';
import { readLeftOut } from '../../src/pipeline/stream/left-out.ts';
import { decisionRecord } from '../../src/pipeline/stream/outputs.ts';
import { PartitionFold } from '../../src/pipeline/stream/partition-fold.ts';
import { kindHeader } from '../../src/pipeline/stream/record-kinds.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import { Worker } from '../../src/pipeline/stream/worker.ts';
import { DEFAULT_WORKER } from '../../src/pipeline/stream/worker-options.ts';
import { workerMetrics } from '../../src/roles/worker-metrics.ts';
import { createSimulatedStore } from '../simulation/simulated-store.ts';
import { MODEL, simulatedSetup, simulatedVersions } from '../simulation/stream-parts.ts';

const TOPICS = topicNames();
const START_MS = 1_760_000_000_000;
const AT = { topic: TOPICS.transactions, partition: 0 };
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array | null) => JSON.parse(new TextDecoder().decode(bytes!));

/** What becomes of a detector's score: it takes so long, or fails. */
interface Trouble {
  tookMs(detector: string, rows: number): number;
  fails(detector: string): boolean;
}

class Place {
  readonly log: MemoryLog;
  readonly store = createSimulatedStore();
  nowMs = START_MS;
  readonly trouble: Trouble = { tookMs: () => 0, fails: () => false };
  #sent = 0;

  constructor() {
    this.log = createMemoryLog({ now: () => this.nowMs, sleep: () => new Promise((resolve) => setImmediate(resolve)) });
  }

  async open(): Promise<this> {
    await this.log.createTopics(topicSettings(TOPICS, 1, 1));
    const change = { ...AT, key: null, value: encode({ model: MODEL }), headers: [kindHeader('control')] };
    await this.log.append([{ ...change, timestampMs: null }]);
    return this;
  }

  async send(count: number): Promise<void> {
    const records = Array.from({ length: count }, () => {
      const number = this.#sent++;
      return encode({
        ...{ id: `t${number}`, eventTimeMs: START_MS + number * 60_000, currency: 'PEN', operation: 'transfer' },
        ...{ amountMinor: 100 + ((number * 7919) % 700_000), payerId: `p${number % 5}`, payeeId: `b${number % 3}` },
      });
    });
    await this.log.append(records.map((value) => ({ ...AT, key: null, value, headers: [], timestampMs: null })));
  }

  through = (detector: FittedDetector): FittedDetector => ({
    ...detector,
    score: (matrix) => {
      this.nowMs += this.trouble.tookMs(detector.name, matrix.rows);
      if (this.trouble.fails(detector.name)) throw new Error('out of order');
      return detector.score(matrix);
    },
  });

  /**
   * A worker's life until all is decided.
   *
   * @returns its metrics, the codes of what troubled it, what it left out from where on, and why it ended
   */
  async work(isDegradedModeOn = true) {
    const { registry, observerOf } = workerMetrics(() => this.nowMs);
    const observer = observerOf(TOPICS.transactions);
    const codes: string[] = [];
    const chosen: (readonly [offset: number, parts: string])[] = [];
    const worker = new Worker({
      ...{ log: this.log, setup: simulatedSetup(), versions: simulatedVersions(async () => undefined, this.through) },
      checkpoints: () => new CheckpointStore(this.store, 'p'),
      settings: {
        ...{ ...DEFAULT_WORKER, topics: TOPICS, attempts: 3, pollWaitMs: 1, checkpointEveryMs: 1e9 },
        batchSize: { fewest: 10, most: 10, budgetMs: 100 },
        degradedMode: isDegradedModeOn ? { ...DEFAULT_DEGRADED_MODE, budgetMs: 100, budgetRecords: 10 } : null,
      },
      observer: {
        ...{ ...observer, troubled: (code) => void codes.push(code) },
        leftOut: (_, offset, parts) => void chosen.push([offset, parts.join()]),
      },
      ...{ now: () => this.nowMs, sleep: async () => undefined },
    });
    let isOver = false;
    const running = worker.run().then(
      () => null,
      (error: unknown) => error,
    );
    void running.then(() => {
      isOver = true;
    });
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [{ end }] = await this.log.bounds(TOPICS.transactions);
      if (isOver || (worker.isReady && worker.positions().some(({ offset }) => offset >= end))) break;
    }
    worker.stop();
    return { error: await running, metrics: await registry.metrics(), codes, chosen };
  }

  async decisions() {
    const all = await this.log.read({ topic: TOPICS.decisions, partition: 0, offset: 0 }, 10_000, 0);
    return all.map(({ value }) => decode(value));
  }

  /** From the stream and what was left out, one record after the other. */
  async madeAgain() {
    const setup = simulatedSetup();
    const versions = simulatedVersions(async () => undefined);
    const fold = new PartitionFold(setup.createEngine(), setup.decoders, setup.fold);
    let version = await versions.initial(setup.definitions);
    const history = await readLeftOut(this.log, { topic: TOPICS['left-out'], partition: 0 });
    const decided: unknown[] = [];
    for (const record of await this.log.read({ ...AT, offset: 0 }, 10_000, 0)) {
      const output = fold.take([record], version, { leftOut: history.at(record.offset) });
      decided.push(...output.decided.map((each) => decode(encode(decisionRecord(each, AT)))));
      if (output.change !== null) version = await versions.change(version, output.change, setup.definitions);
    }
    return { decided, head: JSON.stringify(fold.head().governor) };
  }
}

it('leaves a slow detector out, says so, tries it again, and makes the same decisions again', async () => {
  const place = await new Place().open();
  place.trouble.tookMs = (detector, rows) => (detector === 'hbos' && rows > 1 ? 80 : 1);
  await place.send(100);
  const { metrics, error, chosen } = await place.work();
  expect(error).toBeNull();
  const before = await place.decisions();
  // The first batch is not judged, and the next three are late.
  expect(before.map(({ degraded }) => degraded.join()).slice(0, 50)).toEqual([
    ...Array<string>(39).fill(''),
    ...Array<string>(11).fill('hbos'),
  ]);
  expect(metrics).toContain('centinela_degraded_decisions_total{without="hbos"} 61');
  expect(metrics).toContain('centinela_deadlines_missed_total{step="detect"} 4');
  expect(chosen).toEqual([[40, 'hbos']]);
  expect(metrics).toMatch(/centinela_detector_seconds_count\{detector="gbdt"\} 1\d/);
  expect(metrics).toMatch(/centinela_step_seconds_count\{step="commit"\} 1\d/);
  expect(metrics).toContain('centinela_queued_records{stage="transactions"} 0');
  place.trouble.tookMs = () => 1;
  place.nowMs += 60_000;
  await place.send(40);
  await place.work();
  expect((await place.decisions()).at(-1).degraded).toEqual([]);
  expect(await place.decisions()).toEqual((await place.madeAgain()).decided);
});

it('goes on without a detector that fails, with the risk of the others', async () => {
  const place = await new Place().open();
  place.trouble.fails = (detector) => detector === 'gbdt';
  await place.send(60);
  const { metrics, error } = await place.work();
  expect(error).toBeNull();
  expect(metrics).toContain('centinela_detector_failures_total{detector="gbdt"} 1');
  const decisions = await place.decisions();
  expect(decisions.length).toBe(60);
  expect(decisions.every(({ degraded }) => degraded.join() === 'gbdt')).toBe(true);
  expect(decisions.every(({ modelRisk }) => modelRisk > 0)).toBe(true);
  expect(decisions).toEqual((await place.madeAgain()).decided);
});

it('decides by rules and amount where every detector fails', async () => {
  const place = await new Place().open();
  place.trouble.fails = () => true;
  await place.send(60);
  expect((await place.work()).error).toBeNull();
  const decisions = await place.decisions();
  expect(decisions.every(({ modelRisk, degraded }) => modelRisk === null && degraded.length === 2)).toBe(true);
  const unscored = decisions.filter(({ by }) => by === 'unscored');
  expect(new Set(unscored.map(({ action }) => action))).toEqual(new Set(['approve', 'review']));
  expect(decisions).toEqual((await place.madeAgain()).decided);
});

it('makes the state again without what was left out, from a checkpoint in the midst of it', async () => {
  const place = await new Place().open();
  place.trouble.tookMs = (detector) => (detector === 'hbos' ? 80 : 1);
  await place.send(50);
  // Ends with a checkpoint; the next worker's records after it are made again by the third.
  await place.work();
  const kept = new Map<string, Uint8Array>();
  for (const key of await place.store.list('p/')) kept.set(key, (await place.store.get(key))!);
  place.nowMs += 20_000;
  await place.send(50);
  await place.work();
  for (const key of await place.store.list('p/')) await place.store.remove(key);
  for (const [key, bytes] of kept) await place.store.put(key, bytes);
  await place.send(30);
  await place.work();
  expect(await place.decisions()).toEqual((await place.madeAgain()).decided);
});

it('does not decide otherwise what was decided with a detector that fails now', async () => {
  const place = await new Place().open();
  await place.send(30);
  await place.work();
  for (const key of await place.store.list('p/')) await place.store.remove(key);
  place.trouble.fails = (detector) => detector === 'gbdt';
  await place.send(10);
  const { codes, error } = await place.work();
  expect(new Set(codes)).toEqual(new Set(['DETECTOR_FAILED']));
  expect(error).toMatchObject({ code: 'DETECTOR_FAILED' });
  expect((await place.decisions()).length).toBe(30);
});

it('switched off, it leaves nothing out: slow is late, and a failure stops the worker', async () => {
  const place = await new Place().open();
  place.trouble.tookMs = () => 500;
  await place.send(60);
  expect((await place.work(false)).error).toBeNull();
  expect((await place.decisions()).some(({ degraded }) => degraded.length > 0)).toBe(false);
  place.trouble.fails = () => true;
  await place.send(1);
  expect((await place.work(false)).error).toMatchObject({ code: 'DETECTOR_FAILED' });
});
