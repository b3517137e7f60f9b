// Networks in files, by the file's ending, and the callbacks that write files.
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { NETWORK_FORMATS, type NetworkFormat, readNetwork, writeNetwork } from '../interchange/network-files.ts';
import type { StateDictOptions } from '../interchange/state-dict.ts';
import { InputError } from '../lib/errors.ts';
import type { Network } from '../models/network/description.ts';
import { inferenceModel } from '../models/network/inference-graph.ts';
import { type Callback, type Monitor, watcher } from './callbacks.ts';

/** @throws InputError where the ending is none of .keras, .h5, .pt, .safetensors, .onnx */
export async function saveNetwork(network: Network, path: string): Promise<void> {
  const ending = extname(path).slice(1);
  const bytes = ending === 'onnx' ? inferenceModel(network) : await writeNetwork(network, formatOf(path, ending));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/**
 * @param options what files of weights (.pt, .safetensors) that are not ours do not say
 * @throws InputError where there is no such file, or its network is none that is known here
 */
export async function loadNetwork(path: string, options: StateDictOptions = {}): Promise<Network> {
  const ending = extname(path).slice(1);
  if (ending === 'onnx') {
    throw new InputError(
      'NETWORK_FORMAT',
      `${path} holds a graph, not layers that could be trained further`,
      'Serve it by the detector onnx, or load the .keras, .h5, .pt or .safetensors that it was made of',
    );
  }
  const format = formatOf(path, ending);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch (error) {
    throw new InputError('FILE_MISSING', `${path} can't be read (${(error as Error).message})`, 'Check the name');
  }
  return readNetwork(bytes, format, options);
}

/** Writes the network after each epoch that is the best so far (`bestOnly: false`: after each). `{epoch}` in the path is its number. */
export function modelCheckpoint({
  path,
  bestOnly = true,
  ...monitor
}: Monitor & { readonly path: string; readonly bestOnly?: boolean }): Callback {
  formatOf(path, extname(path).slice(1), ['onnx']);
  const watch = watcher(monitor);
  return async (report) => {
    if (!bestOnly || watch(report).improved) {
      await saveNetwork(report.network, path.replaceAll('{epoch}', String(report.epoch)));
    }
    return undefined;
  };
}

/** One line per epoch into a CSV file, which starts anew with each training. */
export function csvLogger(path: string): Callback {
  return async ({ epoch, loss, validationLoss, learningRate, metrics }) => {
    const cells = { epoch, loss, validationLoss: validationLoss ?? '', learningRate, ...metrics };
    const line = `${Object.values(cells).join(',')}\n`;
    if (epoch > 1) {
      await appendFile(path, line);
      return undefined;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${Object.keys(cells).join(',')}\n${line}`);
    return undefined;
  };
}

function formatOf(path: string, ending: string, also: readonly string[] = []): NetworkFormat {
  const format = [...NETWORK_FORMATS, ...also].find((each) => each === (ending === 'pth' ? 'pt' : ending));
  if (format !== undefined) return format as NetworkFormat;
  throw new InputError(
    'NETWORK_FORMAT',
    `${path} has none of the endings of a network`,
    `Use ${NETWORK_FORMATS.map((each) => `.${each}`).join(', ')} or .onnx`,
  );
}
