// Empirical tail probabilities of each feature, the common ground of ECOD and COPOD.
import type { Matrix } from '../matrix.ts';
import type { Learned } from './additive-detector.ts';

/** More values than this say nothing new about a tail that is measured in parts per thousand. */
const MAX_VALUES = 8192;

/** Per feature: sorted values (`values`, columns × `count`) and the skewness (`skewness`, by columns). */
export function learnTails({ rows, columns, values }: Matrix): Learned {
  const count = Math.min(rows, MAX_VALUES);
  const sorted = new Float64Array(columns * count);
  const skewness = new Float64Array(columns);
  const column = new Float64Array(rows);
  for (let i = 0; i < columns; i++) {
    for (let row = 0; row < rows; row++) column[row] = values[row * columns + i];
    skewness[i] = skewnessOf(column);
    column.sort();
    for (let k = 0; k < count; k++) {
      // Evenly spaced ranks, the extremes among them.
      sorted[i * count + k] = column[count === 1 ? 0 : Math.round((k * (rows - 1)) / (count - 1))];
    }
  }
  return { numbers: { values: sorted, skewness } };
}

/** −log of the share of values ≤ x and ≥ x, never of 0: one more row than there are is counted, as if x were among them. */
export function tailLogs(sorted: Float64Array, from: number, count: number, x: number, logs: Float64Array): void {
  logs[0] = -Math.log((upperBound(sorted, from, count, x) - from + 1) / (count + 1));
  logs[1] = -Math.log((from + count - lowerBound(sorted, from, count, x) + 1) / (count + 1));
}

function lowerBound(sorted: Float64Array, from: number, count: number, x: number): number {
  let low = from;
  let high = from + count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function upperBound(sorted: Float64Array, from: number, count: number, x: number): number {
  let low = from;
  let high = from + count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function skewnessOf(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value;
  mean /= values.length;
  let second = 0;
  let third = 0;
  for (const value of values) {
    second += (value - mean) ** 2;
    third += (value - mean) ** 3;
  }
  return third / values.length / (second / values.length) ** 1.5;
}
