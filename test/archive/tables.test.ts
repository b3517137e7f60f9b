// The archive is not for decisions alone: any topic of JSON objects, with columns of any shape, and columns that come later.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openIdIndexes } from '../../src/adapters/archive/id-index.ts';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { compactDay } from '../../src/jobs/archive/compact.ts';
import { dataKey, dayOf, idsKey, readDay } from '../../src/jobs/archive/day-files.ts';
import { ArchiveSearch } from '../../src/jobs/archive/search.ts';
import { type ArchivedRow, type ArchivedTable, checkTable } from '../../src/jobs/archive/table.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import { decisionNumber, decisionRecords, NOON_MS, openTestArchive, type TestArchive, TOPIC } from './archive-setup.ts';

const ALERTS: ArchivedTable = {
  name: 'alerts',
  columns: {
    alert: 'text',
    score: 'number',
    count: 'integer',
    tags: { listOf: 'text' },
    parts: { listOf: { fields: { name: 'text', share: 'number' } } },
    place: { fields: { city: 'text', region: { fields: { code: 'text' } } } },
  },
  idColumn: 'alert',
};
const DAY = dayOf(NOON_MS);

let archive: TestArchive;
let log: MemoryLog;
beforeEach(async () => {
  archive = await openTestArchive();
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 2)));
  log = createMemoryLog({ now: Date.now, sleep });
  await log.createTopics([settingsOf('alerts', 1), settingsOf(TOPIC, 1)]);
});
afterEach(() => archive.close());

async function append(values: readonly object[]): Promise<void> {
  const encoder = new TextEncoder();
  await log.append(
    values.map((value, n) => ({
      ...{ topic: 'alerts', partition: null, headers: [], timestampMs: NOON_MS + n },
      ...{ key: encoder.encode(`key-${n}`), value: encoder.encode(JSON.stringify(value)) },
    })),
  );
}

async function archived(table: ArchivedTable): Promise<readonly ArchivedRow[]> {
  const archiver = archive.archiver(log, { table, topic: 'alerts' });
  await archiver.runOnce();
  return await rowsOf(table);
}

async function rowsOf(table: ArchivedTable): Promise<readonly ArchivedRow[]> {
  const { catalogue } = archive.archiver(log, { table });
  const search = new ArchiveSearch({ ...archive.tools, table, ids: openIdIndexes(0), catalogue, held: null });
  const wish = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER, conditions: [], after: null, limit: 1000 };
  return (await search.list(wish)).rows.toReversed();
}

test('records of any content come back as they were, from parts and from compacted files', async () => {
  const text = fc.option(fc.string({ unit: 'binary', maxLength: 20 }));
  const number = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0));
  const record = fc.record({
    ...{ alert: fc.string({ minLength: 1 }), score: number, count: fc.option(fc.maxSafeInteger()) },
    tags: fc.option(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 })),
    parts: fc.option(fc.array(fc.record({ name: text, share: number }), { maxLength: 3 })),
    place: fc.option(fc.record({ city: text, region: fc.option(fc.record({ code: text })) })),
  });
  const records = fc.sample(record, { numRuns: 400, seed: 2026 });
  await append(records);
  const expected = records.map((one) => JSON.parse(JSON.stringify(one)));
  const rows = await archived(ALERTS);
  expect(rows.map(({ values, unread }) => (unread === null ? values : JSON.parse(unread)))).toEqual(expected);
  // Half of a surrogate pair, which JSON has as an escape, does not fit; all else does.
  const broken = records.filter((one) => /(?<!\\)\\ud[89a-f]/.test(JSON.stringify(one)));
  expect(rows.filter(({ unread }) => unread !== null)).toHaveLength(broken.length);
  await compactDay({ ...archive.tools, table: ALERTS }, DAY, 'all');
  expect(await rowsOf(ALERTS)).toEqual(rows);
});

test('a column that is added later is null in what is older, and of use in what is newer', async () => {
  await append([{ alert: 'a', score: 1, parts: [{ name: 'x', share: 0.5 }] }]);
  await archived(ALERTS);
  const later: ArchivedTable = {
    ...ALERTS,
    columns: {
      ...ALERTS.columns,
      owner: 'text',
      parts: { listOf: { fields: { name: 'text', share: 'number', note: 'text' } } },
    },
  };
  await append([{ alert: 'b', owner: 'area-1', parts: [{ name: 'y', share: 1, note: 'new' }] }]);
  const check = (rows: readonly ArchivedRow[]) =>
    expect(rows.map(({ values: { alert, owner, parts } }) => ({ alert, owner, parts }))).toEqual([
      { alert: 'a', owner: null, parts: [{ name: 'x', share: 0.5, note: null }] },
      { alert: 'b', owner: 'area-1', parts: [{ name: 'y', share: 1, note: 'new' }] },
    ]);
  check(await archived(later));
  await compactDay({ ...archive.tools, table: later }, DAY, 'all');
  check(await rowsOf(later));
});

test('an index that was lost makes a look-up slow, not wrong', async () => {
  await log.append(decisionRecords(0, 30));
  await archive.archiver(log).runOnce();
  for (const { name } of (await readDay(archive.store, TOPIC, DAY)).parts) {
    await archive.store.remove(idsKey(TOPIC, DAY, name));
    expect(await archive.store.get(dataKey(TOPIC, DAY, name))).not.toBeNull();
  }
  expect((await archive.decisions().findDecision(decisionNumber(7).id))!.decision).toStrictEqual(decisionNumber(7));
  expect(await archive.decisions().findDecision('TX-none')).toBeNull();
});

test('tables that keys or columns cannot have are refused', () => {
  const refused = (more: Partial<ArchivedTable>) => () => checkTable({ ...ALERTS, ...more });
  expect(refused({ name: '../alerts' })).toThrow("'../alerts' cannot have such a name");
  expect(refused({ columns: { alert: 'text', Alert: 'text' } })).toThrow('cannot have a column Alert');
  expect(refused({ columns: { alert: 'text', recordedms: 'text' } })).toThrow('cannot have a column recordedms');
  expect(refused({ columns: { 'a"b': 'text' } })).toThrow('cannot have a column a"b');
  expect(refused({ idColumn: 'score' })).toThrow('cannot have the id score');
  expect(refused({})).not.toThrow();
});
