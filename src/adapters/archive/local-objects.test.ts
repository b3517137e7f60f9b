import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../ports.ts';
import { createFolderObjectStore } from '../files/folder-object-store.ts';
import { cachedObjects, folderObjects } from './local-objects.ts';

let folder: string;
let store: ObjectStore;
let gets: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'objects-'));
  const kept = createFolderObjectStore(join(folder, 'store'));
  gets = [];
  store = {
    ...kept,
    get: (key) => {
      gets.push(key);
      return kept.get(key);
    },
  };
  for (const n of [0, 1, 2, 3, 4, 5]) await store.put(`t/${n}.ids`, new Uint8Array(100).fill(n));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const contentOf = (path: string) => readFileSync(path)[0];

test('objects of a folder are its own files', async () => {
  const objects = folderObjects(join(folder, 'store'));
  expect(contentOf((await objects.open('t/3.ids'))!.path)).toBe(3);
  expect(await objects.open('t/9.ids')).toBeNull();
});

describe('a cache', () => {
  const open = (limitBytes: number) => cachedObjects(store, join(folder, 'cache'), limitBytes);

  test('fetches an object once, whoever asks at the same time', async () => {
    const cache = await open(1000);
    const copies = await Promise.all([1, 1, 1, 2].map((n) => cache.open(`t/${n}.ids`)));
    for (const copy of copies) copy!.release();
    (await cache.open('t/1.ids'))!.release();
    expect(gets.sort()).toEqual(['t/1.ids', 't/2.ids']);
    expect(copies.map((copy) => contentOf(copy!.path))).toEqual([1, 1, 1, 2]);
    expect(await cache.open('t/9.ids')).toBeNull();
  });

  test('keeps to its limit: what was not used for longest goes, what is in use stays', async () => {
    const cache = await open(300);
    const held = (await cache.open('t/0.ids'))!;
    for (const n of [1, 2, 1, 3, 4]) (await cache.open(`t/${n}.ids`))!.release();
    expect(cache.bytes).toBe(300);
    expect(contentOf(held.path)).toBe(0);
    gets.length = 0;
    for (const n of [4, 3, 0]) (await cache.open(`t/${n}.ids`))!.release();
    expect(gets).toEqual([]);
    (await cache.open('t/2.ids'))!.release();
    expect(gets).toEqual(['t/2.ids']);
    held.release();
    held.release();
    for (const n of [1, 2, 3]) (await cache.open(`t/${n}.ids`))!.release();
    expect(existsSync(held.path)).toBe(false);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(3);
  });

  test('beyond the limit nothing fails that is in use at once', async () => {
    const cache = await open(150);
    const copies = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => cache.open(`t/${n}.ids`)));
    expect(copies.map((copy) => contentOf(copy!.path))).toEqual([0, 1, 2, 3, 4, 5]);
    for (const copy of copies) copy!.release();
    (await cache.open('t/0.ids'))!.release();
    const again = (await cache.open('t/9.ids')) ?? (await cache.open('t/5.ids'))!;
    expect(contentOf(again.path)).toBe(5);
  });

  test('knows what an earlier process fetched, but nothing half-written', async () => {
    const first = await open(1000);
    for (const n of [0, 1]) (await first.open(`t/${n}.ids`))!.release();
    const [name] = readdirSync(join(folder, 'cache'));
    writeFileSync(join(folder, 'cache', `${name}.tmp`), 'half');
    gets.length = 0;
    const second = await open(1000);
    expect(second.bytes).toBe(200);
    for (const n of [0, 1]) expect(contentOf((await second.open(`t/${n}.ids`))!.path)).toBe(n);
    expect(gets).toEqual([]);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(2);
  });

  test('fetches again what somebody else removed', async () => {
    const cache = await open(1000);
    const copy = (await cache.open('t/1.ids'))!;
    rmSync(copy.path);
    expect(contentOf((await cache.open('t/1.ids'))!.path)).toBe(1);
    expect(cache.bytes).toBe(100);
  });
});
