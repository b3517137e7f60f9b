import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHandlePool } from './handle-pool.ts';

let folder: string;
const pathOf = (index: number) => join(folder, `${index}`);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handles-'));
  for (let index = 0; index < 20; index++) writeFileSync(pathOf(index), `${index}`);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('many files at once are never more than the limit open, and each is read', async () => {
  const pool = createHandlePool(3);
  let inUse = 0;
  let most = 0;
  const texts = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      pool.use(pathOf(index % 20), async (handle) => {
        most = Math.max(most, ++inUse);
        const into = Buffer.alloc(2);
        const { bytesRead } = await handle.read(into, 0, 2, 0);
        inUse--;
        return into.toString('utf8', 0, bytesRead);
      }),
    ),
  );
  expect(texts).toEqual(Array.from({ length: 60 }, (_, index) => `${index % 20}`));
  if (process.platform === 'linux') expect(openFilesIn()).toBeLessThanOrEqual(3);
  expect(most).toBeGreaterThan(1);
  await pool.close();
  if (process.platform === 'linux') expect(openFilesIn()).toBe(0);
});

test('a file that is not there is an error for who asked, and takes nobody the room', async () => {
  const pool = createHandlePool(1);
  for (let tries = 0; tries < 3; tries++) {
    await expect(pool.use(join(folder, 'none'), async () => 1)).rejects.toThrow('ENOENT');
  }
  expect(await pool.use(pathOf(1), async () => 2)).toBe(2);
  await pool.close();
});

function openFilesIn(): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(folder)).length;
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
