// Boosted trees, isolation forests and half-space trees as graphs.
import type { Ensemble } from '../../models/gbdt/ensemble.ts';
import { floatOfKey, keyOfFloat } from '../../models/gbdt/float-order.ts';
import type { readHalfSpaceTrees } from '../../models/half-space-trees/half-space-trees.ts';
import { endsAt } from '../../models/half-space-trees/mass-profile.ts';
import type { Forest } from '../../models/isolation-forest/forest.ts';
import { float32, type GraphBuilder, int64, scalar, type ValueName } from '../../models/onnx/graph-builder.ts';
import { scaledColumns } from './additive-graphs.ts';
import { doubles, filled, INT64, number, probability, sumColumns, toDouble, toFloat } from './exact-values.ts';
import { forestNodes, gbdtNodes, leafAttributes, ML, nodeAttributes, type TreeNode, treeSums } from './tree-nodes.ts';

const BINARY_CLASSES = [0n, 1n] as const;
const MAX_FLOAT32 = 3.4028234663852886e38;
const LEAST_FLOAT32 = 2 ** -149;

/**
 * The label and the probabilities (rows × 2: genuine, fraud) as other programs export them. A binary classifier with
 * class_ids of 1 silently gives wrong probabilities in ONNX Runtime: they are all 0, with one base value.
 */
export function gbdtClassifier(graph: GraphBuilder, ensemble: Ensemble, inputs: ValueName): ValueName[] {
  const nodes = gbdtNodes(ensemble);
  const attributes = {
    ...nodeAttributes(nodes),
    ...leafAttributes(nodes, 'class', ({ value }) => [value]),
    base_values: [ensemble.initialMargin],
    classlabels_int64s: BINARY_CLASSES,
    post_transform: 'LOGISTIC',
  };
  return graph.nodes('TreeEnsembleClassifier', [inputs], 2, attributes, ML);
}

/** The probability alone, with all digits that the members of an ensemble are combined with. */
export function gbdtScore(graph: GraphBuilder, ensemble: Ensemble, inputs: ValueName): ValueName {
  const sum = treeSums(graph, inputs, gbdtNodes(ensemble));
  return probability(graph, graph.node('Add', [sum, number(graph, ensemble.initialMargin)]));
}

export function forestScore(graph: GraphBuilder, forest: Forest, inputs: ValueName): ValueName {
  const exponent = () => {
    const missing = graph.node('IsNaN', [inputs]);
    const present = graph.node('Where', [missing, graph.constant(float32(forest.medians)), inputs]);
    const sum =
      forest.terms === 1 ? treeSums(graph, present, forestNodes(forest)) : obliqueSums(graph, forest, present);
    return graph.node('Mul', [sum, number(graph, -1 / (forest.trees * forest.normaliser))]);
  };
  const raw = forest.normaliser === 0 ? filled(graph, inputs, -1) : exponent();
  return toFloat(graph, graph.node('Pow', [number(graph, 2), raw]));
}

/**
 * ONNX's trees cut along one column. Here the rows walk all trees at once, one level of nodes at a time; a leaf is its
 * own child.
 */
function obliqueSums(graph: GraphBuilder, forest: Forest, present: ValueName): ValueName {
  const { terms, trees, treeStarts } = forest;
  const bounded = graph.node('Min', [
    graph.node('Max', [present, graph.constant(scalar(-MAX_FLOAT32))]),
    graph.constant(scalar(MAX_FLOAT32)),
  ]);
  const values = toDouble(graph, bounded);
  const nodes = forest.leftChildren.length;
  const lefts = new Array<number>(nodes);
  for (let tree = 0; tree < trees; tree++) {
    for (let node = treeStarts[tree]; node < treeStarts[tree + 1]; node++) {
      lefts[node] = treeStarts[tree] + forest.leftChildren[node];
    }
  }
  const splitColumns = graph.constant(int64(Array.from(forest.splitColumns), [nodes, terms]));
  const splitWeights = graph.constant(doubles(forest.splitWeights, [nodes, terms]));
  const thresholds = graph.constant(doubles(forest.thresholds));
  const children = graph.constant(int64(lefts));
  const flat = graph.constant(int64([0, trees * terms]));
  const byTree = graph.constant(int64([0, trees, terms]));
  const rows = graph.node('Shape', [graph.node('Gather', [values, graph.constant(int64([0], []))], { axis: 1n })]);
  const allTrees = graph.node('Concat', [rows, graph.constant(int64([trees]))], { axis: 0n });
  const roots = graph.constant(int64(Array.from(treeStarts.subarray(0, trees)), [1, trees]));
  let place = graph.node('Expand', [roots, allTrees]);
  const levels = Math.max(...forest.depths);
  for (let level = 0; level < levels; level++) {
    const columns = graph.node('Reshape', [graph.node('Gather', [splitColumns, place]), flat]);
    const seen = graph.node('Reshape', [graph.node('GatherElements', [values, columns], { axis: 1n }), byTree]);
    const products = graph.node('Mul', [seen, graph.node('Gather', [splitWeights, place])]);
    const sums = graph.node('ReduceSum', [products, graph.constant(int64([2]))], { keepdims: 0n });
    const goesRight = graph.node('Greater', [sums, graph.node('Gather', [thresholds, place])]);
    place = graph.node('Add', [
      graph.node('Gather', [children, place]),
      graph.node('Cast', [goesRight], { to: INT64 }),
    ]);
  }
  return sumColumns(graph, graph.node('Gather', [graph.constant(doubles(forest.pathLengths)), place]));
}

/** As of the window that was the reference when the detector was stored. */
export function halfSpaceScore(
  graph: GraphBuilder,
  { state, trees, profile }: ReturnType<typeof readHalfSpaceTrees>,
  inputs: ValueName,
): ValueName {
  const nodes: TreeNode[] = [];
  for (let tree = 0; tree < trees.trees; tree++) {
    let count = 0;
    const add = (node: number, level: number): number => {
      const own = count++;
      const rows = profile.reference[tree * trees.nodesPerTree + node];
      const base = { tree, node: own, missingLeft: false, value: rows * 2 ** level };
      if (endsAt(trees, profile, level, rows)) {
        nodes.push({ ...base, column: null, threshold: 0, left: 0, right: 0 });
        return own;
      }
      const at = tree * (trees.nodesPerTree >> 1) + node;
      const [left, right] = [add(2 * node, level + 1), add(2 * node + 1, level + 1)];
      // Left is below the threshold, where ONNX has not above.
      nodes.push({ ...base, column: trees.splitColumns[at], threshold: floatBelow(trees.thresholds[at]), left, right });
      return own;
    };
    add(1, 0);
    nodes.sort((a, b) => a.tree - b.tree || a.node - b.node);
  }
  const mass =
    state.ranges.varying.length === 0
      ? filled(
          graph,
          inputs,
          nodes.reduce((sum, { value }) => sum + value, 0),
        )
      : treeSums(graph, scaledColumns(graph, state.ranges, inputs), nodes);
  const relative = graph.node('Div', [mass, number(graph, state.scale)]);
  return toFloat(graph, graph.node('Div', [number(graph, 1), graph.node('Add', [relative, number(graph, 1)])]));
}

/** The greatest float32 below a number. */
function floatBelow(value: number): number {
  const rounded = Math.fround(value);
  if (rounded < value) return rounded;
  return rounded === 0 ? -LEAST_FLOAT32 : floatOfKey(keyOfFloat(rounded) - 1);
}
