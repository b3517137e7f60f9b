// What a forest does with a missing or infinite value.
//
// A missing value is read as the column's median at fit: not knowing is no evidence of an anomaly. Infinities are
// clamped to the greatest finite float32, beyond every threshold but safe in the sums of oblique splits.
import type { Prng } from '../../lib/prng.ts';
import type { Matrix } from '../matrix.ts';

const MAX_FLOAT32 = 3.4028234663852886e38;

/** Keeps slopes (normal ÷ deviation) far from the limits of float32. */
const LEAST_DEVIATION = 1e-30;

/** Medians and spreads are taken from this many rows at most, drawn by the seed. */
const SUMMARY_ROWS = 2048;

export interface ColumnSummary {
  /** Median of the values that are present, 0 where none is. */
  readonly medians: Float32Array;
  /** Standard deviation with missing values read as the median; 1 where it is 0 or too small to divide by. */
  readonly deviations: Float64Array;
}

export function cleanValue(value: number, median: number): number {
  if (value > MAX_FLOAT32) return MAX_FLOAT32;
  if (value < -MAX_FLOAT32) return -MAX_FLOAT32;
  return Number.isNaN(value) ? median : value;
}

/** `count` distinct rows of `[0, rows)`, all of them in order where there are no more (Floyd's sampling). */
export function drawRows(rows: number, count: number, prng: Prng): Uint32Array {
  if (count >= rows) return Uint32Array.from({ length: rows }, (_, row) => row);
  const chosen = new Set<number>();
  for (let last = rows - count; last < rows; last++) {
    const row = prng.nextBelow(last + 1);
    chosen.add(chosen.has(row) ? last : row);
  }
  return Uint32Array.from(chosen);
}

export function summariseColumns(matrix: Matrix, prng: Prng): ColumnSummary {
  const rows = drawRows(matrix.rows, SUMMARY_ROWS, prng);
  const medians = new Float32Array(matrix.columns);
  const deviations = new Float64Array(matrix.columns);
  const present = new Float32Array(rows.length);
  for (let column = 0; column < matrix.columns; column++) {
    let count = 0;
    for (const row of rows) {
      const value = cleanValue(matrix.values[row * matrix.columns + column], Number.NaN);
      if (!Number.isNaN(value)) present[count++] = value;
    }
    if (count > 0) medians[column] = present.subarray(0, count).sort()[count >> 1];
    deviations[column] = standardDeviation(present.subarray(0, count), medians[column], rows.length);
  }
  return { medians, deviations };
}

function standardDeviation(present: Float32Array, median: number, rows: number): number {
  let sum = 0;
  let squares = 0;
  for (const value of present) {
    const distance = value - median;
    sum += distance;
    squares += distance * distance;
  }
  const mean = sum / rows;
  const variance = squares / rows - mean * mean;
  const deviation = Math.sqrt(Math.max(0, variance));
  return deviation > LEAST_DEVIATION ? deviation : 1;
}
