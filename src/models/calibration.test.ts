import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Calibration, calibrate, fitIsotonic, fitPlatt, readCalibration } from './calibration.ts';

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
  it.each([fitIsotonic(scores, labels), fitPlatt(scores, labels)])('is the same after JSON', (calibration) => {
    const read = readCalibration(JSON.parse(JSON.stringify(calibration)));
    expect(calibrate(read, scores)).toEqual(calibrate(calibration, scores));
  });

  it.each([
    [null, 'no object'],
    [{ version: 2, kind: 'platt' }, 'version is 2'],
    [{ version: 1, kind: 'beta' }, 'kind is "beta"'],
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
