// The detectors whose score is a sum of one term per feature (models/additive) as graphs.
import {
  type AdditiveMethod,
  type AdditiveState,
  readAdditive,
  type Terms,
} from '../../models/additive/additive-detector.ts';
import { type ColumnRanges, LIMIT_RANGES } from '../../models/additive/column-ranges.ts';
import { copodMethod } from '../../models/copod/copod.ts';
import type { Artefact } from '../../models/detector.ts';
import { ecodMethod } from '../../models/ecod/ecod.ts';
import { HBOS_TOLERANCE, hbosMethod } from '../../models/hbos/hbos.ts';
import { projectionsOf } from '../../models/loda/loda.ts';
import { type GraphBuilder, int64, type ValueName } from '../../models/onnx/graph-builder.ts';
import { LEAST_SHARE } from '../../models/pca/pca.ts';
import {
  clamp,
  doubles,
  filled,
  INT64,
  number,
  shareOfOne,
  sumColumns,
  takeColumns,
  toDouble,
  toFloat,
} from './exact-values.ts';
import { entriesAt, placeIn } from './tables.ts';

type Numbers = Readonly<Record<string, Float64Array>>;
/** The raw score of scaled rows. @param scaled rows × columns, float64 */
type RawScore = (graph: GraphBuilder, numbers: Numbers, columns: number, scaled: ValueName) => ValueName;

const RAW_SCORES: Readonly<Record<string, RawScore>> = {
  ecod: tailRaw(ecodMethod),
  copod: tailRaw(copodMethod),
  hbos: histogramRaw,
  loda: projectionsRaw,
  pca: axesRaw,
  'robust-covariance': mahalanobisRaw,
};

export function isAdditive(detector: string): boolean {
  return detector in RAW_SCORES;
}

export function additiveScore(graph: GraphBuilder, name: string, artefact: Artefact, inputs: ValueName): ValueName {
  const { ranges, learned, scale }: AdditiveState<unknown> = readAdditive({ name }, artefact);
  if (learned === null) return toFloat(graph, filled(graph, inputs, 0));
  const scaled = toDouble(graph, scaledColumns(graph, ranges, inputs));
  const raw = graph.node('Max', [
    RAW_SCORES[name](graph, learned.numbers, ranges.varying.length, scaled),
    number(graph, 0),
  ]);
  return shareOfOne(graph, graph.node('Div', [raw, number(graph, scale)]));
}

/** `scaleRow` of models/additive. @returns rows × varying columns, float32 */
export function scaledColumns(graph: GraphBuilder, { varying }: ColumnRanges, inputs: ValueName): ValueName {
  const row = (values: readonly number[]) => graph.constant(doubles(values, [1, values.length]));
  const own = takeColumns(
    graph,
    inputs,
    varying.map(({ column }) => column),
  );
  const fromLeast = graph.node('Sub', [toDouble(graph, own), row(varying.map(({ least }) => least))]);
  const value = graph.node('Div', [fromLeast, row(varying.map(({ range }) => range))]);
  const bounded = clamp(graph, value, -LIMIT_RANGES, 1 + LIMIT_RANGES);
  const known = graph.node('Where', [graph.node('IsNaN', [own]), row(varying.map(({ median }) => median)), bounded]);
  return toFloat(graph, known);
}

/**
 * Terms that depend on where among the kept values a value lies: one number for each of those, and for each gap between
 * two and beyond both ends.
 */
function tailRaw(method: AdditiveMethod<Readonly<Record<never, never>>>): RawScore {
  return (graph, numbers, columns, scaled) => {
    const tables = Array.from({ length: columns }, (_, i) =>
      numbers.values.subarray(numbers.starts[i], numbers.starts[i + 1]),
    );
    const steps = stepsOf(tables, method.prepare({ numbers }, columns));
    const { below, isEntry } = placeIn(graph, tables, scaled);
    const twice = graph.node('Add', [below, below]);
    const step = graph.node('Add', [twice, graph.node('Cast', [isEntry], { to: INT64 })]);
    return sumColumns(graph, entriesAt(graph, steps, step));
  };
}

/** Per table the terms of: below the first value, the first value, between it and the second, … beyond the last. */
function stepsOf(tables: readonly Float64Array[], terms: Terms): Float64Array[] {
  const steps = tables.map(({ length }) => new Float64Array(2 * length + 1));
  const longest = Math.max(...steps.map(({ length }) => length));
  const row = new Float64Array(tables.length);
  const one = new Float64Array(tables.length);
  for (let step = 0; step < longest; step++) {
    tables.forEach((table, i) => {
      row[i] = valueAt(table, Math.min(step, 2 * table.length));
    });
    terms(row, one);
    steps.forEach((own, i) => {
      if (step < own.length) own[step] = one[i];
    });
  }
  return steps;
}

/** A value of the table, or one within the gap before its entry. */
function valueAt(table: Float64Array, step: number): number {
  const next = step >> 1;
  if (step % 2 === 1) return table[next];
  if (next === 0) return table[0] - 1;
  return next === table.length ? table[next - 1] + 1 : (table[next - 1] + table[next]) / 2;
}

function histogramRaw(graph: GraphBuilder, numbers: Numbers, columns: number, scaled: ValueName): ValueName {
  const bins = numbers.densities.length / columns;
  const terms = hbosMethod.prepare({ numbers }, columns);
  // The middle of each bar, and as the last entry a value outside the histogram.
  const lists = Array.from({ length: columns }, () => new Float64Array(bins + 1));
  const one = new Float64Array(columns);
  for (let bar = 0; bar <= bins; bar++) {
    terms(new Float64Array(columns).fill(bar === bins ? LIMIT_RANGES : (bar + 0.5) / bins), one);
    lists.forEach((list, i) => {
      list[bar] = one[i];
    });
  }
  const margin = HBOS_TOLERANCE / bins;
  const bar = clamp(graph, graph.node('Floor', [graph.node('Mul', [scaled, number(graph, bins)])]), 0, bins - 1);
  const within = graph.node('And', [
    graph.node('GreaterOrEqual', [scaled, number(graph, -margin)]),
    graph.node('LessOrEqual', [scaled, number(graph, 1 + margin)]),
  ]);
  const index = graph.node('Where', [within, bar, number(graph, bins)]);
  return sumColumns(graph, entriesAt(graph, lists, graph.node('Cast', [index], { to: INT64 })));
}

/**
 * The mean rarity of the projections. A sum adds one product after another as our own does: the training rows' extremes lie
 * on the ends of the histograms.
 */
function projectionsRaw(graph: GraphBuilder, numbers: Numbers, _columns: number, scaled: ValueName): ValueName {
  const { used, features, weights, least, ranges, bins, starts, ofBins, ofNone } = projectionsOf({ numbers });
  const row = (values: ArrayLike<number>) => graph.constant(doubles(values, [1, bins.length]));
  const products = Array.from({ length: used }, (_, i) => {
    const own = takeColumns(
      graph,
      scaled,
      Array.from(bins, (_, projection) => features[projection * used + i]),
    );
    return graph.node('Mul', [own, row(bins.map((_, projection) => weights[projection * used + i]))]);
  });
  const sums = products.reduce((sum, product) => graph.node('Add', [sum, product]));
  const place = graph.node('Div', [graph.node('Sub', [sums, row(least)]), row(ranges)]);
  const within = graph.node('And', [
    graph.node('GreaterOrEqual', [place, number(graph, 0)]),
    graph.node('LessOrEqual', [place, number(graph, 1)]),
  ]);
  const bin = graph.node('Min', [
    graph.node('Floor', [graph.node('Mul', [place, row(bins)])]),
    row(bins.map((count) => count - 1)),
  ]);
  const index = graph.node('Where', [within, bin, row(bins)]);
  // As the last entry a value outside the histogram.
  const lists = Array.from(bins, (count, projection) => [
    ...ofBins.subarray(starts[projection], starts[projection] + count),
    ofNone[projection],
  ]);
  const counted = entriesAt(graph, lists, graph.node('Cast', [index], { to: INT64 }));
  const outside = graph.node('Max', [
    graph.node('Neg', [place]),
    graph.node('Sub', [place, number(graph, 1)]),
    number(graph, 0),
  ]);
  const beyond = graph.node('Log', [graph.node('Add', [outside, number(graph, 1)])]);
  const sum = sumColumns(graph, graph.node('Add', [counted, beyond]));
  return graph.node('Div', [sum, number(graph, bins.length)]);
}

/** Σ over axes of |z − v| ÷ w, with z the standardised row. */
function axesRaw(
  graph: GraphBuilder,
  { mean, deviations, shares, vectors }: Numbers,
  columns: number,
  scaled: ValueName,
): ValueName {
  const axes = shares.findIndex((share) => !(share > LEAST_SHARE));
  const used = axes < 0 ? columns : axes;
  const centred = graph.node('Sub', [scaled, graph.constant(doubles(mean, [1, columns]))]);
  const z = graph.node('Div', [centred, graph.constant(doubles(deviations, [1, columns]))]);
  const ends = graph.constant(doubles(vectors.subarray(0, used * columns), [1, used, columns]));
  const difference = graph.node('Sub', [graph.node('Unsqueeze', [z, graph.constant(int64([1]))]), ends]);
  const squares = graph.node('Mul', [difference, difference]);
  const lengths = graph.node('Sqrt', [
    graph.node('ReduceSum', [squares, graph.constant(int64([2]))], { keepdims: 0n }),
  ]);
  return sumColumns(graph, graph.node('Div', [lengths, graph.constant(doubles(shares.subarray(0, used), [1, used]))]));
}

/** Σ z_i (P z)_i, with z the difference from the centre. */
function mahalanobisRaw(
  graph: GraphBuilder,
  { mean, precision }: Numbers,
  columns: number,
  scaled: ValueName,
): ValueName {
  const z = graph.node('Sub', [scaled, graph.constant(doubles(mean, [1, columns]))]);
  const turned = graph.node('MatMul', [z, graph.constant(doubles(precision, [columns, columns]))]);
  return sumColumns(graph, graph.node('Mul', [z, turned]));
}
