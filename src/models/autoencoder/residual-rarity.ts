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
