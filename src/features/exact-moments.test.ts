import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SQUARE_LIMIT, sampleDeviation, squareHigh, squareLow } from './exact-moments.ts';

const amounts = fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: 2, maxLength: 60 });

function deviationOf(values: readonly number[]): number {
  const sum = (of: (value: number) => number) => values.reduce((total, value) => total + of(value), 0);
  return sampleDeviation(
    values.length,
    sum((a) => a),
    sum(squareHigh),
    sum(squareLow),
  );
}

/** With integers of any size: n·Σa² − (Σa)², then one rounding. */
function exactDeviation(values: readonly number[]): number {
  const n = BigInt(values.length);
  const sum = values.reduce((total, value) => total + BigInt(value), 0n);
  const squares = values.reduce((total, value) => total + BigInt(value) ** 2n, 0n);
  return Math.sqrt(Number(n * squares - sum * sum) / Number(n * (n - 1n)));
}

describe('exact moments', () => {
  it('split a square into two exact parts', () => {
    fc.assert(
      fc.property(fc.integer({ min: -SQUARE_LIMIT, max: SQUARE_LIMIT }), (amount) => {
        const joined = BigInt(squareHigh(amount)) * 2n ** 32n + BigInt(squareLow(amount));
        expect(joined).toBe(BigInt(amount) ** 2n);
        expect(squareLow(amount)).toBeLessThan(2 ** 33);
      }),
    );
  });

  it('give the spread without cancellation, whatever the mean', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: 1000 }), (values, small) => {
        const shifted = values.map((value, i) => 2 ** 40 + ((value + i) % (small + 1)));
        for (const list of [values, shifted]) {
          const expected = exactDeviation(list);
          expect(Math.abs(deviationOf(list) - expected)).toBeLessThanOrEqual(1e-14 * expected);
        }
      }),
    );
  });

  it('are exactly zero for equal amounts, and unknown for one', () => {
    expect(deviationOf(Array.from({ length: 1000 }, () => 98_765_432_198))).toBe(0);
    expect(deviationOf([5])).toBeNaN();
  });
});
