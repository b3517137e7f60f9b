// Looking values up in ascending tables, all tables of a row at once: bisection, one halving per group of nodes.
import type { ResidualTail } from '../../models/autoencoder/residual-rarity.ts';
import type { TailReference } from '../../models/blend/tail-score.ts';
import { type ConformalReference, conformalPValue } from '../../models/conformal.ts';
import { type GraphBuilder, int64, type ValueName } from '../../models/onnx/graph-builder.ts';
import { clamp, doubles, INT64, number, sumColumns } from './exact-values.ts';

export interface Place {
  /** rows × tables, int64: how many entries of the table are below the value. */
  readonly below: ValueName;
  /** rows × tables, bool: whether the next entry is equal to the value. */
  readonly isEntry: ValueName;
}

/**
 * @param tables ascending, one per column of `values`
 * @param values rows × tables, float64, no NaN
 */
export function placeIn(graph: GraphBuilder, tables: readonly ArrayLike<number>[], values: ValueName): Place {
  const halvings = Math.ceil(Math.log2(1 + Math.max(...tables.map(({ length }) => length))));
  const room = 2 ** halvings;
  const flat = new Float64Array(tables.length * room).fill(Number.POSITIVE_INFINITY);
  tables.forEach((table, index) => {
    flat.set(Array.from(table), index * room);
  });
  const entries = graph.constant(doubles(flat));
  const whole = (value: number) => graph.constant(int64([value], []));
  const starts = graph.constant(
    int64(
      tables.map((_, index) => index * room),
      [1, tables.length],
    ),
  );
  let place = starts;
  for (let step = room / 2; step >= 1; step /= 2) {
    const probed = graph.node('Gather', [entries, graph.node('Add', [place, whole(step - 1)])]);
    const isBelow = graph.node('Cast', [graph.node('Less', [probed, values])], { to: INT64 });
    place = graph.node('Add', [place, graph.node('Mul', [isBelow, whole(step)])]);
  }
  return {
    below: graph.node('Sub', [place, starts]),
    isEntry: graph.node('Equal', [graph.node('Gather', [entries, place]), values]),
  };
}

/** @param index rows × lists, int64: which entry of each list @returns rows × lists, float64 */
export function entriesAt(graph: GraphBuilder, lists: readonly ArrayLike<number>[], index: ValueName): ValueName {
  const room = Math.max(...lists.map(({ length }) => length));
  const flat = new Float64Array(lists.length * room);
  lists.forEach((list, at) => {
    flat.set(Array.from(list), at * room);
  });
  const starts = int64(
    lists.map((_, at) => at * room),
    [1, lists.length],
  );
  return graph.node('Gather', [graph.constant(doubles(flat)), graph.node('Add', [index, graph.constant(starts)])]);
}

/** `tailScore` of models/blend. @param scores rows × references, float64 @returns rows × references, float64 */
export function tailScores(graph: GraphBuilder, references: readonly TailReference[], scores: ValueName): ValueName {
  return raritiesIn(
    graph,
    references.map(({ scores: entries, excess }) => {
      const all = entries.length + 1;
      return {
        entries,
        rarities: Float64Array.from({ length: all }, (_, i) => Math.log(all / (all - i))),
        step: excess,
      };
    }),
    scores,
  );
}

/** `residualRarity` of models/autoencoder. @param residuals rows × tails, float64 @returns rows × tails, float64 */
export function residualRarities(graph: GraphBuilder, tails: readonly ResidualTail[], residuals: ValueName): ValueName {
  return raritiesIn(
    graph,
    tails.map(({ residuals: entries, rowsFrom, rows, step }) => {
      const known = Array.from(rowsFrom, (from) => Math.log((rows + 1) / (from + 1)));
      return { entries, rarities: [...known, Math.log(rows + 1)], step };
    }),
    residuals,
  );
}

interface RarityTable {
  /** Ascending. */
  readonly entries: ArrayLike<number>;
  /** By how many entries are below a value. */
  readonly rarities: ArrayLike<number>;
  /** The rarity rises by 1 for each such step beyond the last entry; null where it stays. */
  readonly step: number | null;
}

function raritiesIn(graph: GraphBuilder, tables: readonly RarityTable[], values: ValueName): ValueName {
  const row = (numbers: readonly number[]) => graph.constant(doubles(numbers, [1, numbers.length]));
  const lasts = tables.map(({ entries }) => entries[entries.length - 1]);
  const { below } = placeIn(
    graph,
    tables.map(({ entries }) => entries),
    values,
  );
  const counted = entriesAt(
    graph,
    tables.map(({ rarities }) => rarities),
    below,
  );
  if (tables.every(({ step }) => step === null)) return counted;
  const beyond = graph.node('Max', [graph.node('Sub', [values, row(lasts)]), number(graph, 0)]);
  const steps = row(tables.map(({ step }) => step ?? Number.POSITIVE_INFINITY));
  return graph.node('Add', [counted, graph.node('Div', [beyond, steps])]);
}

/** 1 − `conformalPValue` of models. @param score rows × 1, float64 */
export function conformalRisk(graph: GraphBuilder, reference: ConformalReference, score: ValueName): ValueName {
  const { below } = placeIn(graph, [reference.scores], score);
  const risks = [...reference.scores, Number.POSITIVE_INFINITY].map((each) => 1 - conformalPValue(reference, each));
  return entriesAt(graph, [risks], below);
}

/** Linear between the knots (two or more, ascending), and the ends beyond them. @param value rows × 1, float64 */
export function interpolate(
  graph: GraphBuilder,
  value: ValueName,
  knots: readonly number[],
  values: readonly number[],
): ValueName {
  const last = knots.length - 1;
  const clamped = clamp(graph, value, knots[0], knots[last]);
  // How many knots after the first are ≤ the value: the segment, at most the last one.
  const passed =
    last === 1
      ? graph.node('Mul', [clamped, number(graph, 0)])
      : graph.node('GreaterOrEqual', [clamped, graph.constant(doubles(knots.slice(1, last), [1, last - 1]))]);
  const segment = sumColumns(graph, graph.node('Cast', [passed], { to: INT64 }));
  const at = (numbers: readonly number[]) => graph.node('Gather', [graph.constant(doubles(numbers)), segment]);
  const slopes = knots.slice(1).map((knot, i) => (values[i + 1] - values[i]) / (knot - knots[i]));
  const beyond = graph.node('Sub', [clamped, at(knots.slice(0, -1))]);
  return graph.node('Add', [graph.node('Mul', [beyond, at(slopes)]), at(values.slice(0, -1))]);
}
