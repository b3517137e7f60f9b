// What every StreamLog must do, whatever it keeps its records in. A suite calls it with a way to open a log; topics have
// names of their own in each test, so that a log that outlives the test (a broker) serves as well.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FencedError, InputError } from '../../src/lib/errors.ts';
import { partitionOfKey } from '../../src/lib/murmur2.ts';
import type {
  AssignmentListener,
  OutgoingRecord,
  StreamBatch,
  StreamConsumer,
  StreamLog,
  StreamPartition,
  StreamPosition,
  TopicSettings,
} from '../../src/ports.ts';

export interface OpenedLog {
  readonly log: StreamLog;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | null) => (value === null ? null : new TextDecoder().decode(value));
const PATIENCE_MS = 30_000;

let lastName = 0;
const nameOf = (what: string) => `${what}-${Date.now()}-${lastName++}`;

export function settingsOf(name: string, partitions: number): TopicSettings {
  return { name, partitions, retentionMs: null, compacted: false, replicas: 1 };
}

export function recordOf(topic: string, value: string | null, rest: Partial<OutgoingRecord> = {}): OutgoingRecord {
  const given = value === null ? null : bytes(value);
  return { topic, partition: null, key: null, value: given, headers: [], timestampMs: null, ...rest };
}

/** A member that remembers what it was told, and starts where the group stands. */
function witness(begin = (committed: readonly StreamPosition[]) => committed) {
  const owned = new Set<string>();
  const told: string[] = [];
  const name = ({ topic, partition }: StreamPartition) => `${topic}-${partition}`;
  const committedAt = new Map<string, number>();
  const listener: AssignmentListener = {
    async assigned(committed) {
      for (const at of committed) {
        owned.add(name(at));
        committedAt.set(name(at), at.offset);
        told.push(`assigned ${at.partition}`);
      }
      return begin(committed);
    },
    async revoked(partitions) {
      for (const at of partitions) {
        owned.delete(name(at));
        told.push(`revoked ${at.partition}`);
      }
    },
    async lost(partitions) {
      for (const at of partitions) owned.delete(name(at));
    },
  };
  return { listener, owned, told, committedAt };
}

/** Polls until the condition holds; what came meanwhile is given back. */
async function pollUntil(consumer: StreamConsumer, done: (batches: readonly StreamBatch[]) => boolean) {
  const batches: StreamBatch[] = [];
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!done(batches)) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${PATIENCE_MS} ms; ${countOf(batches)} records came`);
    batches.push(...(await consumer.poll(100, 20)));
  }
  return batches;
}

const countOf = (batches: readonly StreamBatch[]) => batches.reduce((sum, { records }) => sum + records.length, 0);
const valuesOf = (batches: readonly StreamBatch[]) =>
  batches.flatMap(({ records }) => records.map(({ value }) => text(value)));

/** @param open a log of its own for each test, or the same one again */
export function streamLogChecks(name: string, open: () => Promise<OpenedLog>): void {
  describe(`${name} as a stream log`, () => {
    let log: StreamLog;
    let opened: OpenedLog;
    let topic: string;
    let output: string;
    let group: string;
    beforeEach(async () => {
      opened = await open();
      log = opened.log;
      topic = nameOf('input');
      output = nameOf('output');
      group = nameOf('group');
      await log.createTopics([settingsOf(topic, 4), settingsOf(output, 2)]);
    });
    afterEach(() => opened.close());

    async function readAll(from: string, partition: number) {
      const { start, end } = (await log.bounds(from)).find((bound) => bound.partition === partition)!;
      const records = [];
      for (let offset = start; offset < end; ) {
        const more = await log.read({ topic: from, partition, offset }, 1000, 1000);
        if (more.length === 0) break;
        records.push(...more);
        offset = more.at(-1)!.offset + 1;
      }
      return records;
    }

    test('topics are made once and keep what was set for them', async () => {
      await log.createTopics([settingsOf(topic, 9)]);
      expect((await log.topics()).find((settings) => settings.name === topic)).toMatchObject({ partitions: 4 });
      expect(await log.bounds(topic)).toEqual([0, 1, 2, 3].map((partition) => ({ partition, start: 0, end: 0 })));
    });

    test('gives records back as they were: key, value, headers, time; also where they are missing or empty', async () => {
      const headers = [
        { name: 'traza', value: bytes('1') },
        { name: 'traza', value: Uint8Array.of() },
        { name: 'ñ', value: Uint8Array.of(0, 255) },
      ];
      const written = [
        recordOf(topic, 'sí', { partition: 1, key: bytes('k'), headers, timestampMs: 1_700_000_000_123 }),
        recordOf(topic, '', { partition: 1, key: Uint8Array.of() }),
        recordOf(topic, null, { partition: 1, key: bytes('k') }),
        recordOf(topic, 'no key', { partition: 1 }),
      ];
      const positions = await log.append(written);
      const records = await readAll(topic, 1);
      expect(positions.map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
      expect(records.map(({ key }) => text(key))).toEqual(['k', '', 'k', null]);
      expect(records.map(({ value }) => text(value))).toEqual(['sí', '', null, 'no key']);
      expect(records[0]!.headers.map((header) => [header.name, [...header.value]])).toEqual(
        headers.map((header) => [header.name, [...header.value]]),
      );
      expect(records[0]!.timestampMs).toBe(1_700_000_000_123);
      expect(Number.isSafeInteger(records[1]!.timestampMs)).toBe(true);
    });

    test('a key has its partition, the one that Kafka would choose, and order within it', async () => {
      const keys = Array.from({ length: 40 }, (_, index) => `C${index % 8}`);
      const positions = await log.append(keys.map((key, index) => recordOf(topic, `${index}`, { key: bytes(key) })));
      expect(positions.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionOfKey(bytes(key), 4)));
      for (const partition of [0, 1, 2, 3]) {
        const values = (await readAll(topic, partition)).map(({ value }) => Number(text(value)));
        expect(values).toEqual(values.toSorted((a, b) => a - b));
      }
    });

    test('reads from any offset, at most as many as asked, and nothing beyond the end', async () => {
      await log.append(Array.from({ length: 30 }, (_, index) => recordOf(topic, `${index}`, { partition: 2 })));
      const all = await readAll(topic, 2);
      for (const index of [0, 1, 17, 29]) {
        const some = await log.read({ topic, partition: 2, offset: all[index]!.offset }, 5, 1000);
        expect(text(some[0]!.value)).toBe(`${index}`);
        expect(some.length).toBeLessThanOrEqual(5);
      }
      const { end } = (await log.bounds(topic))[2]!;
      expect(await log.read({ topic, partition: 2, offset: end }, 5, 0)).toEqual([]);
    });

    test('refuses what can never be written, and writes nothing of the call', async () => {
      const good = recordOf(topic, 'x', { partition: 0 });
      await expect(log.append([good, recordOf(nameOf('none'), 'x')])).rejects.toThrow(InputError);
      await expect(log.append([good, recordOf(topic, 'x', { partition: 4 })])).rejects.toThrow(InputError);
      await expect(log.append([good, recordOf(topic, null, { value: new Uint8Array(1_048_577) })])).rejects.toThrow(
        InputError,
      );
      expect(await readAll(topic, 0)).toEqual([]);
    });

    test('a lone member gets every partition, every record once and in order', async () => {
      const values = Array.from({ length: 200 }, (_, index) => `${index}`);
      await log.append(values.map((value, index) => recordOf(topic, value, { partition: index % 4 })));
      const { listener, owned } = witness();
      const consumer = await log.join({ group, topics: [topic], listener });
      const batches = await pollUntil(consumer, (all) => countOf(all) >= 200);
      expect(owned.size).toBe(4);
      for (const partition of [0, 1, 2, 3]) {
        const got = valuesOf(batches.filter((batch) => batch.partition === partition));
        expect(got).toEqual(values.filter((_, index) => index % 4 === partition));
      }
      expect(await consumer.poll(100, 0)).toEqual([]);
      expect((await consumer.ends()).length).toBe(4);
      await consumer.close();
    });

    test('a busy partition does not starve the others', async () => {
      await log.append(Array.from({ length: 300 }, () => recordOf(topic, 'busy', { partition: 0 })));
      await log.append([1, 2, 3].map((partition) => recordOf(topic, 'quiet', { partition })));
      const consumer = await log.join({ group, topics: [topic], listener: witness().listener });
      const seen: (string | null)[] = [];
      await pollUntil(consumer, (all) => valuesOf(all).filter((value) => value === 'quiet').length === 3);
      for (let polls = 0; polls < 3; polls++) seen.push(...valuesOf(await consumer.poll(50, 100)));
      expect(seen.every((value) => value === 'busy')).toBe(true);
      await consumer.close();
    });

    test('commits outputs and positions together; the next member goes on from there', async () => {
      await log.append(Array.from({ length: 10 }, (_, index) => recordOf(topic, `${index}`, { partition: 3 })));
      const first = witness();
      const consumer = await log.join({ group, topics: [topic], listener: first.listener });
      const batches = await pollUntil(consumer, (all) => countOf(all) >= 6);
      const sixth = batches.flatMap(({ records }) => records)[5]!;
      const position = { topic, partition: 3, offset: sixth.offset + 1 };
      await consumer.commit([recordOf(output, 'decided', { partition: 0 })], [position]);
      // Committed is not yet seen everywhere: brokers tell readers a moment later.
      await expect
        .poll(async () => (await readAll(output, 0)).map(({ value }) => text(value)), { timeout: PATIENCE_MS })
        .toEqual(['decided']);
      await consumer.close();
      expect(first.owned.size).toBe(0);

      const second = witness();
      const next = await log.join({ group, topics: [topic], listener: second.listener });
      const rest = await pollUntil(next, (all) => countOf(all) >= 4);
      expect(second.committedAt.get(`${topic}-3`)).toBe(position.offset);
      expect(valuesOf(rest)).toEqual(['6', '7', '8', '9']);
      await next.close();
    });

    test('reading begins where the listener says, which may be earlier than the committed position', async () => {
      const written = await log.append([0, 1, 2].map((index) => recordOf(topic, `${index}`, { partition: 0 })));
      const consumer = await log.join({ group, topics: [topic], listener: witness().listener });
      await pollUntil(consumer, (all) => countOf(all) >= 3);
      await consumer.commit([], [{ topic, partition: 0, offset: written[2]!.offset + 1 }]);
      await consumer.close();
      const earlier = witness((committed) => committed.map((at) => ({ ...at, offset: 0 })));
      const again = await log.join({ group, topics: [topic], listener: earlier.listener });
      expect(valuesOf(await pollUntil(again, (all) => countOf(all) >= 3))).toEqual(['0', '1', '2']);
      await again.close();
    });

    test('members share the partitions; what one gives up it may commit for until the last moment', async () => {
      await log.append([0, 1, 2, 3].map((partition) => recordOf(topic, `${partition}`, { partition })));
      const first = witness();
      const second = witness();
      let late: StreamPosition[] = [];
      let consumer: StreamConsumer;
      const listener: AssignmentListener = {
        ...first.listener,
        async revoked(partitions) {
          late = partitions.map((at) => ({ ...at, offset: 1 }));
          await consumer.commit([], late);
          await first.listener.revoked(partitions);
        },
      };
      consumer = await log.join({ group, topics: [topic], listener });
      await pollUntil(consumer, (all) => countOf(all) >= 4);
      const other = await log.join({ group, topics: [topic], listener: second.listener });
      const deadlineMs = Date.now() + PATIENCE_MS;
      while (first.owned.size + second.owned.size !== 4 || second.owned.size !== 2) {
        if (Date.now() > deadlineMs) throw new Error('the partitions were not shared out');
        await Promise.all([consumer.poll(10, 20), other.poll(10, 20)]);
      }
      expect([...first.owned].filter((partition) => second.owned.has(partition))).toEqual([]);
      expect(late.length).toBeGreaterThanOrEqual(2);
      const moved = late.filter((at) => second.owned.has(`${topic}-${at.partition}`));
      for (const at of moved) expect(second.committedAt.get(`${topic}-${at.partition}`)).toBe(1);

      // What is the other's by now must not be committed, nor anything with it.
      const stale = recordOf(output, 'stale', { partition: 1 });
      await expect(consumer.commit([stale], [{ ...moved[0]!, offset: 0 }])).rejects.toThrow(FencedError);
      expect(await readAll(output, 1)).toEqual([]);

      await other.close();
      await pollUntil(consumer, () => first.owned.size === 4);
      await consumer.close();
    });

    test('groups do not know of each other', async () => {
      await log.append([recordOf(topic, 'for all', { partition: 0 })]);
      for (const each of [group, `${group}-other`]) {
        const consumer = await log.join({ group: each, topics: [topic], listener: witness().listener });
        const [batch] = await pollUntil(consumer, (all) => countOf(all) >= 1);
        await consumer.commit([], [{ topic, partition: 0, offset: batch!.records[0]!.offset + 1 }]);
        expect(valuesOf([batch!])).toEqual(['for all']);
        await consumer.close();
      }
    });

    test('a tail tells what is committed after it began, of every partition, each record once and in order', async () => {
      await log.append([0, 1, 2, 3].map((partition) => recordOf(topic, 'before', { partition })));
      await expect(log.tail([nameOf('none')])).rejects.toThrow();
      const tail = await log.tail([topic, output]);
      expect(await tail.poll(10, 0)).toEqual([]);
      const waiting = tail.poll(10, PATIENCE_MS);
      await log.append([recordOf(topic, 'first', { partition: 2 })]);
      expect(valuesOf(await waiting)).toEqual(['first']);

      const values = Array.from({ length: 60 }, (_, index) => `${index}`);
      await log.append(values.map((value, index) => recordOf(topic, value, { partition: index % 4 })));
      const consumer = await log.join({ group, topics: [topic], listener: witness().listener });
      await pollUntil(consumer, (all) => countOf(all) >= 1);
      await consumer.commit([recordOf(output, 'decided', { partition: 1 })], []);
      await consumer.close();
      const told: StreamBatch[] = [];
      const deadlineMs = Date.now() + PATIENCE_MS;
      while (countOf(told) < 61 && Date.now() < deadlineMs) {
        const some = await tail.poll(7, 100);
        expect(countOf(some)).toBeLessThanOrEqual(7);
        told.push(...some);
      }
      expect(valuesOf(told.filter((batch) => batch.topic === output))).toEqual(['decided']);
      for (const partition of [0, 1, 2, 3]) {
        const got = valuesOf(told.filter((batch) => batch.topic === topic && batch.partition === partition));
        expect(got).toEqual(values.filter((_, index) => index % 4 === partition));
      }
      expect(await tail.poll(10, 0)).toEqual([]);
      await tail.close();
    });

    test('records appended at the same time are all there, each once', async () => {
      const writers = Array.from({ length: 20 }, (_, writer) =>
        log.append([0, 1, 2].map((index) => recordOf(topic, `${writer}.${index}`, { partition: writer % 4 }))),
      );
      const positions = (await Promise.all(writers)).flat();
      expect(new Set(positions.map(({ partition, offset }) => `${partition} ${offset}`)).size).toBe(60);
      const found = (await Promise.all([0, 1, 2, 3].map((partition) => readAll(topic, partition)))).flat();
      expect(new Set(found.map(({ value }) => text(value))).size).toBe(60);
      expect(found.length).toBe(60);
    });
  });
}
