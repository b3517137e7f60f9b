// The autoencoder as a graph: its score, and the values of its narrow middle.
//
// A residual's rank among the training rows' is part of the score, so the network computes here with the very bits of our
// scorer: float32 sums that start at the bias and add one product after another in the order of the inputs.
import { type AutoencoderState, repeatedOutputs } from '../../models/autoencoder/autoencoder.ts';
import { activate } from '../../models/network/activation-graphs.ts';
import { forwardInference } from '../../models/network/layer-graphs.ts';
import { type DenseStep, planScorer, type ScorerPlan } from '../../models/network/scorer/scorer-plan.ts';
import { float32, type GraphBuilder, int64, type ValueName } from '../../models/onnx/graph-builder.ts';
import { createPreparation, type Preparation } from '../../models/preparation/preparation.ts';
import { filled, number, shareOfOne, sumColumns, takeColumns, toDouble, toFloat } from './exact-values.ts';
import { prepareInGraph } from './preparation-graph.ts';
import { tailScores } from './tables.ts';

export interface AutoencoderGraph {
  readonly score: ValueName;
  /** rows × bottleneck */
  readonly embedding: ValueName;
  readonly bottleneck: number;
}

export function autoencoderGraph(graph: GraphBuilder, state: AutoencoderState, inputs: ValueName): AutoencoderGraph {
  const { plan, network, references, scale, middle } = state;
  const { description, weights } = network;
  const prepared = prepareInGraph(graph, plan, inputs);
  const steps = planScorer(network);
  const encoder = planScorer({
    description: { ...description, layers: description.layers.slice(0, middle + 1) },
    weights: weights.slice(0, middle + 1),
  }).steps.length;
  const values = exactValues(graph, steps, prepared);
  const residuals = residualsIn(graph, createPreparation(plan), prepared, values[values.length - 1]);
  const known = references.flatMap((reference, column) => (reference === null ? [] : [{ reference, column }]));
  const columns = known.map(({ column }) => column);
  const rarities = tailScores(
    graph,
    known.map(({ reference }) => reference),
    toDouble(graph, takeColumns(graph, residuals, columns)),
  );
  const raw = sumColumns(graph, graph.node('Div', [rarities, number(graph, scale)]));
  const last = encoder - 1;
  return { score: shareOfOne(graph, raw), embedding: values[last], bottleneck: steps.steps[last].units };
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

/** rows × features, float32: Σ (input − output)² over what each feature became, rounded after each as in our own matrix. */
function residualsIn(
  graph: GraphBuilder,
  preparation: Preparation,
  prepared: ValueName,
  outputs: ValueName,
): ValueName {
  const repeated = repeatedOutputs(preparation);
  const given = toDouble(graph, takeColumns(graph, prepared, repeated));
  const difference = graph.node('Sub', [given, toDouble(graph, outputs)]);
  const none = repeated.length;
  const squares = graph.node('Concat', [graph.node('Mul', [difference, difference]), filled(graph, outputs, 0)], {
    axis: 1n,
  });
  const ofFeature = Array.from({ length: preparation.inputs }, (_, feature) =>
    [...repeated.keys()].filter((i) => preparation.sourceColumns[repeated[i]] === feature),
  );
  const rounds = Math.max(...ofFeature.map(({ length }) => length));
  const round = (index: number) =>
    takeColumns(
      graph,
      squares,
      ofFeature.map((own) => own[index] ?? none),
    );
  let sum = toFloat(graph, round(0));
  for (let index = 1; index < rounds; index++) {
    sum = toFloat(graph, graph.node('Add', [toDouble(graph, sum), round(index)]));
  }
  return sum;
}
