// ADBench's protocol for tables without time (Han and others, "ADBench: Anomaly Detection Benchmark", NeurIPS 2022):
// large sets sampled, small ones bootstrapped, 70 % to train and 30 % to test by class, columns scaled to [0, 1].
import { createPrng, type Prng } from '../../lib/prng.ts';
import { createMatrix, type Matrix } from '../../models/matrix.ts';
import type { Fold } from './fold.ts';

/** The seeds over which ADBench's figures are averaged. */
export const ADBENCH_SEEDS: readonly number[] = [1, 2, 3];

const MOST_ROWS = 10_000;
const FEWEST_ROWS = 1_000;
const TEST_SHARE = 0.3;

/**
 * Rows to train and to test on. A bootstrapped set names rows more than once, as ADBench does.
 *
 * @param labels 1 anomaly, 0 normal.
 * @throws if there are no rows.
 */
export function adbenchSplit(labels: Uint8Array, seed: number): Fold {
  if (labels.length === 0) throw new Error('no rows to split');
  const prng = createPrng(seed);
  const rows = shuffled(resampled(labels.length, prng), prng);
  const train: number[] = [];
  const test: number[] = [];
  for (const label of [0, 1]) {
    const ofClass = rows.filter((row) => labels[row] === label);
    const testRows = Math.round(ofClass.length * TEST_SHARE);
    test.push(...ofClass.subarray(0, testRows));
    train.push(...ofClass.subarray(testRows));
  }
  return { train: Uint32Array.from(train), test: Uint32Array.from(test), testDays: new Int32Array(test.length) };
}

/** Between 1,000 and 10,000 row indices: drawn with replacement from fewer, without from more. */
function resampled(rows: number, prng: Prng): Uint32Array {
  if (rows < FEWEST_ROWS) return Uint32Array.from({ length: FEWEST_ROWS }, () => prng.nextBelow(rows));
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return rows > MOST_ROWS ? shuffled(all, prng).slice(0, MOST_ROWS) : all;
}

/** Fisher and Yates's shuffle of a copy. */
function shuffled(rows: Uint32Array, prng: Prng): Uint32Array {
  const copy = rows.slice();
  for (let last = copy.length - 1; last > 0; last--) {
    const other = prng.nextBelow(last + 1);
    const row = copy[last];
    copy[last] = copy[other];
    copy[other] = row;
  }
  return copy;
}

/**
 * Scales each column so that the training rows fill [0, 1]; test rows may lie outside. A constant column becomes 0 on the
 * training rows; missing values stay missing.
 */
export function scaleMinMax(train: Matrix, test: Matrix): { readonly train: Matrix; readonly test: Matrix } {
  const least = new Float64Array(train.columns).fill(Number.POSITIVE_INFINITY);
  const greatest = new Float64Array(train.columns).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < train.values.length; i++) {
    const column = i % train.columns;
    const value = train.values[i];
    if (value < least[column]) least[column] = value;
    if (value > greatest[column]) greatest[column] = value;
  }
  const scale = (matrix: Matrix): Matrix => {
    const scaled = createMatrix(matrix.rows, matrix.columns);
    for (let i = 0; i < scaled.values.length; i++) {
      const column = i % matrix.columns;
      const range = greatest[column] - least[column];
      scaled.values[i] = (matrix.values[i] - least[column]) / (range > 0 ? range : 1);
    }
    return scaled;
  };
  return { train: scale(train), test: scale(test) };
}
