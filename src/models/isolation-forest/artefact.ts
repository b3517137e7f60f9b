// A forest as an artefact: little-endian arrays one behind another, their sizes in the JSON part, and a checksum, so
// that a damaged or foreign file is refused before anything is scored with it.
import type { Artefact } from '../detector.ts';
import { checkFeatureNames } from '../packed-artefact.ts';
import { createForest, type Forest, type ForestNodes, MAX_COLUMNS, MAX_NODES, MAX_TREES } from './forest.ts';

const FORMAT = 'centinela.isolation-forest';
const FORMAT_VERSION = 1;
const MAX_DEPTH = 64;

/** Writes a forest; `options` is kept beside it for people to read. */
export function writeForest(
  forest: ForestNodes,
  features: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Artefact {
  const sections: ArrayLike<number>[] = [forest.medians, forest.treeStarts, forest.leftChildren, forest.samples];
  sections.push(forest.thresholds, forest.splitWeights, forest.splitColumns);
  const shape = shapeOf(forest);
  const binary = new Uint8Array(byteLength(shape));
  const view = new DataView(binary.buffer);
  let offset = 0;
  for (const section of sections) {
    for (let i = 0; i < section.length; i++) {
      if (section instanceof Float32Array) view.setFloat32(offset, section[i], true);
      else if (section instanceof Uint16Array) view.setUint16(offset, section[i], true);
      else view.setUint32(offset, section[i], true);
      offset += section instanceof Uint16Array ? 2 : 4;
    }
  }
  const parameters = { ...shape, sampleSize: forest.sampleSize, checksum: checksum(binary), options };
  return { format: FORMAT, formatVersion: FORMAT_VERSION, features: [...features], parameters, binary };
}

/** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
export function readForest(artefact: Artefact): Forest {
  const { format, formatVersion, parameters, binary } = artefact;
  if (format !== FORMAT) throw new Error(`artefact is of format "${format}", expected "${FORMAT}"`);
  if (formatVersion !== FORMAT_VERSION) {
    throw new Error(
      `isolation forest artefact has format version ${formatVersion}, this program reads ${FORMAT_VERSION}: ` +
        'load it with the program that wrote it, or train again',
    );
  }
  const shape: Shape = {
    trees: count(parameters, 'trees', MAX_TREES),
    columns: count(parameters, 'columns', MAX_COLUMNS),
    terms: count(parameters, 'terms', MAX_COLUMNS),
    nodes: count(parameters, 'nodes', MAX_NODES),
  };
  const sampleSize = count(parameters, 'sampleSize', 2 ** 32 - 1);
  checkFeatureNames(artefact, shape.columns);
  if (binary.length !== byteLength(shape)) {
    throw damaged(`its binary part has ${binary.length} bytes, ${byteLength(shape)} expected`);
  }
  if (checksum(binary) !== parameters.checksum) throw damaged('its checksum does not match');
  const nodes = readSections(binary, shape, sampleSize);
  checkTrees(nodes);
  return createForest(nodes);
}

interface Shape {
  readonly trees: number;
  readonly columns: number;
  readonly terms: number;
  readonly nodes: number;
}

function shapeOf(forest: ForestNodes): Shape {
  const { columns, terms } = forest;
  return { trees: forest.treeStarts.length - 1, columns, terms, nodes: forest.leftChildren.length };
}

function weightsOf(shape: Shape): number {
  return shape.terms === 1 ? 0 : shape.nodes * shape.terms;
}

function byteLength(shape: Shape): number {
  const words = shape.columns + shape.trees + 1 + 3 * shape.nodes + weightsOf(shape);
  return 4 * words + 2 * shape.nodes * shape.terms;
}

function readSections(binary: Uint8Array, shape: Shape, sampleSize: number): ForestNodes {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  let offset = 0;
  const next = (bytes: number): number => {
    offset += bytes;
    return offset - bytes;
  };
  const floats = (length: number) => new Float32Array(length).map(() => view.getFloat32(next(4), true));
  const integers = (length: number) => new Uint32Array(length).map(() => view.getUint32(next(4), true));
  return {
    columns: shape.columns,
    sampleSize,
    terms: shape.terms,
    medians: floats(shape.columns),
    treeStarts: integers(shape.trees + 1),
    leftChildren: integers(shape.nodes),
    samples: integers(shape.nodes),
    thresholds: floats(shape.nodes),
    splitWeights: floats(weightsOf(shape)),
    splitColumns: new Uint16Array(shape.nodes * shape.terms).map(() => view.getUint16(next(2), true)),
  };
}

/** A walk over the trees must end, and stay inside its arrays. */
function checkTrees(nodes: ForestNodes): void {
  const { treeStarts, leftChildren, columns } = nodes;
  const last = treeStarts.length - 1;
  if (treeStarts[0] !== 0 || treeStarts[last] !== leftChildren.length) throw damaged('its trees do not fill its nodes');
  for (let tree = 0; tree < last; tree++) checkTree(leftChildren, treeStarts[tree], treeStarts[tree + 1], tree);
  for (const column of nodes.splitColumns) {
    if (column >= columns) throw damaged(`a split is on column ${column} of ${columns}`);
  }
}

function checkTree(leftChildren: Uint32Array, start: number, end: number, tree: number): void {
  if (end <= start) throw damaged(`tree ${tree} has no nodes`);
  const depths = new Uint16Array(end - start);
  for (let node = 0; node < end - start; node++) {
    const left = leftChildren[start + node];
    if (left === node) continue;
    if (left < node || left + 1 >= end - start) throw damaged(`node ${node} of tree ${tree} points outside the tree`);
    depths[left] = depths[node] + 1;
    depths[left + 1] = depths[node] + 1;
    if (depths[left] > MAX_DEPTH) throw damaged(`tree ${tree} is deeper than ${MAX_DEPTH}`);
  }
}

function count(
  parameters: Readonly<Record<string, unknown>> | null | undefined,
  key: string,
  greatest: number,
): number {
  const value = parameters?.[key];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > greatest) {
    throw damaged(`parameter "${key}" is ${String(value)}, expected an integer in 1–${greatest}`);
  }
  return value;
}

function damaged(what: string): Error {
  return new Error(`isolation forest artefact is damaged: ${what}; fetch it again or train again`);
}

/** FNV-1a, 32 bits: finds damage, not tampering (the registry signs). */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
