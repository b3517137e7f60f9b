import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import type { TrainingData } from '../detector.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { type FittedGbdt, gbdt } from './gbdt.ts';
import { averagePrecision, logLoss, sigmoid } from './objective.ts';

const FEATURES = ['x0', 'x1', 'x2', 'x3'];

/** Fraud rises with x0 and falls with x1, noisily; x2 is missing for a third of the rows, x3 is noise. */
function noisyData(rows: number, seed: number): TrainingData & { readonly labels: Uint8Array } {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, FEATURES.length);
  const labels = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    const missing = prng.nextFloat() < 0.33;
    const x = [prng.nextNormal(), prng.nextNormal(), missing ? Number.NaN : prng.nextNormal(), prng.nextNormal()];
    rowOf(matrix, i).set(x);
    const margin = -2 + 1.5 * x[0] - x[1] + (missing ? 1.5 : 0) + Math.sin(5 * x[0]);
    labels[i] = prng.nextFloat() < sigmoid(margin) ? 1 : 0;
  }
  return { matrix, labels, features: FEATURES, validation: null };
}

function marginsOf(fitted: FittedGbdt, matrix: Matrix): Float64Array {
  return Float64Array.from({ length: matrix.rows }, (_, row) => fitted.marginOf(rowOf(matrix, row)));
}

function lossOf(fitted: FittedGbdt, { matrix, labels }: { matrix: Matrix; labels: Uint8Array }): number {
  return logLoss(marginsOf(fitted, matrix), labels);
}

describe('sigmoid', () => {
  it('equals 1 / (1 + e^−x)', () => {
    fc.assert(
      fc.property(fc.double({ min: -100, max: 100, noNaN: true }), (x) => {
        const expected = 1 / (1 + Math.exp(-x));
        expect(Math.abs(sigmoid(x) - expected)).toBeLessThanOrEqual(expected * 1e-12);
      }),
    );
    expect(Math.fround(sigmoid(1e9))).toBe(1);
    expect(Math.fround(sigmoid(-1e9))).toBe(0);
  });
});

describe('averagePrecision', () => {
  it('takes ties together', () => {
    expect(averagePrecision(Float64Array.of(3, 2, 1, 0), Uint8Array.of(1, 0, 1, 0))).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(averagePrecision(Float64Array.of(1, 1, 1, 1), Uint8Array.of(1, 0, 0, 0))).toBe(0.25);
    expect(averagePrecision(Float64Array.of(1, 2), Uint8Array.of(0, 0))).toBe(0);
  });
});

describe('gbdt', () => {
  it('answers the log odds and their Newton step exactly on a split of one tree', () => {
    const matrix: Matrix = { rows: 8, columns: 1, values: Float32Array.of(1, 1, 1, 1, 5, 5, 5, 5) };
    const data = { matrix, features: ['x'], labels: Uint8Array.of(0, 0, 0, 0, 1, 1, 0, 1), validation: null };
    const options = { rounds: 1, learningRate: 1, l2: 0.5, minSamplesPerLeaf: 1, minHessianPerLeaf: 0 };
    const fitted = gbdt.fit(data, options, 1);
    // p = 3/8 everywhere: gradient 4 p left, 4 p − 3 right; hessian 4 p (1 − p).
    const start = Math.log(3 / 5);
    const hessian = 4 * (3 / 8) * (5 / 8) + 0.5;
    expect(fitted.marginOf(Float32Array.of(1))).toBeCloseTo(start - 1.5 / hessian, 5);
    expect(fitted.marginOf(Float32Array.of(5))).toBeCloseTo(start + 1.5 / hessian, 5);
    expect(fitted.marginOf(Float32Array.of(3))).toBe(fitted.marginOf(Float32Array.of(1)));
    expect(fitted.marginOf(Float32Array.of(3.1))).toBe(fitted.marginOf(Float32Array.of(5)));
  });

  it('finds the greatest gain among all cuts, as trying each of them does', () => {
    const cases = fc.record({
      seed: fc.integer(),
      l2: fc.constantFrom(0, 1, 5),
      least: fc.integer({ min: 1, max: 15 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, l2, least }) => {
        const data = noisyData(60, seed);
        fc.pre(data.labels.includes(1));
        const options = {
          rounds: 1,
          maxLeaves: 2,
          learningRate: 1,
          l2,
          minSamplesPerLeaf: least,
          minHessianPerLeaf: 0,
        };
        const gain = lossDrop(data, gbdt.fit(data, options, 1), l2);
        expect(gain).toBeGreaterThan(bestGainByForce(data, l2, least) - 1e-4);
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it('keeps the rows it is told to in every leaf', () => {
    const data = noisyData(500, 3);
    const fitted = gbdt.fit(data, { rounds: 5, maxLeaves: 31, maxDepth: 20, minSamplesPerLeaf: 40 }, 1);
    const answers = new Map<number, number>();
    for (const margin of marginsOf(fitted, data.matrix)) answers.set(margin, (answers.get(margin) ?? 0) + 1);
    expect(answers.size).toBeGreaterThan(5);
    const oneTree = gbdt.fit(data, { rounds: 1, maxLeaves: 31, maxDepth: 20, minSamplesPerLeaf: 40 }, 1);
    const rowsPerLeaf = new Map<number, number>();
    for (const margin of marginsOf(oneTree, data.matrix)) rowsPerLeaf.set(margin, (rowsPerLeaf.get(margin) ?? 0) + 1);
    expect(rowsPerLeaf.size).toBeGreaterThan(5);
    expect(Math.min(...rowsPerLeaf.values())).toBeGreaterThanOrEqual(40);
  });

  it('learns, and from missing values too', () => {
    const test = noisyData(4000, 9);
    const base = gbdt.fit(noisyData(4000, 4), { rounds: 1, learningRate: 1e-6 }, 1);
    const fitted = gbdt.fit(noisyData(4000, 4), { rounds: 60 }, 1);
    expect(lossOf(fitted, test)).toBeLessThan(0.8 * lossOf(base, test));
    const [known, unknown] = [Float32Array.of(0, 0, 0, 0), Float32Array.of(0, 0, Number.NaN, 0)];
    expect(fitted.marginOf(unknown) - fitted.marginOf(known)).toBeGreaterThan(0.8);
    const importance = fitted.importance();
    expect(importance.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(importance[0]).toBeGreaterThan(importance[3]);
  });

  it('keeps monotone constraints between any two rows', () => {
    const data = noisyData(3000, 5);
    const options = { rounds: 40, maxLeaves: 16, maxDepth: 8 };
    const free = gbdt.fit(data, options, 1);
    const bound = gbdt.fit(data, { ...options, monotone: { x0: 1, x1: -1 } as const }, 1);
    const falls = (fitted: FittedGbdt, column: number, direction: number) => {
      let broken = 0;
      for (let row = 0; row < 200; row++) {
        const x = rowOf(data.matrix, row).slice();
        let before = Number.NEGATIVE_INFINITY;
        for (let value = -3; value <= 3; value += 0.25) {
          x[column] = value * direction;
          const margin = fitted.marginOf(x);
          if (margin < before - 1e-12) broken++;
          before = margin;
        }
      }
      return broken;
    };
    expect(falls(free, 0, 1)).toBeGreaterThan(0);
    expect(falls(bound, 0, 1)).toBe(0);
    expect(falls(bound, 1, -1)).toBe(0);
    expect(lossOf(bound, data)).toBeLessThan(0.9 * lossOf(gbdt.fit(data, { rounds: 1, learningRate: 1e-6 }, 1), data));
  });

  it('takes a weight of two for a row given twice', () => {
    const data = noisyData(400, 6);
    const twice = createMatrix(800, FEATURES.length);
    twice.values.set(data.matrix.values);
    twice.values.set(data.matrix.values, data.matrix.values.length);
    const labels = Uint8Array.from([...data.labels, ...data.labels]);
    const options = { rounds: 10, minSamplesPerLeaf: 1, minHessianPerLeaf: 0 };
    const weighted = gbdt.fit(data, { ...options, sampleWeights: new Float32Array(400).fill(2) }, 1);
    const repeated = gbdt.fit({ ...data, matrix: twice, labels }, options, 1);
    const difference = marginsOf(weighted, data.matrix).map((m, i) =>
      Math.abs(m - repeated.marginOf(rowOf(data.matrix, i))),
    );
    expect(Math.max(...difference)).toBeLessThan(1e-3);
  });

  it('raises the scores with the weight of the positive class', () => {
    const data = noisyData(2000, 7);
    const mean = (fitted: FittedGbdt) => fitted.score(data.matrix).reduce((sum, score) => sum + score, 0) / 2000;
    const share = data.labels.reduce((sum, label) => sum + label, 0) / 2000;
    expect(mean(gbdt.fit(data, {}, 1))).toBeCloseTo(share, 1);
    expect(mean(gbdt.fit(data, { positiveWeight: 'balanced' }, 1))).toBeGreaterThan(1.3 * share);
    const ratio = (1 - share) / share;
    expect(mean(gbdt.fit(data, { positiveWeight: ratio }, 1))).toBeCloseTo(
      mean(gbdt.fit(data, { positiveWeight: 'balanced' }, 1)),
      3,
    );
  });

  it.each(['logloss', 'average-precision'] as const)('stops early on %s and keeps the best round', (metric) => {
    const data = noisyData(600, 8);
    const validation = noisyData(600, 10);
    const options = { rounds: 300, maxLeaves: 31, maxDepth: 10, learningRate: 0.3, earlyStoppingMetric: metric };
    const stopped = gbdt.fit({ ...data, validation }, { ...options, earlyStoppingRounds: 20 }, 1);
    expect(stopped.rounds).toBeGreaterThan(0);
    expect(stopped.rounds).toBeLessThan(200);
    // The same as a run of just so many rounds, and better on the validation rows than a run to the end.
    const exact = gbdt.fit(data, { ...options, rounds: stopped.rounds }, 1);
    expect(exact.score(validation.matrix)).toEqual(stopped.score(validation.matrix));
    if (metric === 'logloss')
      expect(lossOf(stopped, validation)).toBeLessThan(lossOf(gbdt.fit(data, options, 1), validation));
  });

  it('draws rows and columns by the seed', () => {
    const data = noisyData(1000, 11);
    const options = { rounds: 30, rowShare: 0.5, columnShare: 0.5 };
    const scores = (seed: number) => gbdt.fit(data, options, seed).score(data.matrix);
    expect(scores(1)).toEqual(scores(1));
    expect(scores(1)).not.toEqual(scores(2));
    const one = gbdt.fit(data, { ...options, rounds: 1, columnShare: 0.1, maxDepth: 6 }, 3);
    expect(one.importance().filter((share) => share > 0).length).toBe(1);
  });

  it('says what is wrong with options and data', () => {
    const data = noisyData(50, 12);
    const fails = (options: object, message: RegExp, training: TrainingData = data) =>
      expect(() => gbdt.fit(training, options, 1)).toThrow(message);
    fails({ rounds: 0 }, /rounds is 0 but must be a whole number from 1 to 10000/);
    fails({ learningRate: Number.NaN }, /learningRate/);
    fails({ maxBins: 5000 }, /maxBins/);
    fails({ depth: 3 }, /unknown option "depth"/);
    fails({ positiveWeight: -1 }, /positiveWeight/);
    fails({ monotone: { nope: 1 } }, /"nope", which is not a feature/);
    fails({ sampleWeights: new Float32Array(3) }, /3 sample weights for 50 rows/);
    fails({ sampleWeights: new Float32Array(50).fill(-1) }, /sample weight 0 is -1/);
    fails({}, /no fraud row/, { ...data, labels: new Uint8Array(50) });
    fails({}, /no genuine row/, { ...data, labels: new Uint8Array(50).fill(1) });
    fails({}, /label 2 is 7/, { ...data, labels: Uint8Array.from({ length: 50 }, (_, i) => (i === 2 ? 7 : i % 2)) });
    fails({}, /49 labels for 50/, { ...data, labels: new Uint8Array(49) });
    fails({}, /no validation rows/, { ...data, validation: { matrix: createMatrix(0, 4), labels: new Uint8Array(0) } });
  });
});

/** Drop of the penalised second-order loss that a fitted tree of one cut achieved, from its two answers. */
function lossDrop({ matrix, labels }: { matrix: Matrix; labels: Uint8Array }, fitted: FittedGbdt, l2: number): number {
  const margins = marginsOf(fitted, matrix);
  const sides = [...new Set(margins)];
  return gainOf(
    labels,
    sides.length < 2 ? [labels.map(() => 1)] : sides.map((m) => Uint8Array.from(margins, (x) => (x === m ? 1 : 0))),
    l2,
  );
}

function gainOf(labels: Uint8Array, sides: readonly Uint8Array[], l2: number): number {
  const p = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const score = (side: Uint8Array) => {
    let gradient = 0;
    let hessian = 0;
    side.forEach((inside, i) => {
      gradient += inside * (p - labels[i]);
      hessian += inside * p * (1 - p);
    });
    return gradient ** 2 / (hessian + l2) / 2;
  };
  return sides.reduce((sum, side) => sum + score(side), 0) - score(new Uint8Array(labels.length).fill(1));
}

function bestGainByForce(
  { matrix, labels }: { matrix: Matrix; labels: Uint8Array },
  l2: number,
  least: number,
): number {
  let best = 0;
  for (let column = 0; column < matrix.columns; column++) {
    const values = Float32Array.from(labels, (_, row) => matrix.values[row * matrix.columns + column]);
    for (const cut of [...values.filter((value) => !Number.isNaN(value)), Number.POSITIVE_INFINITY]) {
      for (const missing of [0, 1]) {
        const left = Uint8Array.from(values, (value) => (Number.isNaN(value) ? missing : value <= cut ? 1 : 0));
        const count = left.reduce((sum, inside) => sum + inside, 0);
        if (Math.min(count, labels.length - count) < least) continue;
        best = Math.max(best, gainOf(labels, [left, left.map((inside) => 1 - inside)], l2));
      }
    }
  }
  return best;
}
