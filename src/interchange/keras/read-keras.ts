// Reads Keras's .keras and .h5 into a network: the layers are followed from the input to the output, column by column.
//
// The part before the first layer that computes may cut columns out of the rows and embed some of them: each tensor there
// is known by the columns it holds. Whatever this reader does not know is refused, with the advice to go by ONNX.
import { InputError } from '../../lib/errors.ts';
import type { Network } from '../../models/network/description.ts';
import { assembleNetwork, type NetworkStep } from '../assemble-network.ts';
import { type Hdf5Reader, readHdf5 } from '../hdf5.ts';
import type { Tensor } from '../tensors.ts';
import { openZip } from '../zip.ts';
import { snakeCase } from './keras-layers.ts';
import {
  activationLayer,
  activationOf,
  type ConfigLayer,
  kerasRefused,
  type ModelConfig,
  numberOf,
  parseModelConfig,
  penaltiesOf,
} from './read-config.ts';

/** The arrays of a layer, in Keras's order. */
type VariablesOf = (layer: ConfigLayer) => readonly Tensor[];

/** @throws InputError if the file is damaged, or its model is none that is known here. */
export async function readKeras(file: Uint8Array): Promise<Network> {
  const entries = openZip(file, '.keras file');
  const config = entries.get('config.json');
  const weights = entries.get('model.weights.h5');
  if (config === undefined || weights === undefined) throw kerasRefused('config.json or model.weights.h5 is missing');
  const model = parseModelConfig(new TextDecoder().decode(config));
  return readHdf5(weights, (stored) => {
    const isOlder = stored.names('layers').length === 0;
    const places = placesOf(model, isOlder);
    return networkOf(model, ({ name }) => {
      const folder = `${isOlder ? OLDER_FOLDER : 'layers'}/${places.get(name)}/vars`;
      const names = [...stored.names(folder)].sort((a, b) => Number(a) - Number(b));
      return names.map((each) => stored.tensor(`${folder}/${each}`));
    });
  });
}

/** @throws InputError if the file is damaged, holds weights alone, or a model that is none that is known here. */
export async function readKerasH5(file: Uint8Array): Promise<Network> {
  return readHdf5(file, (stored) => {
    const config = stored.textAttribute('/', 'model_config');
    if (typeof config !== 'string') {
      throw new InputError(
        'KERAS_WEIGHTS_ONLY',
        'The .h5 file holds weights but no model',
        'Save the whole model: model.save(file), not model.save_weights(file)',
      );
    }
    return networkOf(parseModelConfig(config), (layer) => variablesByName(stored, layer));
  });
}

function variablesByName(stored: Hdf5Reader, { name }: ConfigLayer): Tensor[] {
  const names = stored.textAttribute(`model_weights/${name}`, 'weight_names') ?? [];
  return [names].flat().map((each) => stored.tensor(`model_weights/${name}/${each}`));
}

/** Of Keras 2.12 and 2.13. */
const OLDER_FOLDER = '_layer_checkpoint_dependencies';
const WITH_WEIGHTS = ['Dense', 'BatchNormalization', 'Embedding'];

/** Keras counts the layers of each class, whatever their names; before 2.15 it counted those with weights twice. */
function placesOf({ layers }: ModelConfig, isOlder: boolean): ReadonlyMap<string, string> {
  const counters = new Map<string, number>();
  return new Map(
    layers.map(({ className, name }) => {
      const snake = snakeCase(className);
      const count = counters.get(snake) ?? 0;
      counters.set(snake, count + (isOlder && WITH_WEIGHTS.includes(className) ? 2 : 1));
      return [name, count === 0 ? snake : `${snake}_${count}`];
    }),
  );
}

const MAX_PIECES = 65_536;

interface Embedding {
  readonly column: number;
  readonly categories: number;
  readonly units: number;
  readonly table: Float32Array;
}

/** Columns of the row and embeddings, side by side, before anything is computed of them. */
type Pieces = readonly (number | Embedding)[];

function networkOf(model: ModelConfig, variablesOf: VariablesOf): Network {
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
  const chain = chainTo(model, byName);
  const columns = inputColumns(model, byName, chain, variablesOf);
  const pieces = piecesInto(chain.head, byName, columns.of, variablesOf);
  const steps = chain.layers.flatMap((layer) => stepsOf(layer, variablesOf(layer)));
  return assembleNetwork(columns.total, [...embeddingSteps(pieces, columns.total), ...steps]);
}

/** Layers from the last one back to the first that computes; `head` is what feeds that one. */
function chainTo({ layers, output }: ModelConfig, byName: ReadonlyMap<string, ConfigLayer>) {
  const chain: ConfigLayer[] = [];
  let name = output;
  for (let count = 0; count <= layers.length; count++) {
    const layer = byName.get(name);
    if (layer === undefined) throw kerasRefused(`layer '${name}' is missing`);
    if (layer.inbound.length !== 1 || !computes(layer)) return { head: name, layers: chain.reverse() };
    chain.push(layer);
    name = layer.inbound[0];
  }
  throw kerasRefused('its layers feed each other in a circle');
}

const ARRANGING = ['InputLayer', 'Reshape', 'Cropping1D', 'Flatten', 'Embedding', 'Concatenate'];

const computes = ({ className }: ConfigLayer) => !ARRANGING.includes(className);

/** Which columns of a row each input layer is given, in the order of the model's inputs. */
function inputColumns(
  { inputs }: ModelConfig,
  byName: ReadonlyMap<string, ConfigLayer>,
  chain: { readonly head: string; readonly layers: readonly ConfigLayer[] },
  variablesOf: VariablesOf,
) {
  const of = new Map<string, readonly number[]>();
  let total = 0;
  for (const name of inputs) {
    const shape = byName.get(name)?.config.batch_shape ?? byName.get(name)?.config.batch_input_shape;
    let width = Array.isArray(shape) && shape.length === 2 ? shape[1] : null;
    // A Sequential may not tell; its first kernel does.
    if (width === null && chain.head === name && chain.layers[0]?.className === 'Dense') {
      width = variablesOf(chain.layers[0])[0]?.dims[0] ?? null;
    }
    if (typeof width !== 'number' || !(width > 0)) throw kerasRefused(`its input '${name}' is not rows of columns`);
    if (total + width > MAX_PIECES) throw kerasRefused(`its input '${name}' has ${width} columns`);
    const from = total;
    of.set(
      name,
      Array.from({ length: width }, (_, i) => from + i),
    );
    total += width;
  }
  return { of, total };
}

function piecesInto(
  name: string,
  byName: ReadonlyMap<string, ConfigLayer>,
  columns: ReadonlyMap<string, readonly number[]>,
  variablesOf: VariablesOf,
  depth = 0,
): Pieces {
  const layer = byName.get(name);
  if (layer === undefined || depth > byName.size) throw kerasRefused(`what feeds '${name}' is missing or a circle`);
  const from = () => {
    if (layer.inbound.length !== 1) throw kerasRefused(`layer '${name}' has ${layer.inbound.length} inputs`);
    return piecesInto(layer.inbound[0], byName, columns, variablesOf, depth + 1);
  };
  switch (layer.className) {
    case 'InputLayer': {
      const own = columns.get(name);
      if (own === undefined) throw kerasRefused(`'${name}' is not among its inputs`);
      return own;
    }
    case 'Flatten':
      return from();
    case 'Reshape':
      return reshape(layer, from());
    case 'Cropping1D':
      return crop(layer, from());
    case 'Embedding':
      return [embeddingOf(layer, from(), variablesOf(layer))];
    case 'Concatenate':
      if (layer.config.axis !== -1 && layer.config.axis !== 1) throw kerasRefused(`'${name}' joins along another axis`);
      return concatenate(layer.inbound.map((each) => piecesInto(each, byName, columns, variablesOf, depth + 1)));
    default:
      throw kerasRefused(`layer '${name}' (${layer.className}) stands before an embedding or a concatenation`);
  }
}

/** A tensor joined to itself again and again would grow without end. */
function concatenate(parts: readonly Pieces[]): Pieces {
  if (parts.reduce((sum, { length }) => sum + length, 0) > MAX_PIECES) throw kerasRefused('it joins too many columns');
  return parts.flat();
}

/** One row as a sequence of single numbers, or back: only along a sequence does Cropping1D cut columns. */
function reshape({ name, config }: ConfigLayer, pieces: Pieces): Pieces {
  const { target_shape: shape } = config;
  const [length, ones] = Array.isArray(shape) ? shape : [];
  const sound = (length === pieces.length || length === -1) && (ones === undefined || ones === 1);
  if (!sound || pieces.some((piece) => typeof piece !== 'number')) throw kerasRefused(`layer '${name}' is a Reshape`);
  return pieces;
}

function crop({ name, config }: ConfigLayer, pieces: Pieces): Pieces {
  const [before, after] = Array.isArray(config.cropping) ? config.cropping : [config.cropping, config.cropping];
  const sound = Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0;
  if (!sound || before + after >= pieces.length) throw kerasRefused(`layer '${name}' crops everything`);
  if (pieces.some((piece) => typeof piece !== 'number')) throw kerasRefused(`layer '${name}' crops an embedding`);
  return pieces.slice(before, pieces.length - after);
}

function embeddingOf({ name, config }: ConfigLayer, pieces: Pieces, [table]: readonly Tensor[]): Embedding {
  const [column] = pieces;
  if (pieces.length !== 1 || typeof column !== 'number') throw kerasRefused(`'${name}' embeds more than one column`);
  if (table === undefined) throw kerasRefused(`layer '${name}' has no weights`);
  const [categories, units] = [numberOf(config, 'input_dim', name), numberOf(config, 'output_dim', name)];
  return { column, categories, units, table: table.data };
}

/** Ours joins the columns that are left, in order, and then the embeddings. */
function embeddingSteps(pieces: Pieces, total: number): NetworkStep[] {
  const embedded = pieces.filter((piece) => typeof piece !== 'number');
  const taken = new Set(embedded.map(({ column }) => column));
  const others = Array.from({ length: total }, (_, column) => column).filter((column) => !taken.has(column));
  const expected = [...others, ...embedded];
  if (pieces.length !== expected.length || pieces.some((piece, i) => piece !== expected[i])) {
    throw kerasRefused('its columns are joined in another order than: those not embedded, then the embeddings');
  }
  if (embedded.length === 0) return [];
  return [
    {
      step: 'embed-columns',
      columns: embedded.map(({ table: _, ...column }) => column),
      tables: embedded.map(({ table }) => table),
    },
  ];
}

function stepsOf(layer: ConfigLayer, variables: readonly Tensor[]): NetworkStep[] {
  const { className, name, config } = layer;
  const activation = activationLayer(layer);
  if (activation !== null) return [{ step: 'activation', activation }];
  switch (className) {
    case 'Dense':
      return [denseStep(layer, variables)];
    case 'BatchNormalization':
      return [batchNormStep(layer, variables)];
    case 'Dropout':
      return [{ step: 'dropout', rate: numberOf(config, 'rate', name) }];
    default:
      throw kerasRefused(`layer '${name}' is a ${className}`);
  }
}

function denseStep({ name, config }: ConfigLayer, [kernel, bias]: readonly Tensor[]): NetworkStep {
  const units = numberOf(config, 'units', name);
  if (kernel === undefined || (config.use_bias !== false && bias === undefined))
    throw kerasRefused(`layer '${name}' has no weights`);
  if (kernel.dims.length !== 2 || kernel.dims[1] !== units) {
    throw kerasRefused(`layer '${name}' has ${units} units and weights of ${kernel.dims.join(' × ')}`);
  }
  return {
    step: 'dense',
    units,
    activation: activationOf(config.activation, name),
    kernel: kernel.data,
    bias: config.use_bias === false ? new Float32Array(units) : bias.data,
    ...penaltiesOf(config.kernel_regularizer),
  };
}

function batchNormStep({ name, config }: ConfigLayer, variables: readonly Tensor[]): NetworkStep {
  const scaled = config.scale !== false;
  const centred = config.center !== false;
  if (variables.length !== 2 + Number(scaled) + Number(centred)) throw kerasRefused(`layer '${name}' has no weights`);
  const rest = [...variables.map(({ data }) => data)];
  const columns = rest[0].length;
  const gamma = scaled ? (rest.shift() as Float32Array) : new Float32Array(columns).fill(1);
  const beta = centred ? (rest.shift() as Float32Array) : new Float32Array(columns);
  const [mean, variance] = rest;
  const [momentum, epsilon] = [numberOf(config, 'momentum', name), numberOf(config, 'epsilon', name)];
  return { step: 'batch-norm', momentum, epsilon, gamma, beta, mean, variance };
}
