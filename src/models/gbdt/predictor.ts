// Scores rows with boosted trees: those of few leaves by bit vectors (bit-vectors.ts), others laid out for speed, 16 bytes
// per inner node, leaves apart.
//
// A batch goes through one tree at a time in blocks of rows that fit the cache. A row's margin is added up in the order of
// the trees either way, so one row alone scores the same, bit for bit, as in a batch.
import type { Matrix } from '../matrix.ts';
import { createBitVectors, type MarginWriter } from './bit-vectors.ts';
import type { Ensemble } from './ensemble.ts';
import { sigmoid } from './objective.ts';

export interface Predictor {
  /** Probability of fraud per row. */
  score(matrix: Matrix): Float32Array;
  /** Log odds of one row. */
  marginOf(row: Float32Array): number;
}

const ROW_BLOCK = 256;
const WORDS_PER_NODE = 4;

interface Compiled {
  /** Per inner node: column · 2 + missing goes left, bits of the threshold, left and right reference. */
  readonly nodes: Int32Array;
  /** The same memory, to read thresholds. */
  readonly floats: Float32Array;
  /** A reference ≥ 0 is a place in `nodes`, one < 0 is the leaf ~reference. */
  readonly roots: Int32Array;
  readonly leaves: Float64Array;
  readonly initialMargin: number;
}

export function createPredictor(ensemble: Ensemble): Predictor {
  const margins = new Float64Array(ROW_BLOCK);
  const { writeMargins } = createBitVectors(ensemble) ?? createWalker(ensemble);
  return {
    score: (matrix) => {
      const { rows, columns, values } = matrix;
      const scores = new Float32Array(rows);
      for (let from = 0; from < rows; from += ROW_BLOCK) {
        const count = Math.min(ROW_BLOCK, rows - from);
        writeMargins(values, from * columns, columns, count, margins);
        for (let i = 0; i < count; i++) scores[from + i] = sigmoid(margins[i]);
      }
      return scores;
    },
    marginOf: (row) => {
      writeMargins(row, 0, row.length, 1, margins);
      return margins[0];
    },
  };
}

/** Walks the trees; for any number of leaves. */
export function createWalker(ensemble: Ensemble): MarginWriter {
  const compiled = compile(ensemble);
  return {
    writeMargins(values, at, columns, rows, margins) {
      margins.fill(compiled.initialMargin, 0, rows);
      for (let tree = 0; tree < compiled.roots.length; tree++) {
        addTree(compiled, compiled.roots[tree], values, at, columns, rows, margins);
      }
    },
  };
}

function addTree(
  compiled: Compiled,
  root: number,
  values: Float32Array,
  start: number,
  columns: number,
  count: number,
  margins: Float64Array,
): void {
  const { nodes, floats, leaves } = compiled;
  let at = start;
  for (let i = 0; i < count; i++, at += columns) {
    let reference = root;
    while (reference >= 0) {
      const column = nodes[reference];
      const value = values[at + (column >> 1)];
      if (value <= floats[reference + 1]) reference = nodes[reference + 2];
      else if (!Number.isNaN(value)) reference = nodes[reference + 3];
      else reference = nodes[reference + 3 - (column & 1)];
    }
    margins[i] += leaves[~reference];
  }
}

function compile(ensemble: Ensemble): Compiled {
  const { column, threshold, missingLeft, left, right, value, treeStarts } = ensemble;
  const references = new Int32Array(column.length);
  let inner = 0;
  let leaf = 0;
  for (let node = 0; node < column.length; node++) {
    references[node] = column[node] >= 0 ? WORDS_PER_NODE * inner++ : ~leaf++;
  }
  const nodes = new Int32Array(inner * WORDS_PER_NODE);
  const floats = new Float32Array(nodes.buffer);
  const leaves = new Float64Array(leaf);
  for (let node = 0; node < column.length; node++) {
    const reference = references[node];
    if (reference < 0) {
      leaves[~reference] = value[node];
      continue;
    }
    nodes[reference] = column[node] * 2 + missingLeft[node];
    floats[reference + 1] = threshold[node];
    nodes[reference + 2] = references[left[node]];
    nodes[reference + 3] = references[right[node]];
  }
  const roots = Int32Array.from(treeStarts.subarray(0, -1), (start) => references[start]);
  return { nodes, floats, roots, leaves, initialMargin: ensemble.initialMargin };
}
