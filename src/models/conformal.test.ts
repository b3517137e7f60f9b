import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../lib/prng.ts';
import { conformalPValue, conformalThreshold, fitConformal, recencyWeights } from './conformal.ts';

const score = fc.integer({ min: 0, max: 12 }).map((value) => value / 8);

describe('a conformal p-value', () => {
  it('is the share of reference rows at least as unusual, the row itself counted', () => {
    const fitted = fitConformal(Float32Array.of(0.5, 0.25, 0.75, 0.5));
    expect([0.1, 0.5, 0.6, 0.9].map((value) => conformalPValue(fitted, value))).toEqual([1, 4 / 5, 2 / 5, 1 / 5]);
    expect(conformalPValue(fitted, 0.5, 0)).toBe(1 / 5);
    expect(conformalPValue(fitted, 0.5, 0.5)).toBe(2.5 / 5);
    expect(conformalPValue(fitted, Number.NaN)).toBeNaN();
  });

  it('with weights is the weight counted row by row', () => {
    const weighted = fc.array(fc.tuple(score, fc.double({ min: 0.01, max: 1, noNaN: true })), { minLength: 1 });
    fc.assert(
      fc.property(weighted, score, fc.double({ min: 0, max: 1, noNaN: true }), (rows, value, tieShare) => {
        const fitted = fitConformal(
          Float32Array.from(rows, ([each]) => each),
          Float64Array.from(rows, ([, weight]) => weight),
        );
        const sum = (counts: (each: number) => boolean) =>
          rows.reduce((total, [each, weight]) => total + (counts(each) ? weight : 0), 0);
        const expected =
          (sum((each) => each > value) + tieShare * (sum((each) => each === value) + 1)) / (sum(() => true) + 1);
        expect(conformalPValue(fitted, value, tieShare)).toBeCloseTo(expected, 10);
      }),
    );
  });

  it('is at most α for at most α of the new rows, whatever the size of the reference, and for α with random ties', () => {
    const prng = createPrng(3);
    const draws = 40_000;
    // Scores of five values: most rows tie.
    const draw = () => prng.nextBelow(5);
    for (const [size, alpha] of [
      [9, 0.1],
      [10, 0.25],
      [199, 0.05],
    ]) {
      let conservative = 0;
      let randomised = 0;
      for (let i = 0; i < draws; i++) {
        const fitted = fitConformal(Float32Array.from({ length: size }, draw));
        const value = draw();
        if (conformalPValue(fitted, value) <= alpha) conservative++;
        if (conformalPValue(fitted, value, prng.nextFloat()) <= alpha) randomised++;
      }
      const fourErrors = 4 * Math.sqrt((alpha * (1 - alpha)) / draws);
      expect(conservative / draws).toBeLessThan(alpha + fourErrors);
      expect(Math.abs(randomised / draws - alpha)).toBeLessThan(fourErrors);
    }
  });
});

describe('a conformal threshold', () => {
  const weighted = fc.array(fc.tuple(score, fc.double({ min: 0.01, max: 1, noNaN: true })), { minLength: 1 });

  it('parts the scores by their p-values', () => {
    fc.assert(
      fc.property(weighted, fc.double({ min: 0.001, max: 1, noNaN: true }), score, (rows, alpha, value) => {
        const fitted = fitConformal(
          Float32Array.from(rows, ([each]) => each),
          Float64Array.from(rows, ([, weight]) => weight),
        );
        const threshold = conformalThreshold(fitted, alpha);
        // The p-value and the bound are two ways to round: a hair's breadth around equality is left out.
        const p = conformalPValue(fitted, value);
        fc.pre(Math.abs(p - alpha) > 1e-12);
        expect(threshold !== null && value >= threshold).toBe(p <= alpha);
      }),
    );
  });

  it('is none where the reference rows are too few, and the next score above them where they just suffice', () => {
    const fitted = fitConformal(Float32Array.of(-1, 0.5, 0));
    expect(conformalThreshold(fitted, 0.24)).toBe(null);
    expect(conformalThreshold(fitted, 0.25)).toBe(0.5 + 2 ** -24);
    expect(conformalThreshold(fitted, 0.75)).toBeGreaterThan(-1);
    expect(conformalThreshold(fitted, 0.75)).toBeLessThan(-0.999);
    expect(conformalThreshold(fitted, 1)).toBe(Number.NEGATIVE_INFINITY);
  });
});

it('weights halve with every half-life and stay above 0', () => {
  expect([...recencyWeights(Float64Array.of(0, 50, 100, 150), 100, 50)]).toEqual([0.25, 0.5, 1, 1]);
  expect(recencyWeights(Float64Array.of(0), 1e9, 1)[0]).toBeGreaterThan(0);
});

it('refuses a reference that gives no p-value', () => {
  expect(() => fitConformal(new Float32Array(0))).toThrow('no reference rows');
  expect(() => fitConformal(Float32Array.of(1, Number.NaN))).toThrow('row 1 is NaN');
  expect(() => fitConformal(Float32Array.of(1, 2), Float64Array.of(1))).toThrow('2 scores but 1 weights');
  expect(() => fitConformal(Float32Array.of(1), Float64Array.of(0))).toThrow('expected (0, 1]');
  expect(() => recencyWeights(Float64Array.of(1), 2, 0)).toThrow('half-life');
});
