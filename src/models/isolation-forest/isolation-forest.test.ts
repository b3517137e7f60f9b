import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import type { TrainingData } from '../detector.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { averagePathLength } from './forest.ts';
import { isolationForest } from './isolation-forest.ts';

function normalMatrix(rows: number, columns: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, columns);
  for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = prng.nextNormal();
  return matrix;
}

function training(matrix: Matrix): TrainingData {
  const features = Array.from({ length: matrix.columns }, (_, column) => `column_${column}`);
  return { matrix, features, labels: null, validation: null };
}

function rawScore(explanation: { base: number; contributions: Float64Array }): number {
  return explanation.contributions.reduce((sum, value) => sum + value, explanation.base);
}

describe('averagePathLength', () => {
  it('is the mean depth of an unsuccessful search (values by sklearn.ensemble._iforest._average_path_length)', () => {
    const values = [1, 2, 5, 256, 1000].map(averagePathLength);
    const expected = [0, 1, 2.32702, 10.244770920116851, 12.969940887100174];
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  });
});

describe.each([0, 1, 4])('isolation forest, extension level %i', (extensionLevel) => {
  const matrix = normalMatrix(2000, 5, 7);
  const detector = isolationForest.fit(training(matrix), { extensionLevel }, 1);

  it('ranks far rows above all ordinary ones and stays in [0, 1]', () => {
    const far = createMatrix(2, 5);
    far.values.set([9, 9, -9, 9, 9], 0);
    const [outlier, centre] = detector.score(far);
    const ordinary = detector.score(matrix);
    expect(outlier).toBeGreaterThan(Math.max(...ordinary));
    expect(centre).toBeLessThan(0.5);
    expect(outlier).toBeLessThanOrEqual(1);
  });

  it('gives the same bits for the same seed, after save and load, and row by row', () => {
    const expected = detector.score(matrix);
    expect(isolationForest.fit(training(matrix), { extensionLevel }, 1).score(matrix)).toEqual(expected);
    expect(isolationForest.fit(training(matrix), { extensionLevel }, 2).score(matrix)).not.toEqual(expected);
    expect(isolationForest.load(detector.save()).score(matrix)).toEqual(expected);
    for (let row = 0; row < 20; row++) {
      expect(detector.score({ rows: 1, columns: 5, values: rowOf(matrix, row) })[0]).toBe(expected[row]);
    }
  });

  it('explains: contributions add up to log2 of the score', () => {
    const scores = detector.score(matrix);
    for (let row = 0; row < 50; row++) {
      expect(2 ** rawScore(detector.explain(rowOf(matrix, row)))).toBeCloseTo(scores[row], 6);
    }
  });

  it('explains: the column that is off contributes most', () => {
    for (let column = 0; column < 5; column++) {
      const row = new Float32Array(5);
      row[column] = 8;
      const { contributions } = detector.explain(row);
      expect(contributions.indexOf(Math.max(...contributions))).toBe(column);
      expect(contributions[column]).toBeGreaterThan(0);
    }
  });

  it('reads missing values as the median and infinities as far out', () => {
    const scores = detector.score({
      rows: 3,
      columns: 5,
      values: Float32Array.of(
        ...[Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN],
        ...[Number.POSITIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY, 0],
        ...[0, 0, 0, 0, 0],
      ),
    });
    expect(scores[0]).toBeCloseTo(scores[2], 1);
    expect(scores[1]).toBeGreaterThan(scores[2] + 0.1);
  });
});
