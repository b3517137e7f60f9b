// What every ObjectStore must do, whatever it keeps its objects in.
import { expect, test } from 'vitest';
import type { ObjectStore } from '../../src/ports.ts';

/** @param open an empty store, each time */
export function objectStoreChecks(open: () => ObjectStore): void {
  test('gives back what was put, the last of several under one key, and nothing for a key that is not there', async () => {
    const store = open();
    await store.put('models/a/1/x.bin', Uint8Array.of(1, 2, 3));
    await store.put('models/a/1/x.bin', Uint8Array.of(4, 5));
    await store.put('empty', new Uint8Array(0));
    expect(await store.get('models/a/1/x.bin')).toEqual(Uint8Array.of(4, 5));
    expect(await store.get('empty')).toEqual(new Uint8Array(0));
    expect(await store.get('models/c')).toBeNull();
  });

  test('takes a part of a larger array as it is, and megabytes', async () => {
    const store = open();
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251);
    await store.put('part', bytes.subarray(10, 2_000_010));
    expect(Buffer.compare((await store.get('part'))!, bytes.subarray(10, 2_000_010))).toBe(0);
  });

  test('lists by prefix, sorted, more than fit one page', async () => {
    const store = open();
    const keys = Array.from({ length: 1203 }, (_, n) => `many/${String(n).padStart(5, '0')}`);
    for (let start = 0; start < keys.length; start += 50) {
      await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, Uint8Array.of(1))));
    }
    await store.put('man', Uint8Array.of(1));
    await store.put('other/x', Uint8Array.of(1));
    expect(await store.list('many/')).toEqual(keys);
    expect(await store.list('man')).toEqual(['man', ...keys]);
    expect(await store.list('none/')).toEqual([]);
  });

  test('keeps keys with signs that addresses and XML know', async () => {
    const store = open();
    const keys = ['a b/c+d', 'a&b<c>', 'año/ñandú', "it's=100%", 'x@1/y~z'].sort();
    for (const key of keys) await store.put(key, new TextEncoder().encode(key));
    expect(await store.list('')).toEqual(keys);
    for (const key of keys) expect(new TextDecoder().decode((await store.get(key))!)).toBe(key);
  });

  test('of several who put a new object under one key, one is told that it was first', async () => {
    const store = open();
    const keys = Array.from({ length: 20 }, (_, round) => `log/${100 + round}`);
    for (const key of keys) {
      const firsts = await Promise.all([1, 2, 3, 4].map((byte) => store.putNew(key, Uint8Array.of(byte))));
      expect(firsts.filter(Boolean)).toEqual([true]);
      expect(await store.get(key)).toEqual(Uint8Array.of(firsts.indexOf(true) + 1));
    }
    expect(await store.list('')).toEqual(keys);
  });

  test('removes, and says nothing where there is nothing', async () => {
    const store = open();
    await store.put('a', Uint8Array.of(1));
    await store.remove('a');
    await store.remove('a');
    expect(await store.get('a')).toBeNull();
    expect(await store.putNew('a', Uint8Array.of(2))).toBe(true);
  });
}
