// Detectors that come from a paper with a well-known program, beside that program's figures: PyOD 1.1.3 on the rows below.
import { describe, expect, it } from 'vitest';
import { copod } from '../../src/models/copod/copod.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import { ecod } from '../../src/models/ecod/ecod.ts';
import { hbos } from '../../src/models/hbos/hbos.ts';
import { knn } from '../../src/models/knn/knn.ts';
import type { Matrix } from '../../src/models/matrix.ts';
import { pca } from '../../src/models/pca/pca.ts';

/** Columns already in [0, 1]: a normal-looking pair that goes together, and eighths, most of them 0. */
const TRAINING = [
  [0, 0, 0, 1, 1, 1, 0.976, 0.588, 0.125, 0.435, 0.573, 0.125, 0.863, 0.911, 0.125, 0.597, 0.362, 0, 0.044, 0.409, 0],
  [0.949, 0.884, 0, 0.173, 0.134, 0, 0.168, 0.394, 0.125, 0.528, 0.692, 0, 0.108, 0.128, 0.125, 0.524, 0.57, 0.125],
  [0.65, 0.549, 0, 0.767, 0.532, 0, 0.503, 0.577, 0, 0.555, 0.583, 0.5, 0.363, 0.473, 0.125, 0.498, 0.372, 0],
  [0.432, 0.591, 0, 0.905, 0.705, 0.25, 0.572, 0.681, 0.125, 0.596, 0.392, 0.125, 0.245, 0.44, 0.125, 0.515, 0.551, 0],
  [0.54, 0.376, 0.375, 0.364, 0.526, 0.125, 0.11, 0.34, 0, 0.572, 0.681, 0, 0.81, 0.69, 0.125, 0.667, 0.46, 0.125],
  [0.866, 0.66, 0, 0.473, 0.441, 0, 0.437, 0.367, 0.25, 0.419, 0.612, 0, 0.624, 0.408, 0.25, 0.679, 0.738, 0.125],
  [0.059, 0.28, 0, 0.76, 0.774, 0.125, 0.944, 0.636, 0],
].flat();
/** Ordinary, against the grain, just outside, far outside, rare in one column, off the bars. */
const UNSEEN = [
  [0.5, 0.5, 0.125, 0.9, 0.1, 0, 1.04, -0.04, 0.625],
  [3, -2, 0.3, 0.013, 0.77, 1, 0.25, 0.26, 0.25],
].flat();

const COLUMNS = 3;
const training = matrixOf(TRAINING);
const unseen = matrixOf(UNSEEN);
const data = { matrix: training, features: ['a', 'b', 'c'], labels: null, validation: null };

describe("raw scores beside PyOD's", () => {
  // Rows without a value on the edge of two bars: PyOD counts it into the upper bar and scores it by the lower one.
  it('hbos: the same up to the constant that makes its terms positive', () => {
    const pyod = [4.403541860441013, 4.543719518489275, 1.9835036801038033, 3.2636115992965404];
    const own = rawScores(hbos.fit(data, {}, 1), unseen).slice(2);
    const unit = (own[1] - own[2]) / (pyod[1] - pyod[2]);
    expect(unit).toBeGreaterThan(0);
    expect(own.map((score) => (score - own[0]) / unit)).toEqual(pyod.map((figure) => near(figure - pyod[0])));
  });

  it('knn: distances to the fifth nearest row', () => {
    expectProportional(
      rawScores(knn.fit(data, {}, 1), unseen),
      [
        0.13963523566141742, 0.4832597377341674, 0.7994554285227068, 3.389293871354703, 0.9648968802587182,
        0.2715934480729739,
      ],
    );
  });

  it('pca: distances from the axes by their share of the variance', () => {
    expectProportional(
      rawScores(pca.fit(data, {}, 1), unseen),
      [
        18.622446915743478, 37.8726659215257, 70.8596832405682, 276.1867690723842, 104.31700019508202,
        35.63741305282026,
      ],
    );
  });

  // PyOD counts the scored rows among the reference rows: on its own training rows the shares are k ÷ n. Here a share is
  // (k + 1) ÷ (n + 1), which is never 0 for a new row. The plain definition stands between the two.
  it('ecod: the smaller tail of each feature', () => {
    const plain = (left: number, right: number) => Math.max(left, right);
    expect(plainScores(plain, 0).slice(0, 5)).toEqual(
      [8.122199383175369, 11.06663836234181, 4.620918542956231, 2.5667948092606845, 5.383058595003127].map(near),
    );
    expectProportional(rawScores(ecod.fit(data, {}, 1), training), plainScores(plain, 1));
  });

  it('copod: the tail to which a feature is skewed, or the mean of both', () => {
    const plain = (left: number, right: number, skewness: number) =>
      Math.max(skewness < 0 ? left : right, (left + right) / 2);
    expect(plainScores(plain, 0).slice(0, 5)).toEqual(
      [7.74997914570162, 7.3777589082278725, 2.8606881417117442, 2.444233580244192, 3.1076261744378524].map(near),
    );
    expectProportional(rawScores(copod.fit(data, {}, 1), training), plainScores(plain, 1));
  });
});

function matrixOf(values: readonly number[]): Matrix {
  return { rows: values.length / COLUMNS, columns: COLUMNS, values: Float32Array.from(values) };
}

/** In the detector's own unit, which is a multiple of the paper's. */
function rawScores(detector: FittedDetector, { rows, values }: Matrix): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const { base, contributions } = detector.explain(values.slice(row * COLUMNS, (row + 1) * COLUMNS));
    return contributions.reduce((sum, contribution) => sum + contribution, base);
  });
}

function expectProportional(own: readonly number[], figures: readonly number[]): void {
  expect(own.length).toBe(figures.length);
  const unit = own[0] / figures[0];
  expect(own.map((score) => score / unit)).toEqual(figures.map(near));
}

function near(figure: number): unknown {
  return expect.closeTo(figure, 5);
}

/** Scores of the training rows by counting, with `extra` rows counted besides those that there are. */
function plainScores(term: (left: number, right: number, skewness: number) => number, extra: number): number[] {
  const columns = Array.from({ length: COLUMNS }, (_, i) => [...training.values].filter((_, at) => at % COLUMNS === i));
  return Array.from({ length: training.rows }, (_, row) =>
    columns.reduce((sum, column) => {
      const minusLog = (count: number) => -Math.log((count + extra) / (column.length + extra));
      const left = minusLog(column.filter((value) => value <= column[row]).length);
      const right = minusLog(column.filter((value) => value >= column[row]).length);
      const mean = column.reduce((a, b) => a + b, 0) / column.length;
      return sum + term(left, right, Math.sign(column.reduce((total, value) => total + (value - mean) ** 3, 0)));
    }, 0),
  );
}
