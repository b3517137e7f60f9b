// What every detector must do, whatever it is inside. A detector that fails one of these can't be served.
import { describe, expect, it } from 'vitest';
import type { Artefact, Detector, Explanation, FittedDetector, TrainingData } from '../../src/models/detector.ts';
import { createMatrix, type Matrix, rowOf, sliceRows } from '../../src/models/matrix.ts';
import { CHECK_FEATURES, makeTrainingData } from './dataset.ts';

export interface DetectorChecks<Options> {
  /** Options that keep a fit short. */
  readonly options: Partial<Options>;
  /** The additive unit of `explain` from a score: log odds, log2 … */
  readonly rawOfScore: (score: number) => number;
  /** How far a float32 score may put the raw score off. */
  readonly rawTolerance: number;
  /** Training rows that are too few. */
  readonly tooFewRows: number;
}

const ROWS = 600;
const SEED = 11;
const EXTREMES = [
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  3.4e38,
  -3.4e38,
  1e-45,
  -0,
  0,
  Number.NaN,
] as const;

/** Names of the detectors that `describeDetectorChecks` was called for. */
export const checkedDetectors = new Set<string>();

export function describeDetectorChecks<Options>(detector: Detector<Options>, checks: DetectorChecks<Options>): void {
  checkedDetectors.add(detector.name);
  const data = makeTrainingData(ROWS, 5);
  const unseen = makeTrainingData(ROWS, 6).matrix;
  const train = (training: TrainingData = data, seed = SEED) => detector.fit(training, checks.options, seed);
  let shared: FittedDetector | null = null;
  const fitted = () => {
    shared ??= train();
    return shared;
  };

  describe(`${detector.name}: checks of every detector`, () => {
    it('gives the same bits for the same seed', () => {
      expect(train().score(unseen)).toEqual(fitted().score(unseen));
      expect(train().save()).toEqual(fitted().save());
    });

    it('scores every row in [0, 1] and does not give all rows the same score', () => {
      const scores = fitted().score(unseen);
      expect(scores.length).toBe(unseen.rows);
      expectProbabilities(scores);
      expect(new Set(scores).size).toBeGreaterThan(1);
    });

    it('ranks frauds above genuine rows more often than not', () => {
      const { matrix, labels } = makeTrainingData(ROWS, 8);
      expect(areaUnderCurve(fitted().score(matrix), labels!)).toBeGreaterThan(0.6);
    });

    it('gives one row alone the score it has in a batch, bit for bit', () => {
      const batch = fitted().score(unseen);
      for (let row = 0; row < unseen.rows; row++) {
        expect(fitted().score(sliceRows(unseen, row, row + 1))[0]).toBe(batch[row]);
      }
    });

    it('scores no rows', () => {
      expect(fitted().score(createMatrix(0, unseen.columns)).length).toBe(0);
    });

    it('leaves the training and the scored matrix as they were', () => {
      const training = makeTrainingData(ROWS, 5);
      train(training).score(training.matrix);
      expect(training).toEqual(data);
    });

    it('never answers NaN, whatever the row holds', () => {
      const extremes = matrixOfExtremes(unseen.columns);
      expectProbabilities(fitted().score(extremes));
      for (let row = 0; row < extremes.rows; row++) {
        const { base, contributions } = fitted().explain(rowOf(extremes, row));
        expect(Number.isFinite(base)).toBe(true);
        expect(contributions.every(Number.isFinite)).toBe(true);
      }
    });

    it('explains a score: base and contributions add up to it', () => {
      const scores = fitted().score(unseen);
      for (let row = 0; row < 100; row++) {
        const { base, contributions } = fitted().explain(rowOf(unseen, row));
        expect(contributions.length).toBe(unseen.columns);
        const raw = contributions.reduce((sum, contribution) => sum + contribution, base);
        expect(Math.abs(raw - checks.rawOfScore(scores[row]))).toBeLessThan(checks.rawTolerance);
      }
    });

    it('explains quickly, where it can, as additively and with numbers only', () => {
      const explain = quickOf(fitted());
      if (explain === null) return;
      const scores = fitted().score(unseen);
      for (let row = 0; row < 100; row++) {
        const { base, contributions } = explain(rowOf(unseen, row));
        expect(contributions.length).toBe(unseen.columns);
        const raw = contributions.reduce((sum, contribution) => sum + contribution, base);
        expect(Math.abs(raw - checks.rawOfScore(scores[row]))).toBeLessThan(checks.rawTolerance);
      }
      const extremes = matrixOfExtremes(unseen.columns);
      for (let row = 0; row < extremes.rows; row++) {
        const { base, contributions } = explain(rowOf(extremes, row));
        expect([base, ...contributions].every(Number.isFinite)).toBe(true);
      }
      expect(() => explain(new Float32Array(unseen.columns - 1))).toThrow(/column|feature/);
    });

    it('gives a column that never varied no contribution', () => {
      const constant = CHECK_FEATURES.indexOf('constant');
      for (let row = 0; row < 50; row++) {
        expect(fitted().explain(rowOf(unseen, row)).contributions[constant]).toBe(0);
        expect(quickOf(fitted())?.(rowOf(unseen, row)).contributions[constant] ?? 0).toBe(0);
      }
    });

    it('trains with a column that is all missing, and with infinities', () => {
      const training = makeTrainingData(ROWS, 5);
      for (let row = 0; row < ROWS; row++) {
        rowOf(training.matrix, row)[2] = Number.NaN;
        if (row % 50 === 0) rowOf(training.matrix, row)[0] = EXTREMES[(row / 50) % EXTREMES.length];
      }
      const odd = train(training);
      expectProbabilities(odd.score(training.matrix));
      expectProbabilities(odd.score(unseen));
    });

    it('trains where all columns are constant, and gives all rows one score', () => {
      const training = {
        ...data,
        matrix: { ...data.matrix, values: new Float32Array(data.matrix.values.length).fill(3) },
      };
      const scores = train(training).score(training.matrix);
      expectProbabilities(scores);
      expect(new Set(scores).size).toBe(1);
    });

    it('refuses too few rows', () => {
      const matrix = sliceRows(data.matrix, 0, checks.tooFewRows);
      const labels = data.labels!.subarray(0, checks.tooFewRows);
      expect(() => train({ ...data, matrix, labels })).toThrow(/row/);
    });

    it('refuses a matrix of another width', () => {
      expect(() => fitted().score(createMatrix(2, unseen.columns + 1))).toThrow(/column|feature/);
      expect(() => fitted().explain(new Float32Array(unseen.columns - 1))).toThrow(/column|feature/);
      expect(() => train({ ...data, features: ['only one'] })).toThrow(/column|feature/);
    });

    if (detector.needsLabels) {
      it('refuses to train without labels', () => {
        expect(() => train({ ...data, labels: null })).toThrow(/labels/);
      });
    }

    describe('as an artefact', () => {
      const artefact = () => fitted().save();

      it('scores and explains the same after saving and loading', () => {
        const loaded = detector.load(throughJson(artefact()));
        expect(loaded.name).toBe(detector.name);
        expect(loaded.features).toEqual(data.features);
        expect(loaded.score(unseen)).toEqual(fitted().score(unseen));
        expect(loaded.explain(rowOf(unseen, 3))).toEqual(fitted().explain(rowOf(unseen, 3)));
        expect(quickOf(loaded)?.(rowOf(unseen, 3))).toEqual(quickOf(fitted())?.(rowOf(unseen, 3)));
        expect(loaded.save()).toEqual(artefact());
      });

      it('loads from bytes that start anywhere in a buffer', () => {
        const { binary } = artefact();
        const shifted = new Uint8Array(binary.length + 3).subarray(3);
        shifted.set(binary);
        expect(detector.load({ ...artefact(), binary: shifted }).score(unseen)).toEqual(fitted().score(unseen));
      });

      it('is refused when of another detector or a newer version', () => {
        expect(() => detector.load({ ...artefact(), format: 'something-else' })).toThrow(/something-else/);
        const newer = { ...artefact(), formatVersion: artefact().formatVersion + 1 };
        expect(() => detector.load(newer)).toThrow(/version/);
      });

      it('is refused when cut short at any place', () => {
        const { binary } = artefact();
        for (const length of [0, 1, 7, 20, binary.length >> 1, binary.length - 1]) {
          expect(() => detector.load({ ...artefact(), binary: binary.slice(0, length) })).toThrow(/truncated|damaged/);
        }
      });

      it('is refused when any byte was changed', () => {
        const step = Math.max(1, Math.floor(artefact().binary.length / 200));
        for (let at = 0; at < artefact().binary.length; at += step) {
          const binary = artefact().binary.slice();
          binary[at] ^= 0x10;
          expect(() => detector.load({ ...artefact(), binary }), `byte ${at}`).toThrow(/truncated|damaged/);
        }
      });

      it.each<[keyof Artefact, unknown, RegExp]>([
        ['format', undefined, /format/],
        ['formatVersion', 0, /version/],
        ['formatVersion', 1.5, /version/],
        ['formatVersion', '1', /version/],
        ['formatVersion', null, /version/],
        ['features', undefined, /feature/],
        ['features', null, /feature/],
        ['features', [], /feature/],
        ['features', data.features.map((_, i) => i), /feature/],
        ['features', data.features.join(), /feature/],
        ['binary', new Uint8Array(1000), /truncated|damaged/],
      ])('is refused in words where its %s is %o', (key, value, words) => {
        expectRefusal(() => detector.load({ ...artefact(), [key]: value }), words);
      });

      it.each([{}, null, undefined])(
        'loads as it was, or is refused in words, with the parameters %o',
        (parameters) => {
          let loaded: FittedDetector | null = null;
          try {
            loaded = detector.load({ ...artefact(), parameters } as unknown as Artefact);
          } catch {
            expectRefusal(() => detector.load({ ...artefact(), parameters } as unknown as Artefact), /damaged/);
          }
          if (loaded !== null) expect(loaded.score(unseen)).toEqual(fitted().score(unseen));
        },
      );

      it('is refused when it names other features than it has columns', () => {
        expect(() => detector.load({ ...artefact(), features: data.features.slice(1) })).toThrow(/feature/);
      });
    });
  });
}

function quickOf(detector: FittedDetector): ((row: Float32Array) => Explanation) | null {
  return detector.explainQuickly === undefined ? null : (row) => detector.explainQuickly!(row);
}

/** What a person can act on: an error in words, and none that JavaScript throws by itself. */
function expectRefusal(load: () => unknown, words: RegExp): void {
  expect(load).toThrow(words);
  for (const Accident of [TypeError, RangeError, SyntaxError]) expect(load).not.toThrow(Accident);
}

function expectProbabilities(scores: Float32Array): void {
  expect(scores.findIndex((score) => !(score >= 0 && score <= 1))).toBe(-1);
}

/** Every extreme in every column, and rows of nothing but one extreme. */
function matrixOfExtremes(columns: number): Matrix {
  const matrix = createMatrix(EXTREMES.length * (columns + 1), columns);
  EXTREMES.forEach((extreme, e) => {
    for (let column = 0; column < columns; column++) rowOf(matrix, e * (columns + 1) + column)[column] = extreme;
    rowOf(matrix, e * (columns + 1) + columns).fill(extreme);
  });
  return matrix;
}

/** As the registry stores it: the readable part as JSON, the numbers as bytes. */
function throughJson({ binary, ...readable }: Artefact): Artefact {
  return { ...(JSON.parse(JSON.stringify(readable)) as Omit<Artefact, 'binary'>), binary: binary.slice() };
}

/** Share of fraud–genuine pairs in which the fraud scores more; ties count half. */
function areaUnderCurve(scores: Float32Array, labels: Uint8Array): number {
  let better = 0;
  let pairs = 0;
  labels.forEach((label, i) => {
    if (label !== 1) return;
    labels.forEach((other, j) => {
      if (other === 1) return;
      pairs++;
      better += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
    });
  });
  return better / pairs;
}
