import { expect, it } from 'vitest';
import { createMemoryStore } from '../../test/registry/memory-store.ts';
import { rememberedObjects } from './remembered-objects.ts';

const bytes = (length: number, of = 1) => new Uint8Array(length).fill(of);

it('what was read is not asked for again, what is not there is, and the oldest is forgotten beyond the limit', async () => {
  const store = createMemoryStore();
  const asked: string[] = [];
  const get = (key: string) => {
    asked.push(key);
    return store.get(key);
  };
  const counted = { ...store, get };
  const objects = rememberedObjects(counted, 10);
  expect(await objects.get('a')).toBeNull();
  await objects.putNew('a', bytes(6));
  for (let n = 0; n < 3; n++) expect(await objects.get('a')).toEqual(bytes(6));
  expect(asked).toEqual(['a', 'a']);
  await objects.putNew('b', bytes(6));
  await objects.get('b');
  await objects.get('a');
  expect(asked).toEqual(['a', 'a', 'b', 'a']);
  await objects.put('a', bytes(2, 9));
  expect(await objects.get('a')).toEqual(bytes(2, 9));
  await objects.remove('a');
  expect(await objects.get('a')).toBeNull();
});
