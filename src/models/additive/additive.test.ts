import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { ecod } from '../ecod/ecod.ts';
import type { Matrix } from '../matrix.ts';
import { fitColumnRanges, scaleMatrix, scaleRow } from './column-ranges.ts';
import { createTailLookup, learnTails, type TailLogs } from './tail-tables.ts';

const oneColumn = (values: readonly number[]): Matrix => ({
  rows: values.length,
  columns: 1,
  values: Float32Array.from(values),
});

describe('column ranges', () => {
  const matrix = { rows: 4, columns: 3, values: Float32Array.of(1, 5, NaN, 3, 5, 2, 9, 5, 4, Infinity, 5, 6) };
  const ranges = fitColumnRanges(matrix);

  it('leave out columns that do not vary, and infinities', () => {
    expect(ranges.columns).toBe(3);
    expect(ranges.varying).toEqual([
      { column: 0, least: 1, range: 8, median: 0.25 },
      { column: 2, least: 2, range: 4, median: 0.5 },
    ]);
  });

  it('read a missing value as the median, and bound what lies far outside', () => {
    const scaled = new Float64Array(2);
    scaleRow(ranges, Float32Array.of(5, 0, NaN), 0, scaled);
    expect([...scaled]).toEqual([0.5, 0.5]);
    scaleRow(ranges, Float32Array.of(Infinity, 0, -3.4e38), 0, scaled);
    expect([...scaled]).toEqual([1001, -1000]);
  });

  it('scale a row alone to the bits it has among the training rows', () => {
    const values = Array.from({ length: 300 }, (_, i) => Math.sin(i) * 7);
    const training = oneColumn(values);
    const fitted = fitColumnRanges(training);
    const all = scaleMatrix(fitted, training);
    const one = new Float64Array(1);
    values.forEach((_, row) => {
      scaleRow(fitted, training.values, row, one);
      expect(one[0]).toBe(all.values[row]);
    });
  });
});

describe('tail tables', () => {
  const logs: TailLogs = { left: 0, right: 0 };

  function exact(values: readonly number[], x: number): TailLogs {
    const minusLog = (count: number) => -Math.log((count + 1) / (values.length + 1));
    return {
      left: minusLog(values.filter((value) => value <= x).length),
      right: minusLog(values.filter((value) => value >= x).length),
    };
  }

  it('are exact where the distinct values are few, between and beyond them too', () => {
    const values = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 90 });
    fc.assert(
      fc.property(values, fc.integer({ min: -1, max: 26 }), (given, doubled) => {
        fc.pre(new Set(given).size > 1);
        const lookUp = createTailLookup(learnTails(oneColumn(given)), logs);
        lookUp(0, doubled / 2);
        const expected = exact(given, doubled / 2);
        expect(logs.left).toBeCloseTo(expected.left, 12);
        expect(logs.right).toBeCloseTo(expected.right, 12);
      }),
    );
  });

  it('of twenty thousand values are off by no more than a fiftieth, with a table of hundreds', () => {
    const prng = createPrng(4);
    // A third of the values are one and the same, the others have a long right tail.
    const values = Array.from({ length: 20_000 }, () => Math.fround(Math.max(0, prng.nextNormal() - 0.4) ** 3));
    const learned = learnTails(oneColumn(values));
    expect(learned.numbers.values.length).toBeLessThan(1000);
    const lookUp = createTailLookup(learned, logs);
    for (let i = 0; i < 300; i++) {
      const x = i % 2 === 0 ? values[i] : Math.max(0, prng.nextNormal()) ** 3;
      lookUp(0, x);
      const expected = exact(values, x);
      // The small tail decides; near the other end −log is next to 0.
      for (const side of ['left', 'right'] as const) {
        if (expected[side] < Math.LN2) expect(logs[side]).toBeLessThan(Math.LN2 + 0.03);
        else expect(Math.abs(logs[side] - expected[side])).toBeLessThan(0.021);
      }
    }
  });

  it('tell several columns apart', () => {
    const lookUp = createTailLookup(
      learnTails({ rows: 3, columns: 2, values: Float32Array.of(0, 9, 1, 8, 2, 7) }),
      logs,
    );
    lookUp(0, 2);
    expect(logs.right).toBeCloseTo(Math.log(2), 12);
    lookUp(1, 7);
    expect(logs.left).toBeCloseTo(Math.log(2), 12);
    lookUp(1, 2);
    expect(logs.left).toBeCloseTo(Math.log(4), 12);
  });
});

describe('an additive detector', () => {
  it('keeps the order of rows far beyond the training rows', () => {
    const training = oneColumn(Array.from({ length: 100 }, (_, i) => i));
    const detector = ecod.fit({ matrix: training, features: ['a'], labels: null, validation: null }, {}, 1);
    const [inside, edge, far] = detector.score(oneColumn([50, 99, 1e6]));
    expect(inside).toBeLessThan(edge);
    expect(edge).toBeLessThan(far);
  });
});
