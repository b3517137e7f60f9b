// Scores rows with trees of at most 32 leaves without walking them (Lucchese and others, "QuickScorer: a fast algorithm to
// rank documents with additive ensembles of regression trees", SIGIR 2015).
//
// A tree's leaves, from left to right, are the bits of a word. A cut that sends the row to the right takes away the leaves
// on its left; the first that is left over after all cuts is the leaf of the row. The cuts of a column, over all trees, lie
// sorted by their thresholds, so those that send a value to the right are a run from the first on, and nothing depends on
// where in a tree the row would be: there are no branches to guess. Margins are added up in the order of the trees, so they
// have the bits that walking gives.
import type { Ensemble } from './ensemble.ts';

const MOST_LEAVES = 32;

/** Words that are worked on at a time, so that they and a column's cuts stay in the nearest cache. */
const MOST_WORDS = 4096;
const ALL_LEAVES = -1;

/** Cuts, each column's behind one another. */
interface Cuts {
  /** Columns + 1 entries. */
  readonly starts: Int32Array;
  readonly thresholds: Float32Array;
  readonly trees: Int32Array;
  /** Leaves that are left where the row goes to the right. */
  readonly masks: Int32Array;
}

export interface MarginWriter {
  /** Writes the margins of rows of `columns` values, from `values[at]` on, to the start of `margins`. */
  writeMargins(values: Float32Array, at: number, columns: number, rows: number, margins: Float64Array): void;
}

/** null where a tree has more leaves than a word has bits. */
export function createBitVectors(ensemble: Ensemble): MarginWriter | null {
  const laid = layLeaves(ensemble);
  if (laid === null) return null;
  const { leafStarts, leaves, masks } = laid;
  const nodes = Array.from(ensemble.column.keys()).filter((node) => ensemble.column[node] >= 0);
  const sorted = cutsOf(
    ensemble,
    masks,
    nodes.sort((a, b) => ensemble.threshold[a] - ensemble.threshold[b]),
  );
  const ofMissing = cutsOf(
    ensemble,
    masks,
    nodes.filter((node) => ensemble.missingLeft[node] === 0),
  );
  const trees = leafStarts.length;
  const blockRows = Math.max(1, Math.floor(MOST_WORDS / Math.max(1, trees)));
  const words = new Int32Array(blockRows * trees);
  return {
    writeMargins(values, at, columns, rows, margins) {
      for (let first = 0; first < rows; first += blockRows) {
        const count = Math.min(blockRows, rows - first);
        words.fill(ALL_LEAVES, 0, count * trees);
        cutLeaves(sorted, ofMissing, values, at + first * columns, columns, count);
        for (let row = 0; row < count; row++) margins[first + row] = sumLeaves(row * trees);
      }
    },
  };

  function cutLeaves(cuts: Cuts, missing: Cuts, values: Float32Array, at: number, stride: number, rows: number): void {
    const { starts, thresholds, trees: cutTrees, masks: cutMasks } = cuts;
    for (let column = 0; column + 1 < starts.length; column++) {
      const start = starts[column];
      const end = starts[column + 1];
      if (start === end) continue;
      for (let row = 0; row < rows; row++) {
        const value = values[at + row * stride + column];
        const word = row * trees;
        if (Number.isNaN(value)) cutMissing(missing, column, word);
        for (let i = start; i < end && value > thresholds[i]; i++) words[word + cutTrees[i]] &= cutMasks[i];
      }
    }
  }

  function cutMissing({ starts, trees: cutTrees, masks: cutMasks }: Cuts, column: number, word: number): void {
    for (let i = starts[column]; i < starts[column + 1]; i++) words[word + cutTrees[i]] &= cutMasks[i];
  }

  function sumLeaves(word: number): number {
    let margin = ensemble.initialMargin;
    for (let tree = 0; tree < trees; tree++) {
      const left = words[word + tree];
      margin += leaves[leafStarts[tree] + 31 - Math.clz32(left & -left)];
    }
    return margin;
  }
}

interface LaidLeaves {
  /** By tree, its first leaf in `leaves`. */
  readonly leafStarts: Int32Array;
  readonly leaves: Float64Array;
  /** By node. */
  readonly masks: Int32Array;
}

function layLeaves({ treeStarts, column, left, right, value }: Ensemble): LaidLeaves | null {
  const trees = treeStarts.length - 1;
  const leafStarts = new Int32Array(trees);
  const masks = new Int32Array(column.length);
  const leaves: number[] = [];
  /** Of the leaves below the node, as bits. */
  const lay = (node: number, first: number): number => {
    if (column[node] < 0) return 1 << (leaves.push(value[node]) - 1 - first);
    const onLeft = lay(left[node], first);
    masks[node] = ~onLeft;
    return onLeft | lay(right[node], first);
  };
  for (let tree = 0; tree < trees; tree++) {
    leafStarts[tree] = leaves.length;
    // A binary tree has one leaf more than half of its nodes.
    if ((treeStarts[tree + 1] - treeStarts[tree] + 1) / 2 > MOST_LEAVES) return null;
    lay(treeStarts[tree], leaves.length);
  }
  return { leafStarts, leaves: Float64Array.from(leaves), masks };
}

/** The nodes' cuts by column, within a column in the nodes' order. */
function cutsOf(
  { columns, column, threshold, treeStarts }: Ensemble,
  maskOf: Int32Array,
  nodes: readonly number[],
): Cuts {
  const starts = new Int32Array(columns + 1);
  for (const node of nodes) starts[column[node] + 1]++;
  for (let i = 0; i < columns; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const thresholds = new Float32Array(nodes.length);
  const trees = new Int32Array(nodes.length);
  const masks = new Int32Array(nodes.length);
  for (const node of nodes) {
    const at = next[column[node]]++;
    thresholds[at] = threshold[node];
    trees[at] = treeOf(treeStarts, node);
    masks[at] = maskOf[node];
  }
  return { starts, thresholds, trees, masks };
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
