import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { allRows, type Moments, momentsOf } from '../linear-algebra/covariance.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { fastMcd } from './fast-mcd.ts';

/** Two columns that go together; the first `outliers` rows lie far off, in one place. */
function contaminated(rows: number, outliers: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, 2);
  for (let row = 0; row < rows; row++) {
    const a = prng.nextNormal();
    const b = 0.8 * a + 0.6 * prng.nextNormal();
    rowOf(matrix, row).set(row < outliers ? [8 + 0.1 * a, -8 + 0.1 * b] : [a, b]);
  }
  return matrix;
}

function correlation({ covariance }: Moments): number {
  return covariance[1] / Math.sqrt(covariance[0] * covariance[3]);
}

describe('the minimum covariance determinant', () => {
  it.each([1, 2, 3, 4])('finds centre and correlation although 40 %% of the rows are elsewhere (seed %i)', (seed) => {
    const matrix = contaminated(1000, 400, seed);
    const plain = momentsOf(matrix, allRows(matrix));
    expect(plain.mean[0]).toBeGreaterThan(3);
    expect(correlation(plain)).toBeLessThan(-0.9);
    const robust = fastMcd(matrix, seed);
    expect(Math.abs(robust.mean[0])).toBeLessThan(0.15);
    expect(Math.abs(robust.mean[1])).toBeLessThan(0.15);
    expect(correlation(robust)).toBeCloseTo(0.8, 1);
  });

  it('is near the plain estimate where no row lies off', () => {
    const matrix = contaminated(4000, 0, 9);
    const plain = momentsOf(matrix, allRows(matrix));
    const robust = fastMcd(matrix, 9);
    robust.mean.forEach((mean, i) => {
      expect(mean).toBeCloseTo(plain.mean[i], 1);
    });
    expect(correlation(robust)).toBeCloseTo(correlation(plain), 1);
    // 2.5 % of the rows are left out as not ordinary, which takes some of the variance.
    expect(robust.covariance[0] / plain.covariance[0]).toBeGreaterThan(0.75);
    expect(robust.covariance[0] / plain.covariance[0]).toBeLessThan(1.02);
  });

  it('does not depend on the units of a column', () => {
    const matrix = contaminated(500, 100, 5);
    const scaled = { ...matrix, values: matrix.values.map((value, at) => (at % 2 === 0 ? value * 1024 : value)) };
    const a = fastMcd(matrix, 5);
    const b = fastMcd(scaled, 5);
    expect(b.mean[0] / 1024).toBeCloseTo(a.mean[0], 9);
    expect(b.covariance[1] / 1024).toBeCloseTo(a.covariance[1], 9);
  });

  it('takes a column that is constant in most rows', () => {
    const matrix = contaminated(300, 0, 6);
    for (let row = 0; row < matrix.rows; row++) rowOf(matrix, row)[1] = Number(row === 7);
    const { mean, covariance } = fastMcd(matrix, 6);
    expect([...mean, ...covariance].every(Number.isFinite)).toBe(true);
    expect(covariance[3]).toBeGreaterThan(0);
  });
});
