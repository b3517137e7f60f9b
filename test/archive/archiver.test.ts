// The archiver over a log in memory: what is in the topic is in the archive, each record once and as it was.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { compactDay } from '../../src/jobs/archive/compact.ts';
import { dayOf, readDay } from '../../src/jobs/archive/day-files.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import {
  DAY_MS,
  decisionNumber,
  decisionRecords,
  listedNumbers,
  NOON_MS,
  openTestArchive,
  type TestArchive,
  TOPIC,
} from './archive-setup.ts';

const PARTITIONS = 4;
const DAY = dayOf(NOON_MS);
const numbersDown = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => to - 1 - index);

let archive: TestArchive;
let log: MemoryLog;
beforeEach(async () => {
  archive = await openTestArchive();
  log = await emptyLog(PARTITIONS);
});
afterEach(() => archive.close());

async function emptyLog(partitions: number): Promise<MemoryLog> {
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 5)));
  const made = createMemoryLog({ now: Date.now, sleep });
  await made.createTopics([settingsOf(TOPIC, partitions)]);
  return made;
}

async function untilTrue(what: () => boolean): Promise<void> {
  for (const untilMs = Date.now() + 20_000; !what(); ) {
    if (Date.now() > untilMs) throw new Error('it did not come to it');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('one pass', () => {
  test('archives what the topic has, each record once, and gives the same records back', async () => {
    await log.append(decisionRecords(0, 500));
    const archiver = archive.archiver(log);
    await archiver.runOnce();
    expect(archiver.counts).toMatchObject({ rows: 500, parts: PARTITIONS, rowsKnown: 0, partsWithUnread: 0 });
    expect(archiver.gauges()).toEqual({ lagRecords: 0, heldRows: 0, heldBytes: 0, oldestUnarchivedMs: 0 });

    const read = archive.decisions();
    expect(await listedNumbers(read, 97)).toEqual(numbersDown(0, 500));
    for (const n of [0, 1, 34, 77, 499]) {
      const found = await read.findDecision(decisionNumber(n).id);
      expect(found).toMatchObject({ decidedMs: NOON_MS + n * 1000, unread: null });
      expect(found!.decision).toStrictEqual(decisionNumber(n));
    }
    expect(await read.findDecision('TX-none')).toBeNull();
  });

  test('goes on where the one before it ended', async () => {
    await log.append(decisionRecords(0, 50));
    await archive.archiver(log).runOnce();
    await log.append(decisionRecords(50, 80));
    const second = archive.archiver(log);
    await second.runOnce();
    expect(second.counts.rows).toBe(30);
    await archive.archiver(log).runOnce();
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 80));
  });

  test('puts each record into the Lima day in which it was written, whatever order they come in', async () => {
    // Around midnight, back and forth.
    const midnightMs = NOON_MS + DAY_MS / 2;
    await log.append(decisionRecords(0, 100, (n) => midnightMs + (n % 2 === 0 ? n : -n)));
    const archiver = archive.archiver(log);
    await archiver.runOnce();
    const days = await Promise.all([DAY, dayOf(midnightMs)].map((day) => readDay(archive.store, TOPIC, day)));
    expect(days.map(({ parts }) => parts.length)).toEqual([PARTITIONS, PARTITIONS]);
    expect(archiver.counts.rows).toBe(100);
    const numbers = await listedNumbers(archive.decisions(), 7);
    expect(numbers.toSorted((a, b) => b - a)).toEqual(numbersDown(0, 100));
    expect((await archive.decisions().findDecision('TX-000099', { dayHint: DAY }))?.decidedMs).toBe(midnightMs - 99);
  });

  test('keeps what does not fit the columns as text, and loses nothing beside it', async () => {
    const strange = [
      '{bad',
      '[1]',
      '"text"',
      'null',
      '',
      '{"id":7,"risk":"high"}',
      '{"id":"a","rules":"b"}',
      '{"id":"\\ud800"}',
    ];
    const fitting = ['{"id":"x","id":"strange-8"}', '{"id":"strange-9","by":\n"lines"}'];
    const encoder = new TextEncoder();
    await log.append([
      ...decisionRecords(0, 40),
      ...[...strange, ...fitting].map((text, n) => ({
        ...{ topic: TOPIC, partition: 0, headers: [], timestampMs: NOON_MS - n },
        ...{ key: encoder.encode(`strange-${n}`), value: encoder.encode(text) },
      })),
      { topic: TOPIC, partition: 0, headers: [], timestampMs: NOON_MS, key: null, value: Uint8Array.of(0xff, 0x0a) },
    ]);
    const archiver = archive.archiver(log);
    await archiver.runOnce();
    expect(archiver.counts).toMatchObject({ rows: 40 + strange.length + fitting.length + 1, partsWithUnread: 1 });
    const read = archive.decisions();
    for (const [n, text] of strange.entries()) {
      expect(await read.findDecision(`strange-${n}`)).toMatchObject({
        id: `strange-${n}`,
        decision: null,
        unread: text,
      });
    }
    for (const id of ['strange-8', 'strange-9'])
      expect(await read.findDecision(id)).toMatchObject({ id, unread: null });
    for (let n = 0; n < 40; n += 13) {
      expect((await read.findDecision(decisionNumber(n).id))!.decision).toStrictEqual(decisionNumber(n));
    }
  });

  test('an archive of another log is refused before anything of it is passed over', async () => {
    await log.append(decisionRecords(0, 20));
    await archive.archiver(log).runOnce();
    const other = await emptyLog(PARTITIONS);
    await other.append(decisionRecords(100, 120));
    await expect(archive.archiver(other).runOnce()).rejects.toMatchObject({ code: 'ARCHIVE_OF_ANOTHER_LOG' });
    const settings = { partRows: 3, firstRetryMs: 1 };
    await expect(archive.archiver(other, { settings }).run()).rejects.toMatchObject({ code: 'ARCHIVE_OF_ANOTHER_LOG' });
  });
});

describe('while it runs', () => {
  test('what is held is found and listed with what is in files, each record once', async () => {
    const archiver = archive.archiver(log, { settings: { partRows: 20, pollRecords: 50, firstRetryMs: 1 } });
    const running = archiver.run();
    const read = archive.decisions(archiver);
    for (let from = 0; from < 400; from += 100) {
      await log.append(decisionRecords(from, from + 100));
      await untilTrue(() => archiver.counts.rows + archiver.held.rows === from + 100);
      expect(await listedNumbers(read, 33)).toEqual(numbersDown(0, from + 100));
      const newest = decisionNumber(from + 99);
      expect((await read.findDecision(newest.id))!.decision).toStrictEqual(newest);
    }
    expect(archiver.held.rows).toBeGreaterThan(0);
    archiver.stop();
    await running;
    expect(archiver.held.rows).toBe(0);
    expect(archiver.counts.rows).toBe(400);
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 400));
  });

  test('a part is closed by its rows, its bytes or its age', async () => {
    let nowMs = NOON_MS;
    const waits = { now: () => nowMs };
    const run = async (settings: object, records: number, until: (parts: number) => boolean) => {
      const fresh = await openTestArchive();
      const freshLog = await emptyLog(1);
      await freshLog.append(decisionRecords(0, records));
      const archiver = fresh.archiver(freshLog, { ...waits, settings: { firstRetryMs: 1, ...settings } });
      const running = archiver.run();
      await untilTrue(() => until(archiver.counts.parts));
      archiver.stop();
      await running;
      await fresh.close();
      return archiver.counts.parts;
    };
    expect(await run({ partRows: 30 }, 90, (parts) => parts === 3)).toBe(3);
    expect(await run({ partBytes: 20_000 }, 90, (parts) => parts >= 2)).toBeGreaterThanOrEqual(2);
    const aged = await run({ partAgeMs: 60_000 }, 10, (parts) => {
      nowMs += 60_000;
      return parts === 1;
    });
    expect(aged).toBe(1);
  });

  test('no more is held than may be, and nothing is lost by that', async () => {
    await log.append(decisionRecords(0, 200));
    let mostBytes = 0;
    const slow = archive.through({
      ...archive.store,
      put: async (key, bytes) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        mostBytes = Math.max(mostBytes, archiver.held.bytes);
        await archive.store.put(key, bytes);
      },
    });
    const heldBytes = 60_000;
    const archiver = slow.archiver(log, { settings: { heldBytes, pollRecords: 10, firstRetryMs: 1 } });
    await archiver.runOnce();
    expect(mostBytes).toBeGreaterThan(heldBytes / 2);
    // One poll more.
    expect(mostBytes).toBeLessThan(heldBytes + 10 * 1500);
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 200));
  });

  test('a store in trouble is asked again, and what is held stays found', async () => {
    let isDown = true;
    const flaky = archive.through({
      ...archive.store,
      put: async (key, bytes) => {
        if (isDown) throw new Error('no space left on device');
        await archive.store.put(key, bytes);
      },
    });
    await log.append(decisionRecords(0, 30));
    const troubles: string[] = [];
    const archiver = flaky.archiver(log, {
      settings: { partRows: 5, firstRetryMs: 1, mostRetryMs: 10 },
      observer: { troubled: ({ message }) => troubles.push(message) },
    });
    const running = archiver.run();
    await untilTrue(() => troubles.length > 3);
    expect(troubles[0]).toBe('no space left on device');
    expect(await listedNumbers(flaky.decisions(archiver))).toEqual(numbersDown(0, 30));
    isDown = false;
    await untilTrue(() => archiver.counts.rows >= 20);
    archiver.stop();
    await running;
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 30));
  });

  test('members of a group share the partitions, and a third takes over from one that died', async () => {
    await log.append(decisionRecords(0, 200));
    const settings = { partRows: 10, firstRetryMs: 1, pollRecords: 20 };
    const archivers = [0, 1].map(() => archive.archiver(log, { settings }));
    const runs = archivers.map((one) => one.run());
    await untilTrue(() => archivers.reduce((sum, one) => sum + one.counts.rows + one.held.rows, 0) >= 200);
    await log.append(decisionRecords(200, 400));
    await untilTrue(() => archivers.every((one) => one.counts.rows > 0));
    for (const one of archivers) one.stop();
    await Promise.all(runs);
    await archive.archiver(log).runOnce();
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 400));
  });
});

test('lists by what is asked for, in files and in memory alike', async () => {
  await log.append(decisionRecords(0, 300));
  const before = archive.archiver(log);
  await before.runOnce();
  await compactDay(archive.tools, DAY, 'all');
  await log.append(decisionRecords(300, 400));
  const archiver = archive.archiver(log);
  const running = archiver.run();
  await untilTrue(() => archiver.held.rows === 100);
  const read = archive.decisions(archiver);
  const all = Array.from({ length: 400 }, (_, n) => decisionNumber(n));
  const idsOf = async (filter: Parameters<typeof read.listDecisions>[0]) =>
    (await read.listDecisions(filter, null, 1000)).decisions.map(({ id }) => id);
  const expected = (isWanted: (d: (typeof all)[number], n: number) => boolean) =>
    all
      .filter(isWanted)
      .map(({ id }) => id)
      .reverse();
  expect(await idsOf({ actions: ['review'] })).toEqual(expected(({ action }) => action === 'review'));
  expect(await idsOf({ actions: ['hold'] })).toEqual([]);
  expect(await idsOf({ actions: [] })).toEqual([]);
  expect(await idsOf({ by: 'rules' })).toEqual(expected(({ by }) => by === 'rules'));
  const withNight = expected(({ rules }) => rules.includes('noche@1'));
  expect(await idsOf({ rule: 'noche' })).toEqual(withNight);
  expect(await idsOf({ rule: 'noche@1' })).toEqual(withNight);
  expect(await idsOf({ rule: 'noche@2' })).toEqual([]);
  expect(await idsOf({ rule: 'noch' })).toEqual([]);
  expect(await idsOf({ minRisk: 0.5 })).toEqual(expected(({ risk }) => risk !== null && risk >= 0.5));
  expect(await idsOf({ minRisk: 0.2, maxRisk: 0.3, actions: ['approve', 'review'] })).toEqual(
    expected(({ risk }) => risk !== null && risk >= 0.2 && risk <= 0.3),
  );
  const [fromMs, untilMs] = [NOON_MS + 290_000, NOON_MS + 310_000];
  expect(await idsOf({ fromMs, untilMs })).toEqual(expected((_, n) => n >= 290 && n < 310));
  expect(await idsOf({ eventFromMs: fromMs, eventUntilMs: untilMs })).toEqual(expected((_, n) => n > 290 && n <= 310));
  expect(await idsOf({ rule: "'; DROP TABLE x; --" })).toEqual([]);
  archiver.stop();
  await running;
});

test('a list looks into so many days at once and goes on from there', async () => {
  const one = await emptyLog(1);
  await one.append(decisionRecords(0, 20, (n) => NOON_MS + n * DAY_MS));
  await archive.archiver(one).runOnce();
  const read = archive.decisions(undefined, { mostDays: 6 });
  const first = await read.listDecisions({ rule: 'cuenta-mula' }, null, 100);
  expect(first.decisions.map(({ id }) => id)).toEqual(['TX-000015']);
  expect(first.next).not.toBeNull();
  expect(await listedNumbers(read, 5)).toEqual(numbersDown(0, 20));
  expect(await listedNumbers(read, 7)).toEqual(numbersDown(0, 20));
  expect(await listedNumbers(read, 1)).toEqual(numbersDown(0, 20));
  await expect(read.listDecisions({}, 'nonsense', 5)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  await expect(read.listDecisions({}, null, 0)).rejects.toMatchObject({ code: 'LIMIT_INVALID' });
});
