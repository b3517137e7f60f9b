// The autoencoder as a graph: its score, and the values of its narrow middle.
//
// A residual's rank among the training rows' is part of the score, so the network computes here with the very bits of our
// scorer: float32 sums that start at the bias and add one product after another in the order of the inputs.
import type { AutoencoderState } from '../../models/autoencoder/artefact.ts';
import { type Repetition, repetitionOf } from '../../models/autoencoder/repetition.ts';
import { activate } from '../../models/network/activation-graphs.ts';
import { forwardInference } from '../../models/network/layer-graphs.ts';
import { type DenseStep, planScorer, type ScorerPlan } from '../../models/network/scorer/scorer-plan.ts';
import { float32, type GraphBuilder, int64, type ValueName } from '../../models/onnx/graph-builder.ts';
import { createPreparation, type Preparation } from '../../models/preparation/preparation.ts';
import { filled, INT64, number, shareOfOne, sumColumns, takeColumns, toDouble, toFloat } from './exact-values.ts';
import { prepareInGraph } from './preparation-graph.ts';
import { residualRarities } from './tables.ts';

export interface AutoencoderGraph {
  readonly score: ValueName;
  /** rows × bottleneck */
  readonly embedding: ValueName;
  readonly bottleneck: number;
}

export function autoencoderGraph(graph: GraphBuilder, state: AutoencoderState, inputs: ValueName): AutoencoderGraph {
  const { plan, network, tails, ordinary, scale, middle } = state;
  const { description, weights } = network;
  const prepared = prepareInGraph(graph, plan, inputs);
  const steps = planScorer(network);
  const encoder = planScorer({
    description: { ...description, layers: description.layers.slice(0, middle + 1) },
    weights: weights.slice(0, middle + 1),
  }).steps.length;
  const values = exactValues(graph, steps, prepared);
  const preparation = createPreparation(plan);
  const repetition = repetitionOf(preparation, state.repeatsCategories);
  const residuals = residualsIn(graph, repetition, preparation, prepared, values[values.length - 1]);
  const rarities = raritiesAbove(graph, tails, ordinary, residuals);
  const raw = sumColumns(graph, graph.node('Div', [rarities, number(graph, scale)]));
  const last = encoder - 1;
  return { score: shareOfOne(graph, raw), embedding: values[last], bottleneck: steps.steps[last].units };
}

/** `raritiesOf` of models/autoencoder; features without a tail are left out. */
function raritiesAbove(
  graph: GraphBuilder,
  tails: AutoencoderState['tails'],
  ordinary: number,
  residuals: ValueName,
): ValueName {
  const known = tails.flatMap((tail, column) => (tail === null ? [] : [{ tail, column }]));
  if (known.length === 0) return filled(graph, residuals, 0);
  const columns = known.map(({ column }) => column);
  const rarities = residualRarities(
    graph,
    known.map(({ tail }) => tail),
    toDouble(graph, takeColumns(graph, residuals, columns)),
  );
  return graph.node('Max', [graph.node('Sub', [rarities, number(graph, ordinary)]), number(graph, 0)]);
}

/** What each dense layer gives, in order. */
function exactValues(graph: GraphBuilder, { inputs, embed, steps }: ScorerPlan, prepared: ValueName): ValueName[] {
  let value = prepared;
  if (embed !== null) {
    const { layer, tables } = embed;
    const learned = tables.map((table, i) => {
      const { units } = layer.columns[i];
      return graph.constant(float32(table, [table.length / units, units]));
    });
    value = forwardInference(graph, { layer, input: value, inputs, learned, tracked: [] });
  }
  return steps.map((step) => {
    value = exactDense(graph, step, value);
    return value;
  });
}

function exactDense(
  graph: GraphBuilder,
  { inputs, units, kernel, bias, activation }: DenseStep,
  value: ValueName,
): ValueName {
  const widths = graph.constant(int64(new Array<number>(inputs).fill(1)));
  const columns = graph.nodes('Split', [value, widths], inputs, { axis: 1n });
  const sum = columns.reduce(
    (total, column, input) => {
      const row = graph.constant(float32(kernel.subarray(input * units, (input + 1) * units), [1, units]));
      return graph.node('Add', [total, graph.node('Mul', [column, row])]);
    },
    graph.constant(float32(bias, [1, units])),
  );
  return activate(graph, activation, sum);
}

/**
 * rows × features, float32: Σ (value − output)² over what a number became, rounded after each as in our own matrix, and
 * −log of the probability of a category's code.
 */
function residualsIn(
  graph: GraphBuilder,
  { numbers, categories }: Repetition,
  { inputs: features, sourceColumns }: Preparation,
  prepared: ValueName,
  outputs: ValueName,
): ValueName {
  const places = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  const given = toDouble(graph, takeColumns(graph, prepared, numbers));
  const repeated = toDouble(graph, takeColumns(graph, outputs, places(0, numbers.length)));
  const difference = graph.node('Sub', [given, repeated]);
  let at = numbers.length;
  const losses = categories.map(({ column, categories: codes }) => {
    const logits = toDouble(graph, takeColumns(graph, outputs, places(at, codes)));
    at += codes;
    return crossEntropyIn(graph, logits, takeColumns(graph, prepared, [column]));
  });
  const squares = graph.node('Mul', [difference, difference]);
  const parts = graph.node('Concat', [squares, ...losses, filled(graph, outputs, 0)], { axis: 1n });
  const sources = [...numbers, ...categories.map(({ column }) => column)].map((column) => sourceColumns[column]);
  const none = sources.length;
  const ofFeature = Array.from({ length: features }, (_, feature) =>
    [...sources.keys()].filter((i) => sources[i] === feature),
  );
  const rounds = Math.max(...ofFeature.map(({ length }) => length));
  const round = (index: number) =>
    takeColumns(
      graph,
      parts,
      ofFeature.map((own) => own[index] ?? none),
    );
  let sum = toFloat(graph, round(0));
  for (let index = 1; index < rounds; index++) {
    sum = toFloat(graph, graph.node('Add', [toDouble(graph, sum), round(index)]));
  }
  return sum;
}

/** @param logits rows × codes, float64 @param code rows × 1, float32 */
function crossEntropyIn(graph: GraphBuilder, logits: ValueName, code: ValueName): ValueName {
  const greatest = graph.node('ReduceMax', [logits], { axes: [1n], keepdims: 1n });
  const less = graph.node('Sub', [logits, greatest]);
  const own = graph.node('GatherElements', [less, graph.node('Cast', [code], { to: INT64 })], { axis: 1n });
  return graph.node('Sub', [graph.node('Log', [sumColumns(graph, graph.node('Exp', [less]))]), own]);
}
