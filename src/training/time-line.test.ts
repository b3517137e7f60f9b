import { expect, test } from 'vitest';
import { periodOf, timeAtShare } from './time-line.ts';

const DAY_MS = 86_400_000;
const times = Float64Array.from({ length: 10_001 }, (_, i) => 1_700_000_000_000 + (i * 100 * DAY_MS) / 10_000);

test('a share of the rows has happened by then', () => {
  expect((timeAtShare(times, 0.4) - times[0]) / DAY_MS).toBeCloseTo(40, 1);
});

test('impossible dates do not move the ends of the period', () => {
  const spoiled = Float64Array.from(times);
  spoiled[5] = 78;
  spoiled[9_000] = 4e12;
  const [startMs, endMs] = periodOf(spoiled);
  expect((startMs - times[0]) / DAY_MS).toBeLessThan(0.2);
  expect((times[10_000] - endMs) / DAY_MS).toBeLessThan(0.2);
});

test('a million rows are thinned, and the answer is near', () => {
  const many = Float64Array.from({ length: 1_000_000 }, (_, i) => i);
  expect(timeAtShare(many, 0.7) / 1e6).toBeCloseTo(0.7, 3);
});

test('one row is its own period', () => {
  expect(periodOf(Float64Array.of(7))).toEqual([7, 7]);
});
