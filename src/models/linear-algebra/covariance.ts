// Mean and covariance of some rows of a matrix.
import type { Matrix } from '../matrix.ts';

export interface Moments {
  readonly mean: Float64Array;
  /** columns × columns, row-major, divided by the number of rows. */
  readonly covariance: Float64Array;
}

/** @param rows which rows; at least one */
export function momentsOf({ columns, values }: Matrix, rows: Uint32Array): Moments {
  const mean = new Float64Array(columns);
  for (const row of rows) for (let i = 0; i < columns; i++) mean[i] += values[row * columns + i];
  for (let i = 0; i < columns; i++) mean[i] /= rows.length;
  const covariance = new Float64Array(columns * columns);
  const centred = new Float64Array(columns);
  for (const row of rows) {
    for (let i = 0; i < columns; i++) centred[i] = values[row * columns + i] - mean[i];
    for (let i = 0; i < columns; i++) {
      const ci = centred[i];
      if (ci === 0) continue;
      for (let j = 0; j <= i; j++) covariance[i * columns + j] += ci * centred[j];
    }
  }
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * columns + j] /= rows.length;
      covariance[j * columns + i] = covariance[i * columns + j];
    }
  }
  return { mean, covariance };
}

export function allRows(matrix: Matrix): Uint32Array {
  return Uint32Array.from({ length: matrix.rows }, (_, row) => row);
}
