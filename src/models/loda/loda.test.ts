import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix, type Matrix, rowOf, sliceRows } from '../matrix.ts';
import { fitHistogram } from './histogram.ts';
import { loda } from './loda.ts';

const COLUMNS = 9;

function normalRows(rows: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, COLUMNS);
  for (let at = 0; at < matrix.values.length; at++) matrix.values[at] = prng.nextNormal();
  return matrix;
}

const fitted = (matrix: Matrix, options = {}) => {
  const features = Array.from({ length: COLUMNS }, (_, i) => `f${i}`);
  return loda.fit({ matrix, features, labels: null, validation: null }, options, 3);
};

describe('histograms', () => {
  it('of evenly spread values have one bin, of values in two heaps several', () => {
    const prng = createPrng(1);
    const even = Float64Array.from({ length: 2000 }, () => prng.nextFloat());
    expect(fitHistogram(even).counts.length).toBe(1);
    const heaps = even.map((value, i) => value + (i % 2) * 5);
    const { least, range, counts } = fitHistogram(heaps);
    expect(counts.length).toBeGreaterThan(4);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(2000);
    expect(counts[counts.length >> 1]).toBe(0);
    expect([least, least + range]).toEqual([Math.min(...heaps), Math.max(...heaps)]);
  });

  it('have more bins where there are more values to tell them', () => {
    const prng = createPrng(2);
    const values = Float64Array.from({ length: 20_000 }, () => prng.nextNormal());
    const few = fitHistogram(values.subarray(0, 200)).counts.length;
    expect(few).toBeGreaterThan(1);
    expect(fitHistogram(values).counts.length).toBeGreaterThan(2 * few);
  });

  it('of one value only have one bin', () => {
    expect(fitHistogram(new Float64Array(5).fill(7))).toEqual({ least: 7, range: 1, counts: Float64Array.of(5) });
  });
});

describe('loda', () => {
  it('with one projection scores by the density of the histogram: the rarer bin the higher', () => {
    const training = normalRows(3000, 4);
    const detector = fitted(training, { projections: 1 });
    const scores = detector.score(training);
    // Rows of one bin share a score; the score falls as the number of rows in the bin rises.
    const rowsOfScore = new Map<number, number>();
    for (const score of scores) rowsOfScore.set(score, (rowsOfScore.get(score) ?? 0) + 1);
    const byScore = [...rowsOfScore].sort(([a], [b]) => a - b).map(([, rows]) => rows);
    expect(byScore.length).toBeGreaterThan(5);
    expect(byScore[0]).toBe(Math.max(...byScore));
    expect(byScore[byScore.length - 1]).toBeLessThan(30);
  });

  it('keeps the order of rows ever farther out', () => {
    const detector = fitted(normalRows(1000, 5));
    const far = createMatrix(3, COLUMNS);
    [6, 60, 600].forEach((distance, row) => {
      rowOf(far, row)[2] = distance;
    });
    const [near, farther, farthest] = detector.score(far);
    expect(near).toBeLessThan(farther);
    expect(farther).toBeLessThan(farthest);
  });

  it('names the feature that is off, whichever it is', () => {
    const detector = fitted(normalRows(1000, 6));
    const unseen = normalRows(COLUMNS, 7);
    for (let column = 0; column < COLUMNS; column++) {
      const row = rowOf(sliceRows(unseen, column, column + 1), 0).map((value) => value / 3);
      row[column] = 12;
      const { contributions } = detector.explain(row);
      expect(contributions.indexOf(Math.max(...contributions))).toBe(column);
    }
  });

  it.each([0, 1001, 2.5])('refuses %d projections', (projections) => {
    expect(() => fitted(normalRows(10, 1), { projections })).toThrow(`projections is ${projections}`);
  });
});
