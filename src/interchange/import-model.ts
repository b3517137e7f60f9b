// A model of someone else as the bytes and the facts that the `onnx` detector serves.
import { InputError } from '../lib/errors.ts';
import type { ActivationName, Network } from '../models/network/description.ts';
import { layerWidths } from '../models/network/sequential.ts';
import { type ModelFacts, readFacts } from '../models/onnx-model/model-facts.ts';
import { findPorts } from '../models/onnx-model/model-ports.ts';
import { readSignature } from '../models/onnx-model/signature.ts';
import { createPreparation, type PreparationPlan } from '../models/preparation/preparation.ts';
import { isActivation } from './description-json.ts';
import { type NetworkFormat, readNetwork } from './network-files.ts';
import { networkModel } from './onnx/onnx-files.ts';

export interface ImportOptions {
  /** Of the file's name: keras, h5, hdf5, pt, pth, safetensors, onnx. */
  readonly ending: string;
  /** JSON text of the features; null where the file or its preparation tells them. */
  readonly features: string | null;
  /** JSON text that an export wrote beside a network; null where the network takes the features as they are. */
  readonly preparation: string | null;
  /** null for what the file shows: a probability after a sigmoid. */
  readonly answer: string | null;
  /** Separated by commas, one per Linear. */
  readonly activations: string | null;
  readonly activationAfter: 'dense' | 'batch-norm' | null;
  readonly epsilon: number | null;
}

export interface ImportedModel {
  /** An ONNX file. */
  readonly model: Uint8Array;
  /** As they are written beside the file. */
  readonly facts: { readonly features: readonly string[]; readonly output: string | null; readonly answer: string };
}

const NETWORK_ENDINGS: ReadonlyMap<string, NetworkFormat> = new Map([
  ['keras', 'keras'],
  ['h5', 'h5'],
  ['hdf5', 'h5'],
  ['pt', 'pt'],
  ['pth', 'pt'],
  ['safetensors', 'safetensors'],
]);

/** @throws InputError if the file is damaged, unsafe or of no known kind; the message says what to do */
export async function importModel(file: Uint8Array, options: ImportOptions): Promise<ImportedModel> {
  if (options.ending === 'onnx') return importOnnx(file, options);
  const format = NETWORK_ENDINGS.get(options.ending);
  if (format === undefined) {
    throw refused(
      `'.${options.ending}' is no ending of a model`,
      `Known are onnx, ${[...NETWORK_ENDINGS.keys()].join(', ')}`,
    );
  }
  const network = await readNetwork(file, format, {
    ...(options.activations !== null && { activations: parseActivations(options.activations) }),
    ...(options.activationAfter !== null && { activationAfter: options.activationAfter }),
    ...(options.epsilon !== null && { epsilon: options.epsilon }),
  });
  checkHead(network, options.answer);
  const prepared = options.preparation === null ? null : parsePreparation(options.preparation);
  const features = featuresOf(options, prepared, network);
  const model = networkModel(network, prepared?.plan ?? null);
  return { model, facts: { features, output: null, answer: 'probability' } };
}

function importOnnx(file: Uint8Array, { features, answer }: ImportOptions): ImportedModel {
  const facts = readFacts(file, features);
  const chosen = { ...facts, ...(answer !== null && { answer: answer as ModelFacts['answer'] }) };
  // Whether it can be served is seen now rather than when training starts.
  findPorts(readSignature(file), chosen.modelFeatures, chosen.output);
  return { model: file, facts: { features: chosen.modelFeatures, output: chosen.output, answer: chosen.answer } };
}

/** One number: a probability, or log odds that a sigmoid turns into one. */
function checkHead({ description }: Network, answer: string | null): void {
  const outputs = layerWidths(description)[description.layers.length];
  const last = description.layers[description.layers.length - 1];
  const activation = last.kind === 'dense' ? last.activation : 'linear';
  if (outputs !== 1)
    throw refused(`the network has ${outputs} outputs`, 'It must have one: the probability or the log odds of fraud');
  if (activation === 'sigmoid' && (answer === null || answer === 'probability')) return;
  if (activation === 'linear' && answer === 'logit') return;
  throw refused(
    `its last activation is '${activation}'${answer === null ? '' : ` and the answer is called a ${answer}`}`,
    'It must be a sigmoid, or none with --answer logit; anything else goes by ONNX',
  );
}

function featuresOf(
  options: ImportOptions,
  prepared: StoredPreparation | null,
  { description }: Network,
): readonly string[] {
  const features =
    options.features === null ? prepared?.features : readFacts(new Uint8Array(), options.features).modelFeatures;
  if (features === undefined)
    throw refused('nothing lists its features', 'Give --features FILE with a JSON list of their names');
  const taken = prepared === null ? description.inputs : createPreparation(prepared.plan).inputs;
  if (features.length !== taken)
    throw refused(
      `it takes ${taken} columns, and ${features.length} features are listed`,
      'List its features in its order',
    );
  if (prepared !== null && createPreparation(prepared.plan).outputs !== description.inputs) {
    throw refused(
      `its preparation makes other columns than the ${description.inputs} that the network takes`,
      'Give the file written with it',
    );
  }
  return features;
}

interface StoredPreparation {
  readonly features: readonly string[];
  readonly plan: PreparationPlan;
}

function parsePreparation(text: string): StoredPreparation {
  try {
    const stored = JSON.parse(text) as StoredPreparation;
    createPreparation(stored.plan);
    if (Array.isArray(stored.features) && stored.features.every((name) => typeof name === 'string')) return stored;
  } catch {
    // Said below.
  }
  throw refused('its preparation is damaged', 'Give the .preparation.json that was written with the network');
}

function parseActivations(names: string): ActivationName[] {
  return names.split(',').map((given) => {
    const name = given.trim();
    if (isActivation(name)) return name;
    throw refused(
      `there is no activation '${name}'`,
      'Known are linear, relu, leaky-relu, elu, selu, gelu, swish, softplus, sigmoid, tanh',
    );
  });
}

function refused(problem: string, hint: string): InputError {
  return new InputError('MODEL_NOT_IMPORTED', `The model can't be imported: ${problem}`, hint);
}
