// A network's description as JSON inside other formats' files, and back, with nothing taken on trust.
//
// Files of weights say nothing of activations. Ours carry the description beside the numbers, so that reading them back
// needs no options; a file of someone else carries none.
import { InputError } from '../lib/errors.ts';
import { ACTIVATIONS } from '../models/network/activations.ts';
import type { ActivationName, Layer, NetworkDescription } from '../models/network/description.ts';
import { batchNorm, dense, dropout, embedColumns, sequential } from '../models/network/sequential.ts';

/** Under this name the description stands in the metadata of a file. */
export const DESCRIPTION_KEY = 'centinela.network';

export const MAX_DESCRIPTION_BYTES = 1 << 20;

export function descriptionText(description: NetworkDescription): string {
  return JSON.stringify({ version: 1, ...description });
}

/** @throws InputError if the text is not such a description; the message says where. */
export function parseDescription(text: string): NetworkDescription {
  if (text.length > MAX_DESCRIPTION_BYTES) throw damaged('it is longer than a megabyte');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged('it is not JSON');
  }
  const { version, inputs, layers } = asRecord(value, 'it');
  if (version !== 1) throw damaged(`its version is ${String(version)}, and this program reads 1`);
  if (!Array.isArray(layers)) throw damaged('it has no layers');
  try {
    return sequential(
      inputs as number,
      layers.map((layer, index) => parseLayer(asRecord(layer, `layer ${index}`), index)),
    );
  } catch (error) {
    throw error instanceof InputError ? error : damaged((error as Error).message);
  }
}

export function isActivation(name: unknown): name is ActivationName {
  return typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name);
}

function parseLayer(layer: Readonly<Record<string, unknown>>, index: number): Layer {
  const number = (key: string): number => numberAt(layer, key, `layer ${index}`);
  switch (layer.kind) {
    case 'dense':
      if (!isActivation(layer.activation))
        throw damaged(`layer ${index} has the activation ${String(layer.activation)}`);
      return dense(number('units'), layer.activation, { l1: number('l1'), l2: number('l2') });
    case 'dropout':
      return dropout(number('rate'));
    case 'batch-norm':
      return batchNorm(number('momentum'), number('epsilon'));
    case 'embed-columns':
      if (!Array.isArray(layer.columns)) throw damaged(`layer ${index} lists no columns`);
      return embedColumns(
        layer.columns.map((given) => {
          const where = `layer ${index}`;
          const column = asRecord(given, where);
          return {
            column: numberAt(column, 'column', where),
            categories: numberAt(column, 'categories', where),
            units: numberAt(column, 'units', where),
          };
        }),
      );
    default:
      throw damaged(`layer ${index} is of the unknown kind ${String(layer.kind)}`);
  }
}

function numberAt(record: Readonly<Record<string, unknown>>, key: string, where: string): number {
  const value = record[key];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw damaged(`${where} has no number "${key}"`);
  return value;
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw damaged(`${what} is not an object`);
}

function damaged(what: string): InputError {
  return new InputError(
    'NETWORK_DESCRIPTION_DAMAGED',
    `The network's description in the file is damaged: ${what}`,
    'Export the network again',
  );
}
