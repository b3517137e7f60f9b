// Half-space trees on a stream: each row is scored, then learned.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { type FittedDetector, isOnline, type OnlineDetector, type TrainingData } from '../detector.ts';
import { isolationForest } from '../isolation-forest/isolation-forest.ts';
import { createMatrix, type Matrix, rowOf, sliceRows } from '../matrix.ts';
import { halfSpaceTrees } from './half-space-trees.ts';

const COLUMNS = 3;
/** One row in 50 of a stream is far from the others of its time. */
const ANOMALY_EVERY = 50;
const FAR = 8;

/** Rows around `centre` with a standard deviation of 1. */
function regime(rows: number, centre: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, COLUMNS);
  for (let row = 0; row < rows; row++) {
    const offset = row % ANOMALY_EVERY === ANOMALY_EVERY - 1 ? FAR : 0;
    for (let i = 0; i < COLUMNS; i++) {
      matrix.values[row * COLUMNS + i] = centre + offset * (i === row % COLUMNS ? -1 : 1) + prng.nextNormal();
    }
  }
  return matrix;
}

const dataOf = (matrix: Matrix): TrainingData => ({
  matrix,
  features: ['a', 'b', 'c'],
  labels: null,
  validation: null,
});

/** The scores in event order, each given before its row is learned. */
function scoreAndLearn(detector: OnlineDetector, stream: Matrix): Float32Array {
  return Float32Array.from({ length: stream.rows }, (_, row) => {
    const [score] = detector.score(sliceRows(stream, row, row + 1));
    detector.learn(rowOf(stream, row));
    return score;
  });
}

describe('half-space trees on a stream', () => {
  it('stop giving false alarms after the regime has changed, where a forest does not, and still find anomalies', () => {
    const training = regime(4000, 0, 1);
    const changed = regime(3000, 5, 2);
    const forest = isolationForest.fit(dataOf(training), {}, 1);
    const online = halfSpaceTrees.fit(dataOf(training), {}, 1);
    // One row in 50 is anomalous, and so are the scores above this.
    const threshold = (detector: FittedDetector) => detector.score(training).sort()[Math.floor(training.rows * 0.97)];
    const [ofForest, ofOnline] = [threshold(forest), threshold(online)];
    const fixed = forest.score(changed).map((score) => Number(score > ofForest));
    const learned = scoreAndLearn(online, changed).map((score) => Number(score > ofOnline));
    const isAnomaly = (row: number) => row % ANOMALY_EVERY === ANOMALY_EVERY - 1;
    const share = (alarms: Float32Array, [from, to]: readonly [number, number], wanted: boolean) => {
      const rows = [...alarms.keys()].filter((row) => row >= from && row < to && isAnomaly(row) === wanted);
      return rows.filter((row) => alarms[row] === 1).length / rows.length;
    };
    // Within the first window both are taken by surprise.
    expect(share(fixed, [0, 250], false)).toBeGreaterThan(0.5);
    expect(share(learned, [0, 250], false)).toBeGreaterThan(0.5);
    expect(share(fixed, [500, 3000], false)).toBeGreaterThan(0.5);
    expect(share(learned, [500, 3000], false)).toBeLessThan(0.05);
    expect(share(learned, [500, 3000], true)).toBeGreaterThan(0.8);
  });

  it('go on with the same bits from a checkpoint after any row', () => {
    const stream = regime(240, 1, 3);
    const begin = () => halfSpaceTrees.fit(dataOf(regime(200, 0, 4)), { trees: 5, depth: 6, window: 40 }, 9);
    const whole = begin();
    const expected = scoreAndLearn(whole, stream);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: stream.rows }), (at) => {
        const first = begin();
        const before = scoreAndLearn(first, sliceRows(stream, 0, at));
        const restored = halfSpaceTrees.load(first.save());
        if (!isOnline(restored)) throw new Error('a restored detector learns no more');
        const after = scoreAndLearn(restored, sliceRows(stream, at, stream.rows));
        expect([...before, ...after]).toEqual([...expected]);
        expect(restored.save()).toEqual(whole.save());
      }),
      { numRuns: 30 },
    );
  });

  it('hold no more however many rows they learn', () => {
    const detector = halfSpaceTrees.fit(dataOf(regime(500, 0, 5)), { trees: 10, depth: 10 }, 1);
    const stream = regime(1000, 0, 6);
    const learnAll = () => {
      for (let row = 0; row < stream.rows; row++) detector.learn(rowOf(stream, row));
    };
    learnAll();
    const sizes = Array.from({ length: 100 }, () => {
      learnAll();
      return detector.save().binary.length;
    });
    // A checkpoint holds a node and a count for each node that one of two windows went through.
    expect(Math.max(...sizes)).toBeLessThan(2 * 10 * 2 ** 11 * 8);
    expect(Math.max(...sizes.slice(90))).toBeLessThan(1.5 * sizes[0]);
  });
});
