// One scenario from its first record to the moment when everything is decided and every worker has stopped.
import { createMemoryLog, type MemoryLog, type MemoryLogMoment } from '../../src/adapters/memory/memory-log.ts';
import { FencedError, StreamUnavailableError } from '../../src/lib/errors.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import { groupOfStage, type KeyedStage, keyedStages } from '../../src/pipeline/stream/stages/keyed-stages.ts';
import { stageTopicSettings, stageTopics } from '../../src/pipeline/stream/stages/stage-topics.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import { type VersionSource, VersionUnavailableError } from '../../src/pipeline/stream/versions.ts';
import { Worker } from '../../src/pipeline/stream/worker.ts';
import type { WorkerObserver } from '../../src/pipeline/stream/worker-options.ts';
import { ModelError } from '../../src/registry/packed-model.ts';
import type { Fault, Scenario } from './scenario.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedProcess, SLOWEST_STEP_MS, type World } from './simulated-process.ts';
import { createSimulatedStore, type SimulatedStore } from './simulated-store.ts';
import { simulatedSetup, simulatedVersions } from './stream-parts.ts';
import { drawItems, type Item, MAX_RECORD_BYTES } from './stream-records.ts';

export const GROUP = 'centinela';
export const TOPICS = topicNames();
export const STAGE_TOPICS = stageTopics();

export interface Outcome {
  readonly scenario: Scenario;
  readonly items: readonly Item[];
  readonly log: MemoryLog;
  readonly store: SimulatedStore;
  /** What was seen to be wrong on the way. */
  readonly wrong: readonly string[];
  readonly story: readonly string[];
}

interface Running {
  readonly process: SimulatedProcess;
  /** One for each stage. */
  readonly workers: readonly Worker[];
  isDone: boolean;
}

const CLOCK_START_MS = 1_765_000_000_000;
const MOST_STEPS = 200_000;
/** Of virtual time, from the end of all trouble to the end. */
const DRAIN_MS = 600_000;
/** Some slow steps. */
const AFTERMATH_MS = 30_000;
const MOST_STORY = 4000;
const MOST_WRONG = 5;
export const BLOCK_BYTES = 2048;

/** The folder of a partition's checkpoints. */
export const folderOf = (topic: string, partition: number): string => `checkpoints/${topic}/${partition}`;

/** What the workers of a process do, from the first stage to the last; a whole stream is one. */
export function stagesOf({ stages }: Scenario, versions: VersionSource): (KeyedStage & { readonly group: string })[] {
  const setup = simulatedSetup();
  if (stages === 'one') return [{ name: 'transactions', input: TOPICS.transactions, setup, versions, group: GROUP }];
  return keyedStages(setup, versions, TOPICS, STAGE_TOPICS).map((stage) => ({
    ...stage,
    group: groupOfStage(GROUP, stage.name),
  }));
}

export async function runScenario(scenario: Scenario): Promise<Outcome> {
  const seeds = createPrng(scenario.seed);
  const prng = seeds.fork(2);
  const scheduler = new Scheduler(seeds.fork(3), CLOCK_START_MS);
  const wrong: string[] = [];
  const story: string[] = [];
  let isTroubled = true;
  let calmSinceMs = 0;
  let isFinished = false;
  let outageUntilMs = 0;
  const strikes = (fault: Fault, share: number) => isTroubled && scenario.faults.has(fault) && prng.nextFloat() < share;
  const tell = (who: string, what: string) => {
    if (story.length < MOST_STORY) story.push(`${scheduler.nowMs - CLOCK_START_MS} ${who}: ${what}`);
  };
  const blame = (what: string) => {
    wrong.push(what);
    if (wrong.length >= MOST_WRONG) isFinished = true;
    tell('WRONG', what);
  };

  const stages = stagesOf(
    scenario,
    simulatedVersions(async () => undefined),
  );
  const positions = new Map<string, number>();
  const watch = ({ positions: moved }: MemoryLogMoment) => {
    for (const { topic, partition, offset } of moved) {
      const before = positions.get(`${topic}/${partition}`) ?? 0;
      if (offset < before) blame(`the group went back in ${topic}/${partition}, from ${before} to ${offset}`);
      positions.set(`${topic}/${partition}`, offset);
    }
  };
  const fault = (moment: MemoryLogMoment) => {
    const { when, operation } = moment;
    if (when === 'after') {
      watch(moment);
      if (!strikes('lost-answers', 0.02)) return undefined;
      tell('log', `the answer to this ${operation} is lost`);
      return 'answer-lost';
    }
    if (scheduler.nowMs < outageUntilMs) throw new StreamUnavailableError('the log is out of order');
    if (strikes('unavailable', 0.01)) throw new StreamUnavailableError(`this ${operation} failed`);
    if (operation === 'commit' && strikes('zombies', 0.002)) throw new FencedError('fenced for no reason');
    return undefined;
  };
  const delivery = (name: Fault, share: number) => (scenario.faults.has(name) ? share : 0);
  const log = createMemoryLog({
    ...{ now: () => scheduler.nowMs, sleep: (ms) => scheduler.wait(ms), fault, maxRecordBytes: MAX_RECORD_BYTES },
    deliveries: {
      random: () => prng.nextFloat(),
      redeliverShare: delivery('redeliveries', 0.1),
      delayShare: delivery('delays', 0.3),
    },
  });
  const store = createSimulatedStore((key) => {
    if (!key.includes('/manifests/')) return;
    const offset = Number(key.slice(-16));
    const [, topic, partition] = key.split('/');
    const { group } = stages.find(({ input }) => input === topic)!;
    const committed = log.committed(group, { topic, partition: Number(partition) });
    if (offset > committed) blame(`a checkpoint at ${offset} of ${topic}/${partition}, committed up to ${committed}`);
  });
  const one = new Set([TOPICS.decisions, TOPICS.alerts, TOPICS['dead-letters']]);
  const settings = topicSettings(TOPICS, scenario.partitions, 1).map((topic) => ({
    ...{ ...topic, retentionMs: null },
    ...(one.has(topic.name) && { partitions: 1 }),
  }));
  await log.createTopics(settings);
  const between = stageTopicSettings(STAGE_TOPICS, scenario.partitions, 1);
  if (scenario.stages === 'keyed') await log.createTopics(between.map((topic) => ({ ...topic, retentionMs: null })));

  const world: World = { scheduler, prng, log, store, strikes, tell };
  const items = drawItems(seeds.fork(4), scenario.records, TOPICS);
  const running: Running[] = [];
  const started: Running[] = [];
  let isOver = false;
  let names = 0;

  function start(): void {
    const process = new SimulatedProcess(`worker-${names++}`, world, () => replace(entry));
    const versions = simulatedVersions(async () => {
      await process.step('a model is loaded');
      if (strikes('missing-models', 0.2)) throw new Error('EIO: the models cannot be read');
      if (strikes('missing-models', 0.2)) throw new ModelError('the model has not come to this store yet');
    }, process.throughTrouble);
    let writers = 0;
    const own = stagesOf(scenario, versions);
    const workers = own.map(
      ({ input, group, ...stage }) =>
        new Worker({
          ...{ log: process.log, ...stage, now: process.now, sleep: process.sleep },
          checkpoints: (partition) =>
            new CheckpointStore(process.store, folderOf(input, partition), {
              ...{ blockBytes: BLOCK_BYTES, pause: () => process.step('between blocks') },
              writer: `${process.name}-${writers++}`,
            }),
          settings: {
            ...{ group, input, changesTo: own[own.length - 1].input, topics: TOPICS, pollWaitMs: 100 },
            ...{ batchSize: { fewest: 3, most: 40, budgetMs: 60 }, checkpointEveryMs: 700, lagEveryMs: 5000 },
            // More than detectors fail in a row.
            ...{ attempts: 12, firstRetryMs: 50, commitEveryMs: 300, maxRecordBytes: MAX_RECORD_BYTES },
            degradedMode: {
              ...{ budgetMs: 60, budgetRecords: 3, restMs: 500, mostRestMs: 4000, probeRecords: 2 },
            },
          },
          observer: observerOf(process, input, tell),
        }),
    );
    const entry: Running = { process, workers, isDone: false };
    running.push(entry);
    started.push(entry);
    tell(process.name, 'starts');
    const ended = (why: string) => {
      entry.isDone = true;
      tell(process.name, why);
      replace(entry);
    };
    // Where one of its workers gives up the process ends in order.
    const runs = workers.map((worker) =>
      worker.run().catch((error: Error) => {
        for (const each of workers) each.stop();
        const isExpected = [StreamUnavailableError, FencedError, VersionUnavailableError].some(
          (kind) => error instanceof kind,
        );
        // What it gives up for may have struck before: leaving its group took steps.
        if (isExpected && (isTroubled || scheduler.nowMs < calmSinceMs + AFTERMATH_MS))
          tell(process.name, `gives up: ${error.message}`);
        else blame(`${process.name} ended with ${error.stack}`);
      }),
    );
    void Promise.all(runs).then(() => ended('has stopped'));
  }

  function replace(entry: Running): void {
    const at = running.indexOf(entry);
    if (at < 0) return;
    running.splice(at, 1);
    if (isOver) return;
    void scheduler.wait(prng.nextBelow(3000)).then(() => {
      if (!isOver) start();
    });
  }

  async function produce(): Promise<void> {
    for (let next = 0; next < items.length; ) {
      const many = prng.nextFloat() < 0.1 ? 1 + prng.nextBelow(20) : 1;
      const records = items.slice(next, next + many).map(({ record }) => record);
      for (;;) {
        try {
          await log.append(records);
          break;
        } catch (error) {
          if (!(error instanceof StreamUnavailableError)) throw error;
          // What was lost may have been written: it is written again, as producers do.
          await scheduler.wait(50);
        }
      }
      next += records.length;
      await scheduler.wait(prng.nextBelow(120));
    }
  }

  /** What strikes by itself from time to time. */
  async function trouble(): Promise<void> {
    while (isTroubled) {
      await scheduler.wait(200 + prng.nextBelow(800));
      if (strikes('outages', 0.1)) {
        outageUntilMs = scheduler.nowMs + prng.nextBelow(8000);
        tell('log', `takes nothing until ${outageUntilMs - CLOCK_START_MS}`);
      }
      if (strikes('full-disk', 0.2)) {
        store.isFull = !store.isFull;
        tell('store', store.isFull ? 'is full' : 'has room again');
      }
      if (strikes('damage', 0.1)) tell('store', `damaged: ${store.damage(prng)}`);
      if (strikes('rebalances', 0.2)) {
        const some = running[prng.nextBelow(Math.max(1, running.length))];
        if (running.length > 1 && some !== undefined && prng.nextFloat() < 0.5) {
          tell(some.process.name, 'is asked to stop');
          for (const worker of some.workers) worker.stop();
        } else if (running.length < 4) start();
      }
    }
    store.isFull = false;
    outageUntilMs = 0;
  }

  async function isDrained(): Promise<boolean> {
    const owned = running.flatMap(({ workers }) => workers.flatMap((worker) => worker.positions()));
    const [first] = stages;
    for (const topic of [TOPICS.labels, TOPICS.control]) {
      for (const { partition, end } of await log.bounds(topic)) {
        if (log.committed(first.group, { topic, partition }) < end) return false;
      }
    }
    for (const { input: topic, group } of stages) {
      for (const { partition, end } of await log.bounds(topic)) {
        if (log.committed(group, { topic, partition }) < end) return false;
        const isAtEnd = owned.some((at) => at.topic === topic && at.partition === partition && at.offset === end);
        if (!isAtEnd) return false;
      }
    }
    return true;
  }

  async function everything(): Promise<void> {
    for (let i = 0; i < scenario.workers; i++) start();
    const troubles = trouble();
    await produce();
    await scheduler.wait(prng.nextBelow(4000));
    isTroubled = false;
    calmSinceMs = scheduler.nowMs;
    await troubles;
    tell('world', 'is well from here on');
    // Who was held for dead in the midst of a slow step hears of it only now, and until then believes to own what it owned.
    await scheduler.wait(SLOWEST_STEP_MS);
    const endMs = scheduler.nowMs + DRAIN_MS;
    while (!(await isDrained())) {
      await scheduler.wait(250);
      if (scheduler.nowMs < endMs) continue;
      blame('the stream does not drain');
      break;
    }
    isOver = true;
    for (const { workers } of started) for (const worker of workers) worker.stop();
    const stopMs = scheduler.nowMs + DRAIN_MS;
    while (started.some(({ process, isDone }) => !process.isDead && !isDone)) {
      await scheduler.wait(250);
      if (scheduler.nowMs < stopMs) continue;
      blame('a worker does not stop');
      break;
    }
  }
  void everything().then(
    () => {
      isFinished = true;
    },
    (error: Error) => {
      blame(`the simulation itself failed: ${error.stack}`);
      isFinished = true;
    },
  );
  const stuck = await scheduler.runUntil(() => isFinished, MOST_STEPS);
  if (stuck !== null) blame(stuck);
  return { scenario, items, log, store, wrong, story };
}

function observerOf(process: SimulatedProcess, topic: string, tell: World['tell']): WorkerObserver {
  const name = topic === TOPICS.transactions ? process.name : `${process.name} (${topic})`;
  return {
    batch: ({ partition, records }) => tell(name, `${records} records of partition ${partition}`),
    restored: (partition, from, upTo) => tell(name, `partition ${partition} restored from ${from} up to ${upTo}`),
    checkpointed: (partition, { offset }) => tell(name, `checkpoint of partition ${partition} at ${offset}`),
    committed: () => undefined,
    queued: () => undefined,
    leftOut: (partition, offset, parts) =>
      tell(name, `partition ${partition} is decided without ${parts.join() || 'nothing left out'} from ${offset}`),
    changed: (partition, offset, { model, rules }) =>
      tell(name, `partition ${partition} decides with ${model} and ${rules} after ${offset}`),
    troubled: (code, message) => tell(name, `${code}: ${message}`),
    assigned: (partitions) => tell(name, `has ${partitions.join()}`),
    lagging: () => undefined,
    revoked: (partitions) => tell(name, `gives up ${partitions.join()}`),
  };
}
