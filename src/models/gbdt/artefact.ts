// Boosted trees as bytes and back, with every number checked on the way in.
//
// Binary part, little-endian: magic "GBDT", FNV-1a of all bytes that follow, number of trees, nodes and columns;
// initial margin and per node value, gain, cover (float64); tree starts, column, left, right (int32); threshold (float32);
// missingLeft (uint8).
import type { Artefact } from '../detector.ts';
import { checkFeatureNames } from '../packed-artefact.ts';
import type { Ensemble } from './ensemble.ts';

const GBDT_FORMAT = 'centinela-gbdt';
const FORMAT_VERSION = 1;
const MAGIC = 0x54444247;
/** A multiple of 8, so that the float64 arrays after it are aligned. */
const HEADER_BYTES = 24;
const MAX_NODES = 100_000_000;

export function encodeEnsemble(
  ensemble: Ensemble,
  features: readonly string[],
  parameters: Artefact['parameters'],
): Artefact {
  const trees = ensemble.treeStarts.length - 1;
  const nodes = ensemble.column.length;
  const binary = new Uint8Array(byteLength(trees, nodes));
  const { initialMargin, value, gain, cover, treeStarts, column, left, right, threshold, missingLeft } = ensemble;
  const arrays = [Float64Array.of(initialMargin), value, gain, cover, treeStarts, column, left, right, threshold];
  let at = HEADER_BYTES;
  for (const array of [...arrays, missingLeft]) {
    binary.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  const header = new DataView(binary.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint32(8, trees, true);
  header.setUint32(12, nodes, true);
  header.setUint32(16, ensemble.columns, true);
  header.setUint32(4, checksum(binary), true);
  return { format: GBDT_FORMAT, formatVersion: FORMAT_VERSION, features, parameters, binary };
}

/** @throws if the artefact is of another detector, a newer version, truncated or damaged; the message says which. */
export function decodeEnsemble(artefact: Artefact): Ensemble {
  const { format, formatVersion, binary } = artefact;
  if (format !== GBDT_FORMAT) throw new Error(`gbdt: the artefact's format is "${format}", not "${GBDT_FORMAT}"`);
  if (!Number.isInteger(formatVersion) || formatVersion < 1) {
    throw new Error(`gbdt: the artefact's format version is ${formatVersion}, not a whole number from 1`);
  }
  if (formatVersion > FORMAT_VERSION) {
    throw new Error(
      `gbdt: the artefact has format version ${formatVersion}; this program reads up to ${FORMAT_VERSION}: use a newer one`,
    );
  }
  const ensemble = readArrays(binary);
  checkFeatureNames(artefact, ensemble.columns);
  checkTrees(ensemble);
  return ensemble;
}

function readArrays(binary: Uint8Array): Ensemble {
  if (binary.length < HEADER_BYTES) {
    throw new Error(`gbdt: the artefact is truncated: ${binary.length} bytes, fewer than its header`);
  }
  const header = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  if (header.getUint32(0, true) !== MAGIC)
    throw new Error('gbdt: the artefact is damaged: it does not start with "GBDT"');
  const trees = header.getUint32(8, true);
  const nodes = header.getUint32(12, true);
  const expected = byteLength(trees, nodes);
  if (nodes > MAX_NODES || trees > nodes || binary.length !== expected) {
    const what = binary.length < expected ? 'truncated' : 'damaged';
    throw new Error(`gbdt: the artefact is ${what}: ${binary.length} bytes instead of ${expected}`);
  }
  if (header.getUint32(4, true) !== checksum(binary)) {
    throw new Error('gbdt: the artefact is damaged: its checksum does not match its contents');
  }
  const columns = header.getUint32(16, true);
  // Copied, so that every array starts at a multiple of its element size.
  const bytes = binary.slice().buffer;
  let at = HEADER_BYTES;
  const next = (length: number, elementBytes: number): number => {
    const start = at;
    at += length * elementBytes;
    return start;
  };
  const float64 = (length: number) => new Float64Array(bytes, next(length, 8), length);
  const int32 = (length: number) => new Int32Array(bytes, next(length, 4), length);
  const initialMargin = float64(1)[0];
  const [value, gain, cover] = [float64(nodes), float64(nodes), float64(nodes)];
  const treeStarts = int32(trees + 1);
  const [column, left, right] = [int32(nodes), int32(nodes), int32(nodes)];
  const threshold = new Float32Array(bytes, at, nodes);
  const missingLeft = new Uint8Array(bytes, at + nodes * 4, nodes);
  return { columns, initialMargin, treeStarts, column, threshold, missingLeft, left, right, value, gain, cover };
}

function byteLength(trees: number, nodes: number): number {
  return HEADER_BYTES + 8 + nodes * 24 + (trees + 1) * 4 + nodes * 12 + nodes * 4 + nodes;
}

/** FNV-1a, 32 bits, of everything after the checksum. */
function checksum(binary: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 8; i < binary.length; i++) hash = Math.imul(hash ^ binary[i], 0x01000193);
  return hash >>> 0;
}

/** A walk from any root must end in a leaf and stay inside the arrays, whatever the bytes say. */
function checkTrees(ensemble: Ensemble): void {
  const { columns, initialMargin, treeStarts, column, threshold, left, right, value, cover } = ensemble;
  const damaged = (what: string) => new Error(`gbdt: the artefact is damaged: ${what}`);
  if (!Number.isFinite(initialMargin)) throw damaged('its initial margin is not a number');
  if (treeStarts[0] !== 0 || treeStarts[treeStarts.length - 1] !== column.length) {
    throw damaged('its trees do not cover its nodes');
  }
  for (let tree = 0; tree + 1 < treeStarts.length; tree++) {
    const end = treeStarts[tree + 1];
    if (end <= treeStarts[tree]) throw damaged(`tree ${tree} has no node`);
    for (let node = treeStarts[tree]; node < end; node++) {
      const inside = (child: number) => child > node && child < end;
      const isInner = column[node] >= 0;
      if (!Number.isFinite(value[node]) || !(cover[node] > 0)) throw damaged(`node ${node} has no value or no cover`);
      if (isInner && (column[node] >= columns || Number.isNaN(threshold[node]))) {
        throw damaged(`node ${node} cuts column ${column[node]} of ${columns} at ${threshold[node]}`);
      }
      if (isInner && !(inside(left[node]) && inside(right[node]))) {
        throw damaged(`node ${node} has a child outside its tree`);
      }
    }
  }
}
