// Networks in the files of Keras, PyTorch and Hugging Face: one function to write and one to read, by format.
import { InputError } from '../lib/errors.ts';
import type { Network } from '../models/network/description.ts';
import { DESCRIPTION_KEY, descriptionText, parseDescription } from './description-json.ts';
import { readKeras, readKerasH5 } from './keras/read-keras.ts';
import { writeKeras, writeKerasH5 } from './keras/write-keras.ts';
import { readPytorch, writePytorch } from './pytorch-file.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { networkOfDescription, networkOfTensors, type StateDictOptions, stateDictOf } from './state-dict.ts';
import type { TensorMap } from './tensors.ts';

export type NetworkFormat = 'keras' | 'h5' | 'pt' | 'safetensors';

export const NETWORK_FORMATS: readonly NetworkFormat[] = ['keras', 'h5', 'pt', 'safetensors'];

const MAX_FILE_BYTES = 2 ** 31;

/** The same network gives the same bytes, but for .keras and .h5, in which the HDF5 library may note the time. */
export async function writeNetwork(network: Network, format: NetworkFormat): Promise<Uint8Array> {
  const description = descriptionText(network.description);
  switch (format) {
    case 'keras':
      return writeKeras(network);
    case 'h5':
      return writeKerasH5(network);
    case 'pt':
      return writePytorch({ tensors: stateDictOf(network), description });
    case 'safetensors':
      return writeSafetensors({ tensors: stateDictOf(network), metadata: { [DESCRIPTION_KEY]: description } });
  }
}

/**
 * @param options what files of weights (.pt, .safetensors) that are not ours do not say
 * @throws InputError if the file is damaged, unsafe, or its network is none that is known here
 */
export async function readNetwork(
  file: Uint8Array,
  format: NetworkFormat,
  options: StateDictOptions = {},
): Promise<Network> {
  if (file.length > MAX_FILE_BYTES) {
    throw new InputError('FILE_TOO_LARGE', `The file has ${file.length} bytes`, 'Networks of up to 2 GB are read');
  }
  switch (format) {
    case 'keras':
      return readKeras(file);
    case 'h5':
      return readKerasH5(file);
    case 'pt': {
      const { tensors, description } = readPytorch(file);
      return networkOf(tensors, description, options);
    }
    case 'safetensors': {
      const { tensors, metadata } = readSafetensors(file);
      return networkOf(tensors, metadata[DESCRIPTION_KEY] ?? null, options);
    }
  }
}

function networkOf(tensors: TensorMap, description: string | null, options: StateDictOptions): Network {
  if (description === null) return networkOfTensors(tensors, options);
  return networkOfDescription(parseDescription(description), tensors);
}
