// ADBench's protocol for tables without time (Han and others, "ADBench: Anomaly Detection Benchmark", NeurIPS 2022):
// large sets sampled, small ones bootstrapped, 70 % to train and 30 % to test by class, columns scaled to [0, 1].
//
// The rows of a seed are those of the paper's program (NumPy's generator, scikit-learn's stratified split), so that a
// difference from a published figure is the detector's and not the draw's.
import { createMatrix, type Matrix } from '../../models/matrix.ts';
import type { Fold } from './fold.ts';
import { createNumpyRandom, type NumpyRandom } from './numpy-random.ts';

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
  const random = createNumpyRandom(seed);
  const rows = resampled(labels.length, random);
  const classes = [0, 1].map((label) => rows.filter((row) => labels[row] === label));
  const testRows = Math.ceil(rows.length * TEST_SHARE);
  const trainCounts = sharedOut(countsOf(classes), rows.length - testRows, random);
  const left = trainCounts.map((count, each) => classes[each].length - count);
  const testCounts = sharedOut(left, testRows, random);
  const train: number[] = [];
  const test: number[] = [];
  classes.forEach((ofClass, each) => {
    const drawn = random.permutation(ofClass);
    train.push(...drawn.subarray(0, trainCounts[each]));
    test.push(...drawn.subarray(trainCounts[each], trainCounts[each] + testCounts[each]));
  });
  return {
    train: random.permutation(Uint32Array.from(train)),
    test: random.permutation(Uint32Array.from(test)),
    testDays: new Int32Array(test.length),
  };
}

function countsOf(classes: readonly Uint32Array[]): number[] {
  return classes.map(({ length }) => length);
}

/** Between 1,000 and 10,000 row indices: drawn with replacement from fewer, without from more. */
function resampled(rows: number, random: NumpyRandom): Uint32Array {
  if (rows < FEWEST_ROWS) return Uint32Array.from({ length: FEWEST_ROWS }, () => random.nextUpTo(rows - 1));
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return rows > MOST_ROWS ? random.permutation(all).slice(0, MOST_ROWS) : all;
}

/** `total` in the proportions of the counts, in whole numbers: greatest remainders first, equal ones by lot. */
function sharedOut(counts: readonly number[], total: number, random: NumpyRandom): number[] {
  const sum = counts.reduce((a, b) => a + b, 0);
  const exact = counts.map((count) => (count / sum) * total);
  const shares = exact.map(Math.floor);
  const remainders = exact.map((share, each) => share - shares[each]);
  let missing = total - shares.reduce((a, b) => a + b, 0);
  for (const remainder of [...new Set(remainders)].sort((a, b) => b - a)) {
    const equal = Uint32Array.from(remainders.keys()).filter((each) => remainders[each] === remainder);
    const drawn = missing > 0 ? random.permutation(equal).subarray(0, missing) : [];
    for (const each of drawn) shares[each] += 1;
    missing -= drawn.length;
  }
  return shares;
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
