// Each layer as ONNX nodes: its forward pass, and backward from the gradient of its output to those of what it learned.
import { assert } from '../../lib/assert.ts';
import { type GraphBuilder, int64, scalar, type ValueName } from '../onnx/graph-builder.ts';
import { activate, activationGradient } from './activation-graphs.ts';
import type { BatchNormLayer, DenseLayer, EmbedColumnsLayer, Layer } from './description.ts';

export interface LayerValues {
  readonly layer: Layer;
  readonly input: ValueName;
  readonly inputs: number;
  readonly learned: readonly ValueName[];
  readonly tracked: readonly ValueName[];
}

export interface ForwardPass {
  readonly output: ValueName;
  /** New values of what is tracked, in its order. */
  readonly tracked: readonly ValueName[];
  /** @param needsInput whether a layer before wants its gradient */
  backward(gradient: ValueName, needsInput: boolean): BackwardPass;
}

export interface BackwardPass {
  readonly input: ValueName;
  readonly learned: readonly ValueName[];
}

/** @param mask of a dropout layer: 0 or 1 ÷ (1 − rate) for every input */
export function forwardTraining(graph: GraphBuilder, values: LayerValues, mask: ValueName | null): ForwardPass {
  const { layer, input } = values;
  switch (layer.kind) {
    case 'embed-columns':
      return embed(graph, layer, values);
    case 'dense':
      return applyDense(graph, layer, values);
    case 'batch-norm':
      return normaliseBatch(graph, layer, values);
    case 'dropout': {
      if (mask === null)
        return { output: input, tracked: [], backward: (gradient) => ({ input: gradient, learned: [] }) };
      return {
        output: graph.node('Mul', [input, mask]),
        tracked: [],
        backward: (gradient) => ({ input: graph.node('Mul', [gradient, mask]), learned: [] }),
      };
    }
  }
}

export function forwardInference(graph: GraphBuilder, values: LayerValues): ValueName {
  const { layer, input } = values;
  if (layer.kind === 'dropout') return input;
  if (layer.kind !== 'batch-norm') return forwardTraining(graph, values, null).output;
  const [gamma, beta] = values.learned;
  const [mean, variance] = values.tracked;
  const deviation = graph.node('Sqrt', [graph.node('Add', [variance, graph.constant(scalar(layer.epsilon))])]);
  const centred = graph.node('Sub', [input, mean]);
  const scaled = graph.node('Mul', [centred, graph.node('Div', [gamma, deviation])]);
  return graph.node('Add', [scaled, beta]);
}

function applyDense(graph: GraphBuilder, layer: DenseLayer, { input, learned }: LayerValues): ForwardPass {
  const [kernel, bias] = learned;
  const z = graph.node('Gemm', [input, kernel, bias]);
  const output = activate(graph, layer.activation, z);
  return {
    output,
    tracked: [],
    backward: (gradient, needsInput) => {
      const dz = activationGradient(graph, layer.activation, z, output, gradient);
      return {
        input: needsInput ? graph.node('Gemm', [dz, kernel], { transB: 1n }) : '',
        learned: [graph.node('Gemm', [input, dz], { transA: 1n }), sumRows(graph, dz)],
      };
    },
  };
}

/** Ioffe and Szegedy, "Batch Normalization", ICML 2015. */
function normaliseBatch(graph: GraphBuilder, layer: BatchNormLayer, values: LayerValues): ForwardPass {
  const { input, learned, tracked } = values;
  const [gamma, beta] = learned;
  const mean = meanRows(graph, input);
  const centred = graph.node('Sub', [input, mean]);
  const variance = meanRows(graph, graph.node('Mul', [centred, centred]));
  const deviation = graph.node('Sqrt', [graph.node('Add', [variance, graph.constant(scalar(layer.epsilon))])]);
  const normal = graph.node('Div', [centred, deviation]);
  const track = (old: ValueName, now: ValueName) => {
    const kept = graph.node('Mul', [old, graph.constant(scalar(layer.momentum))]);
    return graph.node('Add', [kept, graph.node('Mul', [now, graph.constant(scalar(1 - layer.momentum))])]);
  };
  return {
    output: graph.node('Add', [graph.node('Mul', [normal, gamma]), beta]),
    tracked: [track(tracked[0], mean), track(tracked[1], variance)],
    backward: (gradient) => {
      const weighted = graph.node('Mul', [gradient, normal]);
      const drift = graph.node('Mul', [normal, meanRows(graph, weighted)]);
      const centredGradient = graph.node('Sub', [graph.node('Sub', [gradient, meanRows(graph, gradient)]), drift]);
      const input = graph.node('Mul', [centredGradient, graph.node('Div', [gamma, deviation])]);
      return { input, learned: [sumRows(graph, weighted), sumRows(graph, gradient)] };
    },
  };
}

function embed(graph: GraphBuilder, layer: EmbedColumnsLayer, { input, inputs, learned }: LayerValues): ForwardPass {
  const embedded = new Set(layer.columns.map(({ column }) => column));
  const others = Array.from({ length: inputs }, (_, column) => column).filter((column) => !embedded.has(column));
  const codes = layer.columns.map(({ column, categories }) => codesOf(graph, input, column, categories));
  const vectors = codes.map((code, i) => graph.node('Gather', [learned[i], code], { axis: 0n }));
  const parts =
    others.length === 0
      ? vectors
      : [graph.node('Gather', [input, graph.constant(int64(others))], { axis: 1n }), ...vectors];
  const widths = [...(others.length === 0 ? [] : [others.length]), ...layer.columns.map(({ units }) => units)];
  return {
    output: graph.node('Concat', parts, { axis: 1n }),
    tracked: [],
    backward: (gradient, needsInput) => {
      assert(!needsInput, 'embeddings are the first layer');
      const split = graph.nodes('Split', [gradient, graph.constant(int64(widths))], widths.length, { axis: 1n });
      const ofVectors = split.slice(widths.length - layer.columns.length);
      const learnedGradients = layer.columns.map((_, i) => {
        const nothing = graph.node('Sub', [learned[i], learned[i]]);
        const at = graph.node('Unsqueeze', [codes[i], graph.constant(int64([1]))]);
        return graph.node('ScatterND', [nothing, at, ofVectors[i]], { reduction: 'add' });
      });
      return { input: '', learned: learnedGradients };
    },
  };
}

/** The column's codes as integers; what is no code of the table becomes 0. */
function codesOf(graph: GraphBuilder, input: ValueName, column: number, categories: number): ValueName {
  const raw = graph.node('Gather', [input, graph.constant(int64([column], []))], { axis: 1n });
  const zero = graph.constant(scalar(0));
  const inside = graph.node('And', [
    graph.node('GreaterOrEqual', [raw, zero]),
    graph.node('Less', [raw, graph.constant(scalar(categories))]),
  ]);
  const whole = graph.node('And', [inside, graph.node('Equal', [raw, graph.node('Floor', [raw])])]);
  return graph.node('Cast', [graph.node('Where', [whole, raw, zero])], { to: 7n });
}

function sumRows(graph: GraphBuilder, value: ValueName): ValueName {
  return graph.node('ReduceSum', [value, graph.constant(int64([0]))], { keepdims: 0n });
}

function meanRows(graph: GraphBuilder, value: ValueName): ValueName {
  return graph.node('ReduceMean', [value], { axes: [0n], keepdims: 0n });
}
