// Compaction and retention: every record once before, while and after, whoever works at the same time and wherever it ends.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { compactDay, tidyDay } from '../../src/jobs/archive/compact.ts';
import { countedFiles, dataKey, dayOf, idsKey, partName, readDay } from '../../src/jobs/archive/day-files.ts';
import { maintainArchive } from '../../src/jobs/archive/maintain.ts';
import { removeExpired } from '../../src/jobs/archive/retention.ts';
import type { ObjectStore } from '../../src/ports.ts';
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

const isLong = process.env.CENTINELA_LONG_TESTS === '1';

const DAY = dayOf(NOON_MS);
const numbersDown = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => to - 1 - index);
const keysOf = (ending: string) => async (store: ObjectStore) =>
  (await store.list(`${TOPIC}/`)).filter((key) => key.endsWith(ending));
const dataKeys = keysOf('.parquet');

let archive: TestArchive;
let log: MemoryLog;
beforeEach(async () => {
  archive = await openTestArchive();
  log = await newLog();
});
afterEach(() => archive.close());

async function newLog(partitions = 2): Promise<MemoryLog> {
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 2)));
  const made = createMemoryLog({ now: Date.now, sleep });
  await made.createTopics([settingsOf(TOPIC, partitions)]);
  return made;
}

/** So many parts of a partition, more or less. */
async function archiveParts(from: number, to: number, parts: number, timeOf?: (n: number) => number): Promise<void> {
  await log.append(decisionRecords(from, to, timeOf));
  const partRows = Math.ceil((to - from) / 2 / parts);
  await archive.archiver(log, { settings: { partRows, firstRetryMs: 1, pollRecords: 20 } }).runOnce();
}

/** Dies at its n-th write: before that was done, or after. */
function dyingStore(store: ObjectStore, step: number, isAfter: boolean): ObjectStore & { readonly steps: number } {
  let steps = 0;
  const died = () => new Error('the process died');
  const write = async <Result>(effect: () => Promise<Result>) => {
    const isLast = steps++ === step;
    if (steps > step + 1 || (isLast && !isAfter)) throw died();
    const result = await effect();
    if (isLast) throw died();
    return result;
  };
  const read = async <Result>(effect: () => Promise<Result>) => {
    if (steps > step) throw died();
    return await effect();
  };
  return {
    get steps() {
      return steps;
    },
    put: (key, bytes) => write(() => store.put(key, bytes)),
    putNew: (key, bytes) => write(() => store.putNew(key, bytes)),
    remove: (key) => write(() => store.remove(key)),
    get: (key) => read(() => store.get(key)),
    list: (prefix) => read(() => store.list(prefix)),
  };
}

/** Runs the work with a death at each of its writes. */
async function atEveryStep(
  work: (dying: TestArchive) => Promise<unknown>,
  check: (how: string) => Promise<void>,
  prepare: () => Promise<void>,
): Promise<number> {
  for (let step = 0; ; step++) {
    for (const isAfter of [false, true]) {
      archive.empty();
      log = await newLog();
      await prepare();
      const dying = dyingStore(archive.store, step, isAfter);
      const died = await work(archive.through(dying)).then(
        () => false,
        (error: Error) => error.message === 'the process died',
      );
      await check(`step ${step}, ${isAfter ? 'after' : 'before'}`);
      if (!died && dying.steps <= step) return step;
    }
  }
}

describe('compaction', () => {
  test('makes one file of many parts and removes them', async () => {
    await archiveParts(0, 300, 5, (n) => NOON_MS + ((n * 7919) % 300) * 1000);
    expect((await dataKeys(archive.store)).length).toBeGreaterThan(8);
    const done = await compactDay(archive.tools, DAY, 'all');
    expect(done).toMatchObject({ day: DAY, rows: 300, filesAfter: 1 });
    const keys = await archive.store.list(`${TOPIC}/`);
    expect(keys.map((key) => key.replace(/data-000001-[0-9a-f]{8}-0000/, 'data'))).toEqual([
      ...[`${TOPIC}/day=${DAY}/data.ids`, `${TOPIC}/day=${DAY}/data.parquet`],
      `${TOPIC}/day=${DAY}/manifest-000001.json`,
    ]);
    const { manifest } = await readDay(archive.store, TOPIC, DAY);
    expect(manifest).toMatchObject({
      isSorted: true,
      files: [{ rows: 300, firstMs: NOON_MS, lastMs: NOON_MS + 299_000 }],
    });
    expect((await listedNumbers(archive.decisions(), 50)).toSorted((a, b) => b - a)).toEqual(numbersDown(0, 300));
    for (const n of [0, 150, 299]) {
      expect((await archive.decisions().findDecision(decisionNumber(n).id))!.decision).toStrictEqual(decisionNumber(n));
    }
    expect(await compactDay(archive.tools, DAY, 'all')).toBeNull();
    expect(await compactDay(archive.tools, 'day without files', 'all')).toBeNull();
  });

  test('takes in what came later, as a whole or beside what is there', async () => {
    await archiveParts(0, 100, 2);
    await compactDay(archive.tools, DAY, 'parts');
    await archiveParts(100, 200, 2);
    expect(await compactDay(archive.tools, DAY, 'parts')).toMatchObject({ rows: 100, filesAfter: 2 });
    expect(await listedNumbers(archive.decisions(), 30)).toEqual(numbersDown(0, 200));
    await archiveParts(200, 220, 1);
    expect(await compactDay(archive.tools, DAY, 'all')).toMatchObject({ rows: 220, filesAfter: 1 });
    expect(await dataKeys(archive.store)).toHaveLength(1);
    expect(await listedNumbers(archive.decisions(), 30)).toEqual(numbersDown(0, 220));
  });

  test('parts that overlap, and those of a displaced archiver that come late, count once', async () => {
    log = await newLog(1);
    await archiveParts(0, 60, 3);
    const state = await readDay(archive.store, TOPIC, DAY);
    // The same records in other parts: of an archiver that did not know that it was not alone.
    const other = await openTestArchive();
    const partRows = 7;
    await other.archiver(log, { settings: { partRows, firstRetryMs: 1 }, group: 'other' }).runOnce();
    const copyAll = async () => {
      for (const key of await other.store.list('')) await archive.store.put(key, (await other.store.get(key))!);
    };
    await copyAll();
    expect((await readDay(archive.store, TOPIC, DAY)).parts.length).toBeGreaterThan(state.parts.length + 3);
    expect(await listedNumbers(archive.decisions(), 11)).toEqual(numbersDown(0, 60));
    for (const n of [0, 29, 59]) expect(await archive.decisions().findDecision(decisionNumber(n).id)).not.toBeNull();
    expect(await compactDay(archive.tools, DAY, 'all')).toMatchObject({ rows: 60 });
    await copyAll();
    expect(await listedNumbers(archive.decisions(), 11)).toEqual(numbersDown(0, 60));
    await tidyDay(archive.store, archive.tools.table, DAY);
    expect(await dataKeys(archive.store)).toHaveLength(1);
    await other.close();
  });

  test('of two at once one is the first, and the other leaves nothing behind', async () => {
    await archiveParts(0, 100, 2);
    const outcomes = await Promise.all([1, 2, 3].map(() => compactDay(archive.tools, DAY, 'all')));
    expect(outcomes.filter((done) => done !== null)).toHaveLength(1);
    await tidyDay(archive.store, archive.tools.table, DAY);
    expect(await dataKeys(archive.store)).toHaveLength(1);
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 100));
  });

  test('a search that meets files which were compacted away looks again', async () => {
    await archiveParts(0, 100, 3);
    const archiver = archive.archiver(log);
    const read = archive.decisions(archiver);
    expect(await listedNumbers(read)).toEqual(numbersDown(0, 100));
    await compactDay(archive.tools, DAY, 'all');
    expect(await read.findDecision(decisionNumber(7).id)).not.toBeNull();
    await archiveParts(100, 120, 1);
    await compactDay(archive.tools, DAY, 'all');
    expect(await listedNumbers(read, 50)).toEqual(numbersDown(0, 120));
  });

  test('a damaged manifest is told, not passed over', async () => {
    await archiveParts(0, 20, 1);
    await archive.store.put(`${TOPIC}/day=${DAY}/manifest-000003.json`, new TextEncoder().encode('{"format":'));
    await expect(listedNumbers(archive.decisions())).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
  });
});

describe.runIf(isLong)('a death at any write', () => {
  test('of the archiver: the next one completes what is missing, and nothing is twice', async () => {
    const settings = { partRows: 12, firstRetryMs: 1, pollRecords: 10 };
    const midnightMs = NOON_MS + DAY_MS / 2;
    const steps = await atEveryStep(
      (dying) => dying.archiver(log, { settings }).runOnce(),
      async (how) => {
        const between = await listedNumbers(archive.decisions());
        expect(new Set(between).size, how).toBe(between.length);
        await archive.archiver(log, { settings: { ...settings, partRows: 17 } }).runOnce();
        expect(await listedNumbers(archive.decisions()), how).toEqual(numbersDown(0, 40));
        const days = await Promise.all([DAY, dayOf(midnightMs)].map((day) => readDay(archive.store, TOPIC, day)));
        // Not even what searches would pass over is there twice.
        expect(
          days.flatMap(countedFiles).filter(({ includes }) => includes !== null),
          how,
        ).toEqual([]);
        expect(days.flatMap(countedFiles), how).toHaveLength(days.flatMap(({ parts }) => parts).length);
      },
      async () => void (await log.append(decisionRecords(0, 40, (n) => midnightMs + (n - 20) * 1000))),
    );
    expect(steps).toBeGreaterThan(6);
  });

  test('of compaction: all records are there once, before and after the next one', async () => {
    const steps = await atEveryStep(
      (dying) => compactDay(dying.tools, DAY, 'all'),
      async (how) => {
        expect(await listedNumbers(archive.decisions()), how).toEqual(numbersDown(0, 50));
        await maintainArchive(archive.tools, { nowMs: NOON_MS + 2 * DAY_MS });
        expect(await listedNumbers(archive.decisions()), how).toEqual(numbersDown(0, 50));
        expect(await dataKeys(archive.store), how).toHaveLength(1);
        expect(await keysOf('.ids')(archive.store), how).toHaveLength(1);
        expect(await keysOf('.json')(archive.store), how).toHaveLength(1);
      },
      async () => {
        await archiveParts(0, 30, 1);
        await compactDay(archive.tools, DAY, 'all');
        await archiveParts(30, 50, 1);
      },
    );
    expect(steps).toBeGreaterThan(8);
  });

  test('of retention: nothing comes back, and the next round removes the rest', async () => {
    const policy = { keepDays: 10, isHeld: () => false };
    const lateMs = NOON_MS + 12 * DAY_MS;
    let leftBefore = 50;
    const steps = await atEveryStep(
      (dying) => removeExpired(dying.store, dying.tools.table, policy, lateMs),
      async (how) => {
        const left = await listedNumbers(archive.decisions());
        expect(new Set(left).size, how).toBe(left.length);
        expect(left.length, how).toBeLessThanOrEqual(leftBefore);
        leftBefore = left.length;
        await removeExpired(archive.store, archive.tools.table, policy, lateMs);
        expect(await archive.store.list(''), how).toEqual([]);
      },
      async () => {
        await archiveParts(0, 30, 1);
        await compactDay(archive.tools, DAY, 'all');
        await archiveParts(30, 50, 1);
      },
    );
    expect(steps).toBeGreaterThan(4);
  });
});

describe('maintenance', () => {
  test('compacts days that are over and have settled, and parts that have become many', async () => {
    await archiveParts(0, 40, 2);
    const round = (nowMs: number, settled?: Map<string, string>) =>
      maintainArchive(archive.tools, { nowMs, settings: { mostParts: 5 } }, settled);
    expect(await round(NOON_MS)).toEqual({ compacted: [], removedDays: [] });
    await archiveParts(40, 80, 2);
    expect((await round(NOON_MS)).compacted).toMatchObject([{ rows: 80 }]);
    await archiveParts(80, 100, 1);
    // An hour after midnight, and three.
    expect((await round(NOON_MS + 13 * 3_600_000)).compacted).toEqual([]);
    expect((await round(NOON_MS + 15 * 3_600_000)).compacted).toMatchObject([{ rows: 100, filesAfter: 1 }]);
    const settled = new Map<string, string>();
    expect((await round(NOON_MS + DAY_MS, settled)).compacted).toEqual([]);
    expect([...settled.keys()]).toEqual([DAY]);
    await archiveParts(100, 110, 1);
    expect((await round(NOON_MS + DAY_MS, settled)).compacted).toMatchObject([{ rows: 110 }]);
    expect(await listedNumbers(archive.decisions())).toEqual(numbersDown(0, 110));
  });

  test('keeps days for ten years, and those under a legal hold for longer', async () => {
    await archiveParts(0, 6, 1, (n) => NOON_MS + n * DAY_MS);
    const afterYears = (years: number) => ({ nowMs: NOON_MS + years * 365.25 * DAY_MS + 3 * DAY_MS });
    expect((await maintainArchive(archive.tools, afterYears(9.9))).removedDays).toEqual([]);
    const days = Array.from({ length: 6 }, (_, n) => dayOf(NOON_MS + n * DAY_MS));
    const holds = [{ fromDay: days[1], untilDay: days[1], reason: 'oficio 1' }];
    const putHolds = (text: string) => archive.store.put(`${TOPIC}/holds.json`, new TextEncoder().encode(text));
    await putHolds('[{"fromDay":"yesterday"}]');
    await expect(maintainArchive(archive.tools, afterYears(10))).rejects.toMatchObject({ code: 'HOLDS_UNREADABLE' });
    expect(await listedNumbers(archive.decisions())).toHaveLength(6);
    await putHolds(JSON.stringify(holds));
    const isHeld = (day: string) => day === days[0];
    expect((await maintainArchive(archive.tools, { ...afterYears(10), isHeld })).removedDays).toEqual([days[2]]);
    expect(await listedNumbers(archive.decisions())).toEqual([5, 4, 3, 1, 0]);
    await putHolds('[]');
    expect((await maintainArchive(archive.tools, afterYears(10))).removedDays).toEqual([days[0], days[1]]);
  });
});

test('a part without its index is never seen: the index goes first', async () => {
  await archiveParts(0, 10, 1);
  for (const part of (await readDay(archive.store, TOPIC, DAY)).parts) {
    expect(part.name).toBe(partName(part));
    expect(await archive.store.get(idsKey(TOPIC, DAY, part.name))).not.toBeNull();
    expect(await archive.store.get(dataKey(TOPIC, DAY, part.name))).not.toBeNull();
  }
});
