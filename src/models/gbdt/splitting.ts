// The best cut of a node from its histogram.
//
// The gain is the drop of the penalised second-order loss, G²/(H + λ) summed over the children less the parent's (Chen
// and Guestrin 2016, eq. 7). Missing values go to the side that gains more. All sums are whole units (histogram.ts).

import { cutBetween } from './bin-edges.ts';
import type { BinnedFeature, BinnedMatrix } from './binned-matrix.ts';
import { INVERSE_PACK, PACK } from './histogram.ts';

/** What a split must respect, in units of the packed sums. */
export interface SplitRules {
  /** λ ÷ hessian unit. */
  readonly l2: number;
  /** At least one unit: no child without rows. */
  readonly minHessian: number;
  readonly minSamples: number;
  /** No single row has a greater hessian. */
  readonly rowHessian: number;
  /** Loss per unit gain: gradient unit² ÷ hessian unit ÷ 2. */
  readonly lossPerGain: number;
  readonly minGain: number;
  /** For each binned feature 1, −1 or 0; null if none is constrained. */
  readonly monotone: Int8Array | null;
  /** For each binned feature, 1 if this tree may use it. */
  readonly used: Uint8Array;
}

/** Leaf values in units of gradient unit ÷ hessian unit; ±Infinity where free. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

export const FREE: Bounds = { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };

export interface Split {
  /** Place in `features` of the binned matrix. */
  readonly feature: number;
  /** Bins up to this one go left. */
  readonly bin: number;
  readonly missingLeft: boolean;
  /** Whether the node has missing values of the feature; if not, the caller chooses their side. */
  readonly sawMissing: boolean;
  /** Numbers up to this one go left; +Infinity if all do. */
  readonly threshold: number;
  /** Drop of the loss. */
  readonly gain: number;
  /** Packed sum of the left child. */
  readonly left: number;
  /** Value bounds of the two children. */
  readonly leftBounds: Bounds;
  readonly rightBounds: Bounds;
}

/** The node to be cut. */
export interface SplitNode {
  readonly histogram: Float64Array;
  /** Packed sum of its rows, and how many they are. */
  readonly total: number;
  readonly rows: number;
  readonly bounds: Bounds;
  /** Whether a cut leaves at least so many rows on both sides. */
  leavesEnough(feature: number, bin: number, missingLeft: boolean, rows: number): boolean;
  /** Its rows per bin of a binned feature, the bin of missing values last. */
  countBins(feature: number): Uint32Array;
}

/** The best cut on one feature; `score` is that of the children, and `bin` −1 without a cut. */
interface Candidate {
  /** Cuts after the bins `[first, last)` leave enough rows on both sides at least in the whole training set. */
  readonly first: number;
  readonly last: number;
  bin: number;
  missingLeft: boolean;
  left: number;
  score: number;
  /** Whether it is known to respect the fewest rows per leaf. */
  counted: boolean;
}

export function gradientOf(packed: number): number {
  return Math.floor(packed * INVERSE_PACK);
}

export function hessianOf(packed: number): number {
  return packed - Math.floor(packed * INVERSE_PACK) * PACK;
}

/** The value that minimises the penalised loss within the bounds. */
export function leafValue(packed: number, l2: number, bounds: Bounds): number {
  const free = -gradientOf(packed) / (hessianOf(packed) + l2);
  return Math.max(bounds.lower, Math.min(bounds.upper, free));
}

/** Finds the best cut of a node, or null if none is allowed or gains enough. */
export type Splitter = (node: SplitNode, rules: SplitRules) => Split | null;

export function createSplitter(binned: BinnedMatrix, minSamples: number): Splitter {
  const candidates: Candidate[] = binned.features.map((feature) => ({
    ...cutRange(feature, binned.rows, minSamples),
    bin: -1,
    missingLeft: false,
    left: 0,
    score: 0,
    counted: false,
  }));
  return (node, rules) => {
    const parentScore = scoreOf(node.total, rules.l2, node.bounds);
    const wanted = parentScore + rules.minGain / rules.lossPerGain;
    // Rounding of the score must not pass for a gain.
    const least = wanted + Math.abs(wanted) * 1e-12;
    for (let f = 0; f < candidates.length; f++) {
      reset(candidates[f], least);
      if (rules.used[f] === 1) findBestCut(candidates[f], binned.features[f], f, node, rules);
    }
    for (;;) {
      const f = bestOf(candidates, least);
      if (f < 0) return null;
      if (hasEnoughRows(candidates[f], f, node, rules)) {
        return complete(candidates[f], f, binned.features[f], node, parentScore, rules);
      }
      // Sums of hessians only bound the number of rows. Counting per bin is rarely needed, so it is done by feature.
      reset(candidates[f], least);
      candidates[f].counted = true;
      scanBothSides(candidates[f], binned.features[f], f, node, node.countBins(f), rules);
    }
  };
}

/** Keeps the fine bins of the tails from being tried in vain in every node. */
function cutRange({ counts, valueBins, hasMissing }: BinnedFeature, rows: number, minSamples: number) {
  // Missing values may go to either side.
  let left = counts[valueBins];
  let first = 0;
  while (first < valueBins && left + counts[first] < minSamples) left += counts[first++];
  const end = hasMissing ? valueBins : valueBins - 1;
  let right = rows - counts[valueBins];
  let last = 0;
  while (last < end && right - counts[last] + counts[valueBins] >= minSamples) right -= counts[last++];
  return { first, last };
}

function reset(candidate: Candidate, score: number): void {
  candidate.bin = -1;
  candidate.score = score;
  candidate.counted = false;
}

function bestOf(candidates: readonly Candidate[], least: number): number {
  let best = -1;
  let score = least;
  for (let f = 0; f < candidates.length; f++) {
    if (candidates[f].score > score) {
      best = f;
      score = candidates[f].score;
    }
  }
  return best;
}

function hasEnoughRows({ counted, bin, missingLeft, left }: Candidate, f: number, node: SplitNode, rules: SplitRules) {
  const total = hessianOf(node.total);
  const hessian = hessianOf(left);
  const smaller = Math.min(hessian, total - hessian);
  if (counted || smaller > (rules.minSamples - 1) * rules.rowHessian) return true;
  // Where even the mean row says too few, a look would most likely be in vain.
  if (smaller * node.rows < rules.minSamples * total) return false;
  return node.leavesEnough(f, bin, missingLeft, rules.minSamples);
}

function findBestCut(best: Candidate, feature: BinnedFeature, f: number, node: SplitNode, rules: SplitRules): void {
  if (rules.monotone !== null) {
    scanBothSides(best, feature, f, node, null, rules);
    return;
  }
  const missing = feature.hasMissing ? node.histogram[feature.offset + feature.valueBins] : 0;
  scan(best, feature, node, 0, missing !== 0, rules);
  if (missing !== 0) scan(best, feature, node, missing, true, rules);
}

function scanBothSides(
  best: Candidate,
  feature: BinnedFeature,
  f: number,
  node: SplitNode,
  counts: Uint32Array | null,
  rules: SplitRules,
): void {
  const missing = feature.hasMissing ? node.histogram[feature.offset + feature.valueBins] : 0;
  scanCarefully(best, feature, f, node, counts, false, rules);
  if (missing !== 0) scanCarefully(best, feature, f, node, counts, true, rules);
}

/** Loss removed by a leaf of these rows, in gain units. */
function scoreOf(packed: number, l2: number, bounds: Bounds): number {
  const gradient = gradientOf(packed);
  const penalised = hessianOf(packed) + l2;
  const value = leafValue(packed, l2, bounds);
  return -(2 * gradient + penalised * value) * value;
}

/** @param missing packed sum of the missing values if they go left, else 0. */
function scan(
  best: Candidate,
  feature: BinnedFeature,
  { histogram, total }: SplitNode,
  missing: number,
  sawMissing: boolean,
  rules: SplitRules,
): void {
  const { l2, minHessian } = rules;
  const { offset } = feature;
  const totalGradient = gradientOf(total);
  const totalHessian = hessianOf(total);
  const mostLeft = totalHessian - minHessian;
  // All numbers left and the missing right is a split too.
  const end = offset + Math.min(best.last, sawMissing && missing === 0 ? feature.valueBins : feature.valueBins - 1);
  const start = offset + best.first;
  let left = missing;
  for (let cell = offset; cell < start; cell++) left += histogram[cell];
  let score = best.score;
  let bestCell = -1;
  let bestLeft = 0;
  for (let cell = start; cell < end; cell++) {
    const sum = histogram[cell];
    if (sum === 0) continue;
    left += sum;
    const gradient = Math.floor(left * INVERSE_PACK);
    const hessian = left - gradient * PACK;
    if (hessian < minHessian) continue;
    if (hessian > mostLeft) break;
    const otherGradient = totalGradient - gradient;
    const penalised = hessian + l2;
    const otherPenalised = totalHessian - hessian + l2;
    const children =
      (gradient * gradient * otherPenalised + otherGradient * otherGradient * penalised) / (penalised * otherPenalised);
    if (children > score) {
      score = children;
      bestCell = cell;
      bestLeft = left;
    }
  }
  if (bestCell < 0) return;
  best.bin = bestCell - offset;
  best.missingLeft = missing !== 0;
  best.left = bestLeft;
  best.score = score;
}

/** The same with counts of rows, or with monotone constraints (bounds half way between two children's values). */
function scanCarefully(
  best: Candidate,
  feature: BinnedFeature,
  f: number,
  { histogram, total, rows, bounds }: SplitNode,
  counts: Uint32Array | null,
  missingLeft: boolean,
  rules: SplitRules,
): void {
  const { l2, minHessian, minSamples } = rules;
  const { offset, valueBins } = feature;
  const direction = rules.monotone === null ? 0 : rules.monotone[f];
  const totalHessian = hessianOf(total);
  const last = feature.hasMissing && !missingLeft ? valueBins : valueBins - 1;
  let left = missingLeft ? histogram[offset + valueBins] : 0;
  let leftRows = missingLeft && counts !== null ? counts[valueBins] : 0;
  for (let b = 0; b < last; b++) {
    const cell = histogram[offset + b];
    if (cell === 0) continue;
    left += cell;
    if (counts !== null) {
      leftRows += counts[b];
      if (leftRows < minSamples || rows - leftRows < minSamples) continue;
    }
    const hessian = hessianOf(left);
    if (hessian < minHessian || totalHessian - hessian < minHessian) continue;
    const right = total - left;
    if (direction !== 0) {
      const step = leafValue(right, l2, bounds) - leafValue(left, l2, bounds);
      if (step * direction < 0) continue;
    }
    const score = scoreOf(left, l2, bounds) + scoreOf(right, l2, bounds);
    if (score > best.score) {
      best.bin = b;
      best.missingLeft = missingLeft;
      best.left = left;
      best.score = score;
    }
  }
}

function complete(
  { bin, missingLeft, left, score }: Candidate,
  f: number,
  feature: BinnedFeature,
  { histogram, total, bounds }: SplitNode,
  parentScore: number,
  rules: SplitRules,
): Split {
  const direction = rules.monotone === null ? 0 : rules.monotone[f];
  const middle = (leafValue(left, rules.l2, bounds) + leafValue(total - left, rules.l2, bounds)) / 2;
  const below = { lower: bounds.lower, upper: middle };
  const above = { lower: middle, upper: bounds.upper };
  return {
    feature: f,
    bin,
    missingLeft,
    sawMissing: feature.hasMissing && histogram[feature.offset + feature.valueBins] !== 0,
    threshold: thresholdAfter(feature, histogram, bin),
    gain: (score - parentScore) * rules.lossPerGain,
    left,
    leftBounds: direction === 0 ? bounds : direction > 0 ? below : above,
    rightBounds: direction === 0 ? bounds : direction > 0 ? above : below,
  };
}

/** The middle of the gap between the node's values on both sides of the cut, as far as the bins tell. */
function thresholdAfter(feature: BinnedFeature, histogram: Float64Array, bin: number): number {
  const { thresholds, offset, valueBins } = feature;
  if (bin >= valueBins - 1) return Number.POSITIVE_INFINITY;
  let next = bin + 1;
  while (next < valueBins && histogram[offset + next] === 0) next++;
  const low = thresholds[bin];
  const high = next < valueBins ? thresholds[next - 1] : low;
  return low < high ? cutBetween(low, high) : low;
}
