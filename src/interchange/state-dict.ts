// A network as PyTorch's state dict: tensors by name, kernels as outputs × inputs, and back.
//
// Names are those of this nn.Sequential, whose counters are the places of its modules:
//   dense → Linear and its activation's module (none for 'linear'), dropout → Dropout, batch norm → BatchNorm1d.
// Embeddings have no place in a Sequential: their tables are `embeddings.0.weight` …, and the other modules are counted
// from 0 as if they were not there (python/centinela_networks.py builds the whole module).
import { InputError } from '../lib/errors.ts';
import type {
  ActivationName,
  Layer,
  LayerWeights,
  Network,
  NetworkDescription,
} from '../models/network/description.ts';
import { layerWidths } from '../models/network/sequential.ts';
import {
  assembleNetwork,
  type BatchNormStep,
  checkWeights,
  type DenseStep,
  type NetworkStep,
} from './assemble-network.ts';
import { type Tensor, type TensorMap, transpose } from './tensors.ts';

/** What a file of weights does not say. */
export interface StateDictOptions {
  /** One per Linear, in order; needed where the file is not ours. */
  readonly activations?: readonly ActivationName[];
  /** Of batch norm; PyTorch's own is 1e-5. */
  readonly epsilon?: number;
  /** Where both follow a Linear; told by the numbers of the keys where modules are numbered. */
  readonly activationAfter?: 'dense' | 'batch-norm';
}

const PYTORCH_EPSILON = 1e-5;
/** PyTorch's .1 is what is taken of the new; ours is what is kept of the old. */
const PYTORCH_MOMENTUM = 0.9;

export function stateDictOf({ description, weights }: Network): TensorMap {
  const widths = layerWidths(description);
  const tensors = new Map<string, Tensor>();
  let place = 0;
  description.layers.forEach((layer, index) => {
    for (const [name, tensor] of tensorsOfLayer(layer, weights[index], widths[index], place)) tensors.set(name, tensor);
    place += modulesOf(layer);
  });
  return tensors;
}

/** The network of a description that came with the tensors. @throws InputError if one is missing or of another shape. */
export function networkOfDescription(description: NetworkDescription, tensors: TensorMap): Network {
  const widths = layerWidths(description);
  let place = 0;
  let used = 0;
  const weights = description.layers.map((layer, index): LayerWeights => {
    const get = (name: string, dims: readonly number[]): Float32Array => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw refused(`'${name}' is missing`);
      if (tensor.dims.join() !== dims.join()) throw refused(`'${name}' has the shape [${tensor.dims}], not [${dims}]`);
      used += 1;
      return tensor.data;
    };
    const own = readLayer(layer, widths[index], place, get);
    place += modulesOf(layer);
    return own;
  });
  if (used < tensors.size) throw refused(`it holds ${tensors.size} tensors, and its network has ${used}`);
  const network = { description, weights };
  checkWeights(network);
  return network;
}

/** A network that is only known by its tensors: Linear and BatchNorm1d modules in the order of the file. */
export function networkOfTensors(tensors: TensorMap, options: StateDictOptions): Network {
  const modules = modulesByPrefix(tensors);
  const linears = modules.filter(({ kind }) => kind === 'linear').length;
  if (linears === 0) throw refused('no Linear is in it (a two-dimensional .weight)');
  const { activations } = options;
  if (activations === undefined || activations.length !== linears) {
    throw new InputError(
      'ACTIVATIONS_MISSING',
      `The file holds ${linears} Linear modules but not their activations${activations === undefined ? '' : `; ${activations.length} were given`}`,
      `Give ${linears} activations, one per Linear and in order, 'linear' for none`,
    );
  }
  const inputs = (modules[0].kind === 'linear' ? modules[0].weight.dims[1] : modules[0].weight.dims[0]) ?? 0;
  return assembleNetwork(inputs, orderSteps(modules, activations, options));
}

type GetTensor = (name: string, dims: readonly number[]) => Float32Array;

/** Places that a layer takes in the nn.Sequential. */
function modulesOf(layer: Layer): number {
  if (layer.kind === 'embed-columns') return 0;
  return layer.kind === 'dense' && layer.activation !== 'linear' ? 2 : 1;
}

function tensorsOfLayer(layer: Layer, weights: LayerWeights, width: number, place: number): [string, Tensor][] {
  if (layer.kind === 'dense' && weights.kind === 'dense') {
    const { units } = layer;
    return [
      [`${place}.weight`, { dims: [units, width], data: transpose(weights.kernel, width, units) }],
      [`${place}.bias`, { dims: [units], data: weights.bias }],
    ];
  }
  if (weights.kind === 'batch-norm') {
    const { gamma, beta, mean, variance } = weights;
    const named = { weight: gamma, bias: beta, running_mean: mean, running_var: variance };
    return Object.entries(named).map(([name, data]) => [`${place}.${name}`, { dims: [width], data }]);
  }
  if (layer.kind === 'embed-columns' && weights.kind === 'embed-columns') {
    return layer.columns.map(({ categories, units }, i) => [
      `embeddings.${i}.weight`,
      { dims: [categories, units], data: weights.tables[i] },
    ]);
  }
  return [];
}

function readLayer(layer: Layer, width: number, place: number, get: GetTensor): LayerWeights {
  switch (layer.kind) {
    case 'dense': {
      const kernel = transpose(get(`${place}.weight`, [layer.units, width]), layer.units, width);
      return { kind: 'dense', kernel, bias: get(`${place}.bias`, [layer.units]) };
    }
    case 'batch-norm': {
      const own = (name: string) => get(`${place}.${name}`, [width]);
      const [gamma, beta] = [own('weight'), own('bias')];
      return { kind: 'batch-norm', gamma, beta, mean: own('running_mean'), variance: own('running_var') };
    }
    case 'embed-columns':
      return {
        kind: 'embed-columns',
        tables: layer.columns.map(({ categories, units }, i) => get(`embeddings.${i}.weight`, [categories, units])),
      };
    case 'dropout':
      return { kind: 'dropout' };
  }
}

interface Module {
  readonly prefix: string;
  readonly kind: 'linear' | 'batch-norm';
  readonly weight: Tensor;
  readonly parts: TensorMap;
}

function modulesByPrefix(tensors: TensorMap): Module[] {
  const prefixes = new Map<string, Map<string, Tensor>>();
  for (const [name, tensor] of tensors) {
    const dot = name.lastIndexOf('.');
    const prefix = name.slice(0, Math.max(0, dot));
    const own = prefixes.get(prefix) ?? new Map<string, Tensor>();
    own.set(name.slice(dot + 1), tensor);
    prefixes.set(prefix, own);
  }
  return [...prefixes].map(([prefix, parts]) => moduleOf(prefix, parts));
}

function moduleOf(prefix: string, parts: TensorMap): Module {
  const names = [...parts.keys()].sort().join();
  const weight = parts.get('weight');
  if (weight?.dims.length === 2 && (names === 'bias,weight' || names === 'weight')) {
    return { prefix, kind: 'linear', weight, parts };
  }
  if (weight?.dims.length === 1 && names === 'bias,running_mean,running_var,weight') {
    return { prefix, kind: 'batch-norm', weight, parts };
  }
  throw refused(`'${prefix}' is neither Linear nor BatchNorm1d (it holds ${names})`);
}

function orderSteps(
  modules: readonly Module[],
  activations: readonly ActivationName[],
  options: StateDictOptions,
): NetworkStep[] {
  const steps: NetworkStep[] = [];
  let linear = 0;
  modules.forEach((module, index) => {
    if (module.kind === 'batch-norm') {
      steps.push(batchNormStep(module, options.epsilon ?? PYTORCH_EPSILON));
      const before = modules[index - 1];
      if (before?.kind === 'linear' && activationIsLater(before, module, activations[linear - 1], options)) {
        steps.push({ step: 'activation', activation: activations[linear - 1] });
      }
      return;
    }
    const next = modules[index + 1];
    const activation = activations[linear++];
    steps.push(linearStep(module));
    const later = next?.kind === 'batch-norm' && activationIsLater(module, next, activation, options);
    if (!later) steps.push({ step: 'activation', activation });
  });
  return steps;
}

/** Whether Linear → BatchNorm → activation, rather than Linear → activation → BatchNorm. */
function activationIsLater(
  linear: Module,
  norm: Module,
  activation: ActivationName,
  { activationAfter }: StateDictOptions,
): boolean {
  if (activation === 'linear') return false;
  if (activationAfter !== undefined) return activationAfter === 'batch-norm';
  const [from, to] = [placeOf(linear.prefix), placeOf(norm.prefix)];
  if (from === null || to === null) {
    throw new InputError(
      'ACTIVATION_PLACE_MISSING',
      `'${norm.prefix}' follows '${linear.prefix}', and the file does not say on which side of it the activation is`,
      "Say whether activations stand after 'dense' or after 'batch-norm'",
    );
  }
  return to === from + 1;
}

/** The counter of a module of an nn.Sequential. */
function placeOf(prefix: string): number | null {
  const place = /(?:^|\.)(\d+)$/.exec(prefix);
  return place === null ? null : Number(place[1]);
}

function linearStep({ weight, parts }: Module): DenseStep {
  const [units, width] = weight.dims;
  const kernel = transpose(weight.data, units, width);
  const bias = parts.get('bias')?.data ?? new Float32Array(units);
  return { step: 'dense', units, activation: 'linear', kernel, bias, l1: 0, l2: 0 };
}

function batchNormStep({ parts }: Module, epsilon: number): BatchNormStep {
  const own = (name: string) => (parts.get(name) as Tensor).data;
  const [gamma, beta] = [own('weight'), own('bias')];
  const [mean, variance] = [own('running_mean'), own('running_var')];
  return { step: 'batch-norm', momentum: PYTORCH_MOMENTUM, epsilon, gamma, beta, mean, variance };
}

function refused(what: string): InputError {
  return new InputError(
    'STATE_DICT_REFUSED',
    `The file's tensors make no network that is known here: ${what}`,
    'Networks of Linear, BatchNorm1d, Dropout and activations are read; export others to ONNX',
  );
}
