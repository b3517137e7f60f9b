import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseByCapacity } from './capacity.ts';

const DAY_MS = 86_400_000;

/** Ten rows a day with risks .0 to .9, over two and a half days. */
const timesMs = Float64Array.from({ length: 25 }, (_, row) => (row * DAY_MS) / 10);
const scores = Float32Array.from({ length: 25 }, (_, row) => (row % 10) / 10);

test('flags as many rows a day as the analysts can look at, counted on whole days', () => {
  const chosen = chooseByCapacity(scores, timesMs, 0, 2.5 * DAY_MS, 3);
  expect(chosen.threshold).toBeCloseTo(0.7, 6);
  expect(chosen.days).toBe(2);
  expect(chosen.alertsPerDay).toEqual({ mean: 3, standardDeviation: 0, least: 3, greatest: 3 });
});

test('tells how alerts vary from day to day', () => {
  const given = Float32Array.of(0.9, 0.8, 0.7, 0.1);
  const times = Float64Array.of(0, 1, 2, DAY_MS);
  const { alertsPerDay } = chooseByCapacity(given, times, 0, 2 * DAY_MS, 1.5);
  expect(alertsPerDay).toEqual({ mean: 1.5, standardDeviation: 1.5, least: 0, greatest: 3 });
});

test('never flags more than the capacity, and a lower threshold would', () => {
  const rows = fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.nat(3 * DAY_MS - 1)), { minLength: 1 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 20 }), (given, capacity) => {
      const risks = Float32Array.from(given, ([risk]) => risk);
      const flaggedFrom = (threshold: number) => risks.filter((risk) => risk >= threshold).length;
      const times = Float64Array.from(given, ([, timeMs]) => timeMs);
      const greatest = Math.max(...risks);
      if (flaggedFrom(greatest) > capacity * 3) {
        expect(() => chooseByCapacity(risks, times, 0, 3 * DAY_MS, capacity)).toThrow('share the greatest risk');
        return;
      }
      const { threshold, alertsPerDay } = chooseByCapacity(risks, times, 0, 3 * DAY_MS, capacity);
      expect(alertsPerDay.mean).toBeLessThanOrEqual(capacity);
      expect(alertsPerDay.mean * 3).toBeCloseTo(flaggedFrom(threshold), 9);
      const below = risks.filter((risk) => risk < threshold);
      if (below.length > 0) expect(flaggedFrom(Math.max(...below))).toBeGreaterThan(capacity * 3);
    }),
  );
});

test('less than a day is too little', () => {
  expect(() => chooseByCapacity(scores, timesMs, 0, 0.5 * DAY_MS, 3)).toThrow('less than a day');
});
