import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitTailReference, tailScore } from './tail-score.ts';

describe('tail scores', () => {
  it('are −log of the smoothed share of reference scores at least as great', () => {
    const reference = fitTailReference(Float32Array.of(3, 1, 2, 2, 5));
    expect(tailScore(reference, 0)).toBe(0);
    expect(tailScore(reference, 2)).toBeCloseTo(-Math.log(5 / 6), 12);
    expect(tailScore(reference, 4)).toBeCloseTo(-Math.log(2 / 6), 12);
    expect(tailScore(reference, 5)).toBeCloseTo(-Math.log(2 / 6), 12);
  });

  it('never fall as the score rises, beyond the reference scores too, where they keep rising', () => {
    const scores = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 60 });
    const score = fc.double({ min: -20, max: 20, noNaN: true });
    fc.assert(
      fc.property(scores, score, score, (given, one, other) => {
        const reference = fitTailReference(Float32Array.from(given));
        const [low, high] = one < other ? [one, other] : [other, one];
        expect(tailScore(reference, low)).toBeGreaterThanOrEqual(0);
        expect(tailScore(reference, high)).toBeGreaterThanOrEqual(tailScore(reference, low));
      }),
    );
    const reference = fitTailReference(Float32Array.of(1, 2, 3));
    expect(tailScore(reference, 50)).toBeGreaterThan(tailScore(reference, 40));
  });

  it('of an exponential tail go on at its slope', () => {
    // Quantiles of the exponential distribution with mean 2: −log of the share above x is x ÷ 2.
    const rows = 4000;
    const reference = fitTailReference(Float32Array.from({ length: rows }, (_, i) => -2 * Math.log((i + 0.5) / rows)));
    for (const score of [6, 10, 14, 24]) {
      expect(Math.abs(tailScore(reference, score) - score / 2)).toBeLessThan(0.06 * score);
    }
  });

  it('are alike for as many reference scores as are kept and for more', () => {
    const scores = Float32Array.from({ length: 100_000 }, (_, i) => i % 1000);
    const few = fitTailReference(scores.subarray(0, 1000));
    const many = fitTailReference(scores);
    expect(many.scores.length).toBeLessThan(10_000);
    for (const score of [0, 250, 500, 900]) expect(tailScore(many, score)).toBeCloseTo(tailScore(few, score), 1);
  });
});
