import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix, type Matrix } from '../matrix.ts';
import { groupRows, meanSilhouette } from './group-rows.ts';
import { kMeans } from './k-means.ts';

/** Normal clouds around (0, 0), (10, 0), (20, 0) … in turn. */
function clouds(count: number, rows: number, spread: number): Matrix {
  const prng = createPrng(3);
  const matrix = createMatrix(rows, 2);
  for (let row = 0; row < rows; row++) {
    matrix.values[2 * row] = 10 * (row % count) + spread * prng.nextNormal();
    matrix.values[2 * row + 1] = spread * prng.nextNormal();
  }
  return matrix;
}

const isPartedBy = (groups: Uint32Array, count: number) =>
  groups.every((group, row) => group === groups[row % count]) && new Set(groups.subarray(0, count)).size === count;

describe('k-means', () => {
  it('finds clouds that lie apart, and their means', () => {
    const { assignment, centres } = kMeans(clouds(5, 500, 0.5), 5, createPrng(1));
    expect(isPartedBy(assignment, 5)).toBe(true);
    const firsts = Array.from({ length: 5 }, (_, centre) => centres.values[2 * centre]).sort((a, b) => a - b);
    firsts.forEach((first, cloud) => {
      expect(Math.abs(first - 10 * cloud)).toBeLessThan(0.2);
    });
  });

  it('does with rows that are all alike', () => {
    expect(kMeans({ rows: 4, columns: 2, values: new Float32Array(8) }, 3, createPrng(1)).inertia).toBe(0);
  });
});

describe('the mean silhouette', () => {
  it('is that of the paper’s formula', () => {
    // Rows at 0, 1 and 5, the last alone: (5 − 1) ÷ 5, (4 − 1) ÷ 4, and 0.
    const distances = Float32Array.of(0, 1, 5, 1, 0, 4, 5, 4, 0);
    expect(meanSilhouette(distances, Uint32Array.of(0, 0, 1), 2)).toBeCloseTo((0.8 + 0.75) / 3, 6);
  });
});

describe('grouping', () => {
  it('finds how many groups there are, the same for the same seed, among more rows than are looked at', () => {
    for (const count of [2, 3, 6]) {
      const groups = groupRows(clouds(count, 1300, 0.5), { mostGroups: 10, seed: 1 })!;
      expect(isPartedBy(groups, count)).toBe(true);
      expect(groupRows(clouds(count, 1300, 0.5), { mostGroups: 10, seed: 1 })).toEqual(groups);
    }
  });

  it('finds none in rows that are all alike, or too few', () => {
    expect(groupRows({ rows: 50, columns: 2, values: new Float32Array(100) }, { mostGroups: 10, seed: 1 })).toBeNull();
    expect(groupRows(clouds(2, 2, 0.5), { mostGroups: 10, seed: 1 })).toBeNull();
  });

  it('finds none in one cloud of many dimensions', () => {
    const prng = createPrng(5);
    const matrix = createMatrix(300, 12);
    for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = prng.nextNormal();
    expect(groupRows(matrix, { mostGroups: 10, seed: 1 })).toBeNull();
  });
});
