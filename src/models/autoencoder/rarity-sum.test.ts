import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import type { Matrix } from '../matrix.ts';
import { createRaritySum } from './rarity-sum.ts';
import { fitResidualTail, type ResidualTail, raritiesOf } from './residual-rarity.ts';

const ROWS = 3000;
const COLUMNS = 4;
const SCALE = 7.3;

const prng = createPrng(5);
const training: Matrix = {
  rows: ROWS,
  columns: COLUMNS,
  // Squares of normal values over many orders of magnitude, a column with few values, one that never varies.
  values: Float32Array.from({ length: ROWS * COLUMNS }, (_, i) =>
    i % COLUMNS === 0
      ? prng.nextNormal() ** 2
      : i % COLUMNS === 1
        ? Math.exp(9 * prng.nextNormal())
        : i % COLUMNS === 2
          ? prng.nextBelow(3)
          : 4,
  ),
};
const tails = Array.from({ length: COLUMNS }, (_, column) => fitResidualTail(training, column));

/** Each residual of the training rows, its neighbours among the numbers, and extremes. */
function residualsToTry(): Float32Array {
  const near = tails
    .flatMap((tail) => [...(tail?.residuals ?? [])])
    .flatMap((x) => [x, x * (1 + 1e-7), x * (1 - 1e-7)]);
  const extremes = [0, -0, -1, 1e-45, 3.4e38, Number.POSITIVE_INFINITY, Number.NaN];
  const drawn = Array.from({ length: 2000 }, () => Math.exp(20 * prng.nextNormal()));
  return Float32Array.from([...near, ...extremes, ...drawn]);
}

describe('the sum of rarities', () => {
  it.each([
    ['where they stay as they are beyond the training rows', 1, null],
    ['where they rise beyond them', 0, 2.5],
    ['where none is above the ordinary', 50, null],
  ])('has the bits of adding them one by one, %s', (_, ordinary, step) => {
    const given = tails.map((tail): ResidualTail | null => tail && { ...tail, step });
    const tried = residualsToTry();
    const rows = tried.length;
    // Each column meets each residual, beside others.
    const values = Float32Array.from(
      { length: rows * COLUMNS },
      (_unused, i) => tried[(Math.floor(i / COLUMNS) + 97 * (i % COLUMNS)) % rows],
    );
    const sums = new Float64Array(rows).fill(0.125);
    createRaritySum(given, ordinary, SCALE)(values, rows, sums);
    const rarities = new Float64Array(COLUMNS);
    const expected = Float64Array.from({ length: rows }, (_unused, row) => {
      raritiesOf(given, ordinary, { rows, columns: COLUMNS, values }, row, rarities);
      let sum = 0.125;
      for (const rarity of rarities) sum += rarity / SCALE;
      return sum;
    });
    expect(sums).toEqual(expected);
    expect(new Set(sums).size > 100).toBe(ordinary < 50);
  });
});
