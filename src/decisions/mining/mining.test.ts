import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { both, countBits, countBoth, createBits, hasBit, rowsOf, setBit, without } from './bits.ts';
import { niceNumber } from './literals.ts';
import { RowSample } from './sample.ts';

const rowSets = fc.array(fc.nat({ max: 199 }));
const bitsOf = (rows: readonly number[]) => {
  const bits = createBits(200);
  for (const row of rows) setBit(bits, row);
  return bits;
};

describe('sets of rows', () => {
  it('are what sets of numbers are', () => {
    fc.assert(
      fc.property(rowSets, rowSets, (a, b) => {
        const [left, right] = [bitsOf(a), bitsOf(b)];
        const sorted = (rows: Iterable<number>) => [...rows].sort((x, y) => x - y);
        const [inA, inB] = [new Set(a), new Set(b)];
        expect([...rowsOf(left)]).toEqual(sorted(inA));
        expect(countBits(left)).toBe(inA.size);
        expect([...rowsOf(both(left, right))]).toEqual(sorted([...inA].filter((row) => inB.has(row))));
        expect([...rowsOf(without(left, right))]).toEqual(sorted([...inA].filter((row) => !inB.has(row))));
        expect(countBoth(left, right)).toBe(countBits(both(left, right)));
        expect(a.every((row) => hasBit(left, row))).toBe(true);
      }),
    );
  });
});

describe('thresholds', () => {
  it.each([
    [0, 0],
    [1234, 1000],
    [1730, 1500],
    [0.0473, 0.05],
    [-27, -30],
    [97, 100],
  ])('%d is written as %d', (value, written) => {
    expect(niceNumber(value)).toBe(written);
  });
});

describe('a sample of rows', () => {
  it('is uniform, and tells how many each row stands for', () => {
    const means: number[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const sample = new RowSample(50, createPrng(seed).nextUint32());
      for (let row = 0; row < 1000; row++) {
        sample.offer(() => ({ numbers: Float64Array.of(row), texts: [], worthMinor: 0, customer: '', week: 0 }));
      }
      expect(sample.rows).toHaveLength(50);
      expect(sample.weight).toBe(20);
      means.push(sample.rows.reduce((sum, { numbers }) => sum + numbers[0], 0) / 50);
    }
    const mean = means.reduce((a, b) => a + b, 0) / means.length;
    // The mean of 2,000 draws from 0–999 has a standard error of 6.5.
    expect(Math.abs(mean - 499.5)).toBeLessThan(26);
  });
});
