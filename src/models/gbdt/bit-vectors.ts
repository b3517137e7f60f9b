// Scores rows with trees of at most 32 leaves without walking them (Lucchese and others, "QuickScorer: a fast algorithm to
// rank documents with additive ensembles of regression trees", SIGIR 2015).
//
// A tree's leaves, from left to right, are the bits of a word. A cut that sends the row to the right takes away the leaves
// on its left; the first that is left over after all cuts is the leaf of the row. The cuts of a column, over all trees, lie
// sorted by their thresholds, so those that send a value to the right are a run from the first on, and nothing depends on
// where in a tree the row would be: there are no branches to guess. Eight rows are cut at a time (cut-kernel.ts). Margins are
// added up in the order of the trees, so they have the bits that walking gives, alone or among others.
import { runWasm } from '../wasm-module.ts';
import { COLUMN_BYTES, CUT_BYTES, cutFunction, GROUP_BYTES, KERNEL_ROWS, MISSING_CUT_BYTES } from './cut-kernel.ts';
import type { Ensemble } from './ensemble.ts';

const MOST_LEAVES = 32;
const ALL_LEAVES = -1;

/** Cuts, each column's behind one another. */
interface Cuts {
  /** Columns + 1 entries. */
  readonly starts: Int32Array;
  readonly thresholds: Float32Array;
  readonly trees: Int32Array;
  /** Leaves on the left, which are taken away where the row goes to the right. */
  readonly leftLeaves: Int32Array;
}

export interface MarginWriter {
  /** Writes the margins of rows of `columns` values, from `values[at]` on, to the start of `margins`. */
  writeMargins(values: Float32Array, at: number, columns: number, rows: number, margins: Float64Array): void;
}

/** null where a tree has more leaves than a word has bits. */
export function createBitVectors(ensemble: Ensemble): MarginWriter | null {
  const laid = layLeaves(ensemble);
  if (laid === null) return null;
  const { leafStarts, leaves } = laid;
  const trees = leafStarts.length;
  const { usedColumns, block, words, cut } = loadKernel(ensemble, laid);
  return {
    writeMargins(values, at, columns, rows, margins) {
      for (let first = 0; first < rows; first += KERNEL_ROWS) {
        const count = Math.min(KERNEL_ROWS, rows - first);
        words.fill(ALL_LEAVES);
        loadBlock(values, at + first * columns, columns, count);
        cut();
        for (let row = 0; row < count; row++) margins[first + row] = sumLeaves(row);
      }
    },
  };

  function loadBlock(values: Float32Array, at: number, stride: number, rows: number): void {
    // Nothing is above what is left from before or at the start: the lanes of no row cost nothing.
    if (rows < KERNEL_ROWS) block.fill(Number.NEGATIVE_INFINITY);
    for (let row = 0; row < rows; row++) {
      const from = at + row * stride;
      for (let i = 0; i < usedColumns.length; i++) block[i * KERNEL_ROWS + row] = values[from + usedColumns[i]];
    }
  }

  function sumLeaves(row: number): number {
    let margin = ensemble.initialMargin;
    for (let tree = 0; tree < trees; tree++) {
      const left = words[tree * KERNEL_ROWS + row];
      margin += leaves[leafStarts[tree] + 31 - Math.clz32(left & -left)];
    }
    return margin;
  }
}

interface LoadedKernel {
  /** Columns that are cut, in their order. */
  readonly usedColumns: Int32Array;
  /** Of each used column, eight rows' values. */
  readonly block: Float32Array;
  /** Of each tree, eight rows' leaves that are left. */
  readonly words: Int32Array;
  readonly cut: () => void;
}

function loadKernel(ensemble: Ensemble, { leafStarts, leftLeaves }: LaidLeaves): LoadedKernel {
  const nodes = Array.from(ensemble.column.keys()).filter((node) => ensemble.column[node] >= 0);
  const sorted = cutsOf(
    ensemble,
    leftLeaves,
    nodes.sort((a, b) => ensemble.threshold[a] - ensemble.threshold[b]),
  );
  const ofMissing = cutsOf(
    ensemble,
    leftLeaves,
    nodes.filter((node) => ensemble.missingLeft[node] === 0),
  );
  const countOf = ({ starts }: Cuts, column: number) => starts[column + 1] - starts[column];
  const usedColumns = Int32Array.from(
    Array.from({ length: ensemble.columns }, (_, column) => column).filter((column) => countOf(sorted, column) > 0),
  );
  const trees = leafStarts.length;
  const block = 0;
  const words = block + usedColumns.length * GROUP_BYTES;
  const columns = words + trees * GROUP_BYTES;
  const columnsEnd = columns + usedColumns.length * COLUMN_BYTES;
  // One cut more for each column, which nothing is above.
  const cutBytes = (sorted.trees.length + usedColumns.length) * CUT_BYTES;
  const bytes = columnsEnd + cutBytes + ofMissing.trees.length * MISSING_CUT_BYTES;
  const { buffer, exports } = runWasm([cutFunction('cut', { values: block, columns, columnsEnd })], bytes);
  const integers = new Int32Array(buffer);
  const floats = new Float32Array(buffer);
  let at = columnsEnd / 4;
  const wordsOf = (tree: number) => words + tree * GROUP_BYTES;
  usedColumns.forEach((column, index) => {
    const place = columns / 4 + 3 * index;
    integers[place] = at * 4;
    for (let i = sorted.starts[column]; i < sorted.starts[column + 1]; i++) {
      floats[at++] = sorted.thresholds[i];
      integers[at++] = wordsOf(sorted.trees[i]);
      integers[at++] = sorted.leftLeaves[i];
    }
    floats[at] = Number.POSITIVE_INFINITY;
    at += CUT_BYTES / 4;
    integers[place + 1] = at * 4;
    for (let i = ofMissing.starts[column]; i < ofMissing.starts[column + 1]; i++) {
      integers[at++] = wordsOf(ofMissing.trees[i]);
      integers[at++] = ofMissing.leftLeaves[i];
    }
    integers[place + 2] = at * 4;
  });
  return {
    usedColumns,
    block: new Float32Array(buffer, block, usedColumns.length * KERNEL_ROWS),
    words: new Int32Array(buffer, words, trees * KERNEL_ROWS),
    cut: exports.cut as () => void,
  };
}

interface LaidLeaves {
  /** By tree, its first leaf in `leaves`. */
  readonly leafStarts: Int32Array;
  readonly leaves: Float64Array;
  /** By node: the leaves below its left child, as bits. */
  readonly leftLeaves: Int32Array;
}

function layLeaves({ treeStarts, column, left, right, value }: Ensemble): LaidLeaves | null {
  const trees = treeStarts.length - 1;
  const leafStarts = new Int32Array(trees);
  const leftLeaves = new Int32Array(column.length);
  const leaves: number[] = [];
  /** Of the leaves below the node, as bits. */
  const lay = (node: number, first: number): number => {
    if (column[node] < 0) return 1 << (leaves.push(value[node]) - 1 - first);
    const onLeft = lay(left[node], first);
    leftLeaves[node] = onLeft;
    return onLeft | lay(right[node], first);
  };
  for (let tree = 0; tree < trees; tree++) {
    leafStarts[tree] = leaves.length;
    // A binary tree has one leaf more than half of its nodes.
    if ((treeStarts[tree + 1] - treeStarts[tree] + 1) / 2 > MOST_LEAVES) return null;
    lay(treeStarts[tree], leaves.length);
  }
  return { leafStarts, leaves: Float64Array.from(leaves), leftLeaves };
}

/** The nodes' cuts by column, within a column in the nodes' order. */
function cutsOf(
  { columns, column, threshold, treeStarts }: Ensemble,
  leftLeavesOf: Int32Array,
  nodes: readonly number[],
): Cuts {
  const starts = new Int32Array(columns + 1);
  for (const node of nodes) starts[column[node] + 1]++;
  for (let i = 0; i < columns; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const thresholds = new Float32Array(nodes.length);
  const trees = new Int32Array(nodes.length);
  const leftLeaves = new Int32Array(nodes.length);
  for (const node of nodes) {
    const at = next[column[node]]++;
    thresholds[at] = threshold[node];
    trees[at] = treeOf(treeStarts, node);
    leftLeaves[at] = leftLeavesOf[node];
  }
  return { starts, thresholds, trees, leftLeaves };
}

function treeOf(treeStarts: Int32Array, node: number): number {
  let low = 0;
  let high = treeStarts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (treeStarts[middle] <= node) low = middle;
    else high = middle;
  }
  return low;
}
