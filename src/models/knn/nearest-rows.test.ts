import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Matrix } from '../matrix.ts';
import { createSearch, sortReferences } from './nearest-rows.ts';

/** Coarse values make ties and rows that are there twice; the columns spread unequally. */
const references = fc
  .record({ columns: fc.integer({ min: 1, max: 9 }), rows: fc.integer({ min: 1, max: 40 }) })
  .chain(({ columns, rows }) =>
    fc
      .array(fc.integer({ min: -8, max: 8 }), { minLength: (rows + 1) * columns, maxLength: (rows + 1) * columns })
      .map((values) => {
        const spread = values.map((value, at) => (value / 8) * (1 + (at % columns)));
        const matrix: Matrix = { rows, columns, values: Float32Array.from(spread.slice(columns)) };
        return { matrix, point: Float64Array.from(spread.slice(0, columns), Math.fround) };
      }),
  );

function squaresByBruteForce({ rows, columns, values }: Matrix, point: Float64Array): number[] {
  return Array.from({ length: rows }, (_, row) =>
    point.reduce((sum, value, i) => sum + (value - values[row * columns + i]) ** 2, 0),
  ).sort((a, b) => a - b);
}

describe('the nearest rows', () => {
  it('are those of a search through all rows, at their distances', () => {
    fc.assert(
      fc.property(references, fc.integer({ min: 1, max: 40 }), ({ matrix, point }, wanted) => {
        const k = Math.min(wanted, matrix.rows);
        const sorted = sortReferences(matrix);
        const { squares, indices } = createSearch(sorted, k)(point);
        const expected = squaresByBruteForce(matrix, point).slice(0, k);
        expect([...squares]).toEqual(expected.map((square) => expect.closeTo(square, 9)));
        expect(new Set(indices).size).toBe(k);
        indices.forEach((index, i) => {
          let square = 0;
          for (let c = 0; c < point.length; c++) square += (point[c] - sorted.rows[index * point.length + c]) ** 2;
          expect(square).toBeCloseTo(squares[i], 9);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('of a point far from all rows are found as well', () => {
    const matrix: Matrix = { rows: 4, columns: 2, values: Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1) };
    const { squares } = createSearch(sortReferences(matrix), 2)(Float64Array.of(1000, 0.25));
    expect([...squares]).toEqual([999 ** 2 + 0.0625, 999 ** 2 + 0.5625]);
  });
});
