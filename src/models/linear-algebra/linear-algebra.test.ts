import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cholesky, inverseOf, logDeterminant, squaredNorm } from './cholesky.ts';
import { allRows, momentsOf } from './covariance.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

const SIZE = 5;

/** B·Bᵀ + I, symmetric and positive definite. */
const positiveDefinite = fc
  .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: SIZE * SIZE, maxLength: SIZE * SIZE })
  .map((b) => {
    const matrix = new Float64Array(SIZE * SIZE);
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j < SIZE; j++) {
        matrix[i * SIZE + j] = i === j ? 1 : 0;
        for (let k = 0; k < SIZE; k++) matrix[i * SIZE + j] += b[i * SIZE + k] * b[j * SIZE + k];
      }
    }
    return matrix;
  });

function product(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(SIZE * SIZE);
  for (let i = 0; i < SIZE; i++) {
    for (let j = 0; j < SIZE; j++) {
      for (let k = 0; k < SIZE; k++) result[i * SIZE + j] += a[i * SIZE + k] * b[k * SIZE + j];
    }
  }
  return result;
}

const transposed = (a: Float64Array) => a.map((_, at) => a[(at % SIZE) * SIZE + Math.floor(at / SIZE)]);
const identity = new Float64Array(SIZE * SIZE).map((_, at) => Number(at % (SIZE + 1) === 0));

function expectClose(a: Float64Array, b: Float64Array): void {
  const scale = Math.max(1, ...b.map(Math.abs));
  a.forEach((value, at) => {
    expect(Math.abs(value - b[at])).toBeLessThan(1e-9 * scale);
  });
}

describe("Cholesky's decomposition", () => {
  it('is a lower triangle whose square is the matrix', () => {
    fc.assert(
      fc.property(positiveDefinite, (matrix) => {
        const lower = cholesky(matrix, SIZE)!;
        expect(lower.every((value, at) => at % SIZE <= Math.floor(at / SIZE) || value === 0)).toBe(true);
        expectClose(product(lower, transposed(lower)), matrix);
      }),
    );
  });

  it('gives the inverse, the determinant and the norm by the inverse', () => {
    fc.assert(
      fc.property(positiveDefinite, (matrix) => {
        const lower = cholesky(matrix, SIZE)!;
        const inverse = inverseOf(lower, SIZE);
        expectClose(product(matrix, inverse), identity);
        const logOfEigenvalues = symmetricEigen(matrix, SIZE).values.reduce((sum, value) => sum + Math.log(value), 0);
        expect(logDeterminant(lower, SIZE)).toBeCloseTo(logOfEigenvalues, 8);
        const x = Float64Array.from({ length: SIZE }, (_, i) => i - 1.5);
        let norm = 0;
        for (let i = 0; i < SIZE; i++) for (let j = 0; j < SIZE; j++) norm += x[i] * inverse[i * SIZE + j] * x[j];
        expect(squaredNorm(lower, SIZE, x, new Float64Array(SIZE))).toBeCloseTo(norm, 8);
      }),
    );
  });

  it('is refused to a matrix that is not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBeNull();
    expect(cholesky(Float64Array.of(1, 1, 1, 1), 2)).toBeNull();
  });
});

describe('eigenvectors of a symmetric matrix', () => {
  it('are orthonormal, in order of their values, and rebuild the matrix', () => {
    fc.assert(
      fc.property(positiveDefinite, (matrix) => {
        const { values, vectors } = symmetricEigen(matrix, SIZE);
        expect([...values]).toEqual([...values].sort((a, b) => b - a));
        expectClose(product(vectors, transposed(vectors)), identity);
        const scaled = vectors.map((value, at) => value * values[Math.floor(at / SIZE)]);
        expectClose(product(transposed(vectors), scaled), matrix);
      }),
    );
  });

  it('are those of a matrix that is known: 1 and 3 of (2 1; 1 2)', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect([...values]).toEqual([3, 1].map((value) => expect.closeTo(value, 12)));
    expect([...vectors].map(Math.abs)).toEqual(Array(4).fill(expect.closeTo(Math.SQRT1_2, 12)));
  });
});

describe('moments', () => {
  it('of some rows are their mean and their covariance, divided by their number', () => {
    const matrix = { rows: 4, columns: 2, values: Float32Array.of(1, 2, 100, 100, 3, 6, 5, 1) };
    const { mean, covariance } = momentsOf(matrix, Uint32Array.of(0, 2, 3));
    expect([...mean]).toEqual([3, 3]);
    expect([...covariance]).toEqual([8 / 3, -2 / 3, -2 / 3, 14 / 3].map((value) => expect.closeTo(value, 12)));
    expect(momentsOf(matrix, allRows(matrix)).mean[0]).toBe(27.25);
  });
});
