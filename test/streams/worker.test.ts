// What a worker does where the stream or its checkpoints are not what they were: cases that the simulation does not draw.
import { expect, it } from 'vitest';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { StreamUnavailableError } from '../../src/lib/errors.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import { Worker } from '../../src/pipeline/stream/worker.ts';
import { createSimulatedStore, type SimulatedStore } from '../simulation/simulated-store.ts';
import { simulatedSetup, simulatedVersions } from '../simulation/stream-parts.ts';

const TOPICS = topicNames();
const START_MS = 1_760_000_000_000;

interface Place {
  readonly log: MemoryLog;
  readonly store: SimulatedStore;
  nowMs: number;
}

async function openPlace(): Promise<Place> {
  const place = { nowMs: START_MS, store: createSimulatedStore() };
  const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));
  const log = createMemoryLog({ now: () => place.nowMs, sleep });
  await log.createTopics(topicSettings(TOPICS, 1, 1));
  return Object.assign(place, { log });
}

async function send({ log }: Place, ids: readonly string[], amountMinor = 100): Promise<void> {
  const value = (id: string) =>
    new TextEncoder().encode(JSON.stringify({ id, eventTimeMs: START_MS, amountMinor, currency: 'PEN', payerId: 'p' }));
  const rest = { topic: TOPICS.transactions, partition: 0, key: null, headers: [], timestampMs: null };
  await log.append(ids.map((id) => ({ ...rest, value: value(id) })));
}

/** Works until everything is decided. @returns the codes of what troubled it */
async function work(place: Place): Promise<string[]> {
  const codes: string[] = [];
  const nothing = () => undefined;
  const worker = new Worker({
    ...{ log: place.log, setup: simulatedSetup(), versions: simulatedVersions(async () => undefined) },
    checkpoints: () => new CheckpointStore(place.store, 'p'),
    settings: {
      ...{ group: 'g', topics: TOPICS, batchSize: { fewest: 10, most: 10, budgetMs: 100 }, pollWaitMs: 1 },
      ...{ checkpointEveryMs: 1000, lagEveryMs: 1000, attempts: 2, commitEveryMs: 1, firstRetryMs: 1 },
      ...{ maxRecordBytes: 1_000_000, degradedMode: null },
    },
    observer: {
      ...{
        ...{ batch: nothing, committed: nothing, queued: nothing, leftOut: nothing },
        restored: nothing,
        checkpointed: nothing,
        changed: nothing,
        assigned: nothing,
        revoked: nothing,
        lagging: nothing,
      },
      troubled: (code) => codes.push(code),
      lagging: nothing,
    },
    ...{ now: () => place.nowMs, sleep: async () => undefined },
  });
  const running = worker.run();
  let isOver = false;
  running.finally(() => (isOver = true)).catch(() => undefined);
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const [{ end }] = await place.log.bounds(TOPICS.transactions);
    const isDone = worker.isReady && worker.positions().some(({ offset }) => offset >= end);
    if (isOver || isDone) break;
  }
  worker.stop();
  await running;
  return codes;
}

async function decided({ log }: Place): Promise<string[]> {
  const topic = TOPICS.decisions;
  const partitions = await log.bounds(topic);
  const all = await Promise.all(partitions.map(({ partition }) => log.read({ topic, partition, offset: 0 }, 1000, 0)));
  return all.flat().map(({ value }) => JSON.parse(new TextDecoder().decode(value!)).id as string);
}

it('continues from its checkpoint without a word, and says so where retention took what the state is made of', async () => {
  const place = await openPlace();
  await send(place, ['a', 'b']);
  expect(await work(place)).toEqual([]);
  await send(place, ['c']);
  expect(await work(place)).toEqual([]);
  expect((await decided(place)).sort()).toEqual(['a', 'b', 'c']);
  for (const key of await place.store.list('p/')) await place.store.remove(key);
  place.nowMs += 40 * 86_400_000;
  place.log.maintain();
  await send(place, ['d']);
  expect(await work(place)).toEqual(['STATE_PARTIAL']);
  expect(await decided(place)).toContain('d');
});

it('is ready again on a partition of which everything is gone and nothing new has come', async () => {
  const place = await openPlace();
  await send(place, ['a', 'b']);
  await work(place);
  for (const key of await place.store.list('p/')) await place.store.remove(key);
  place.nowMs += 40 * 86_400_000;
  place.log.maintain();
  expect(await work(place)).toEqual(['STATE_PARTIAL']);
});

it('does not begin where the group stands beyond the end of the stream', async () => {
  const before = await openPlace();
  await send(before, ['a', 'b']);
  await work(before);
  const made = await openPlace();
  await send(made, ['x']);
  const beyond = await made.log.join({
    ...{ group: 'g', topics: [TOPICS.transactions, TOPICS.labels, TOPICS.control] },
    listener: { assigned: async (at) => at, revoked: async () => undefined, lost: async () => undefined },
  });
  await beyond.poll(1, 0);
  await beyond.commit([], [{ topic: TOPICS.transactions, partition: 0, offset: 50 }]);
  await beyond.close();
  await expect(work(made)).rejects.toThrow(StreamUnavailableError);
  expect(await decided(made)).toEqual([]);
});

it('leaves out a checkpoint that was made from other records than the stream has', async () => {
  const old = await openPlace();
  await send(old, ['a', 'b']);
  await work(old);
  const made = await openPlace();
  await send(made, ['a', 'b'], 200);
  const consumer = await made.log.join({
    ...{ group: 'g', topics: [TOPICS.transactions, TOPICS.labels, TOPICS.control] },
    listener: { assigned: async (at) => at, revoked: async () => undefined, lost: async () => undefined },
  });
  await consumer.poll(10, 0);
  await consumer.commit([], [{ topic: TOPICS.transactions, partition: 0, offset: 2 }]);
  await consumer.close();
  expect(await work({ ...made, store: old.store })).toEqual(['CHECKPOINT_OTHER_STREAM']);
});
