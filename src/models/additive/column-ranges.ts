// What unsupervised detectors by distance or density see of a row: the columns that vary, between 0 and 1 on the
// training rows, nothing missing and nothing infinite.
//
// A missing value becomes the training median: unusual is what is seen, not what is not. A value may lie a thousand
// ranges outside the training rows before it is cut off, so that no square of it overflows.
import { createMatrix, type Matrix } from '../matrix.ts';

export interface ColumnRange {
  readonly column: number;
  readonly least: number;
  /** > 0 */
  readonly range: number;
  /** Scaled as values are. */
  readonly median: number;
}

export interface ColumnRanges {
  /** Columns of the matrix. */
  readonly columns: number;
  /** Those that vary on the training rows, ascending. */
  readonly varying: readonly ColumnRange[];
}

export const LIMIT_RANGES = 1000;

export function fitColumnRanges(matrix: Matrix): ColumnRanges {
  const varying: ColumnRange[] = [];
  for (let column = 0; column < matrix.columns; column++) {
    const finite = new Float32Array(matrix.rows);
    let count = 0;
    for (let at = column; at < matrix.values.length; at += matrix.columns) {
      if (Number.isFinite(matrix.values[at])) finite[count++] = matrix.values[at];
    }
    const sorted = finite.subarray(0, count).sort();
    const range = count === 0 ? 0 : sorted[count - 1] - sorted[0];
    if (range > 0) {
      varying.push({ column, least: sorted[0], range, median: (sorted[count >> 1] - sorted[0]) / range });
    }
  }
  return { columns: matrix.columns, varying };
}

/** @param row where in `values` the row begins @param scaled one number per varying column, written */
export function scaleRow({ varying }: ColumnRanges, values: Float32Array, row: number, scaled: Float64Array): void {
  for (let i = 0; i < varying.length; i++) {
    const { column, least, range, median } = varying[i];
    const value = (values[row + column] - least) / range;
    const bounded = Number.isNaN(value) ? median : Math.max(-LIMIT_RANGES, Math.min(1 + LIMIT_RANGES, value));
    // To the precision of the scaled training rows: a value that was learned from must be equal to itself.
    scaled[i] = Math.fround(bounded);
  }
}

export function scaleMatrix(ranges: ColumnRanges, matrix: Matrix): Matrix {
  const scaled = createMatrix(matrix.rows, ranges.varying.length);
  const row = new Float64Array(ranges.varying.length);
  for (let i = 0; i < matrix.rows; i++) {
    scaleRow(ranges, matrix.values, i * matrix.columns, row);
    scaled.values.set(row, i * row.length);
  }
  return scaled;
}
