// Trained networks and the preparation of their inputs as bytes and back, with every number checked on the way in.
//
// Binary part, little-endian: magic "NETW", FNV-1a of all bytes that follow, length of a UTF-8 JSON text
// ({ preparation, networks: descriptions, ordinaryRows }), that text filled up with spaces to a multiple of 4, for each
// network its learned and its tracked numbers (float32) in the order of its layers, and the ordinary rows. Version 1 had
// no ordinary rows.
import type { Artefact } from '../detector.ts';
import type { Matrix } from '../matrix.ts';
import { checkFeatureNames } from '../packed-artefact.ts';
import { createPreparation, type PreparationPlan } from '../preparation/preparation.ts';
import type { Network, NetworkDescription } from './description.ts';
import { layoutParameters, networkOf, parametersOf } from './parameters.ts';
import { sequential } from './sequential.ts';

const FORMAT = 'centinela-network';
const FORMAT_VERSION = 2;
const MAGIC = 0x5754454e;
const HEADER_BYTES = 12;
const MAX_NETWORKS = 64;

export interface StoredNetworks {
  readonly preparation: PreparationPlan;
  readonly networks: readonly Network[];
  /** Prepared rows that explanations compare a row with; null where none were stored. */
  readonly ordinary: Matrix | null;
}

export function encodeNetworks(
  { preparation, networks, ordinary }: StoredNetworks,
  features: readonly string[],
  parameters: Artefact['parameters'],
): Artefact {
  const descriptions = networks.map(({ description }) => description);
  const text = JSON.stringify({ preparation, networks: descriptions, ordinaryRows: ordinary?.rows ?? 0 });
  let json = new TextEncoder().encode(text);
  json = new TextEncoder().encode(text + ' '.repeat((4 - (json.length % 4)) % 4));
  const numbers = networks.map(parametersOf).flatMap(({ learned, tracked }) => [learned, tracked]);
  if (ordinary !== null) numbers.push(ordinary.values);
  const numberBytes = numbers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const binary = new Uint8Array(HEADER_BYTES + json.length + numberBytes);
  binary.set(json, HEADER_BYTES);
  let at = HEADER_BYTES + json.length;
  for (const values of numbers) {
    binary.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  const header = new DataView(binary.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint32(8, json.length, true);
  header.setUint32(4, checksum(binary), true);
  return { format: FORMAT, formatVersion: FORMAT_VERSION, features, parameters, binary };
}

/** @throws if the artefact is of another detector, a newer version, truncated or damaged; the message says which. */
export function decodeNetworks(artefact: Artefact): StoredNetworks {
  const { format, formatVersion, binary } = artefact;
  if (format !== FORMAT) throw new Error(`network: the artefact's format is "${format}", not "${FORMAT}"`);
  if (!Number.isInteger(formatVersion) || formatVersion < 1 || formatVersion > FORMAT_VERSION) {
    throw new Error(
      `network: the artefact has format version ${formatVersion}; this program reads up to ${FORMAT_VERSION}: use a newer one`,
    );
  }
  if (binary.length < HEADER_BYTES) throw new Error('network: the artefact is truncated: it ends within its header');
  const damaged = (what: string) => new Error(`network: the artefact is damaged: ${what}`);
  const header = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  if (header.getUint32(0, true) !== MAGIC) throw damaged('it does not start with "NETW"');
  if (header.getUint32(4, true) !== checksum(binary)) throw damaged('truncated, or its checksum does not match');
  // Copied, so that the numbers start at a multiple of their size.
  const bytes = binary.slice();
  const jsonEnd = HEADER_BYTES + header.getUint32(8, true);
  if (jsonEnd > bytes.length || jsonEnd % 4 !== 0) throw damaged('its description is longer than the file');
  const stored = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_BYTES, jsonEnd))) as {
    preparation: PreparationPlan;
    networks: NetworkDescription[];
    ordinaryRows?: number;
  };
  if (stored.networks.length < 1 || stored.networks.length > MAX_NETWORKS) throw damaged('it holds no network');
  checkFeatureNames(artefact, stored.preparation.columns.length);
  const numbers = new Float32Array(bytes.buffer, jsonEnd, (bytes.length - jsonEnd) >> 2);
  if (!numbers.every(Number.isFinite)) throw damaged('a weight is not a number');
  const columns = createPreparation(stored.preparation).outputs;
  const { ordinaryRows = 0 } = stored;
  const weightsEnd = numbers.length - ordinaryRows * columns;
  const networks = readNetworks(stored.networks, numbers.subarray(0, Math.max(0, weightsEnd)));
  const ordinary = ordinaryRows > 0 ? { rows: ordinaryRows, columns, values: numbers.slice(weightsEnd) } : null;
  return { preparation: stored.preparation, networks, ordinary };
}

function readNetworks(descriptions: readonly NetworkDescription[], numbers: Float32Array): Network[] {
  let at = 0;
  const take = (length: number) => {
    at += length;
    return numbers.subarray(at - length, at);
  };
  const networks = descriptions.map(({ inputs, layers }) => {
    const description = sequential(inputs, layers);
    const layout = layoutParameters(description);
    return networkOf(description, layout, take(layout.learnedLength), take(layout.trackedLength));
  });
  if (at !== numbers.length) throw new Error(`network: the artefact is damaged: ${numbers.length} weights, not ${at}`);
  return networks;
}

/** FNV-1a, 32 bits, of everything after the checksum. */
function checksum(binary: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 8; i < binary.length; i++) hash = Math.imul(hash ^ binary[i], 0x01000193);
  return hash >>> 0;
}
