// Boosted trees and isolation forests as ONNX tree ensembles (ai.onnx.ml 3), which scikit-learn's exporter writes too.
//
// Thresholds are float32 here and there, and a row goes to the true branch where value ≤ threshold, so every row takes
// the same way; a missing value follows `nodes_missing_value_tracks_true`. Leaves are float32 there and float64 here: that
// is all that scores differ by. A binary classifier with class_ids of 1 silently gives wrong probabilities in ONNX
// Runtime: they are all 0, with one base value.
import { InputError } from '../../lib/errors.ts';
import type { Ensemble } from '../../models/gbdt/ensemble.ts';
import { averagePathLength, type Forest } from '../../models/isolation-forest/forest.ts';
import { createGraphBuilder, float32, type GraphBuilder, modelBytes, scalar } from '../../models/onnx/graph-builder.ts';

const OPSET = 17;
const ML = 'ai.onnx.ml';
const ML_OPSET = 3;
const BINARY_CLASSES = [0n, 1n] as const;

export interface TreeModelFacts {
  readonly metadata: Readonly<Record<string, string>>;
}

/** `inputs` (rows × columns, NaN for missing) → `label` (rows), `probabilities` (rows × 2: genuine, fraud). */
export function gbdtModel(ensemble: Ensemble, { metadata }: TreeModelFacts): Uint8Array {
  const graph = createGraphBuilder('gbdt');
  const inputs = graph.input('inputs', 'float32', ['rows', ensemble.columns]);
  const nodes = emptyNodes();
  for (let tree = 0; tree + 1 < ensemble.treeStarts.length; tree++) {
    const start = ensemble.treeStarts[tree];
    for (let node = start; node < ensemble.treeStarts[tree + 1]; node++) {
      const isLeaf = ensemble.column[node] < 0;
      addNode(nodes, {
        tree,
        node: node - start,
        column: isLeaf ? null : ensemble.column[node],
        threshold: ensemble.threshold[node],
        left: ensemble.left[node] - start,
        right: ensemble.right[node] - start,
        missingLeft: ensemble.missingLeft[node] === 1,
        value: ensemble.value[node],
      });
    }
  }
  const [label, probabilities] = graph.nodes(
    'TreeEnsembleClassifier',
    [inputs],
    2,
    {
      ...nodeAttributes(nodes),
      ...leafAttributes(nodes, 'class'),
      base_values: [ensemble.initialMargin],
      classlabels_int64s: BINARY_CLASSES,
      post_transform: 'LOGISTIC',
    },
    ML,
  );
  graph.output('label', label, 'int64', ['rows']);
  graph.output('probabilities', probabilities, 'float32', ['rows', 2]);
  return bytesOf(graph, metadata);
}

/**
 * `inputs` (rows × columns, NaN for missing) → `scores` (rows × 1), in [0, 1].
 *
 * @throws InputError for an extended forest, whose oblique splits ONNX's trees don't know
 */
export function forestModel(forest: Forest, { metadata }: TreeModelFacts): Uint8Array {
  if (forest.terms !== 1) {
    throw new InputError(
      'FOREST_NOT_EXPORTABLE',
      'The isolation forest has oblique splits, which ONNX has no operator for',
      'Train it with an extension level of 0 to export it',
    );
  }
  const graph = createGraphBuilder('isolation-forest');
  const inputs = graph.input('inputs', 'float32', ['rows', forest.columns]);
  const missing = graph.node('IsNaN', [inputs]);
  const present = graph.node('Where', [missing, graph.constant(float32(forest.medians)), inputs]);
  const nodes = emptyNodes();
  for (let tree = 0; tree < forest.trees; tree++) addForestTree(nodes, forest, tree);
  const sum = graph.node(
    'TreeEnsembleRegressor',
    [present],
    { ...nodeAttributes(nodes), ...leafAttributes(nodes, 'target'), n_targets: 1n, aggregate_function: 'SUM' },
    ML,
  );
  const exponent =
    forest.normaliser === 0
      ? graph.node('Sub', [graph.node('Mul', [sum, graph.constant(scalar(0))]), graph.constant(scalar(1))])
      : graph.node('Mul', [sum, graph.constant(scalar(-1 / (forest.trees * forest.normaliser)))]);
  graph.output('scores', graph.node('Pow', [graph.constant(scalar(2)), exponent]), 'float32', ['rows', 1]);
  return bytesOf(graph, metadata);
}

function addForestTree(nodes: TreeNodes, forest: Forest, tree: number): void {
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
    addNode(nodes, {
      tree,
      node,
      column: isLeaf ? null : forest.splitColumns[start + node],
      threshold: isLeaf ? 0 : forest.thresholds[start + node],
      left,
      right: left + 1,
      missingLeft: false,
      value: depth + averagePathLength(forest.samples[start + node]),
    });
  }
}

interface TreeNode {
  readonly tree: number;
  /** Counted within the tree, as its children are. */
  readonly node: number;
  /** null in a leaf */
  readonly column: number | null;
  readonly threshold: number;
  readonly left: number;
  readonly right: number;
  readonly missingLeft: boolean;
  readonly value: number;
}

interface TreeNodes {
  readonly trees: bigint[];
  readonly ids: bigint[];
  readonly modes: string[];
  readonly columns: bigint[];
  readonly thresholds: number[];
  readonly trueIds: bigint[];
  readonly falseIds: bigint[];
  readonly missingTrue: bigint[];
  readonly leafTrees: bigint[];
  readonly leafIds: bigint[];
  readonly leafValues: number[];
}

function emptyNodes(): TreeNodes {
  return {
    trees: [],
    ids: [],
    modes: [],
    columns: [],
    thresholds: [],
    trueIds: [],
    falseIds: [],
    missingTrue: [],
    leafTrees: [],
    leafIds: [],
    leafValues: [],
  };
}

function addNode(nodes: TreeNodes, { tree, node, column, threshold, left, right, missingLeft, value }: TreeNode): void {
  const isLeaf = column === null;
  nodes.trees.push(BigInt(tree));
  nodes.ids.push(BigInt(node));
  nodes.modes.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
  nodes.columns.push(BigInt(column ?? 0));
  nodes.thresholds.push(isLeaf ? 0 : threshold);
  nodes.trueIds.push(isLeaf ? 0n : BigInt(left));
  nodes.falseIds.push(isLeaf ? 0n : BigInt(right));
  nodes.missingTrue.push(missingLeft ? 1n : 0n);
  if (!isLeaf) return;
  nodes.leafTrees.push(BigInt(tree));
  nodes.leafIds.push(BigInt(node));
  nodes.leafValues.push(value);
}

function nodeAttributes(nodes: TreeNodes) {
  return {
    nodes_treeids: nodes.trees,
    nodes_nodeids: nodes.ids,
    nodes_modes: nodes.modes,
    nodes_featureids: nodes.columns,
    nodes_values: nodes.thresholds,
    nodes_truenodeids: nodes.trueIds,
    nodes_falsenodeids: nodes.falseIds,
    nodes_missing_value_tracks_true: nodes.missingTrue,
  };
}

function leafAttributes(nodes: TreeNodes, kind: 'class' | 'target') {
  return {
    [`${kind}_treeids`]: nodes.leafTrees,
    [`${kind}_nodeids`]: nodes.leafIds,
    [`${kind}_ids`]: nodes.leafIds.map(() => 0n),
    [`${kind}_weights`]: nodes.leafValues,
  };
}

function bytesOf(graph: GraphBuilder, metadata: Readonly<Record<string, string>>): Uint8Array {
  return modelBytes(graph, { opset: OPSET, domains: { [ML]: ML_OPSET }, metadata });
}
