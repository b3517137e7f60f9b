// Grows one tree leaf-wise: the leaf whose cut lowers the loss most is split next (Shi 2007; Ke et al. 2017).
//
// A node is a range of one list of rows, partitioned in place. Only the smaller child's histogram is built from rows; the
// larger one's is the parent's less it.
import type { BinnedMatrix } from './binned-matrix.ts';
import { createTree, type Tree } from './ensemble.ts';
import {
  buildHistogram,
  type HistogramPlan,
  type PackedGradients,
  planHistograms,
  subtractHistogram,
} from './histogram.ts';
import type { GbdtOptions } from './options.ts';
import {
  type Bounds,
  createSplitter,
  FREE,
  hessianOf,
  leafValue,
  type Split,
  type SplitNode,
  type SplitRules,
} from './splitting.ts';

/** Rows `[from, to)` of the grower's list end in a leaf that adds `value` to their margin. */
export interface GrownLeaf {
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

export interface GrownTree {
  readonly tree: Tree;
  readonly leaves: readonly GrownLeaf[];
}

export interface Grower {
  /** Row numbers to grow on, `[0, count)`; grow() reorders them. */
  readonly rows: Uint32Array;
  /**
   * @param count how many of `rows` to use
   * @param used for each binned feature, 1 if the tree may split on it
   */
  grow(gradients: PackedGradients, count: number, used: Uint8Array): GrownTree;
}

interface OpenLeaf {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  /** Packed sum of its rows. */
  readonly total: number;
  readonly bounds: Bounds;
  /** Null once it can't be split. */
  histogram: Float64Array | null;
  split: Split | null;
}

/** @param monotone for each binned feature 1, −1 or 0; null if none is constrained */
export function createGrower(binned: BinnedMatrix, monotone: Int8Array | null, options: GbdtOptions): Grower {
  const rows = new Uint32Array(binned.rows);
  const scratch = new Uint32Array(binned.rows);
  const gathered = new Float64Array(binned.rows);
  const freeHistograms: Float64Array[] = [];
  const findBestSplit = createSplitter(binned, options.minSamplesPerLeaf);

  function grow(gradients: PackedGradients, count: number, used: Uint8Array): GrownTree {
    const rules = rulesOf(gradients, used);
    const plan = planHistograms(binned, used);
    const tree = createTree(2 * options.maxLeaves - 1);
    const leaves: OpenLeaf[] = [openRoot(gradients, count)];
    tree.nodes = 1;
    tree.cover[0] = count;
    if (worthSplitting(leaves[0], rules)) {
      leaves[0].histogram = histogramOf(plan, gradients, leaves[0]);
      findSplit(leaves[0], rules);
    }
    while (leaves.length < options.maxLeaves) {
      const best = mostGaining(leaves);
      if (best < 0) break;
      const leaf = leaves[best];
      const middle = partition(leaf);
      const [left, right] = divide(tree, leaf, middle);
      leaves[best] = left;
      leaves.push(right);
      if (leaves.length < options.maxLeaves) prepareChildren(plan, gradients, leaf, left, right, rules);
      else release(leaf);
    }
    for (const leaf of leaves) release(leaf);
    return { tree, leaves: leaves.map((leaf) => closeLeaf(tree, leaf, gradients, rules)) };
  }

  function rulesOf(gradients: PackedGradients, used: Uint8Array): SplitRules {
    const { gradientUnit, hessianUnit } = gradients;
    return {
      l2: options.l2 / hessianUnit,
      minHessian: Math.max(1, options.minHessianPerLeaf / hessianUnit),
      minSamples: options.minSamplesPerLeaf,
      rowHessian: gradients.rowHessian,
      lossPerGain: (gradientUnit * gradientUnit) / hessianUnit / 2,
      minGain: options.minGain,
      monotone,
      used,
    };
  }

  function openRoot(gradients: PackedGradients, count: number): OpenLeaf {
    let total = 0;
    for (let i = 0; i < count; i++) total += gradients.packed[rows[i]];
    return { node: 0, from: 0, to: count, depth: 0, total, bounds: FREE, histogram: null, split: null };
  }

  function worthSplitting(leaf: OpenLeaf, rules: SplitRules): boolean {
    return (
      leaf.depth < options.maxDepth &&
      leaf.to - leaf.from >= 2 * rules.minSamples &&
      hessianOf(leaf.total) >= 2 * rules.minHessian
    );
  }

  function histogramOf(plan: HistogramPlan, gradients: PackedGradients, leaf: OpenLeaf): Float64Array {
    const histogram = freeHistograms.pop() ?? new Float64Array(binned.cells);
    const ofLeaf = rows.subarray(leaf.from, leaf.to);
    const { packed } = gradients;
    if (ofLeaf.length === binned.rows) {
      buildHistogram(plan, ofLeaf, packed, histogram);
    } else {
      for (let i = 0; i < ofLeaf.length; i++) gathered[i] = packed[ofLeaf[i]];
      buildHistogram(plan, ofLeaf, gathered, histogram);
    }
    return histogram;
  }

  function findSplit(leaf: OpenLeaf, rules: SplitRules): void {
    const { histogram, total, from, to, bounds } = leaf;
    if (histogram === null) return;
    const node: SplitNode = {
      histogram,
      total,
      rows: to - from,
      bounds,
      leavesEnough: (feature, bin, missingLeft, least) => leavesEnough(from, to, feature, bin, missingLeft, least),
      countBins: (feature) => countBins(from, to, feature),
    };
    leaf.split = findBestSplit(node, rules);
    if (leaf.split === null) release(leaf);
  }

  /** Stops looking as soon as both sides have enough. */
  function leavesEnough(from: number, to: number, feature: number, bin: number, missingLeft: boolean, least: number) {
    const { word, shift, mask, valueBins } = binned.features[feature];
    const { bins } = binned.words[word];
    const missingBin = missingLeft ? valueBins : -1;
    let left = 0;
    let right = 0;
    for (let i = from; i < to && (left < least || right < least); i++) {
      const at = (bins[rows[i]] >>> shift) & mask;
      if (at <= bin || at === missingBin) left++;
      else right++;
    }
    return left >= least && right >= least;
  }

  function countBins(from: number, to: number, feature: number): Uint32Array {
    const { word, shift, mask, valueBins } = binned.features[feature];
    const { bins } = binned.words[word];
    const counts = new Uint32Array(valueBins + 1);
    for (let i = from; i < to; i++) counts[(bins[rows[i]] >>> shift) & mask]++;
    return counts;
  }

  function release(leaf: OpenLeaf): void {
    if (leaf.histogram !== null) freeHistograms.push(leaf.histogram);
    leaf.histogram = null;
  }

  /** Moves the rows that go left to the front, keeping the order on both sides; returns where the right ones begin. */
  function partition(leaf: OpenLeaf): number {
    const { from, to } = leaf;
    const { feature, bin, missingLeft } = leaf.split as Split;
    const { word, shift, mask, valueBins } = binned.features[feature];
    const { bins } = binned.words[word];
    // x − y < 0 as a bit, so that an unforeseeable branch is not taken.
    const missingBit = missingLeft ? 1 : 0;
    let left = from;
    let right = 0;
    for (let i = from; i < to; i++) {
      const row = rows[i];
      const at = (bins[row] >>> shift) & mask;
      const goes = ((at - bin - 1) >>> 31) | (((valueBins - 1 - at) >>> 31) & missingBit);
      rows[left] = row;
      scratch[right] = row;
      left += goes;
      right += 1 - goes;
    }
    rows.set(scratch.subarray(0, right), left);
    return left;
  }

  function divide(tree: Tree, leaf: OpenLeaf, middle: number): [OpenLeaf, OpenLeaf] {
    const { node, from, to, depth, total } = leaf;
    const split = leaf.split as Split;
    const leftNode = tree.nodes;
    const rightNode = tree.nodes + 1;
    tree.nodes += 2;
    tree.column[node] = binned.features[split.feature].column;
    tree.threshold[node] = split.threshold;
    // Values never seen missing here go where most rows go.
    const missingLeft = split.sawMissing ? split.missingLeft : middle - from >= to - middle;
    tree.missingLeft[node] = missingLeft ? 1 : 0;
    tree.left[node] = leftNode;
    tree.right[node] = rightNode;
    tree.gain[node] = split.gain;
    tree.cover[leftNode] = middle - from;
    tree.cover[rightNode] = to - middle;
    const common = { depth: depth + 1, histogram: null, split: null };
    return [
      { ...common, node: leftNode, from, to: middle, total: split.left, bounds: split.leftBounds },
      { ...common, node: rightNode, from: middle, to, total: total - split.left, bounds: split.rightBounds },
    ];
  }

  function prepareChildren(
    plan: HistogramPlan,
    gradients: PackedGradients,
    parent: OpenLeaf,
    left: OpenLeaf,
    right: OpenLeaf,
    rules: SplitRules,
  ): void {
    const [small, large] = left.to - left.from <= right.to - right.from ? [left, right] : [right, left];
    const splitSmall = worthSplitting(small, rules);
    const splitLarge = worthSplitting(large, rules);
    if (splitSmall || splitLarge) small.histogram = histogramOf(plan, gradients, small);
    if (splitLarge && small.histogram !== null && parent.histogram !== null) {
      subtractHistogram(parent.histogram, small.histogram);
      large.histogram = parent.histogram;
      parent.histogram = null;
      findSplit(large, rules);
    }
    release(parent);
    if (splitSmall) findSplit(small, rules);
    else release(small);
  }

  function closeLeaf(tree: Tree, leaf: OpenLeaf, gradients: PackedGradients, rules: SplitRules): GrownLeaf {
    const perUnit = gradients.gradientUnit / gradients.hessianUnit;
    const value = leafValue(leaf.total, rules.l2, leaf.bounds) * perUnit * options.learningRate;
    tree.value[leaf.node] = value;
    return { from: leaf.from, to: leaf.to, value };
  }

  return { rows, grow };
}

function mostGaining(leaves: readonly OpenLeaf[]): number {
  let best = -1;
  let gain = 0;
  for (let i = 0; i < leaves.length; i++) {
    const { split } = leaves[i];
    if (split !== null && split.gain > gain) {
      best = i;
      gain = split.gain;
    }
  }
  return best;
}
