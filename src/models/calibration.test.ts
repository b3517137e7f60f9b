import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../lib/prng.ts';
import {
  AS_IS,
  type Calibration,
  calibrate,
  chooseCalibration,
  fitBeta,
  fitIsotonic,
  fitPlatt,
  readCalibration,
} from './calibration.ts';

const scores = Float64Array.of(0.1, 0.2, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8, 0.9);
const labels = Uint8Array.of(0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1);

const rows = fc.array(fc.tuple(fc.float({ min: -5, max: 5, noNaN: true }), fc.boolean()), {
  minLength: 2,
  maxLength: 60,
});

function split(given: readonly (readonly [number, boolean])[]) {
  const sampleScores = Float32Array.from(given, ([score]) => score);
  return { scores: sampleScores, labels: Uint8Array.from(given, ([, label]) => Number(label)) };
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

describe('isotonic', () => {
  it('agrees with sklearn.isotonic.IsotonicRegression(out_of_bounds="clip")', () => {
    const probabilities = calibrate(
      fitIsotonic(scores, labels),
      Float64Array.of(0, 0.15, 0.25, 0.45, 0.55, 0.65, 0.75, 1),
    );
    [0, 0.125, 0.25, 0.5, 0.5, 0.75, 1, 1].forEach((expected, i) => {
      expect(probabilities[i]).toBeCloseTo(expected, 6);
    });
  });

  it('is monotone, stays in [0, 1] and keeps the mean of the labels', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const sample = split(given);
        const probabilities = calibrate(fitIsotonic(sample.scores, sample.labels), sample.scores.slice().sort());
        probabilities.forEach((probability, i) => {
          expect(probability).toBeGreaterThanOrEqual(i === 0 ? 0 : probabilities[i - 1]);
          expect(probability).toBeLessThanOrEqual(1);
        });
        expect(mean(probabilities)).toBeCloseTo(mean(sample.labels), 5);
      }),
    );
  });

  it('is the best monotone fit: no other step function has a smaller squared error', () => {
    fc.assert(
      fc.property(
        rows,
        fc.float({ min: -5, max: 5, noNaN: true }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        (given, cut, low) => {
          const sample = split(given);
          const error = (fitted: ArrayLike<number>) =>
            sample.labels.reduce((sum, label, i) => sum + (label - fitted[i]) ** 2, 0);
          const step = Float64Array.from(sample.scores, (score) => (score < cut ? low / 2 : low));
          expect(error(calibrate(fitIsotonic(sample.scores, sample.labels), sample.scores))).toBeLessThanOrEqual(
            error(step) + 1e-6,
          );
        },
      ),
    );
  });
});

describe('Platt', () => {
  it('agrees with sklearn.calibration._sigmoid_calibration', () => {
    const calibration = fitPlatt(scores, labels);
    expect(calibration).toMatchObject({ kind: 'platt' });
    const { slope, intercept } = calibration as Extract<Calibration, { kind: 'platt' }>;
    expect(slope).toBeCloseTo(3.6485455, 3);
    expect(intercept).toBeCloseTo(-1.7082443, 3);
    expect(calibrate(calibration, scores)[0]).toBeCloseTo(0.20695316, 4);
  });

  it('finds the optimum, where the probabilities have the mean of the smoothed labels', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const sample = split(given);
        const frauds = sample.labels.reduce((sum, label) => sum + label, 0);
        const genuine = sample.labels.length - frauds;
        const smoothed = (frauds * ((frauds + 1) / (frauds + 2)) + genuine / (genuine + 2)) / sample.labels.length;
        let calibration: Calibration;
        try {
          calibration = fitPlatt(sample.scores, sample.labels);
        } catch (error) {
          expect((error as Error).message).toContain('ranking');
          return;
        }
        expect(mean(calibrate(calibration, sample.scores))).toBeCloseTo(smoothed, 4);
      }),
    );
  });

  it('refuses scores that run against the labels', () => {
    expect(() =>
      fitPlatt(
        scores,
        labels.map((label) => 1 - label),
      ),
    ).toThrow('turn the ranking round');
  });
});

describe('a stored calibration', () => {
  it.each([AS_IS, fitIsotonic(scores, labels), fitPlatt(scores, labels), fitBeta(scores, labels)])(
    'is the same after JSON',
    (calibration) => {
      const read = readCalibration(JSON.parse(JSON.stringify(calibration)));
      expect(calibrate(read, scores)).toEqual(calibrate(calibration, scores));
    },
  );

  it.each([
    [null, 'no object'],
    [{ version: 2, kind: 'platt' }, 'version is 2'],
    [{ version: 1, kind: 'spline' }, 'kind is "spline"'],
    [{ version: 1, kind: 'beta', a: 1, b: null, c: 0 }, 'a, b or c'],
    [{ version: 1, kind: 'beta', a: 1, b: -1, c: 0 }, 'negative'],
    [{ version: 1, kind: 'platt', slope: null, intercept: 0 }, 'slope'],
    [{ version: 1, kind: 'isotonic', scores: [1], probabilities: [] }, 'differ in number'],
    [{ version: 1, kind: 'isotonic', scores: [1, 1], probabilities: [0, 1] }, 'do not ascend'],
    [{ version: 1, kind: 'isotonic', scores: [1], probabilities: [1.5] }, 'probability 0 is 1.5'],
  ])('is refused where it is damaged: %j', (data, message) => {
    expect(() => readCalibration(data)).toThrow(message);
  });
});

it('refuses rows it cannot learn from', () => {
  expect(() => fitIsotonic(new Float32Array(0), new Uint8Array(0))).toThrow('no rows');
  expect(() => fitPlatt(Float32Array.of(Number.NaN), Uint8Array.of(1))).toThrow('row 0 is NaN');
  expect(() => fitIsotonic(Float32Array.of(1), Uint8Array.of(1, 0))).toThrow('1 scores but 2 labels');
});

/** Labels drawn with the probability that `truth` gives each uniform score. */
function drawn(rows: number, truth: (score: number) => number) {
  const prng = createPrng(11);
  const sample = { scores: new Float64Array(rows), labels: new Uint8Array(rows) };
  for (let row = 0; row < rows; row++) {
    sample.scores[row] = prng.nextFloat();
    sample.labels[row] = prng.nextFloat() < truth(sample.scores[row]) ? 1 : 0;
  }
  return sample;
}

const betaCurve = (s: number) => 1 / (1 + Math.exp(-(0.6 * Math.log(s) - 2.5 * Math.log1p(-s) - 1)));

describe('beta', () => {
  it('agrees with the optimum that scipy finds for the same likelihood, with its weak ridge of 0.001', () => {
    const { a, b, c } = fitBeta(scores, labels);
    expect(a).toBeCloseTo(0, 6);
    expect(b).toBeCloseTo(2.78197561, 5);
    expect(c).toBeCloseTo(-1.97401084, 5);
  });

  it('finds the curve that the labels were drawn from', () => {
    const sample = drawn(200_000, betaCurve);
    const probabilities = calibrate(fitBeta(sample.scores, sample.labels), Float64Array.of(0.02, 0.2, 0.5, 0.8, 0.98));
    [0.02, 0.2, 0.5, 0.8, 0.98].forEach((score, i) => {
      expect(probabilities[i]).toBeCloseTo(betaCurve(score), 2);
    });
  });

  it('never falls, even where the labels do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.boolean()), { minLength: 2 }),
        (given) => {
          const sample = split(given);
          const { a, b } = fitBeta(sample.scores, sample.labels);
          expect(Math.min(a, b)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it('refuses scores that are not in [0, 1]', () => {
    expect(() => fitBeta(Float32Array.of(0.5, 1.5), Uint8Array.of(0, 1))).toThrow('row 1 is 1.5');
  });
});

it.each([fitIsotonic, fitPlatt, fitBeta])('a genuine row of weight 3 counts as three rows (%o)', (fitCurve) => {
  const thrice = Array.from(labels.keys()).flatMap((row) => (labels[row] === 1 ? [row] : [row, row, row]));
  const repeated = fitCurve(
    Float64Array.from(thrice, (row) => scores[row]),
    Uint8Array.from(thrice, (row) => labels[row]),
  );
  calibrate(fitCurve(scores, labels, 3), scores).forEach((probability, i) => {
    expect(probability).toBeCloseTo(calibrate(repeated, scores)[i], 5);
  });
});

describe('the choice of a calibration', () => {
  it('leaves probabilities that hold as they are', () => {
    const sample = drawn(20_000, (score) => score);
    expect(chooseCalibration(sample.scores, sample.labels).calibration).toEqual(AS_IS);
  });

  it('takes the stiffest curve that is as good as the best', () => {
    const sample = drawn(20_000, (score) => 1 / (1 + Math.exp(-(4 * score - 3))));
    expect(chooseCalibration(sample.scores, sample.labels).calibration.kind).toBe('platt');
  });

  it('takes beta where a logistic curve cannot follow', () => {
    const sample = drawn(20_000, betaCurve);
    expect(chooseCalibration(sample.scores, sample.labels).calibration.kind).toBe('beta');
  });

  it('takes isotonic where the probability jumps', () => {
    const sample = drawn(20_000, (score) => (score < 0.3 ? 0.02 : score < 0.7 ? 0.5 : 0.52));
    expect(chooseCalibration(sample.scores, sample.labels).calibration.kind).toBe('isotonic');
    const { calibration, logLoss } = chooseCalibration(sample.scores, sample.labels, 1, true);
    expect(calibration.kind).not.toBe('isotonic');
    expect(logLoss.isotonic).toBe(null);
  });

  it('leaves out the curves that the scores do not allow', () => {
    const sample = drawn(500, (score) => score);
    const shifted = sample.scores.map((score) => score + 1);
    expect(chooseCalibration(shifted, sample.labels).logLoss).toMatchObject({ beta: null, 'as-is': null });
    const falling = sample.labels.map((label) => 1 - label);
    expect(chooseCalibration(sample.scores, falling).logLoss.platt).toBe(null);
  });
});
