import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFolderObjectStore } from './folder-object-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'objects-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('gives back what was put, and lists by prefix', async () => {
  const store = createFolderObjectStore(folder);
  await store.put('models/a/1/x.bin', Uint8Array.of(1, 2, 3));
  await store.put('models/b/1/x.bin', Uint8Array.of(4));
  await store.put('other/x', Uint8Array.of());
  expect(await store.get('models/a/1/x.bin')).toEqual(Uint8Array.of(1, 2, 3));
  expect(await store.get('models/c')).toBe(null);
  expect(await store.list('models/')).toEqual(['models/a/1/x.bin', 'models/b/1/x.bin']);
});

test('of several who put a new object under one key, one is told that it was first', async () => {
  const store = createFolderObjectStore(folder);
  const firsts = await Promise.all([1, 2, 3, 4].map((byte) => store.putNew('log/1', Uint8Array.of(byte))));
  expect(firsts.filter(Boolean)).toEqual([true]);
  expect(await store.get('log/1')).toEqual(Uint8Array.of(firsts.indexOf(true) + 1));
  expect(await store.list('')).toEqual(['log/1']);
});

test('what a crash left half-written is not listed', async () => {
  const store = createFolderObjectStore(folder);
  await store.put('a', Uint8Array.of(1));
  writeFileSync(join(folder, 'b.123.tmp'), 'half');
  expect(await store.list('')).toEqual(['a']);
});

test('a folder that does not exist yet is empty', async () => {
  expect(await createFolderObjectStore(join(folder, 'none')).list('')).toEqual([]);
});

test('a key cannot leave the folder', async () => {
  const store = createFolderObjectStore(folder);
  await expect(store.put('../x', Uint8Array.of(1))).rejects.toThrow('leaves the folder');
});
