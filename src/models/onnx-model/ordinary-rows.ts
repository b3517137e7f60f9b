// What is ordinary in each column of the training rows.
import type { Matrix } from '../matrix.ts';

/** One number per column; 0 where the training rows hold none. */
export interface OrdinaryRows {
  readonly medians: Float32Array;
  readonly least: Float32Array;
  readonly greatest: Float32Array;
}

export function summariseRows({ rows, columns, values }: Matrix): OrdinaryRows {
  const medians = new Float32Array(columns);
  const least = new Float32Array(columns);
  const greatest = new Float32Array(columns);
  const present = new Float32Array(rows);
  for (let column = 0; column < columns; column++) {
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const value = values[row * columns + column];
      if (Number.isFinite(value)) present[count++] = value;
    }
    if (count === 0) continue;
    const sorted = present.subarray(0, count).sort();
    medians[column] = sorted[count >> 1];
    least[column] = sorted[0];
    greatest[column] = sorted[count - 1];
  }
  return { medians, least, greatest };
}
