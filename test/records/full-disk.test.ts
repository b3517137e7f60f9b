// A disk that fills under the embedded database, for real: a small file system in memory where one may be mounted.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecordsUnavailableError } from '../../src/lib/errors.ts';
import { CREATE, numbersIn, openSmall, writeNumber } from './embedded-folder.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';

let folder: string;
let mounted = false;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'full-'));
});
afterEach(() => {
  if (mounted) spawnSync('umount', [folder]);
  mounted = false;
  rmSync(folder, { recursive: true });
});

test.runIf(isLong)(
  'a full disk: refuses in words, keeps what it acknowledged, goes on when there is space',
  {
    timeout: 120_000,
  },
  async (context) => {
    mounted =
      process.platform === 'linux' &&
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder]).status === 0;
    if (!mounted) return context.skip('no file system may be mounted here');
    const at = join(folder, 'records');
    const told: string[] = [];
    const open = () => openSmall(at, (text) => told.push(text), { snapshotAfterBytes: 1e9, snapshotAtCloseBytes: 1e9 });
    const database = await open();
    await database.transact((run) => run({ text: CREATE, parameters: [] }));
    const acknowledged: number[] = [];
    let next = 0;
    const write = async () => {
      const n = next++;
      await writeNumber(database, n);
      acknowledged.push(n);
    };
    for (let n = 0; n < 20; n++) await write();
    const ballast = join(folder, 'ballast');
    // Until nothing fits any more.
    let size = 64 * 1_048_576;
    for (; size > 0; size -= 262_144) {
      try {
        writeFileSync(ballast, new Uint8Array(size));
        break;
      } catch {}
    }
    const errors: unknown[] = [];
    for (let tries = 0; tries < 400 && errors.length < 4; tries++) await write().catch((error) => errors.push(error));
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(error).toBeInstanceOf(RecordsUnavailableError);
    expect(errors.map(String).join('\n')).toMatch(/no space left on device/i);

    rmSync(ballast);
    for (let n = 0; n < 20; n++) await write();
    const there = await numbersIn(database);
    expect(acknowledged.filter((n) => !there.includes(n))).toEqual([]);
    await database.close();
    const again = await open();
    expect(await numbersIn(again)).toEqual(there);
    await again.close();
  },
);
