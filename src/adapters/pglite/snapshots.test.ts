import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { listSnapshots, unpackSnapshot, writeSnapshot } from './snapshots.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'snapshots-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Sizes around those of a tar's blocks, and one of more than a chunk. */
const SIZES = [0, 1, 511, 512, 513, 8192, 100_001, 2_500_000];

function makeData(): string {
  const data = join(root, 'data');
  const random = createPrng(3);
  mkdirSync(join(data, 'base', '5'), { recursive: true });
  mkdirSync(join(data, 'pg_empty'));
  for (const size of SIZES) {
    writeFileSync(
      join(data, 'base', '5', `${size}`),
      Uint8Array.from({ length: size }, () => random.nextBelow(256)),
    );
  }
  writeFileSync(join(data, 'PG_VERSION'), '18\n');
  writeFileSync(join(data, 'postmaster.pid'), '1');
  return data;
}

function contents(folder: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    all[name] = statSync(path).isDirectory() ? 'folder' : readFileSync(path).toString('base64');
  }
  return all;
}

describe('a snapshot', () => {
  test('holds the files of the folder, and is a tar that others read', async () => {
    const data = makeData();
    const { 'postmaster.pid': _, ...expected } = contents(data);
    mkdirSync(join(root, 's'));
    const snapshot = await writeSnapshot(join(root, 's'), data, 42);
    expect(listSnapshots(join(root, 's'))).toEqual([snapshot]);
    await unpackSnapshot(snapshot, join(root, 'ours'));
    expect(contents(join(root, 'ours'))).toEqual(expected);
    mkdirSync(join(root, 'theirs'));
    execFileSync('tar', ['xzf', snapshot.path, '-C', join(root, 'theirs')]);
    expect(contents(join(root, 'theirs'))).toEqual(expected);
  });

  test('that is damaged or cut short is not taken', async () => {
    const snapshot = await writeSnapshot(root, makeData(), 1);
    const whole = readFileSync(snapshot.path);
    for (const at of [20, 5000, whole.length - 3]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 4;
      for (const bytes of [damaged, whole.subarray(0, at)]) {
        writeFileSync(snapshot.path, bytes);
        const into = join(root, `${at} ${bytes.length}`);
        await expect(unpackSnapshot(snapshot, into)).rejects.toThrow();
      }
    }
  });

  test('that was not finished is not seen', async () => {
    writeFileSync(join(root, 'snapshot-0000000000000007.tar.gz.tmp'), 'half');
    expect(listSnapshots(root)).toEqual([]);
    expect(readdirSync(root)).toEqual([]);
  });
});
