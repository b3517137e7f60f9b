// float64 values in a graph, and what detectors' formulas have in common.
//
// Ranks and tails jump where two numbers that should be equal are not. Our detectors compute in float64 and round their
// scores to float32 at the end; graphs that do the same, step by step, jump where they do.
import { type GraphBuilder, int64, type OnnxTensor, type ValueName } from '../../models/onnx/graph-builder.ts';

export const DOUBLE = 11n;
export const FLOAT = 1n;
export const INT64 = 7n;

export function doubles(values: ArrayLike<number>, dims: readonly number[] = [values.length]): OnnxTensor {
  return { type: 'float64', data: Float64Array.from(values), dims };
}

/** A float64 constant that goes with any shape. */
export function number(graph: GraphBuilder, value: number): ValueName {
  return graph.constant(doubles([value], []));
}

export function toDouble(graph: GraphBuilder, value: ValueName): ValueName {
  return graph.node('Cast', [value], { to: DOUBLE });
}

/** Rounds to float32, as a score is rounded. */
export function toFloat(graph: GraphBuilder, value: ValueName): ValueName {
  return graph.node('Cast', [value], { to: FLOAT });
}

/** rows × columns → rows × 1 */
export function sumColumns(graph: GraphBuilder, value: ValueName): ValueName {
  return graph.node('ReduceSum', [value, graph.constant(int64([1]))], { keepdims: 1n });
}

export function takeColumns(graph: GraphBuilder, value: ValueName, columns: readonly number[]): ValueName {
  return graph.node('Gather', [value, graph.constant(int64(columns))], { axis: 1n });
}

/** rows × 1, the same float64 number in every row. */
export function filled(graph: GraphBuilder, inputs: ValueName, value: number): ValueName {
  const rows = graph.node('Gather', [graph.node('Shape', [inputs]), graph.constant(int64([0]))]);
  const shape = graph.node('Concat', [rows, graph.constant(int64([1]))], { axis: 0n });
  return graph.node('Expand', [number(graph, value), shape]);
}

/** Of float64 values. */
export function clamp(graph: GraphBuilder, value: ValueName, least: number, greatest: number): ValueName {
  return graph.node('Min', [graph.node('Max', [value, number(graph, least)]), number(graph, greatest)]);
}

/** v ÷ (1 + v) as a score. */
export function shareOfOne(graph: GraphBuilder, value: ValueName): ValueName {
  return toFloat(graph, graph.node('Div', [value, graph.node('Add', [value, number(graph, 1)])]));
}

/** 1 ÷ (1 + e^−v) */
export function logistic(graph: GraphBuilder, logOdds: ValueName): ValueName {
  const odds = graph.node('Exp', [graph.node('Neg', [logOdds])]);
  return graph.node('Div', [number(graph, 1), graph.node('Add', [odds, number(graph, 1)])]);
}

/** 1 ÷ (1 + e^−v) as a score. */
export function probability(graph: GraphBuilder, logOdds: ValueName): ValueName {
  return toFloat(graph, logistic(graph, logOdds));
}

/** @param score float32 probabilities @param limit greatest log-odds in absolute value */
export function logOddsOf(graph: GraphBuilder, score: ValueName, limit: number): ValueName {
  const p = toDouble(graph, score);
  const odds = graph.node('Div', [p, graph.node('Sub', [number(graph, 1), p])]);
  return clamp(graph, graph.node('Log', [odds]), -limit, limit);
}

/** @param parts rows × 1 each, float64 @returns constant + Σ weight × part */
export function weightedSum(
  graph: GraphBuilder,
  parts: readonly ValueName[],
  weights: readonly number[],
  constant: number,
): ValueName {
  return parts.reduce(
    (sum, part, index) => graph.node('Add', [sum, graph.node('Mul', [part, number(graph, weights[index])])]),
    number(graph, constant),
  );
}
