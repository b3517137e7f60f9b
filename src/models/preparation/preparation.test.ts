import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { normalQuantile } from './normal-quantile.ts';
import { createPreparation, fitPreparation, type PreparationMethod } from './preparation.ts';

const METHODS: readonly PreparationMethod[] = ['standardise', 'signed-log', 'quantile-normal', 'piecewise-linear'];

function matrixOf(rows: readonly (readonly number[])[]): Matrix {
  const matrix = createMatrix(rows.length, rows[0].length);
  rows.forEach((row, index) => {
    rowOf(matrix, index).set(row);
  });
  return matrix;
}

const column = (values: readonly number[]) => matrixOf(values.map((value) => [value]));
const prepared = (training: Matrix, method: PreparationMethod, later = training) => [
  ...createPreparation(fitPreparation(training, { method, bins: 2 })).apply(later).values,
];

describe('input preparation', () => {
  it('standardises by the mean and deviation of the training rows, and clips', () => {
    const later = column([1, 3, 5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38]);
    const values = prepared(column([1, 5]), 'standardise', later);
    expect(values).toEqual([-1, 0, 1, 8, -8, 8]);
  });

  it('takes signed logarithms before it standardises', () => {
    const training = column([-(Math.E - 1), Math.E - 1]);
    expect(prepared(training, 'signed-log')).toEqual([expect.closeTo(-1, 5), expect.closeTo(1, 5)]);
  });

  it('gives quantile-normal values the mean and deviation of a standard normal, whatever the distribution', () => {
    const prng = createPrng(3);
    const training = column(Array.from({ length: 5000 }, () => Math.exp(4 * prng.nextNormal())));
    const values = prepared(training, 'quantile-normal');
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  it('encodes piecewise-linearly: full bins below the value, the share of its own bin, nothing above', () => {
    const values = prepared(column([0, 10, 20]), 'piecewise-linear', column([-5, 0, 5, 10, 15, 20, 99]));
    expect(values).toEqual([0, 0, 0, 0, 0.5, 0, 1, 0, 1, 0.5, 1, 1, 1, 1]);
  });

  it('reads a missing value as the median and says so in a further output', () => {
    const training = matrixOf([
      [1, 4],
      [Number.NaN, 5],
      [3, 6],
      [9, 6],
    ]);
    const preparation = createPreparation(fitPreparation(training, { method: 'standardise' }));
    const { values } = preparation.apply(
      matrixOf([
        [Number.NaN, 5],
        [3, Number.NaN],
      ]),
    );
    expect([...preparation.sourceColumns]).toEqual([0, 1, 0]);
    expect(values[0]).toBe(values[3]);
    expect([values[2], values[5]]).toEqual([1, 0]);
  });

  it('turns category codes into codes by frequency, and unknown ones into 0', () => {
    const training = matrixOf([5411, 5411, 7995, 5411, 7995, 6011].map((code) => [code]));
    const plan = fitPreparation(training, { categorical: [0], maxCategories: 2 });
    const preparation = createPreparation(plan);
    expect([...preparation.apply(column([5411, 7995, 6011, 1, Number.NaN])).values]).toEqual([1, 2, 0, 0, 0]);
    expect(preparation.categorical).toEqual([{ column: 0, categories: 3 }]);
  });

  it.each(METHODS)('gives columns that never varied no influence (%s)', (method) => {
    const training = matrixOf([
      [7, Number.NaN, 1],
      [7, Number.NaN, 2],
      [7, Number.NaN, 3],
    ]);
    const preparation = createPreparation(fitPreparation(training, { method }));
    const likeTraining = preparation.apply(matrixOf([[7, Number.NaN, 2]])).values;
    expect(preparation.apply(matrixOf([[-1e9, 5, 2]])).values).toEqual(likeTraining);
    expect(preparation.apply(matrixOf([[Number.NaN, Number.POSITIVE_INFINITY, 2]])).values).toEqual(likeTraining);
  });

  it.each(METHODS)(
    'gives finite values that rise with the input, one row alone as in a batch, after JSON too (%s)',
    (method) => {
      const value = fc.oneof(fc.float(), fc.constantFrom(0, -0, 3.4e38, -3.4e38, 1e-45));
      fc.assert(
        fc.property(
          fc.array(value, { minLength: 1, maxLength: 40 }),
          fc.array(value, { minLength: 1 }),
          (seen, later) => {
            const plan = fitPreparation(column(seen), { method, quantiles: 8, bins: 4 });
            const preparation = createPreparation(plan);
            const ascending = Float32Array.from(later.filter((x) => !Number.isNaN(x))).sort();
            const batch = preparation.apply({ rows: ascending.length, columns: 1, values: ascending });
            const reloaded = createPreparation(JSON.parse(JSON.stringify(plan)));
            const single = new Float32Array(preparation.outputs);
            for (let row = 0; row < batch.rows; row++) {
              reloaded.applyRow(ascending.subarray(row, row + 1), single, 0);
              expect(single).toEqual(rowOf(batch, row));
              expect(single.every(Number.isFinite)).toBe(true);
              const before = row === 0 ? single : rowOf(batch, row - 1);
              for (let i = 0; i < single.length; i++) expect(single[i]).toBeGreaterThanOrEqual(before[i]);
            }
          },
        ),
        // A mean that rounds to −0, which JSON stores as 0.
        { numRuns: 200, examples: [[[-2.802596928649634e-45, 0, 0, 0], [-0]]] },
      );
    },
  );

  it('refuses a damaged plan and options out of range', () => {
    expect(() => fitPreparation(column([1, 2]), { bins: 1 })).toThrow(/bins/);
    expect(() => fitPreparation(column([1, 2]), { categorical: [1] })).toThrow(/categorical column 1/);
    expect(() => createPreparation({ columns: [{ kind: 'bins', median: 0, edges: [2, 1] }], indicators: [] })).toThrow(
      /damaged: column 0/,
    );
  });
});

describe('the normal quantile', () => {
  it('agrees with published values', () => {
    // scipy.stats.norm.ppf
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 8);
    expect(normalQuantile(0.999)).toBeCloseTo(3.090232306167813, 8);
  });
});
