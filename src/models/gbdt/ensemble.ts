// Boosted trees as flat arrays: one entry per node, trees one after another, children after their parent.

export interface Ensemble {
  /** Columns of the matrix it scores. */
  readonly columns: number;
  /** Margin (log odds) of no trees. */
  readonly initialMargin: number;
  /** First node of each tree, and the number of nodes at the end. */
  readonly treeStarts: Int32Array;
  /** Column that a node cuts, −1 in a leaf. */
  readonly column: Int32Array;
  /** Numbers up to this one go left. */
  readonly threshold: Float32Array;
  /** 1 if a missing value goes left. */
  readonly missingLeft: Uint8Array;
  /** Children as node numbers; 0 in a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Margin that a leaf adds, learning rate included; 0 in an inner node. */
  readonly value: Float64Array;
  /** Drop of the training loss by a node's cut; 0 in a leaf. */
  readonly gain: Float64Array;
  /** Training rows that reached the node. */
  readonly cover: Float64Array;
}

/** One tree while it grows: like a part of an ensemble, with room for `capacity` nodes and children counted from 0. */
export interface Tree {
  nodes: number;
  readonly column: Int32Array;
  readonly threshold: Float32Array;
  readonly missingLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly value: Float64Array;
  readonly gain: Float64Array;
  readonly cover: Float64Array;
}

export function createTree(capacity: number): Tree {
  return {
    nodes: 0,
    column: new Int32Array(capacity).fill(-1),
    threshold: new Float32Array(capacity),
    missingLeft: new Uint8Array(capacity),
    left: new Int32Array(capacity),
    right: new Int32Array(capacity),
    value: new Float64Array(capacity),
    gain: new Float64Array(capacity),
    cover: new Float64Array(capacity),
  };
}

export function joinTrees(trees: readonly Tree[], columns: number, initialMargin: number): Ensemble {
  const treeStarts = new Int32Array(trees.length + 1);
  trees.forEach((tree, t) => {
    treeStarts[t + 1] = treeStarts[t] + tree.nodes;
  });
  const joined = createTree(treeStarts[trees.length]);
  trees.forEach((tree, t) => {
    const start = treeStarts[t];
    for (const key of ['column', 'threshold', 'missingLeft', 'value', 'gain', 'cover'] as const) {
      joined[key].set(tree[key].subarray(0, tree.nodes), start);
    }
    for (let node = 0; node < tree.nodes; node++) {
      if (tree.column[node] < 0) continue;
      joined.left[start + node] = start + tree.left[node];
      joined.right[start + node] = start + tree.right[node];
    }
  });
  const { nodes: _, ...arrays } = joined;
  return { columns, initialMargin, treeStarts, ...arrays };
}

/** The leaf that a row reaches; `at` is where the row starts in `values`, `root` the node to start from. */
export function findLeaf(tree: Omit<Tree, 'nodes'>, values: Float32Array, at: number, root: number): number {
  let node = root;
  for (let column = tree.column[node]; column >= 0; column = tree.column[node]) {
    node = goesLeft(tree, node, values[at + column]) ? tree.left[node] : tree.right[node];
  }
  return node;
}

export function goesLeft(tree: Omit<Tree, 'nodes'>, node: number, value: number): boolean {
  return value <= tree.threshold[node] || (Number.isNaN(value) && tree.missingLeft[node] === 1);
}

/** Sum over the trees of each column's drop of the training loss. */
export function gainByColumn(ensemble: Ensemble): Float64Array {
  const gains = new Float64Array(ensemble.columns);
  ensemble.column.forEach((column, node) => {
    if (column >= 0) gains[column] += ensemble.gain[node];
  });
  return gains;
}
