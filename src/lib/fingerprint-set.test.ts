import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FingerprintSet } from './fingerprint-set.ts';
import { hashText } from './hash.ts';

it('agrees with a set of texts', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(fc.constantFrom(0, 1, -1), word), fc.oneof(fc.constantFrom(0, 2), word))),
      (pairs) => {
        const set = new FingerprintSet(10_000);
        const expected = new Set<string>();
        for (const [low, high] of pairs) {
          const key = `${low}/${high}`;
          expect(set.add(low, high)).toBe(!expected.has(key));
          expected.add(key);
        }
      },
    ),
  );
});

it('grows, and at its limit forgets the oldest first', () => {
  const set = new FingerprintSet(20_000);
  const low = new Int32Array(1);
  const high = new Int32Array(1);
  const add = (from: number, to: number) => {
    let added = 0;
    for (let i = from; i < to; i++) {
      hashText(`id-${i}`, low, high, 0);
      if (set.add(low[0], high[0])) added += 1;
    }
    return added;
  };
  expect(add(0, 20_000)).toBe(20_000);
  expect(add(12_000, 20_000)).toBe(0);
  expect(add(20_000, 80_000)).toBe(60_000);
  expect(add(70_000, 80_000)).toBe(0);
  expect(add(0, 1)).toBe(1);
});

it('continues from its generations as if it had never stopped, and refuses what is none of its own', () => {
  const set = new FingerprintSet(20_000);
  for (let i = 1; i <= 30_000; i++) set.add(i, i);
  const generations = set.generations().map(({ chunks }) => Int32Array.from(chunks.flatMap((words) => [...words])));
  expect(generations).toHaveLength(2);
  const restored = FingerprintSet.restore(20_000, generations);
  for (let i = 20_000; i <= 60_000; i++) expect(restored.add(i, i)).toBe(set.add(i, i));
  expect(restored.generations()).toEqual(set.generations());
  expect(() => FingerprintSet.restore(20_000, [])).toThrow(RangeError);
  expect(() => FingerprintSet.restore(20_000, [Int32Array.of(1, 1, 2)])).toThrow(RangeError);
  expect(() => FingerprintSet.restore(20_000, [Int32Array.of(1, 1, 1, 1)])).toThrow(RangeError);
  expect(() => FingerprintSet.restore(20_000, [Int32Array.of(1, 1), Int32Array.of(2, 2)])).toThrow(RangeError);
  expect(() => FingerprintSet.restore(5000, generations)).toThrow(RangeError);
});

it('never changes a chunk that is full, and adds to the last one only behind what is there', () => {
  const set = new FingerprintSet(1_000_000);
  for (let i = 1; i <= 40_000; i++) set.add(i, i);
  const [{ chunks, entries }] = set.generations();
  const copies = chunks.map((words) => words.slice());
  for (let i = 40_001; i <= 140_000; i++) set.add(i, i);
  const [later] = set.generations();
  expect(chunks).toEqual(copies);
  expect(later.chunks[0].buffer).toBe(chunks[0].buffer);
  expect([entries, later.entries]).toEqual([40_000, 140_000]);
});
