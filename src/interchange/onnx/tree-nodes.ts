// Trees as the attributes of ONNX's tree operators (ai.onnx.ml 3), which scikit-learn's exporter writes too.
//
// Thresholds are float32 here and there, and a row goes to the true branch where value ≤ threshold, so every row takes
// the same way; a missing value follows `nodes_missing_value_tracks_true`.
import type { Ensemble } from '../../models/gbdt/ensemble.ts';
import { averagePathLength, type Forest } from '../../models/isolation-forest/forest.ts';
import type { GraphBuilder, ValueName } from '../../models/onnx/graph-builder.ts';
import { sumColumns, toDouble } from './exact-values.ts';

export const ML = 'ai.onnx.ml';

export interface TreeNode {
  readonly tree: number;
  /** Counted within the tree, as its children are; the root is 0. */
  readonly node: number;
  /** null in a leaf */
  readonly column: number | null;
  readonly threshold: number;
  readonly left: number;
  readonly right: number;
  readonly missingLeft: boolean;
  /** Of a leaf. */
  readonly value: number;
}

export function nodeAttributes(nodes: readonly TreeNode[]) {
  const inner = (node: TreeNode, value: number) => BigInt(node.column === null ? 0 : value);
  return {
    nodes_treeids: nodes.map(({ tree }) => BigInt(tree)),
    nodes_nodeids: nodes.map(({ node }) => BigInt(node)),
    nodes_modes: nodes.map(({ column }) => (column === null ? 'LEAF' : 'BRANCH_LEQ')),
    nodes_featureids: nodes.map(({ column }) => BigInt(column ?? 0)),
    nodes_values: nodes.map(({ column, threshold }) => (column === null ? 0 : threshold)),
    nodes_truenodeids: nodes.map((node) => inner(node, node.left)),
    nodes_falsenodeids: nodes.map((node) => inner(node, node.right)),
    nodes_missing_value_tracks_true: nodes.map(({ missingLeft }) => BigInt(missingLeft)),
  };
}

/** @param values of each leaf, one per target or class */
export function leafAttributes(
  nodes: readonly TreeNode[],
  kind: 'class' | 'target',
  values: (leaf: TreeNode) => readonly number[],
) {
  const leaves = nodes
    .filter(({ column }) => column === null)
    .flatMap((leaf) => values(leaf).map((value, id) => ({ leaf, value, id })));
  return {
    [`${kind}_treeids`]: leaves.map(({ leaf }) => BigInt(leaf.tree)),
    [`${kind}_nodeids`]: leaves.map(({ leaf }) => BigInt(leaf.node)),
    [`${kind}_ids`]: leaves.map(({ id }) => BigInt(id)),
    [`${kind}_weights`]: leaves.map(({ value }) => value),
  };
}

/**
 * The sum of the leaves that a row reaches, to nearly all digits of a float64. Weights are float32 and so are the sums of
 * the operator: each is given in two parts, a multiple of a unit so great that sums of such are exact, and the small rest.
 *
 * @param inputs rows × columns, float32 @returns rows × 1, float64
 */
export function treeSums(graph: GraphBuilder, inputs: ValueName, nodes: readonly TreeNode[]): ValueName {
  const greatest = new Map<number, number>();
  for (const { tree, column, value } of nodes) {
    if (column === null) greatest.set(tree, Math.max(greatest.get(tree) ?? 0, Math.abs(value)));
  }
  const bound = [...greatest.values()].reduce((sum, value) => sum + value, Number.MIN_VALUE);
  const unit = 2 ** (Math.ceil(Math.log2(bound)) - EXACT_BITS);
  const parts = ({ value }: TreeNode) => {
    const coarse = Math.round(value / unit) * unit;
    return [coarse, value - coarse];
  };
  const sums = graph.node(
    'TreeEnsembleRegressor',
    [inputs],
    { ...nodeAttributes(nodes), ...leafAttributes(nodes, 'target', parts), n_targets: 2n, aggregate_function: 'SUM' },
    ML,
  );
  return sumColumns(graph, toDouble(graph, sums));
}

/** Whole numbers up to 2^24 are float32 values; one bit is left for rounding to the unit. */
const EXACT_BITS = 23;

export function gbdtNodes({ treeStarts, column, threshold, left, right, missingLeft, value }: Ensemble): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let tree = 0; tree + 1 < treeStarts.length; tree++) {
    const start = treeStarts[tree];
    for (let node = start; node < treeStarts[tree + 1]; node++) {
      nodes.push({
        tree,
        node: node - start,
        column: column[node] < 0 ? null : column[node],
        threshold: threshold[node],
        left: left[node] - start,
        right: right[node] - start,
        missingLeft: missingLeft[node] === 1,
        value: value[node],
      });
    }
  }
  return nodes;
}

/** @param forest of splits along one column */
export function forestNodes(forest: Forest): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let tree = 0; tree < forest.trees; tree++) {
    const start = forest.treeStarts[tree];
    const depths = new Map<number, number>([[0, 0]]);
    for (let node = 0; start + node < forest.treeStarts[tree + 1]; node++) {
      const left = forest.leftChildren[start + node];
      const depth = depths.get(node) ?? 0;
      const isLeaf = left === node;
      if (!isLeaf) {
        depths.set(left, depth + 1);
        depths.set(left + 1, depth + 1);
      }
      nodes.push({
        tree,
        node,
        column: isLeaf ? null : forest.splitColumns[start + node],
        threshold: forest.thresholds[start + node],
        left,
        right: left + 1,
        missingLeft: false,
        value: depth + averagePathLength(forest.samples[start + node]),
      });
    }
  }
  return nodes;
}
