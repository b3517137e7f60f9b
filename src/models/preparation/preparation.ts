// Turns feature columns into inputs that a network can learn from; fitted on training rows, stored with the model.
//
//   const plan = fitPreparation(matrix, { method: 'quantile-normal' });   // plain data: JSON.stringify(plan) stores it
//   const preparation = createPreparation(plan);                          // checks the plan
//   preparation.apply(matrix)                                             // rows × preparation.outputs, every value finite
//   preparation.sourceColumns[output]                                     // the feature that an output is made of
//
// Methods: `standardise`; `signed-log`, sign(v) · ln(1 + |v|) and then standardised; `quantile-normal`, the normal score of
// the value's rank; `piecewise-linear`, the encoding of Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical
// Features in Tabular Deep Learning", NeurIPS 2022 (§3.2, bins at quantiles). Missing values become the median, and where
// the training rows had some, a further output tells that the value is missing. A column that never varied gives one output
// that is always 0, whatever later rows hold, so it has no influence. Columns of category codes become codes from 1 by
// frequency, 0 for all others, for an embedding.
import { assert } from '../../lib/assert.ts';
import type { Matrix } from '../matrix.ts';
import { createMatrix } from '../matrix.ts';
import { fitColumn } from './fit-column.ts';

export type PreparationMethod = 'standardise' | 'signed-log' | 'quantile-normal' | 'piecewise-linear';

export interface PreparationOptions {
  readonly method: PreparationMethod;
  /** Standardised values beyond ± this are clipped; infinities become it. In standard deviations, > 0. */
  readonly clip: number;
  /** A further output per column that had missing values. */
  readonly missingIndicators: boolean;
  /** Bins of one column (piecewise-linear), 2 … 256. */
  readonly bins: number;
  /** Knots of one column (quantile-normal), 2 … 1024. */
  readonly quantiles: number;
  /** Columns that hold category codes. */
  readonly categorical: readonly number[];
  /** Categories of one column that get a code of their own, the most frequent first, 1 … 10,000. */
  readonly maxCategories: number;
}

export const DEFAULT_PREPARATION: PreparationOptions = {
  method: 'quantile-normal',
  clip: 8,
  missingIndicators: true,
  bins: 16,
  quantiles: 256,
  categorical: [],
  maxCategories: 64,
};

/** How one column is turned into outputs; numbers are exact float32 values. */
export type ColumnPlan =
  | { readonly kind: 'constant' }
  | {
      readonly kind: 'scale';
      readonly median: number;
      readonly log: boolean;
      readonly mean: number;
      readonly deviation: number;
      readonly clip: number;
    }
  /** Between knots (ascending) the normal scores are interpolated; outside they stay at the ends. */
  | { readonly kind: 'quantile'; readonly median: number; readonly knots: number[]; readonly scores: number[] }
  /** One output per pair of neighbouring edges (ascending): the share of the bin below the value. */
  | { readonly kind: 'bins'; readonly median: number; readonly edges: number[] }
  /** The value `values[i]` becomes i + 1. */
  | { readonly kind: 'category'; readonly values: number[] };

export interface PreparationPlan {
  readonly columns: readonly ColumnPlan[];
  /** Columns whose missing values are told by an output of their own, after all others, in this order. */
  readonly indicators: readonly number[];
}

export interface Preparation {
  readonly plan: PreparationPlan;
  /** Columns of the feature matrix. */
  readonly inputs: number;
  /** Columns of the prepared matrix. */
  readonly outputs: number;
  /** For each output, the column it is made of. */
  readonly sourceColumns: Uint32Array;
  /** Outputs that hold category codes, with how many codes there are (0 included). */
  readonly categorical: readonly { readonly column: number; readonly categories: number }[];
  apply(matrix: Matrix): Matrix;
  /** Prepares rows `[from, from + count)` into the start of `into`. */
  applyRows(matrix: Matrix, from: number, count: number, into: Float32Array): void;
  /** Prepares one row (`inputs` values) into `into[offset … offset + outputs)`. */
  applyRow(row: Float32Array, into: Float32Array, offset: number): void;
}

/**
 * Learns the plan from training rows. Pure; the same rows give the same plan.
 *
 * @throws if an option is out of its range
 */
export function fitPreparation(matrix: Matrix, options: Partial<PreparationOptions> = {}): PreparationPlan {
  const chosen = { ...DEFAULT_PREPARATION, ...options };
  checkOptions(chosen, matrix.columns);
  const categorical = new Set(chosen.categorical);
  const columns: ColumnPlan[] = [];
  const indicators: number[] = [];
  for (let column = 0; column < matrix.columns; column++) {
    const { plan, missing } = fitColumn(matrix, column, categorical.has(column), chosen);
    columns.push(plan);
    // An indicator that is always 1 would be a constant too.
    if (chosen.missingIndicators && missing > 0 && missing < matrix.rows && plan.kind !== 'category') {
      indicators.push(column);
    }
  }
  return { columns, indicators };
}

/** A row of medians and most frequent categories; a column that never varied has no influence, whatever stands there. */
export function ordinaryRow({ columns }: PreparationPlan): Float32Array {
  return Float32Array.from(columns, (column) => {
    if (column.kind === 'constant') return 0;
    return column.kind === 'category' ? column.values[0] : column.median;
  });
}

/** @throws if the plan is damaged; the message says where. */
export function createPreparation(plan: PreparationPlan): Preparation {
  checkPlan(plan);
  const writers = plan.columns.map(writerOf);
  const widths = plan.columns.map((column) => (column.kind === 'bins' ? column.edges.length - 1 : 1));
  const starts = widths.map((_, column) => widths.slice(0, column).reduce((sum, width) => sum + width, 0));
  const values = widths.reduce((sum, width) => sum + width, 0);
  const inputs = plan.columns.length;
  const outputs = values + plan.indicators.length;
  const sourceColumns = new Uint32Array(outputs);
  widths.forEach((width, column) => {
    sourceColumns.fill(column, starts[column], starts[column] + width);
  });
  sourceColumns.set(plan.indicators, values);

  const applyAt = (from: Float32Array, at: number, rows: number, into: Float32Array, offset: number): void => {
    for (let column = 0; column < inputs; column++) {
      writers[column]({ from, at: at + column, step: inputs, rows }, into, offset + starts[column], outputs);
    }
    for (let i = 0; i < plan.indicators.length; i++) {
      let source = at + plan.indicators[i];
      let target = offset + values + i;
      for (let row = 0; row < rows; row++, source += inputs, target += outputs) {
        into[target] = Number.isNaN(from[source]) ? 1 : 0;
      }
    }
  };
  const checkInputs = (columns: number) =>
    assert(columns === inputs, `the preparation takes ${inputs} columns, not ${columns}`);
  return {
    plan,
    inputs,
    outputs,
    sourceColumns,
    categorical: plan.columns.flatMap((column, index) =>
      column.kind === 'category' ? [{ column: starts[index], categories: column.values.length + 1 }] : [],
    ),
    apply(matrix) {
      checkInputs(matrix.columns);
      const prepared = createMatrix(matrix.rows, outputs);
      for (let from = 0; from < matrix.rows; from += BLOCK_ROWS) {
        const rows = Math.min(BLOCK_ROWS, matrix.rows - from);
        applyAt(matrix.values, from * inputs, rows, prepared.values, from * outputs);
      }
      return prepared;
    },
    applyRows(matrix, from, count, into) {
      checkInputs(matrix.columns);
      applyAt(matrix.values, from * inputs, count, into, 0);
    },
    applyRow: (row, into, offset) => applyAt(row, 0, 1, into, offset),
  };
}

/** Rows whose columns are prepared one after another while they are in the nearest caches. */
const BLOCK_ROWS = 64;

/** One column's values of some rows: `from[at]`, `from[at + step]` … */
interface ColumnRun {
  readonly from: Float32Array;
  readonly at: number;
  readonly step: number;
  readonly rows: number;
}

/** Writes the run's first value to `into[to]`, and each further one `stride` behind. */
type Writer = (run: ColumnRun, into: Float32Array, to: number, stride: number) => void;

function writerOf(plan: ColumnPlan): Writer {
  switch (plan.kind) {
    case 'constant':
      return ({ rows }, into, to, stride) => {
        for (let row = 0; row < rows; row++) into[to + row * stride] = 0;
      };
    case 'scale':
      return plan.log ? signedLogWriter(plan) : scaleWriter(plan);
    case 'quantile':
      return quantileWriter(plan);
    case 'bins':
      return binsWriter(plan);
    case 'category': {
      const codes = new Map(plan.values.map((value, index) => [value, index + 1]));
      return ({ from, at, step, rows }, into, to, stride) => {
        for (let row = 0; row < rows; row++) into[to + row * stride] = codes.get(from[at + row * step]) ?? 0;
      };
    }
  }
}

type ScalePlan = Extract<ColumnPlan, { kind: 'scale' }>;

function scaleWriter({ median, mean, deviation, clip }: ScalePlan): Writer {
  return ({ from, at, step, rows }, into, to, stride) => {
    for (let row = 0; row < rows; row++) {
      const value = from[at + row * step];
      const scaled = ((Number.isNaN(value) ? median : value) - mean) / deviation;
      into[to + row * stride] = Math.max(-clip, Math.min(clip, scaled));
    }
  };
}

function signedLogWriter({ median, mean, deviation, clip }: ScalePlan): Writer {
  return ({ from, at, step, rows }, into, to, stride) => {
    for (let row = 0; row < rows; row++) {
      const value = from[at + row * step];
      const known = Number.isNaN(value) ? median : value;
      const scaled = (Math.sign(known) * Math.log1p(Math.abs(known)) - mean) / deviation;
      into[to + row * stride] = Math.max(-clip, Math.min(clip, scaled));
    }
  };
}

function quantileWriter({ median, knots, scores }: Extract<ColumnPlan, { kind: 'quantile' }>): Writer {
  const x = Float64Array.from(knots);
  const y = Float64Array.from(scores);
  const last = x.length - 1;
  const scoreOf = (known: number): number => {
    if (known <= x[0]) return y[0];
    if (known >= x[last]) return y[last];
    const below = lastNotAbove(x, known);
    return y[below] + ((known - x[below]) / (x[below + 1] - x[below])) * (y[below + 1] - y[below]);
  };
  return ({ from, at, step, rows }, into, to, stride) => {
    for (let row = 0; row < rows; row++) {
      const value = from[at + row * step];
      into[to + row * stride] = scoreOf(Number.isNaN(value) ? median : value);
    }
  };
}

function binsWriter({ median, edges }: Extract<ColumnPlan, { kind: 'bins' }>): Writer {
  const x = Float64Array.from(edges);
  return ({ from, at, step, rows }, into, to, stride) => {
    for (let row = 0; row < rows; row++) {
      const value = from[at + row * step];
      const known = Number.isNaN(value) ? median : value;
      for (let bin = 0; bin + 1 < x.length; bin++) {
        const share = known >= x[bin + 1] ? 1 : known <= x[bin] ? 0 : (known - x[bin]) / (x[bin + 1] - x[bin]);
        into[to + row * stride + bin] = share;
      }
    }
  };
}

/** Index of the last element ≤ value; the first element is ≤ value. */
function lastNotAbove(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

function checkOptions(options: PreparationOptions, columns: number): void {
  const inRange = (value: number, from: number, to: number) => Number.isInteger(value) && value >= from && value <= to;
  if (!(options.clip > 0 && options.clip < 1e6)) throw new Error(`preparation: clip is ${options.clip}, not above 0`);
  if (!inRange(options.bins, 2, 256)) throw new Error(`preparation: ${options.bins} bins, expected 2 to 256`);
  if (!inRange(options.quantiles, 2, 1024)) {
    throw new Error(`preparation: ${options.quantiles} quantiles, expected 2 to 1024`);
  }
  if (!inRange(options.maxCategories, 1, 10_000)) {
    throw new Error(`preparation: ${options.maxCategories} categories, expected 1 to 10,000`);
  }
  const wrong = options.categorical.find((column) => !inRange(column, 0, columns - 1));
  if (wrong !== undefined) throw new Error(`preparation: categorical column ${wrong} of ${columns} columns`);
}

function checkPlan(plan: PreparationPlan): void {
  const damaged = (what: string) => new Error(`preparation: the plan is damaged: ${what}`);
  if (!Array.isArray(plan?.columns) || !Array.isArray(plan.indicators)) throw damaged('it lists no columns');
  const ascending = (list: unknown) =>
    Array.isArray(list) && list.length >= 2 && list.every((x, i) => Number.isFinite(x) && (i === 0 || x > list[i - 1]));
  plan.columns.forEach((column, index) => {
    const sound =
      column.kind === 'constant' ||
      (column.kind === 'scale' &&
        [column.median, column.mean, column.clip].every(Number.isFinite) &&
        column.deviation > 0) ||
      (column.kind === 'quantile' && ascending(column.knots) && column.scores?.length === column.knots.length) ||
      (column.kind === 'bins' && ascending(column.edges)) ||
      (column.kind === 'category' && Array.isArray(column.values));
    if (!sound) throw damaged(`column ${index}`);
  });
  if (plan.indicators.some((column) => !(column in plan.columns))) throw damaged('an indicator names no column');
}
