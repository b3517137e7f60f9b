// What a file log does with files that were torn at their ends (a crash) or changed elsewhere (a bad disk).
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileLogLimits, openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import type { RecoveryReport } from '../../src/adapters/files/stream-log/recovery.ts';
import { InputError } from '../../src/lib/errors.ts';
import type { StreamLog } from '../../src/ports.ts';
import { recordOf, settingsOf } from './stream-log-checks.ts';

let folder: string;
beforeEach(() => {
  // In memory where that can be had: thousands of logs are opened, and none is cut off from power.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'damage-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (at: string, reports: RecoveryReport[] = [], limits: Partial<FileLogLimits> = {}) =>
  openFileLog({ folder: at, limits, onRecovery: (report) => reports.push(report), now: () => 1_700_000_000_000 });

const batchOf = (number: number) =>
  [0, 1].map((partition) => recordOf('t', `${number}.${partition}`, { partition, key: Uint8Array.of(number) }));

async function valuesOf(log: StreamLog): Promise<string[]> {
  const values: string[] = [];
  for (const { partition, start, end } of await log.bounds('t')) {
    for (let offset = start; offset < end; ) {
      const records = await log.read({ topic: 't', partition, offset }, 100, 0);
      values.push(...records.map(({ value }) => new TextDecoder().decode(value!)));
      offset = records.at(-1)!.offset + 1;
    }
  }
  return values;
}

const expected = (batches: number) =>
  [0, 1].flatMap((partition) => Array.from({ length: batches }, (_, number) => `${number}.${partition}`));

/** The folder as a killed process leaves it, with the sizes that its files had before the last batch. */
async function killedLog(batches: number): Promise<{ image: string; before: Map<string, number> }> {
  const live = join(folder, 'live');
  const log = await open(live);
  await log.createTopics([settingsOf('t', 2)]);
  for (let number = 0; number < batches - 1; number++) await log.append(batchOf(number));
  const before = new Map(filesIn(live).map((file) => [file, statSync(join(live, file)).size]));
  await log.append(batchOf(batches - 1));
  const image = join(folder, 'image');
  cpSync(live, image, { recursive: true });
  rmSync(join(image, 'lock'));
  await log.close();
  return { image, before };
}

function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const DAMAGES: Readonly<Record<string, (bytes: Buffer, at: number) => Buffer>> = {
  cut: (bytes, at) => bytes.subarray(0, at),
  flipped: (bytes, at) => Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte))),
  zeroed: (bytes, at) => Buffer.from(bytes.map((byte, index) => (index >= at ? 0 : byte))),
  'replaced by other bytes': (bytes, at) =>
    Buffer.from(bytes.map((byte, index) => (index >= at ? index * 7 + 3 : byte))),
};

describe('a torn tail', () => {
  test.each(Object.entries(DAMAGES))(
    '%s at any byte of the last records: all before is kept, and told',
    async (_, damage) => {
      const { image, before } = await killedLog(4);
      const torn = filesIn(image).filter((file) => statSync(join(image, file)).size > (before.get(file) ?? Infinity));
      expect(torn.length).toBe(3);
      let whole = 0;
      for (const file of torn) {
        const bytes = readFileSync(join(image, file));
        for (let at = before.get(file)!; at < bytes.length; at++) {
          const copy = join(folder, 'copy');
          cpSync(image, copy, { recursive: true });
          const changed = damage(bytes, at);
          writeFileSync(join(copy, file), changed);
          const reports: RecoveryReport[] = [];
          const log = await open(copy, reports);
          const values = await valuesOf(log);
          if (changed.equals(bytes)) {
            whole++;
            expect([values, reports]).toEqual([expected(4), []]);
          } else {
            expect(values, `${file} at ${at}`).toEqual(expected(3));
            expect(reports.length).toBeGreaterThan(0);
            const segment = reports.find((report) => report.file.endsWith('.log'));
            if (segment !== undefined) expect(segment.recordsKept).toBe(3);
            for (const { bytesCut } of reports) expect(bytesCut).toBeGreaterThan(0);
            if (at % 20 === 0) {
              // It goes on from there, and the next start finds nothing to mend.
              await log.append(batchOf(3));
              await log.close();
              const again = await open(copy, reports.splice(0));
              expect(await valuesOf(again)).toEqual(expected(4));
              expect(reports).toEqual([]);
              await again.close();
            }
          }
          await log.close();
          rmSync(copy, { recursive: true });
        }
      }
      expect(whole).toBeLessThan(100);
    },
  );

  test('of a new segment is taken away with its file', async () => {
    const live = join(folder, 'live');
    const log = await open(live);
    await log.createTopics([settingsOf('t', 2)]);
    await log.append(batchOf(0));
    const image = join(folder, 'image');
    cpSync(live, image, { recursive: true });
    rmSync(join(image, 'lock'));
    await log.close();
    const journal = join(image, 'journal-0000000001');
    writeFileSync(journal, readFileSync(journal).subarray(0, -1));
    const reports: RecoveryReport[] = [];
    const again = await open(image, reports);
    expect(await valuesOf(again)).toEqual([]);
    expect(reports.map(({ recordsKept, file }) => [recordsKept, relative(image, file)])).toEqual([
      [1, 'journal-0000000001'],
      [0, join('topics', 't-0', '00000000000000000000.log')],
      [0, join('topics', 't-1', '00000000000000000000.log')],
    ]);
    await again.append(batchOf(0));
    expect(await valuesOf(again)).toEqual(expected(1));
    await again.close();
  });
});

describe('damage that no crash explains', () => {
  const SEGMENTS = { segmentBytes: 2000 };

  async function closedLog(): Promise<string> {
    const log = await open(folder, [], SEGMENTS);
    await log.createTopics([settingsOf('t', 2)]);
    for (let number = 0; number < 200; number++) await log.append(batchOf(number));
    await log.close();
    return join(folder, 'topics', 't-0');
  }

  test('a changed byte in an old segment is told with file and place, and what is before and behind can be read', async () => {
    const segments = await closedLog();
    const names = readdirSync(segments).filter((name) => name.endsWith('.log'));
    expect(names.length).toBeGreaterThan(2);
    const second = join(segments, names[1]!);
    const bytes = readFileSync(second);
    const position = 32 + Math.floor((bytes.length - 32) / 2);
    bytes[position] ^= 1;
    writeFileSync(second, bytes);
    const log = await open(folder, [], SEGMENTS);
    const read = (offset: number) => log.read({ topic: 't', partition: 0, offset }, 1000, 0);
    const base = Number(names[1]!.slice(0, 20));
    const before = await read(base);
    const bad = before.at(-1)!.offset + 1;
    const error = await read(bad).catch((thrown: unknown) => thrown as InputError);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ code: 'STREAM_DAMAGED' });
    const told = Number(/damaged at byte (\d+)/.exec((error as InputError).message)![1]);
    expect((error as InputError).message).toContain(second);
    expect([told <= position, position - told < 60]).toEqual([true, true]);
    expect((await read(Number(names[2]!.slice(0, 20))))[0]!.offset).toBe(Number(names[2]!.slice(0, 20)));
    await log.close();
  });

  test('each changed byte of a whole segment is found when it is read or when the log is opened', async () => {
    const segments = await closedLog();
    const first = join(segments, readdirSync(segments)[0]!.replace('.index', '.log'));
    const bytes = readFileSync(first);
    let found = 0;
    const places = Array.from({ length: 60 }, (_, index) => Math.floor((index * bytes.length) / 60));
    for (const at of places) {
      writeFileSync(first, DAMAGES.flipped!(bytes, at));
      try {
        const log = await open(folder, [], SEGMENTS);
        await valuesOf(log).finally(() => log.close());
      } catch (error) {
        expect(error).toMatchObject({ code: 'STREAM_DAMAGED' });
        found++;
      }
    }
    expect(found).toBe(places.length);
  });

  test('an old segment that lost its end or is missing is told, not skipped', async () => {
    const segments = await closedLog();
    const names = readdirSync(segments).filter((name) => name.endsWith('.log'));
    const second = join(segments, names[1]!);
    const bytes = readFileSync(second);
    const log = await open(folder, [], SEGMENTS);
    const [, record] = await log.read({ topic: 't', partition: 0, offset: Number(names[1]!.slice(0, 20)) }, 2, 0);
    await log.close();
    // Cut where a record ends: only the gap in the offsets shows it.
    const recordBytes = (bytes.length - 32) / (Number(names[2]!.slice(0, 20)) - record!.offset + 1);
    writeFileSync(second, bytes.subarray(0, bytes.length - Math.floor(recordBytes)));
    const cut = await open(folder, [], SEGMENTS);
    await expect(valuesOf(cut)).rejects.toThrow(/damaged|missing/);
    await cut.close();
    rmSync(second);
    const gone = await open(folder, [], SEGMENTS);
    await expect(valuesOf(gone)).rejects.toThrow('are missing behind it');
    await gone.close();
  });

  test('a journal with a bad entry in its middle, or a last segment that is too short, keeps the log closed', async () => {
    const segments = await closedLog();
    const journal = join(folder, 'journal-0000000001');
    const bytes = readFileSync(journal);
    writeFileSync(journal, DAMAGES.flipped!(bytes, bytes.length >> 1));
    await expect(open(folder)).rejects.toThrow(`${journal} is damaged at byte`);
    writeFileSync(journal, bytes);
    const last = join(
      segments,
      readdirSync(segments)
        .filter((name) => name.endsWith('.log'))
        .at(-1)!,
    );
    writeFileSync(last, readFileSync(last).subarray(0, -1));
    await expect(open(folder)).rejects.toThrow(`${last} is damaged at byte`);
  });

  test('an index that is missing, torn or changed is made anew', async () => {
    const segments = await closedLog();
    const indexes = readdirSync(segments).filter((name) => name.endsWith('.index'));
    expect(indexes.length).toBeGreaterThan(2);
    rmSync(join(segments, indexes[0]!));
    writeFileSync(join(segments, indexes[1]!), DAMAGES.flipped!(readFileSync(join(segments, indexes[1]!)), 9));
    writeFileSync(join(segments, indexes[2]!), '');
    const log = await open(folder, [], SEGMENTS);
    expect(await valuesOf(log)).toEqual(expected(200));
    await log.close();
    expect(statSync(join(segments, indexes[0]!)).size).toBeGreaterThan(0);
  });
});

test('a member that comes upon a damaged partition misses nothing of the others', async () => {
  const before = await open(folder);
  await before.createTopics([settingsOf('t', 2)]);
  for (let number = 0; number < 10; number++) await before.append(batchOf(number));
  await before.close();
  // Opened again, so that what was written is read from the disk.
  const log = await open(folder);
  const path = join(folder, 'topics', 't-1', '00000000000000000000.log');
  const bytes = readFileSync(path);
  writeFileSync(path, DAMAGES.flipped!(bytes, 100));
  const consumer = await log.join({
    group: 'g',
    topics: ['t'],
    listener: { assigned: async (committed) => committed, revoked: async () => undefined, lost: async () => undefined },
  });
  const offsets: number[] = [];
  let errors = 0;
  for (let polls = 0; polls < 12; polls++) {
    // Some polls come to the damaged partition last, when they hold records of the other one.
    const batches = await consumer.poll(4, 0).catch(() => {
      errors++;
      return [];
    });
    for (const { partition, records } of batches) {
      if (partition === 0) offsets.push(...records.map(({ offset }) => offset));
    }
    if (polls === 9) writeFileSync(path, bytes);
  }
  expect(errors).toBeGreaterThan(3);
  for (;;) {
    const batches = await consumer.poll(4, 0);
    if (batches.length === 0) break;
    for (const { partition, records } of batches) {
      if (partition === 0) offsets.push(...records.map(({ offset }) => offset));
    }
  }
  expect(offsets).toEqual(Array.from({ length: 10 }, (_, offset) => offset));
  await consumer.close();
  await log.close();
});
