// Learns how one column of the training rows is turned into inputs: its median, spread, quantiles or categories.
import type { Matrix } from '../matrix.ts';
import { normalQuantile } from './normal-quantile.ts';
import type { ColumnPlan, PreparationOptions } from './preparation.ts';

export interface FittedColumn {
  readonly plan: ColumnPlan;
  /** Rows whose value is NaN. */
  readonly missing: number;
}

export function fitColumn(
  matrix: Matrix,
  column: number,
  categorical: boolean,
  options: PreparationOptions,
): FittedColumn {
  const finite = new Float32Array(matrix.rows);
  let count = 0;
  let missing = 0;
  for (let row = 0, at = column; row < matrix.rows; row++, at += matrix.columns) {
    const value = matrix.values[at];
    if (value - value === 0) finite[count++] = value;
    else if (Number.isNaN(value)) missing++;
  }
  // Typed arrays sort by value, −0 before 0.
  const sorted = finite.subarray(0, count).sort();
  return { plan: categorical ? planCategories(sorted, options) : planNumbers(sorted, options), missing };
}

function planNumbers(sorted: Float32Array, options: PreparationOptions): ColumnPlan {
  if (sorted.length === 0 || sorted[0] === sorted[sorted.length - 1]) return { kind: 'constant' };
  // No −0 in a plan: JSON stores it as 0, and a reloaded plan must give the same bits.
  const median = sorted[sorted.length >> 1] + 0;
  switch (options.method) {
    case 'standardise':
      return planScale(sorted, median, false, options.clip);
    case 'signed-log':
      return planScale(sorted, median, true, options.clip);
    case 'quantile-normal':
      return planQuantiles(sorted, median, options.quantiles);
    case 'piecewise-linear':
      return { kind: 'bins', median, edges: distinctQuantiles(sorted, options.bins) };
  }
}

function planScale(sorted: Float32Array, median: number, log: boolean, clip: number): ColumnPlan {
  const shape = (value: number) => (log ? Math.sign(value) * Math.log1p(Math.abs(value)) : value);
  let sum = 0;
  for (const value of sorted) sum += shape(value);
  const mean = sum / sorted.length;
  let squares = 0;
  for (const value of sorted) squares += (shape(value) - mean) ** 2;
  const deviation = Math.fround(Math.sqrt(squares / sorted.length));
  if (!(deviation > 0 && deviation < Number.POSITIVE_INFINITY)) return { kind: 'constant' };
  return { kind: 'scale', median, log, mean: Math.fround(mean) + 0, deviation, clip };
}

/**
 * Knots at evenly spaced ranks. Values that fill several ranks are one knot at their mean rank, as scikit-learn's
 * QuantileTransformer has it on average; the extremes get the score of half a rank from the end.
 */
function planQuantiles(sorted: Float32Array, median: number, quantiles: number): ColumnPlan {
  const count = Math.min(quantiles, sorted.length);
  const knots: number[] = [];
  const scores: number[] = [];
  for (let from = 0; from < count; ) {
    const value = quantileAt(sorted, from, count);
    let to = from;
    while (to < count && quantileAt(sorted, to, count) === value) to++;
    const rank = (from + to - 1) / 2 / (count - 1);
    knots.push(value);
    scores.push(Math.fround(normalQuantile(Math.min(1 - 0.5 / count, Math.max(0.5 / count, rank)))));
    from = to;
  }
  return { kind: 'quantile', median, knots, scores };
}

function distinctQuantiles(sorted: Float32Array, bins: number): number[] {
  const edges = Array.from({ length: bins + 1 }, (_, i) => quantileAt(sorted, i, bins + 1));
  return edges.filter((edge, i) => i === 0 || edge > edges[i - 1]);
}

/** The element at the i-th of `count` evenly spaced ranks, both ends included. */
function quantileAt(sorted: Float32Array, i: number, count: number): number {
  return sorted[Math.round((i / (count - 1)) * (sorted.length - 1))] + 0;
}

function planCategories(sorted: Float32Array, { maxCategories }: PreparationOptions): ColumnPlan {
  const counts = new Map<number, number>();
  for (const value of sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (counts.size < 2) return { kind: 'constant' };
  const byFrequency = [...counts].sort(([a, n], [b, m]) => m - n || a - b);
  return { kind: 'category', values: byFrequency.slice(0, maxCategories).map(([value]) => value) };
}
