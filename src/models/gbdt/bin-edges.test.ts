import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createEdgeScratch, cutBetween, findBinEdges } from './bin-edges.ts';
import { binMatrix } from './binned-matrix.ts';
import { floatOfKey, keyOfFloat, sortKeys } from './float-order.ts';

function edgesOf(values: readonly number[], maxBins: number) {
  const floats = Float32Array.from(values);
  const rows = Uint32Array.from(floats.keys());
  return findBinEdges(new Int32Array(floats.buffer), 0, 1, rows, maxBins, createEdgeScratch(rows.length));
}

function binOf(thresholds: Float32Array, value: number): number {
  let bin = 0;
  while (bin < thresholds.length && value > thresholds[bin]) bin++;
  return bin;
}

const anyFloat = fc.float({ noNaN: true });

describe('order keys', () => {
  it('sort as the numbers do and turn back into them', () => {
    fc.assert(
      fc.property(anyFloat, anyFloat, (a, b) => {
        expect(Math.sign(keyOfFloat(a) - keyOfFloat(b)) || 0).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(floatOfKey(keyOfFloat(a))).toBe(a === 0 ? 0 : a);
      }),
    );
  });

  it('are sorted by the radix sort', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 })), (numbers) => {
        const sorted = sortKeys(Uint32Array.from(numbers), new Uint32Array(numbers.length));
        expect([...sorted]).toEqual([...numbers].sort((a, b) => a - b));
      }),
    );
  });
});

describe('bin edges', () => {
  it('fall half way between all distinct values where they are few', () => {
    expect(edgesOf([3, 1, 2, 2, 1, 10], 5)).toEqual({ thresholds: Float32Array.of(1.5, 2.5, 6.5), hasMissing: false });
    expect(edgesOf([Number.NaN, 4, Number.NaN], 5)).toEqual({ thresholds: new Float32Array(0), hasMissing: true });
  });

  it('cut between any two neighbours, infinities included', () => {
    fc.assert(
      fc.property(anyFloat, anyFloat, (a, b) => {
        fc.pre(a !== b);
        const cut = cutBetween(Math.min(a, b), Math.max(a, b));
        expect(cut).toBe(Math.fround(cut));
        expect(cut >= Math.min(a, b) && cut < Math.max(a, b)).toBe(true);
      }),
    );
  });

  it('never need more bins than allowed, rise strictly and leave no bin empty', () => {
    const values = fc.array(fc.oneof(anyFloat, fc.integer({ min: 0, max: 20 })), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 300 }), (numbers, maxBins) => {
        const { thresholds } = edgesOf(numbers, maxBins);
        expect(thresholds.length).toBeLessThan(maxBins);
        const filled = new Set(numbers.map((value) => binOf(thresholds, Math.fround(value))));
        expect(filled.size).toBe(thresholds.length + 1);
      }),
    );
  });

  it('are finer in the tails than in the middle', () => {
    const prng = createPrng(3);
    const numbers = Array.from({ length: 20_000 }, () => prng.nextNormal());
    const { thresholds } = edgesOf(numbers, 255);
    expect(thresholds.length).toBeGreaterThan(230);
    const rows = new Uint32Array(thresholds.length + 1);
    for (const value of numbers) rows[binOf(thresholds, Math.fround(value))]++;
    expect(rows[0]).toBeLessThan(5);
    expect(rows[rows.length - 1]).toBeLessThan(5);
    expect(rows[127]).toBeGreaterThan(70);
  });
});

describe('a binned matrix', () => {
  it('holds the bin that a search over the thresholds finds, for narrow and wide features and missing values', () => {
    const prng = createPrng(4);
    const rows = 3000;
    const columns = 7;
    const values = Float32Array.from({ length: rows * columns }, (_, i) => {
      const normal = prng.nextNormal();
      return [normal, normal * 1e30, prng.nextBelow(5), -0, normal, 1 / normal, normal][i % columns];
    });
    for (let row = 0; row < rows; row += 7) values[row * columns + 4] = Number.NaN;
    values[5] = Number.POSITIVE_INFINITY;
    for (const maxBins of [16, 256, 4096]) {
      const binned = binMatrix({ rows, columns, values }, maxBins, createPrng(1));
      expect(binned.features.map((feature) => feature.column).sort()).toEqual([0, 1, 2, 4, 5, 6]);
      for (const { column, word, shift, mask, thresholds, valueBins, hasMissing } of binned.features) {
        expect(hasMissing).toBe(column === 4);
        expect(binned.words[word].wide).toBe(valueBins + 1 > 256);
        for (let row = 0; row < rows; row++) {
          const value = values[row * columns + column];
          const expected = Number.isNaN(value) ? valueBins : binOf(thresholds, value);
          expect((binned.words[word].bins[row] >>> shift) & mask).toBe(expected);
        }
      }
    }
  });
});
