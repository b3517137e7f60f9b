// Empirical tail probabilities of each feature, the common ground of ECOD and COPOD.
//
// Of each feature's sorted training values only some are kept: all of the outermost ranks, and further in those whose
// tail is a fiftieth greater than the last one's. With each goes the exact share of the rows up to it and from it
// onwards. A tail is then never off by more than a factor of 1.02, however many rows there were; where all distinct
// values are kept it is exact.
import type { Matrix } from '../matrix.ts';
import type { Learned } from './additive-detector.ts';

/** −log of both tails of a column's value; each tail counts one more row than there are, so that none is 0. */
export interface TailLogs {
  left: number;
  right: number;
}

const TAIL_RATIO = 1.02;

/**
 * By column, one behind the other: `values` that were kept, ascending, with their `lefts` and `rights` (−log of a tail);
 * `starts`, columns + 1 entries; `skewness`, by columns; and `beyond`, −log of the tail of a value outside them all.
 */
export function learnTails({ rows, columns, values }: Matrix): Learned {
  const ranks = keptRanks(rows);
  const kept: number[] = [];
  const lefts: number[] = [];
  const rights: number[] = [];
  const starts = new Float64Array(columns + 1);
  const skewness = new Float64Array(columns);
  const column = new Float64Array(rows);
  for (let i = 0; i < columns; i++) {
    for (let row = 0; row < rows; row++) column[row] = values[row * columns + i];
    skewness[i] = skewnessOf(column);
    column.sort();
    let from = 0;
    for (const rank of ranks) {
      if (rank < from) continue;
      const value = column[rank];
      from = firstFrom(column, value, from);
      const end = firstAfter(column, value, rank);
      kept.push(value);
      lefts.push(-Math.log((end + 1) / (rows + 1)));
      rights.push(-Math.log((rows - from + 1) / (rows + 1)));
      from = end;
    }
    starts[i + 1] = kept.length;
  }
  const arrays = { values: kept, lefts, rights };
  const numbers = Object.fromEntries(Object.entries(arrays).map(([name, list]) => [name, Float64Array.from(list)]));
  return { numbers: { ...numbers, starts, skewness, beyond: Float64Array.of(Math.log(rows + 1)) } };
}

/** Makes what looks a column's value up; the result is written into `logs`. */
export function createTailLookup({ numbers }: Learned, logs: TailLogs): (column: number, value: number) => void {
  const { values, lefts, rights, starts, beyond } = numbers;
  const outside = beyond[0];
  return (column, value) => {
    const start = starts[column];
    const end = starts[column + 1];
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    const exact = low < end && values[low] === value;
    if (exact) logs.left = lefts[low];
    else logs.left = low === start ? outside : lefts[low - 1];
    logs.right = low === end ? outside : rights[low];
  };
}

/** Ascending, symmetric: every rank near both ends, and towards the middle fewer. */
function keptRanks(rows: number): number[] {
  const ranks = new Set<number>();
  for (let rank = 0; rank <= rows >> 1; rank = Math.max(rank + 1, Math.floor((rank + 1) * TAIL_RATIO) - 1)) {
    ranks.add(rank).add(rows - 1 - rank);
  }
  return [...ranks].sort((a, b) => a - b);
}

/** The first place at or after `from` with a value of at least the given one. */
function firstFrom(sorted: Float64Array, value: number, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place at or after `from` with a greater value. */
function firstAfter(sorted: Float64Array, value: number, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function skewnessOf(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value;
  mean /= values.length;
  let second = 0;
  let third = 0;
  for (const value of values) {
    second += (value - mean) ** 2;
    third += (value - mean) ** 3;
  }
  return third / values.length / (second / values.length) ** 1.5;
}
