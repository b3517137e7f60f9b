// How rare a feature's residual is: −log of the share of training rows with at least as great a one, less what an
// ordinary row may have.
//
// Residuals of different features become comparable in this way, whatever their scale: one that is hard to predict does
// not drown the others. Beyond the training rows the rarity stays as it is there, or one wild value would outweigh all else.
import type { Matrix } from '../matrix.ts';

export interface ResidualTail {
  /** Residuals of training rows, ascending. */
  readonly residuals: Float64Array;
  /** For each, training rows with at least that residual. */
  readonly rowsFrom: Float64Array;
  readonly rows: number;
  /** The rarity rises by 1 for each such step beyond the greatest residual; null where it stays. */
  readonly step: number | null;
}

/** Outermost ranks are all kept, and further in those whose rank is this many times as great as the last one's. */
const RANK_RATIO = 1.02;

/** Of one column; null where its residuals never vary. */
export function fitResidualTail({ rows, columns, values }: Matrix, column: number): ResidualTail | null {
  const sorted = Float64Array.from({ length: rows }, (_, row) => values[row * columns + column]).sort();
  if (sorted[0] === sorted[rows - 1]) return null;
  const residuals: number[] = [];
  const rowsFrom: number[] = [];
  for (let from = rows - 1, last = 0; from >= 0; from--) {
    if (from > 0 && sorted[from - 1] === sorted[from]) continue;
    const count = rows - from;
    if (from > 0 && count < last * RANK_RATIO) continue;
    residuals.push(sorted[from]);
    rowsFrom.push(count);
    last = count;
  }
  return {
    residuals: Float64Array.from(residuals.reverse()),
    rowsFrom: Float64Array.from(rowsFrom.reverse()),
    rows,
    step: null,
  };
}

/** 0 for a residual that all training rows reach. */
export function residualRarity({ residuals, rowsFrom, rows, step }: ResidualTail, residual: number): number {
  const place = placeOf(residuals, residual);
  if (place < residuals.length) return Math.log((rows + 1) / (rowsFrom[place] + 1));
  const beyond = step === null ? 0 : (residual - residuals[place - 1]) / step;
  return Math.log(rows + 1) + beyond;
}

/** Writes what each feature's rarity is above the ordinary; 0 for features that have no tail. */
export function raritiesOf(
  tails: readonly (ResidualTail | null)[],
  ordinary: number,
  { columns, values }: Matrix,
  row: number,
  rarities: Float64Array,
): void {
  for (let column = 0; column < columns; column++) {
    const tail = tails[column];
    rarities[column] = tail === null ? 0 : Math.max(0, residualRarity(tail, values[row * columns + column]) - ordinary);
  }
}

/**
 * The sum of a row's rarities above the ordinary, each divided by `scale` (> 0): what adding up `raritiesOf` gives, in the bits
 * of that. Ordinary residuals, which most are, cost a comparison, and the others no logarithm.
 */
export function createRaritySum(
  tails: readonly (ResidualTail | null)[],
  ordinary: number,
  scale: number,
): (residuals: Float32Array, offset: number) => number {
  const tables = tails.map((tail) => tail && sharesOf(tail, ordinary, scale));
  const ordinaryUpTo = Float64Array.from(tables, (table) => table?.ordinaryUpTo ?? Number.POSITIVE_INFINITY);
  return (residuals, offset) => {
    let sum = 0;
    for (let column = 0; column < ordinaryUpTo.length; column++) {
      const residual = residuals[offset + column];
      if (residual <= ordinaryUpTo[column]) continue;
      const table = tables[column];
      if (table !== null) sum += shareOf(table, residual, ordinary, scale);
    }
    return sum;
  };
}

interface RarityShares {
  readonly tail: ResidualTail;
  /** By the place among the tail's residuals, and for what is beyond them. */
  readonly shares: Float64Array;
  /** No residual up to this one has a share. */
  readonly ordinaryUpTo: number;
}

function sharesOf(tail: ResidualTail, ordinary: number, scale: number): RarityShares {
  const { residuals, rowsFrom, rows } = tail;
  const share = (count: number) => Math.max(0, Math.log((rows + 1) / (count + 1)) - ordinary) / scale;
  const shares = Float64Array.from({ length: residuals.length + 1 }, (_, place) => share(rowsFrom[place] ?? 0));
  const rare = shares.findIndex((each) => each > 0);
  const place = (rare < 0 ? residuals.length : rare) - 1;
  return { tail, shares, ordinaryUpTo: place < 0 ? Number.NEGATIVE_INFINITY : residuals[place] };
}

function shareOf({ tail, shares }: RarityShares, residual: number, ordinary: number, scale: number): number {
  const place = placeOf(tail.residuals, residual);
  const isBeyond = place === tail.residuals.length && tail.step !== null;
  return isBeyond ? Math.max(0, residualRarity(tail, residual) - ordinary) / scale : shares[place];
}

/** Of the first that is not below it. */
function placeOf(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
