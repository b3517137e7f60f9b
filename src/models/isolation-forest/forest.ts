// A fitted isolation forest as flat arrays: all trees behind one another, each breadth first with siblings adjacent.
//
// A leaf is its own left child under a threshold that nothing exceeds, so a row that has arrived stays where it is: every
// row of a tree takes the same number of steps and the walk needs no branch that depends on the data.

/** Columns are packed into 12 bits and a tree's nodes into 19 beside them (see `steps`). */
const COLUMN_BITS = 12;
export const COLUMN_MASK = (1 << COLUMN_BITS) - 1;
export const MAX_COLUMNS = 1 << COLUMN_BITS;
export const MAX_TREES = 10_000;
export const MAX_SUBSAMPLE = 65_536;
/** Over all trees; bounds the memory of a forest to about half a gigabyte. */
export const MAX_NODES = 1 << 24;

const EULER_GAMMA = 0.5772156649015329;

/** What is stored. `terms` is 1 for axis-parallel splits, `extensionLevel + 1` for oblique ones. */
export interface ForestNodes {
  readonly columns: number;
  /** Training rows drawn for each tree. */
  readonly sampleSize: number;
  readonly terms: number;
  /** Stands in for a missing value, one per column. */
  readonly medians: Float32Array;
  /** Trees + 1 entries: tree `t` owns the nodes `[treeStarts[t], treeStarts[t + 1])`. */
  readonly treeStarts: Uint32Array;
  /** Counted from the start of the tree; the right child is the next node; a leaf names itself. */
  readonly leftChildren: Uint32Array;
  /** A row goes right where the sum of `weight × value` over the node's terms is greater; +∞ at a leaf. */
  readonly thresholds: Float32Array;
  /** Training rows that reached the node. */
  readonly samples: Uint32Array;
  /** `terms` columns per node. */
  readonly splitColumns: Uint16Array;
  /** `terms` weights per node; empty where `terms` is 1, whose weight is 1. */
  readonly splitWeights: Float32Array;
}

/** The nodes and what scoring derives from them once. */
export interface Forest extends ForestNodes {
  readonly trees: number;
  /** Steps from a tree's root to its deepest leaf. */
  readonly depths: Uint8Array;
  /** Left child and first column of a node in one integer: `left << 12 | column`. */
  readonly steps: Int32Array;
  /** At a leaf its depth + c(samples); at an inner node the mean of that over the training rows below it. */
  readonly pathLengths: Float64Array;
  /** c(sampleSize), by which path lengths are divided; 0 for a single row. */
  readonly normaliser: number;
}

/**
 * c(n): the mean path length of an unsuccessful search in a binary search tree of n keys, which stands for the part of
 * a tree that was not grown (Liu, Ting, Zhou 2008, equation 1; exact values for n ≤ 2 as in scikit-learn).
 */
export function averagePathLength(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER_GAMMA) - (2 * (rows - 1)) / rows;
}

/** Depths of a tree's nodes. Children come after their parent, so one pass in order is enough. */
function nodeDepths(leftChildren: Uint32Array, start: number, end: number): Uint16Array {
  const depths = new Uint16Array(end - start);
  for (let node = 0; node < end - start; node++) {
    const left = leftChildren[start + node];
    if (left === node) continue;
    depths[left] = depths[node] + 1;
    depths[left + 1] = depths[node] + 1;
  }
  return depths;
}

export function createForest(nodes: ForestNodes): Forest {
  const { treeStarts, leftChildren, samples, splitColumns, terms } = nodes;
  const trees = treeStarts.length - 1;
  const depths = new Uint8Array(trees);
  const steps = new Int32Array(leftChildren.length);
  const pathLengths = new Float64Array(leftChildren.length);
  for (let tree = 0; tree < trees; tree++) {
    const start = treeStarts[tree];
    const end = treeStarts[tree + 1];
    const depthOf = nodeDepths(leftChildren, start, end);
    for (let node = end - start - 1; node >= 0; node--) {
      const at = start + node;
      const left = leftChildren[at];
      steps[at] = (left << COLUMN_BITS) | splitColumns[at * terms];
      if (left === node) {
        pathLengths[at] = depthOf[node] + averagePathLength(samples[at]);
        if (depthOf[node] > depths[tree]) depths[tree] = depthOf[node];
        continue;
      }
      const share = samples[at] === 0 ? 0.5 : samples[start + left] / samples[at];
      pathLengths[at] = share * pathLengths[start + left] + (1 - share) * pathLengths[start + left + 1];
    }
  }
  return { ...nodes, trees, depths, steps, pathLengths, normaliser: averagePathLength(nodes.sampleSize) };
}

/** log2 of the score: −E[h] ÷ c(sampleSize), at most 0; −1 (score ½) where a single row was all there was to learn from. */
export function rawFromPathLengths(forest: Forest, sum: number): number {
  return forest.normaliser === 0 ? -1 : -sum / (forest.trees * forest.normaliser);
}
