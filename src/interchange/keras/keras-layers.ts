// A network as a list of Keras layers: what both of Keras's files, .keras and .h5, are written from.
//
// Only layers of Keras itself, so that the files load in safe mode. A plain network is a Sequential. Embedded columns are
// cut out of the one input by Cropping1D (of the row as a sequence of single numbers), looked up, and joined to the rest:
//   InputLayer → Reshape((columns, 1)) → Cropping1D → Flatten [→ Embedding → Flatten] → Concatenate → …
// Keras's Embedding has no code for unknown values as ours has: it wants whole numbers from 0 to categories − 1.

import { LEAKY_SLOPE } from '../../models/network/activations.ts';
import type {
  ActivationName,
  EmbedColumnsLayer,
  Layer,
  LayerWeights,
  Network,
} from '../../models/network/description.ts';
import { layerWidths } from '../../models/network/sequential.ts';
import type { Tensor } from '../tensors.ts';

export interface KerasLayer {
  readonly className: string;
  /** Snake-case class and counter: also the layer's place in the weights of a .keras file. */
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Without the rows; a list of shapes for a layer of several inputs. */
  readonly inputShape: readonly number[] | readonly (readonly number[])[];
  /** Layers that feed it; none feeds the input. */
  readonly inbound: readonly string[];
  readonly outputShape: readonly number[];
  readonly variables: readonly { readonly name: string; readonly tensor: Tensor }[];
}

export const KERAS_ACTIVATIONS: Readonly<Record<Exclude<ActivationName, 'leaky-relu'>, string>> = {
  linear: 'linear',
  relu: 'relu',
  elu: 'elu',
  selu: 'selu',
  gelu: 'gelu',
  swish: 'silu',
  softplus: 'softplus',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
};

interface Draft {
  readonly className: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly inbound?: readonly KerasLayer[];
  readonly outputShape: readonly number[];
  readonly variables?: KerasLayer['variables'];
}

type AddLayer = (draft: Draft) => KerasLayer;

/** In an order in which Keras itself lists them, which decides their counters: each after those that feed it. */
export function kerasLayersOf({ description, weights }: Network): KerasLayer[] {
  const layers: KerasLayer[] = [];
  const counters = new Map<string, number>();
  const add: AddLayer = ({ className, config = {}, inbound, outputShape, variables = [] }) => {
    const snake = snakeCase(className);
    const count = counters.get(snake) ?? 0;
    counters.set(snake, count + 1);
    const from = inbound ?? layers.slice(-1);
    const layer: KerasLayer = {
      className,
      name: count === 0 ? snake : `${snake}_${count}`,
      config,
      inbound: from.map(({ name }) => name),
      inputShape: from.length === 1 ? from[0].outputShape : from.map((each) => each.outputShape),
      outputShape,
      variables,
    };
    layers.push(layer);
    return layer;
  };
  const widths = layerWidths(description);
  add({ className: 'InputLayer', inbound: [], outputShape: [description.inputs] });
  description.layers.forEach((layer, index) => {
    addLayer(add, layer, weights[index], widths[index], layers[layers.length - 1]);
  });
  return layers;
}

function addLayer(add: AddLayer, layer: Layer, weights: LayerWeights, width: number, last: KerasLayer): void {
  if (layer.kind === 'embed-columns' && weights.kind === 'embed-columns')
    addEmbeddings(add, layer, weights, width, last);
  if (layer.kind === 'dropout') add({ className: 'Dropout', config: { rate: layer.rate }, outputShape: [width] });
  if (layer.kind === 'batch-norm' && weights.kind === 'batch-norm') {
    const { gamma, beta, mean, variance } = weights;
    const named = { gamma, beta, moving_mean: mean, moving_variance: variance };
    add({
      className: 'BatchNormalization',
      config: { axis: -1, momentum: layer.momentum, epsilon: layer.epsilon, center: true, scale: true },
      outputShape: [width],
      variables: Object.entries(named).map(([name, data]) => ({ name, tensor: { dims: [width], data } })),
    });
  }
  if (layer.kind === 'dense' && weights.kind === 'dense') {
    const { units, activation, l1, l2 } = layer;
    const leaky = activation === 'leaky-relu';
    add({
      className: 'Dense',
      config: {
        units,
        activation: leaky ? 'linear' : KERAS_ACTIVATIONS[activation],
        use_bias: true,
        kernel_regularizer: l1 === 0 && l2 === 0 ? null : { class_name: 'L1L2', config: { l1, l2 } },
      },
      outputShape: [units],
      variables: [
        { name: 'kernel', tensor: { dims: [width, units], data: weights.kernel } },
        { name: 'bias', tensor: { dims: [units], data: weights.bias } },
      ],
    });
    // By name, Keras's leaky_relu has another slope than its layer, whose slope is ours.
    if (leaky) add({ className: 'LeakyReLU', config: { negative_slope: LEAKY_SLOPE }, outputShape: [units] });
  }
}

function addEmbeddings(
  add: AddLayer,
  layer: EmbedColumnsLayer,
  { tables }: Extract<LayerWeights, { kind: 'embed-columns' }>,
  inputs: number,
  input: KerasLayer,
): void {
  const sequence = add({
    className: 'Reshape',
    config: { target_shape: [inputs, 1] },
    inbound: [input],
    outputShape: [inputs, 1],
  });
  const cut = (from: number, to: number) => {
    const cropping = [from, inputs - to];
    const outputShape = [to - from, 1];
    const cropped = add({ className: 'Cropping1D', config: { cropping }, inbound: [sequence], outputShape });
    return add({ className: 'Flatten', inbound: [cropped], outputShape: [to - from] });
  };
  const embedded = layer.columns.map(({ column, categories, units }, index) => {
    const vector = add({
      className: 'Embedding',
      config: { input_dim: categories, output_dim: units, mask_zero: false },
      inbound: [cut(column, column + 1)],
      outputShape: [1, units],
      variables: [{ name: 'embeddings', tensor: { dims: [categories, units], data: tables[index] } }],
    });
    return add({ className: 'Flatten', inbound: [vector], outputShape: [units] });
  });
  const others = runsBetween(
    layer.columns.map(({ column }) => column),
    inputs,
  ).map(([from, to]) => cut(from, to));
  const parts = [...others, ...embedded];
  if (parts.length === 1) return;
  const width = parts.reduce((sum, { outputShape }) => sum + outputShape[0], 0);
  add({ className: 'Concatenate', config: { axis: -1 }, inbound: parts, outputShape: [width] });
}

/** The stretches `[from, to)` of 0 … length that hold none of the columns. */
function runsBetween(columns: readonly number[], length: number): [number, number][] {
  const borders = [-1, ...[...columns].sort((a, b) => a - b), length];
  return borders
    .slice(1)
    .map((to, index): [number, number] => [borders[index] + 1, to])
    .filter(([from, to]) => to > from);
}

/** As keras.src.utils.naming.to_snake_case does: LeakyReLU → leaky_re_lu, Cropping1D → cropping1d. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
