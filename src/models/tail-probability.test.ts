import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitTailProbability, tailProbability } from './tail-probability.ts';

test('is the smoothed share of reference scores at least as great', () => {
  const tail = fitTailProbability(Float32Array.of(0.25, 0.5, 0.5, 0.75));
  expect(tailProbability(tail, 0.1)).toBe(1);
  expect(tailProbability(tail, 0.5)).toBe(4 / 5);
  expect(tailProbability(tail, 0.6)).toBe(2 / 5);
  expect(tailProbability(tail, 0.9)).toBe(1 / 5);
});

test('never rises with the score', () => {
  const scores = fc.array(fc.float({ noNaN: true, min: 0, max: 1 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(scores, fc.float({ noNaN: true }), fc.float({ noNaN: true }), (reference, a, b) => {
      const tail = fitTailProbability(Float32Array.from(reference));
      expect(tailProbability(tail, Math.min(a, b))).toBeGreaterThanOrEqual(tailProbability(tail, Math.max(a, b)));
    }),
  );
});

test('thins a long reference and keeps its ends', () => {
  const scores = Float32Array.from({ length: 300_001 }, (_, i) => i / 300_000);
  const { reference } = fitTailProbability(scores);
  expect(reference.length).toBe(200_000);
  expect([reference[0], reference.at(-1)]).toEqual([0, 1]);
});
