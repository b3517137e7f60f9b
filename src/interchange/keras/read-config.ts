// What Keras's configuration says of a model, read into layers that feed each other; classes are looked up, never loaded.
import { InputError } from '../../lib/errors.ts';
import { LEAKY_SLOPE } from '../../models/network/activations.ts';
import type { ActivationName } from '../../models/network/description.ts';
import { KERAS_ACTIVATIONS } from './keras-layers.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface ConfigLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Json;
  /** Names of the layers that feed it. */
  readonly inbound: readonly string[];
}

export interface ModelConfig {
  /** In the file's order, which decides where .keras keeps their weights. */
  readonly layers: readonly ConfigLayer[];
  /** Names of the input layers, in the order in which a row's columns are given to them. */
  readonly inputs: readonly string[];
  readonly output: string;
}

const MAX_LAYERS = 4096;
const IMPLIED_INPUT = '(input)';

/** @throws InputError for anything that is not a Sequential or a functional model with one output. */
export function parseModelConfig(text: string): ModelConfig {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    throw kerasRefused('its configuration is not JSON');
  }
  const model = record(root, 'its configuration');
  const config = record(model.config, 'its configuration');
  if (!Array.isArray(config.layers) || config.layers.length > MAX_LAYERS) throw kerasRefused('it lists no layers');
  const listed = config.layers.map((layer, index) => record(layer, `layer ${index}`));
  if (model.class_name === 'Sequential') return sequentialConfig(listed);
  if (model.class_name === 'Functional' || model.class_name === 'Model') return functionalConfig(listed, config);
  throw kerasRefused(`it is a ${String(model.class_name)}, neither a Sequential nor a functional model`);
}

function sequentialConfig(listed: readonly Json[]): ModelConfig {
  const layers: ConfigLayer[] = [];
  for (const layer of listed) {
    const config = record(layer.config, 'a layer');
    const className = String(layer.class_name);
    const before = layers.at(-1)?.name;
    // Before Keras 3, a Sequential's first layer told the input's shape.
    if (before === undefined && className !== 'InputLayer') {
      const shape = config.batch_input_shape ?? config.batch_shape;
      layers.push({ className: 'InputLayer', name: IMPLIED_INPUT, config: { batch_shape: shape }, inbound: [] });
    }
    const inbound = className === 'InputLayer' ? [] : [before ?? IMPLIED_INPUT];
    layers.push({ className, name: String(config.name), config, inbound });
  }
  if (layers.length === 0) throw kerasRefused('it has no layers');
  return { layers, inputs: [layers[0].name], output: layers[layers.length - 1].name };
}

function functionalConfig(listed: readonly Json[], config: Json): ModelConfig {
  const layers = listed.map((layer): ConfigLayer => {
    const name = String(layer.name);
    return {
      className: String(layer.class_name),
      name,
      config: record(layer.config, `layer '${name}'`),
      inbound: inboundOf(layer.inbound_nodes, name),
    };
  });
  const outputs = namesIn(config.output_layers);
  if (outputs.length !== 1) throw kerasRefused(`it has ${outputs.length} outputs`);
  return { layers, inputs: namesIn(config.input_layers), output: outputs[0] };
}

/** `['input', 0, 0]` or a list of such. */
function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return typeof value[0] === 'string'
    ? [value[0]]
    : value.flatMap((each) => (Array.isArray(each) ? [String(each[0])] : []));
}

/** Keras 3: `[{ args: [tensor or tensors], kwargs }]`; before: `[[['layer', 0, 0, {}], …]]`. */
function inboundOf(nodes: unknown, name: string): string[] {
  if (!Array.isArray(nodes) || nodes.length === 0) return [];
  if (nodes.length > 1) throw kerasRefused(`layer '${name}' is used more than once`);
  const node: unknown = nodes[0];
  if (Array.isArray(node)) return node.map((each) => String((each as unknown[])[0]));
  const { args } = record(node, `layer '${name}'`);
  const tensors = Array.isArray(args) ? args.flat(2) : [];
  return tensors.flatMap((tensor) => {
    const { keras_history: history } = record(record(tensor, `an input of '${name}'`).config, `an input of '${name}'`);
    return Array.isArray(history) ? [String(history[0])] : [];
  });
}

const ACTIVATION_NAMES: ReadonlyMap<string, ActivationName> = new Map([
  ...Object.entries(KERAS_ACTIVATIONS).map(([ours, theirs]): [string, ActivationName] => [
    theirs,
    ours as ActivationName,
  ]),
  ['swish', 'swish'],
]);

/** Of a Dense or Activation layer. */
export function activationOf(value: unknown, name: string): ActivationName {
  if (value === null || value === undefined) return 'linear';
  const known = typeof value === 'string' ? ACTIVATION_NAMES.get(value) : undefined;
  if (known !== undefined) return known;
  throw kerasRefused(
    `layer '${name}' has the activation ${typeof value === 'string' ? `'${value}'` : 'of a class of its own'}; known are ${[...ACTIVATION_NAMES.keys()].join(', ')}`,
  );
}

/** Of a layer that is an activation; null for any other. */
export function activationLayer({ className, config, name }: ConfigLayer): ActivationName | null {
  switch (className) {
    case 'Activation':
      return activationOf(config.activation, name);
    case 'ReLU':
      if ((config.max_value ?? null) === null && !config.negative_slope && !config.threshold) return 'relu';
      throw kerasRefused(`layer '${name}' is a ReLU with options`);
    case 'LeakyReLU': {
      const slope = config.negative_slope ?? config.alpha ?? LEAKY_SLOPE;
      if (Math.fround(slope as number) === LEAKY_SLOPE) return 'leaky-relu';
      throw kerasRefused(`layer '${name}' has the slope ${String(slope)}; only 0.3 is known`);
    }
    case 'ELU':
      if ((config.alpha ?? 1) === 1) return 'elu';
      throw kerasRefused(`layer '${name}' is an ELU whose alpha is not 1`);
    default:
      return null;
  }
}

/** The penalties of a Dense layer. */
export function penaltiesOf(regularizer: unknown): { l1: number; l2: number } {
  if (regularizer === null || regularizer === undefined) return { l1: 0, l2: 0 };
  const { config } = record(regularizer, 'a regularizer');
  const { l1, l2 } = record(config, 'a regularizer');
  const penalty = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0);
  return { l1: penalty(l1), l2: penalty(l2) };
}

export function record(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw kerasRefused(`${what} is not an object`);
}

export function numberOf(config: Json, key: string, name: string): number {
  const value = config[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw kerasRefused(`layer '${name}' has no number '${key}'`);
}

export function kerasRefused(what: string): InputError {
  return new InputError(
    'KERAS_REFUSED',
    `The Keras model can't be read: ${what}`,
    'Networks of Dense, BatchNormalization, Dropout, Embedding and activations are read; export others to ONNX',
  );
}
