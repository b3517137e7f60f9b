// What a worker does where the stream or its checkpoints are not what they were: cases that the simulation does not draw.

import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { expect, it } from 'vitest';
import type { SchemaRegistry } from '../../src/adapters/kafka/formats/schema-registry.ts';
import {
  createTransactionDecoder,
  type TransactionDecoder,
} from '../../src/adapters/kafka/formats/transaction-decoder.ts';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import { replayDeadLetters } from '../../src/jobs/stream/dead-letters.ts';
import { InputError, StreamUnavailableError } from '../../src/lib/errors.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import { partitionSetup } from '../../src/pipeline/stream/versions.ts';
import { Worker } from '../../src/pipeline/stream/worker.ts';
import type { MasterKeys } from '../../src/ports.ts';
import { LetterKeyError, LetterOpener, LetterSealer } from '../../src/privacy/sealed-letter.ts';
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
async function work(
  place: Place,
  decoder: TransactionDecoder | null = null,
  letters: LetterSealer | null = null,
): Promise<string[]> {
  const codes: string[] = [];
  const nothing = () => undefined;
  const whole = simulatedSetup();
  const decoders =
    decoder === null
      ? whole.decoders
      : { ...whole.decoders, prepare: decoder.prepare, transaction: (value: Uint8Array) => decoder.decode(value) };
  const worker = new Worker({
    ...{ log: place.log, letters, setup: partitionSetup(whole.definitions, whole.limits, decoders, whole.fold) },
    ...{ versions: simulatedVersions(async () => undefined) },
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

it('asks for schemas before it folds, waits for a registry that is away, and refuses what it does not know', async () => {
  const place = await openPlace();
  const text = readFileSync('config/schemas/transaction.avsc', 'utf8');
  const asked: number[] = [];
  const registry: SchemaRegistry = {
    async schema(id) {
      asked.push(id);
      if (asked.length === 1) throw new StreamUnavailableError('The schema registry does not answer');
      if (id !== 7) throw new InputError('SCHEMA_UNKNOWN', `There is no schema ${id}`, 'Register it');
      return { kind: 'AVRO', text, references: new Map() };
    },
  };
  const type = avsc.Type.forSchema(JSON.parse(text));
  const wire = (id: string, schema: number) => {
    const head = Buffer.alloc(5);
    head.writeInt32BE(schema, 1);
    const transaction = createTransaction({
      id,
      eventTimeMs: START_MS,
      amountMinor: 100,
      currency: 'PEN',
      payerId: 'p',
    });
    return Buffer.concat([head, type.toBuffer(transaction)]);
  };
  const rest = { topic: TOPICS.transactions, partition: 0, key: null, headers: [], timestampMs: null };
  const values = [wire('a', 7), wire('b', 8), Buffer.from('hola'), wire('c', 7)];
  await place.log.append(values.map((value) => ({ ...rest, value })));
  expect(await work(place, createTransactionDecoder('avro', registry))).toEqual(['STREAM_UNAVAILABLE']);
  expect((await decided(place)).sort()).toEqual(['a', 'c']);
  expect(asked.filter((id) => id === 7).length).toBeLessThanOrEqual(2);
  const letters = await place.log.read({ topic: TOPICS['dead-letters'], partition: 0, offset: 0 }, 10, 0);
  const codes = letters.map(({ headers }) => headers.find(({ name }) => name === 'centinela-reason')?.value);
  expect(codes.map((code) => new TextDecoder().decode(code))).toEqual(['SCHEMA_UNKNOWN', 'WIRE_FORMAT']);
});

const EVERYTHING = { reason: null, sinceMs: null };

async function lettersOf({ log }: Place) {
  return await log.read({ topic: TOPICS['dead-letters'], partition: 0, offset: 0 }, 100, 0);
}

async function sendBroken({ log }: Place, topic: string): Promise<void> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const record = {
    partition: 0,
    key: bytes('10117410'),
    timestampMs: null,
    value: bytes('{"payerName":"Rosa Quispe",'),
  };
  await log.append([{ ...record, topic, headers: [{ name: 'bank-trace', value: bytes('+51 987654321') }] }]);
}

it('seals what it cannot read, key and headers too, and sends it again as it came', async () => {
  const place = await openPlace();
  const masters = new LocalMasterKeys('file', [new Uint8Array(32).fill(7)]);
  await sendBroken(place, TOPICS.transactions);
  await sendBroken(place, TOPICS.labels);
  await send(place, ['a']);
  expect(await work(place, null, new LetterSealer(masters))).toEqual([]);
  expect(await decided(place)).toEqual(['a']);
  const letters = await lettersOf(place);
  expect(letters.length).toBe(2);
  for (const { key, value, headers } of letters) {
    const written = Buffer.concat([value!, ...headers.map((header) => header.value)]).toString('latin1');
    for (const clear of ['Rosa', 'payerName', '10117410', '987654321']) expect(written).not.toContain(clear);
    expect([key, headers.map(({ name }) => name)]).toEqual([
      null,
      ['centinela-sealed-by', 'centinela-reason', 'centinela-message', 'centinela-from'],
    ]);
  }
  await expect(replayDeadLetters(place.log, TOPICS, 'g', EVERYTHING)).rejects.toMatchObject({ code: 'LETTER_SEALED' });
  const [{ end }] = await place.log.bounds(TOPICS.transactions);
  const [done] = await replayDeadLetters(place.log, TOPICS, 'g', EVERYTHING, new LetterOpener(masters));
  expect(done).toMatchObject({ sent: 2, broken: 0 });
  const again = await place.log.read({ topic: TOPICS.transactions, partition: 0, offset: end }, 10, 0);
  const [record] = again;
  expect(Buffer.from(record.value!).toString()).toBe('{"payerName":"Rosa Quispe",');
  expect(Buffer.from(record.key!).toString()).toBe('10117410');
  expect(record.headers.map(({ name, value }) => [name, Buffer.from(value).toString()])).toEqual([
    ['bank-trace', '+51 987654321'],
  ]);
});

it('stops where it cannot seal, and neither writes the record in clear nor passes it over', async () => {
  const place = await openPlace();
  const masters = new LocalMasterKeys('file', [new Uint8Array(32).fill(7)]);
  const away: MasterKeys = {
    ...{ currentId: masters.currentId, opens: (id) => masters.opens(id) },
    wrap: () => Promise.reject(Object.assign(new Error('no answer'), { code: 'KEYS_UNAVAILABLE' })),
    unwrap: (id, requests) => masters.unwrap(id, requests),
  };
  await send(place, ['a']);
  await sendBroken(place, TOPICS.transactions);
  await expect(work(place, null, new LetterSealer(away))).rejects.toThrow(LetterKeyError);
  expect([await decided(place), await lettersOf(place)]).toEqual([[], []]);
  expect(await work(place, null, new LetterSealer(masters))).toEqual([]);
  expect([await decided(place), (await lettersOf(place)).length]).toEqual([['a'], 1]);
});

it('does not open a letter that was changed, and sends the others', async () => {
  const place = await openPlace();
  const masters = new LocalMasterKeys('file', [new Uint8Array(32).fill(7)]);
  await sendBroken(place, TOPICS.transactions);
  await work(place, null, new LetterSealer(masters));
  const [letter] = await lettersOf(place);
  const value = Uint8Array.from(letter.value!);
  value[value.length - 1] ^= 1;
  await place.log.append([{ ...letter, topic: TOPICS['dead-letters'], partition: 0, timestampMs: null, value }]);
  const [done] = await replayDeadLetters(place.log, TOPICS, 'g', EVERYTHING, new LetterOpener(masters));
  expect(done).toMatchObject({ sent: 1, broken: 1 });
});
