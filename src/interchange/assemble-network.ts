// Puts a network together from the steps that a foreign file names one by one.
//
// Our layers carry their activation; Keras and PyTorch also have it as a layer of its own. After a dense layer without one
// it joins that layer. After dense and batch norm it joins too, with the batch norm multiplied into the kernel, which is
// the same function of a row (not the same network to train further). Anywhere else it becomes a dense layer whose kernel
// is the identity.
import { InputError } from '../lib/errors.ts';
import type { ActivationName, EmbedColumnsLayer, Layer, LayerWeights, Network } from '../models/network/description.ts';
import { batchNorm, dense, dropout, layerWidths, sequential } from '../models/network/sequential.ts';

export interface DenseStep {
  readonly step: 'dense';
  readonly units: number;
  readonly activation: ActivationName;
  /** inputs × units */
  readonly kernel: Float32Array;
  /** units */
  readonly bias: Float32Array;
  readonly l1: number;
  readonly l2: number;
}

export interface BatchNormStep {
  readonly step: 'batch-norm';
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

export type NetworkStep =
  | DenseStep
  | BatchNormStep
  | { readonly step: 'dropout'; readonly rate: number }
  | { readonly step: 'activation'; readonly activation: ActivationName }
  | {
      readonly step: 'embed-columns';
      readonly columns: EmbedColumnsLayer['columns'];
      readonly tables: readonly Float32Array[];
    };

const MAX_IDENTITY_UNITS = 4096;

/** @throws InputError if the steps don't fit each other, or make no network of ours. */
export function assembleNetwork(inputs: number, steps: readonly NetworkStep[]): Network {
  const kept: NetworkStep[] = [];
  let width = inputs;
  for (const step of steps) {
    if (step.step === 'activation') addActivation(kept, step.activation, width);
    else kept.push(step);
    if (step.step === 'dense') width = step.units;
    if (step.step === 'embed-columns') width += step.columns.reduce((sum, { units }) => sum + units - 1, 0);
  }
  if (kept.at(-1)?.step !== 'dense') kept.push(identity('linear', width));
  try {
    const network = { description: sequential(inputs, kept.map(layerOf)), weights: kept.map(weightsOf) };
    checkWeights(network);
    return network;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw refused((error as Error).message);
  }
}

/** @throws InputError where an array has not the length that its layer needs, or holds a number that is not finite. */
export function checkWeights({ description, weights }: Network): void {
  const widths = layerWidths(description);
  description.layers.forEach((layer, index) => {
    for (const [what, values, length] of expectedArrays(layer, weights[index], widths[index])) {
      if (values.length !== length)
        throw refused(`layer ${index}: its ${what} has ${values.length} numbers, not ${length}`);
      if (!values.every(Number.isFinite))
        throw refused(`layer ${index}: its ${what} holds a number that is not finite`);
    }
  });
}

function expectedArrays(layer: Layer, weights: LayerWeights, width: number): [string, Float32Array, number][] {
  if (layer.kind === 'dense' && weights.kind === 'dense') {
    return [
      ['kernel', weights.kernel, width * layer.units],
      ['bias', weights.bias, layer.units],
    ];
  }
  if (weights.kind === 'batch-norm') {
    const { gamma, beta, mean, variance } = weights;
    return Object.entries({ gamma, beta, mean, variance }).map(([what, values]) => [what, values, width]);
  }
  if (layer.kind === 'embed-columns' && weights.kind === 'embed-columns') {
    return layer.columns.map(({ categories, units }, i) => [`table ${i}`, weights.tables[i], categories * units]);
  }
  return [];
}

function addActivation(kept: NetworkStep[], activation: ActivationName, width: number): void {
  if (activation === 'linear') return;
  const last = kept.at(-1);
  const before = kept.at(-2);
  if (last?.step === 'dense' && last.activation === 'linear') {
    kept[kept.length - 1] = { ...last, activation };
  } else if (last?.step === 'batch-norm' && before?.step === 'dense' && before.activation === 'linear') {
    kept.splice(-2, 2, { ...multiplyIn(before, last), activation });
  } else {
    kept.push(identity(activation, width));
  }
}

/** dense and then batch norm as one dense layer */
function multiplyIn(step: DenseStep, norm: BatchNormStep): DenseStep {
  const { units } = step;
  if ([norm.gamma, norm.beta, norm.mean, norm.variance].some(({ length }) => length !== units)) {
    throw refused(`a batch norm does not have the ${units} columns of the layer before`);
  }
  const scale = Float64Array.from(norm.gamma, (gamma, i) => gamma / Math.sqrt(norm.variance[i] + norm.epsilon));
  return {
    ...step,
    kernel: step.kernel.map((value, i) => value * scale[i % units]),
    bias: step.bias.map((value, i) => (value - norm.mean[i]) * scale[i] + norm.beta[i]),
  };
}

function identity(activation: ActivationName, units: number): DenseStep {
  if (units > MAX_IDENTITY_UNITS) throw refused(`an activation of its own over ${units} columns`);
  const kernel = new Float32Array(units * units);
  for (let i = 0; i < units; i++) kernel[i * units + i] = 1;
  return { step: 'dense', units, activation, kernel, bias: new Float32Array(units), l1: 0, l2: 0 };
}

function layerOf(step: NetworkStep): Layer {
  switch (step.step) {
    case 'dense':
      return dense(step.units, step.activation, step);
    case 'batch-norm':
      return batchNorm(step.momentum, step.epsilon);
    case 'dropout':
      return dropout(step.rate);
    case 'embed-columns':
      return { kind: 'embed-columns', columns: step.columns };
    case 'activation':
      throw refused('an activation without a layer');
  }
}

function weightsOf(step: NetworkStep): LayerWeights {
  switch (step.step) {
    case 'dense':
      return { kind: 'dense', kernel: step.kernel, bias: step.bias };
    case 'batch-norm':
      return { kind: 'batch-norm', gamma: step.gamma, beta: step.beta, mean: step.mean, variance: step.variance };
    case 'embed-columns':
      return { kind: 'embed-columns', tables: step.tables };
    default:
      return { kind: 'dropout' };
  }
}

function refused(what: string): InputError {
  return new InputError(
    'NETWORK_REFUSED',
    `The file's network can't be read: ${what}`,
    'Export it to ONNX and use the onnx detector',
  );
}
