import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Coverage } from './coverage.ts';

const ranges = fc.array(
  fc.tuple(fc.nat(2), fc.nat(60), fc.nat(15)).map(([partition, from, more]) => ({ partition, from, to: from + more })),
  { maxLength: 20 },
);

test('knows exactly the offsets of the ranges it was given, in whatever order they came', () => {
  fc.assert(
    fc.property(ranges, ranges, (given, asked) => {
      const coverage = new Coverage(given);
      const isGiven = (partition: number, offset: number) =>
        given.some((range) => range.partition === partition && range.from <= offset && offset <= range.to);
      for (const range of asked) {
        const gaps = coverage.missing(range);
        for (let offset = range.from; offset <= range.to; offset++) {
          const inGap = gaps.some(({ from, to }) => from <= offset && offset <= to);
          expect(inGap).toBe(!isGiven(range.partition, offset));
          expect(coverage.has(range.partition, offset)).toBe(!inGap);
        }
        for (const { from, to } of gaps) expect(from >= range.from && to <= range.to && from <= to).toBe(true);
      }
    }),
  );
});

test('keeps its ranges apart and in order, and the same whatever the order they came in', () => {
  fc.assert(
    fc.property(ranges, (given) => {
      const told = new Coverage(given).ranges();
      expect(new Coverage(given.toReversed()).ranges()).toEqual(told);
      told.forEach((range, index) => {
        const before = told[index - 1];
        if (before?.partition === range.partition) expect(range.from).toBeGreaterThan(before.to + 1);
      });
    }),
  );
});
