// Half-space trees: anomalies of a stream are rows where few of the latest rows are (Tan, Ting, Liu, "Fast anomaly
// detection for streaming data", IJCAI 2011). Fitted, they keep learning: `learn` costs a walk down each tree, and the
// memory does not grow. Scores change when a window of rows is full.
//
// The paper's score m, the mass, is great for ordinary rows. Here 1 ÷ (1 + m ÷ u) with u the median mass of training
// rows: greater is more anomalous, in the same order. Explanations add up to −m ÷ u, and their base is the mean of a few
// ordinary rows'. A missing value is read as the training median.
import { InputError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import { type ColumnRanges, fitColumnRanges, scaleMatrix, scaleRow } from '../additive/column-ranges.ts';
import type { Artefact, Detector, OnlineDetector, TrainingData } from '../detector.ts';
import { type Matrix, rowOf } from '../matrix.ts';
import { bytesOf, checkFeatureNames, packArtefact, unpackArtefact } from '../packed-artefact.ts';
import { representativeRows } from '../representative-rows.ts';
import { shareMass } from './explain-row.ts';
import { addRow, createMassProfile, type MassProfile, massOf } from './mass-profile.ts';
import { drawTrees, type RandomTrees } from './random-trees.ts';

export interface HalfSpaceTreesOptions {
  /** 1–1,000. */
  readonly trees: number;
  /** Halvings on a path, 1–20. */
  readonly depth: number;
  /** Rows of a window, 1–65,535. */
  readonly window: number;
}

export interface HalfSpaceTrees extends Detector<HalfSpaceTreesOptions> {
  fit(data: TrainingData, options: Partial<HalfSpaceTreesOptions>, seed: number): OnlineDetector;
  load(artefact: Artefact): OnlineDetector;
}

interface State {
  readonly options: HalfSpaceTreesOptions;
  readonly seed: number;
  readonly ranges: ColumnRanges;
  /** The median mass of training rows, > 0. */
  readonly scale: number;
  /** Scaled rows that explanations compare a row with. */
  readonly ordinary: Matrix;
}

interface Stored extends Omit<State, 'ordinary'> {
  readonly latestRows: number;
}

const NAME = 'half-space-trees';
const FORMAT = `centinela.${NAME}`;
/** Version 1 had no ordinary rows: one of medians stands for them. */
const FORMAT_VERSION = 2;
/** The paper's settings. */
const DEFAULTS: HalfSpaceTreesOptions = { trees: 25, depth: 15, window: 250 };
const MAX_NODES = 2 ** 24;
/** Training rows that the median mass is taken from. */
const SCALE_ROWS = 2000;

export const halfSpaceTrees: HalfSpaceTrees = {
  name: NAME,
  needsLabels: false,
  defaults: DEFAULTS,
  /** The last window of the training rows, in their order, is the first reference. */
  fit(data, options, seed) {
    const { matrix, features } = data;
    const chosen = { ...DEFAULTS, ...options };
    checkOptions(chosen);
    if (features.length !== matrix.columns) {
      throw new Error(`${NAME}: ${features.length} features are named for ${matrix.columns} columns`);
    }
    if (matrix.rows < 2) throw new Error(`${NAME}: ${matrix.rows} rows to learn from; 2 are the least`);
    const ranges = fitColumnRanges(matrix);
    const trees = treesOf(ranges, chosen, seed);
    const profile = createMassProfile(trees, Math.min(chosen.window, matrix.rows));
    const scaled = new Float64Array(ranges.varying.length);
    for (let row = matrix.rows - profile.window; row < matrix.rows; row++) {
      scaleRow(ranges, matrix.values, row * matrix.columns, scaled);
      addRow(trees, profile, scaled);
    }
    const kept = { ...chosen, window: profile.window };
    const scale = medianMass(matrix, ranges, trees, profile);
    const ordinary = representativeRows(
      matrix,
      (row) => data.labels?.[row] !== 1,
      (candidates) => massesOf(scaleMatrix(ranges, candidates), trees, profile),
    );
    const state = { options: kept, seed, ranges, scale, ordinary: scaleMatrix(ranges, ordinary) };
    return fitted(state, trees, profile, features);
  },
  load(artefact) {
    const { state, trees, profile } = readHalfSpaceTrees(artefact);
    return fitted(state, trees, profile, artefact.features);
  },
};

/** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
export function readHalfSpaceTrees(artefact: Artefact): { state: State; trees: RandomTrees; profile: MassProfile } {
  const { contents, sections } = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
  const { latestRows, ...state } = contents as Stored;
  checkFeatureNames(artefact, state.ranges.columns);
  const { varying } = state.ranges;
  const values =
    sections.length > 2 ? new Float32Array(sections[2].buffer) : Float32Array.from(varying, ({ median }) => median);
  const rows = varying.length === 0 ? 1 : values.length / varying.length;
  const ordinary = { rows, columns: varying.length, values };
  const trees = treesOf(state.ranges, state.options, state.seed);
  const profile = createMassProfile(trees, state.options.window);
  readCounts(sections[0], profile.reference);
  readCounts(sections[1], profile.latest);
  profile.latestRows = latestRows;
  return { state: { ...state, ordinary }, trees, profile };
}

function fitted(state: State, trees: RandomTrees, profile: MassProfile, features: readonly string[]): OnlineDetector {
  const { ranges, scale, ordinary } = state;
  const scaled = new Float64Array(ranges.varying.length);
  const check = (columns: number) => {
    if (columns !== ranges.columns) throw new Error(`${NAME}: ${columns} columns, trained on ${ranges.columns}`);
  };
  return {
    name: NAME,
    features,
    score(matrix) {
      check(matrix.columns);
      return Float32Array.from({ length: matrix.rows }, (_, row) => {
        scaleRow(ranges, matrix.values, row * matrix.columns, scaled);
        return 1 / (1 + massOf(trees, profile, scaled) / scale);
      });
    },
    explain(row) {
      check(row.length);
      scaleRow(ranges, row, 0, scaled);
      const contributions = new Float64Array(ranges.columns);
      let base = 0;
      for (let i = 0; i < ordinary.rows; i++) {
        const other = Float64Array.from(rowOf(ordinary, i));
        base -= massOf(trees, profile, other) / scale / ordinary.rows;
        const shares = shareMass(trees, profile, scaled, other);
        ranges.varying.forEach(({ column }, place) => {
          contributions[column] -= shares[place] / scale / ordinary.rows;
        });
      }
      return { base, contributions };
    },
    learn(row) {
      check(row.length);
      scaleRow(ranges, row, 0, scaled);
      addRow(trees, profile, scaled);
    },
    save() {
      const { ordinary: _, ...kept } = state;
      const contents: Stored = { ...kept, latestRows: profile.latestRows };
      return packArtefact(
        { format: FORMAT, formatVersion: FORMAT_VERSION, features: [...features], parameters: { ...state.options } },
        { contents, sections: [writeCounts(profile.reference), writeCounts(profile.latest), bytesOf(ordinary.values)] },
      );
    },
  };
}

/** Where no column varies a tree halves nothing: every row ends at the root. */
function treesOf({ varying }: ColumnRanges, { trees, depth }: HalfSpaceTreesOptions, seed: number): RandomTrees {
  return drawTrees(Math.max(1, varying.length), trees, varying.length === 0 ? 0 : depth, createPrng(seed));
}

function massesOf({ rows, columns, values }: Matrix, trees: RandomTrees, profile: MassProfile): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) =>
    massOf(trees, profile, Float64Array.from(values.subarray(row * columns, (row + 1) * columns))),
  );
}

function medianMass(matrix: Matrix, ranges: ColumnRanges, trees: RandomTrees, profile: MassProfile): number {
  const count = Math.min(matrix.rows, SCALE_ROWS);
  const scaled = new Float64Array(ranges.varying.length);
  const masses = Float64Array.from({ length: count }, (_, i) => {
    scaleRow(ranges, matrix.values, Math.floor((i * matrix.rows) / count) * matrix.columns, scaled);
    return massOf(trees, profile, scaled);
  }).sort();
  const median = masses[count >> 1];
  return median > 0 ? median : trees.trees * profile.window;
}

/** Nodes that have rows, and how many: few of the nodes do. */
function writeCounts(counts: Uint16Array): Uint8Array {
  const pairs: number[] = [];
  counts.forEach((count, node) => {
    if (count > 0) pairs.push(node, count);
  });
  return new Uint8Array(Uint32Array.from(pairs).buffer);
}

function readCounts(section: Uint8Array, into: Uint16Array): void {
  const pairs = new Uint32Array(section.buffer, section.byteOffset, section.length >> 2);
  for (let at = 0; at < pairs.length; at += 2) into[pairs[at]] = pairs[at + 1];
}

function checkOptions({ trees, depth, window }: HalfSpaceTreesOptions): void {
  checkRange('trees', trees, 1000);
  checkRange('depth', depth, 20);
  checkRange('window', window, 65_535);
  if (trees * 2 ** (depth + 1) > MAX_NODES) {
    throw new InputError(
      'OPTION_INVALID',
      `${NAME}: ${trees} trees of depth ${depth}`,
      'Ask for fewer or shallower trees',
    );
  }
}

function checkRange(option: string, value: number, greatest: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= greatest) return;
  throw new InputError(
    'OPTION_INVALID',
    `${NAME}: ${option} is ${value}`,
    `Give a whole number in 1–${greatest.toLocaleString('en')}`,
  );
}
