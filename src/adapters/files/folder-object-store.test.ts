import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { objectStoreChecks } from '../../../test/object-stores/object-store-checks.ts';
import { createFolderObjectStore } from './folder-object-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'objects-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

objectStoreChecks(() => createFolderObjectStore(folder));

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

test('a list is of its prefix alone, at any depth, and of nowhere else', async () => {
  const store = createFolderObjectStore(folder);
  const keys = ['a/1', 'a/b/2', 'a/bc/d/3', 'ab/4', 'b/5'];
  for (const key of keys) await store.put(key, Uint8Array.of(1));
  expect(await store.list('a/')).toEqual(['a/1', 'a/b/2', 'a/bc/d/3']);
  expect(await store.list('a/b')).toEqual(['a/b/2', 'a/bc/d/3']);
  expect(await store.list('a')).toEqual(['a/1', 'a/b/2', 'a/bc/d/3', 'ab/4']);
  expect(await store.list('a/1')).toEqual(['a/1']);
  expect(await store.list('a/1/')).toEqual([]);
  await expect(store.list('../')).rejects.toThrow('leaves the folder');
});
