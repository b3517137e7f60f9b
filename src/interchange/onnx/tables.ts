// Looking values up in ascending tables, all tables of a row at once: bisection, one halving per group of nodes.
import type { TailReference } from '../../models/blend/tail-score.ts';
import { type GraphBuilder, int64, type ValueName } from '../../models/onnx/graph-builder.ts';
import { doubles, INT64, number } from './exact-values.ts';

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
  const { below } = placeIn(
    graph,
    references.map(({ scores: table }) => table),
    scores,
  );
  const counted = entriesAt(
    graph,
    references.map(({ scores: { length } }) =>
      Float64Array.from({ length: length + 1 }, (_, place) => Math.log((length + 1) / (length - place + 1))),
    ),
    below,
  );
  const row = (values: readonly number[]) => graph.constant(doubles(values, [1, values.length]));
  const greatest = row(references.map(({ scores: table }) => table[table.length - 1]));
  const beyond = graph.node('Max', [graph.node('Sub', [scores, greatest]), number(graph, 0)]);
  return graph.node('Add', [counted, graph.node('Div', [beyond, row(references.map(({ excess }) => excess))])]);
}

/** 1 − `tailProbability` of models. @param score rows × 1, float64 */
export function shareBelow(graph: GraphBuilder, reference: ArrayLike<number>, score: ValueName): ValueName {
  const { below } = placeIn(graph, [reference], score);
  const { length } = reference;
  const risks = Float64Array.from({ length: length + 1 }, (_, place) => 1 - (length - place + 1) / (length + 1));
  return entriesAt(graph, [risks], below);
}
