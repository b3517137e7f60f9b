// A power cut: of the database's own folder anything may be missing or old, while the redo log and the snapshots are as they
// were synced. It is simulated on copies of a folder that was in use.
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPrng } from '../../src/lib/prng.ts';
import type { SqlDatabase } from '../../src/ports.ts';
import { CREATE, numbersIn, openSmall, writeNumber } from './embedded-folder.ts';

const LONG = process.env.CENTINELA_LONG_TESTS === '1';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'power-'));
  folder = join(root, 'live');
});
afterEach(() => rmSync(root, { recursive: true }));

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

async function openLive(limits = {}): Promise<SqlDatabase> {
  const database = await openSmall(folder, () => undefined, limits);
  await database.transact((run) => run({ text: CREATE, parameters: [] }));
  return database;
}

/** What a machine that stops now leaves, if nothing of the data folder is lost; `lose` takes from it what was. */
function imageOf(name: string, lose: (image: string) => void): string {
  const image = join(root, name);
  cpSync(folder, image, { recursive: true });
  rmSync(join(image, 'lock'), { force: true });
  lose(image);
  return image;
}

/** The machine was started again. */
function restartMachine(image: string): void {
  writeFileSync(join(image, 'state.json'), JSON.stringify({ phase: 'open', boot: 'an earlier one' }));
}

/** @returns what was told */
async function expectAll(image: string, numbers: readonly number[]): Promise<string[]> {
  const told: string[] = [];
  const database = await openSmall(image, (text) => told.push(text));
  expect(await numbersIn(database)).toEqual(numbers);
  // It goes on, and the next start finds all in order.
  await writeNumber(database, 1_000_000);
  await database.close();
  if (!LONG) return told;
  const again = await openSmall(image, (text) => expect.fail(text));
  expect(await numbersIn(again)).toEqual([...numbers, 1_000_000]);
  await again.close();
  return told;
}

function filesIn(at: string): string[] {
  return readdirSync(at, { recursive: true, encoding: 'utf8' })
    .map((name) => join(at, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** What a file system without its last writes has: old pages, zeros, files that are short or missing. */
function loseAtRandom(data: string, seed: number): void {
  const random = createPrng(seed);
  for (const path of filesIn(data)) {
    if (random.nextBelow(100) >= 15) continue;
    const { size } = statSync(path);
    const what = random.nextBelow(3);
    if (what === 0) rmSync(path);
    else if (what === 1) truncateSync(path, random.nextBelow(size + 1));
    else {
      const bytes = readFileSync(path);
      const from = random.nextBelow(size + 1);
      bytes.fill(0, from, Math.min(size, from + 8192));
      writeFileSync(path, bytes);
    }
  }
}

describe('a power cut', () => {
  test.runIf(LONG)(
    'with parts of the data folder lost: it is made again, and nothing is missing',
    {
      timeout: 300_000,
    },
    async () => {
      const database = await openLive();
      for (let n = 0; n < 250; n++) await writeNumber(database, n);
      const images = upTo(8).map((seed) =>
        imageOf(`lost-${seed}`, (image) => {
          loseAtRandom(join(image, 'data'), seed);
          restartMachine(image);
        }),
      );
      await database.close();
      // Its limits are small: snapshots were made meanwhile, and the redo before them was dropped.
      expect(readdirSync(join(folder, 'snapshots'))).toHaveLength(2);
      expect(readdirSync(join(folder, 'redo'))).not.toContain('redo-0000000000000001.log');
      for (const image of images) {
        const told = await expectAll(image, upTo(250));
        expect(told.join('\n')).toMatch(/the machine stopped while it was open[\s\S]*made again from .*snapshot-\d+/);
      }
    },
  );

  test.runIf(LONG)('with an older data folder: what it lacks is done again', { timeout: 120_000 }, async () => {
    const database = await openLive({ snapshotAfterBytes: 1e9 });
    for (let n = 0; n < 20; n++) await writeNumber(database, n);
    await database.close();
    const old = imageOf('old', () => undefined);
    const later = await openLive({ snapshotAfterBytes: 1e9, snapshotAtCloseBytes: 1e9 });
    for (let n = 20; n < 60; n++) await writeNumber(later, n);
    const image = imageOf('mixed', (at) => {
      rmSync(join(at, 'data'), { recursive: true });
      cpSync(join(old, 'data'), join(at, 'data'), { recursive: true });
    });
    await later.close();
    expect(await expectAll(image, upTo(60))).toEqual([]);
  });

  test.runIf(LONG)(
    'with a data folder older than the redo log: it is made again from a snapshot',
    {
      timeout: 120_000,
    },
    async () => {
      await (await openLive()).close();
      const old = imageOf('old', () => undefined);
      const database = await openLive();
      for (let n = 0; n < 250; n++) await writeNumber(database, n);
      const image = imageOf('mixed', (at) => {
        rmSync(join(at, 'data'), { recursive: true });
        cpSync(join(old, 'data'), join(at, 'data'), { recursive: true });
      });
      await database.close();
      const told = await expectAll(image, upTo(250));
      expect(told.join('\n')).toMatch(/it ends with entry \d+, and the redo log begins with entry \d+/);
    },
  );

  test.runIf(LONG)(
    'without the data folder, and with a newest snapshot that is damaged',
    { timeout: 120_000 },
    async () => {
      const database = await openLive();
      for (let n = 0; n < 250; n++) await writeNumber(database, n);
      const image = imageOf('damaged', (at) => {
        rmSync(join(at, 'data'), { recursive: true });
        const newest = join(at, 'snapshots', readdirSync(join(at, 'snapshots')).sort().at(-1)!);
        const bytes = readFileSync(newest);
        bytes[Math.floor(bytes.length / 2)]! ^= 1;
        writeFileSync(newest, bytes);
      });
      await database.close();
      const told = await expectAll(image, upTo(250));
      expect(told.join('\n')).toMatch(/not made again from .*snapshot-[\s\S]*made again from .*snapshot-/);
    },
  );

  test.runIf(LONG)(
    'with a machine that goes on: a damaged page is noticed when it is read, and mended',
    {
      timeout: 120_000,
    },
    async () => {
      const database = await openLive({ snapshotAfterBytes: 1e9 });
      for (let n = 0; n < 60; n++) await writeNumber(database, n);
      await database.run({ text: 'SELECT 1', parameters: [] });
      const { rows } = await database.run({ text: "SELECT pg_relation_filepath('numbers') AS at", parameters: [] });
      await database.close();
      const table = join(folder, 'data', String(rows[0]!.at));
      const bytes = readFileSync(table);
      bytes.fill(7, 8192 + 100, 8192 + 4000);
      writeFileSync(table, bytes);
      const told: string[] = [];
      const again = await openSmall(folder, (text) => told.push(text));
      await expect(numbersIn(again)).rejects.toThrow(/invalid page|checksum/);
      expect(await numbersIn(again)).toEqual(upTo(60));
      expect(told.join('\n')).toMatch(/the database reported damage/);
      await again.close();
    },
  );
});

test.runIf(LONG)('records of another version of PostgreSQL are left alone', { timeout: 120_000 }, async () => {
  await (await openLive()).close();
  writeFileSync(join(folder, 'data', 'PG_VERSION'), '17\n');
  await expect(openSmall(folder, () => undefined)).rejects.toMatchObject({ code: 'RECORDS_OTHER_VERSION' });
  writeFileSync(join(folder, 'data', 'PG_VERSION'), '18\n');
  const database = await openSmall(folder, () => expect.fail('nothing was touched'));
  await expect(openSmall(folder, () => undefined)).rejects.toMatchObject({ code: 'RECORDS_IN_USE' });
  await database.close();
});

describe('a redo log', () => {
  async function makeLive(count: number): Promise<void> {
    const database = await openLive({ snapshotAfterBytes: 1e9, snapshotAtCloseBytes: 1e9 });
    for (let n = 0; n < count; n++) await writeNumber(database, n);
    await database.close();
  }
  const lastOf = (at: string) => join(at, 'redo', readdirSync(join(at, 'redo')).sort().at(-1)!);

  test('that ends in the middle of an entry is cut there, and told', { timeout: 120_000 }, async () => {
    await makeLive(30);
    const image = imageOf('torn', (at) => {
      restartMachine(at);
      appendFileSync(lastOf(at), readFileSync(lastOf(at)).subarray(8, 100));
    });
    const told = await expectAll(image, upTo(30));
    expect(told[0]).toMatch(/cut 92 bytes off .*redo-\d+\.log from byte \d+ on/);
  });

  test('with a byte that flipped stops the start, and names file and byte', { timeout: 120_000 }, async () => {
    await makeLive(60);
    const files = readdirSync(join(folder, 'redo')).sort();
    expect(files.length).toBeGreaterThan(1);
    const random = createPrng(5);
    for (let drill = 0; drill < (LONG ? 40 : 1); drill++) {
      const file = files[drill % files.length]!;
      const path = join(folder, 'redo', file);
      const whole = readFileSync(path);
      const flipped = Buffer.from(whole);
      const at = random.nextBelow(whole.length);
      flipped[at]! ^= 1 << random.nextBelow(8);
      writeFileSync(path, flipped);
      const error = await openSmall(folder, () => undefined).then(
        () => expect.fail(`byte ${at} of ${file} was not noticed`),
        (thrown: unknown) => thrown as Error,
      );
      expect(error).toMatchObject({ code: 'RECORDS_DAMAGED' });
      expect(error.message).toContain(path);
      const told = Number(/at byte (\d+)/.exec(error.message)![1]);
      expect(told).toBeLessThanOrEqual(at);
      writeFileSync(path, whole);
    }
    const database = await openSmall(folder, () => expect.fail('it is whole again'));
    expect(await numbersIn(database)).toEqual(upTo(60));
    await database.close();
  });

  test('of which a file is missing stops the start', { timeout: 120_000 }, async () => {
    await makeLive(60);
    const files = readdirSync(join(folder, 'redo')).sort();
    rmSync(join(folder, 'redo', files[1]!));
    await expect(openSmall(folder, () => undefined)).rejects.toThrow(/entries \d+ to \d+ are missing/);
  });

  test.runIf(LONG)(
    'that lost what the database has is begun anew behind a snapshot',
    { timeout: 120_000 },
    async () => {
      const database = await openLive({ snapshotAfterBytes: 1e9, snapshotAtCloseBytes: 1e9 });
      for (let n = 0; n < 60; n++) await writeNumber(database, n);
      const image = imageOf('ahead', (at) => rmSync(lastOf(at)));
      await database.close();
      const told = await expectAll(image, upTo(60));
      expect(told[0]).toMatch(/a snapshot keeps them/);
    },
  );

  test('and snapshots that are gone with the data folder in doubt: nothing is made up', {
    timeout: 120_000,
  }, async () => {
    await makeLive(10);
    const image = imageOf('gone', (at) => {
      rmSync(join(at, 'redo'), { recursive: true });
      restartMachine(at);
    });
    await expect(openSmall(image, () => undefined)).rejects.toThrow(/cannot be made again/);
  });
});
