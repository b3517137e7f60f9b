import { expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { swapValues } from './swap-noise.ts';

const ROWS = 4001;
const COLUMNS = 3;
// Each value is its own: its column in the thousands' place of a hundred thousand, its row below.
const matrix = {
  rows: ROWS,
  columns: COLUMNS,
  values: Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => (at % COLUMNS) * 1e5 + Math.floor(at / COLUMNS)),
};

it('swaps the share of each column for values of the same column in other rows', () => {
  const before = matrix.values.slice();
  const { values } = swapValues(matrix, 0.3, createPrng(1));
  expect(matrix.values).toEqual(before);
  const changed = new Float64Array(COLUMNS);
  values.forEach((value, at) => {
    expect(Math.floor(value / 1e5)).toBe(at % COLUMNS);
    expect(value % 1e5).toBeLessThan(ROWS);
    if (value !== matrix.values[at]) changed[at % COLUMNS] += 1 / ROWS;
  });
  for (const share of changed) expect(Math.abs(share - 0.3)).toBeLessThan(0.03);
});

it('draws anew for another seed, the same for the same, and nothing for no share', () => {
  const swapped = (share: number, seed: number) => swapValues(matrix, share, createPrng(seed)).values;
  expect(swapped(0.3, 1)).toEqual(swapped(0.3, 1));
  expect(swapped(0.3, 1)).not.toEqual(swapped(0.3, 2));
  expect(swapped(0, 1)).toEqual(matrix.values);
});
