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

interface Candidate {
  feature: number;
  bin: number;
  missingLeft: boolean;
  left: number;
  score: number;
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

/**
 * @param counts rows per cell, to hold every candidate to `minSamples`; null to leave that to the caller
 * @param total packed sum of the node, @param rows its number of rows
 * @returns null if no split is allowed or gains enough
 */
export function findBestSplit(
  binned: BinnedMatrix,
  histogram: Float64Array,
  counts: Uint32Array | null,
  total: number,
  rows: number,
  bounds: Bounds,
  rules: SplitRules,
): Split | null {
  const best: Candidate = { feature: -1, bin: 0, missingLeft: false, left: 0, score: 0 };
  const parentScore = scoreOf(total, rules.l2, bounds);
  best.score = parentScore + rules.minGain / rules.lossPerGain;
  // Rounding of the score must not pass for a gain.
  best.score += Math.abs(best.score) * 1e-12;
  for (let f = 0; f < binned.features.length; f++) {
    if (rules.used[f] === 0) continue;
    const feature = binned.features[f];
    const missing = feature.hasMissing ? histogram[feature.offset + feature.valueBins] : 0;
    const missingRows = feature.hasMissing && counts !== null ? counts[feature.offset + feature.valueBins] : 0;
    if (counts !== null || rules.monotone !== null) {
      scanCarefully(best, f, feature, histogram, counts, total, rows, 0, 0, bounds, rules);
      if (missing !== 0 || missingRows > 0) {
        scanCarefully(best, f, feature, histogram, counts, total, rows, missing, missingRows, bounds, rules);
      }
    } else {
      scan(best, f, feature, histogram, total, 0, missing !== 0, rules);
      if (missing !== 0) scan(best, f, feature, histogram, total, missing, true, rules);
    }
  }
  if (best.feature < 0) return null;
  return complete(best, binned.features[best.feature], histogram, total, parentScore, bounds, rules);
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
  f: number,
  feature: BinnedFeature,
  histogram: Float64Array,
  total: number,
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
  const last = sawMissing && missing === 0 ? feature.valueBins : feature.valueBins - 1;
  let left = missing;
  let score = best.score;
  let bin = -1;
  let bestLeft = 0;
  for (let b = 0; b < last; b++) {
    const cell = histogram[offset + b];
    if (cell === 0) continue;
    left += cell;
    const gradient = Math.floor(left * INVERSE_PACK);
    const hessian = left - gradient * PACK;
    if (hessian < minHessian) continue;
    if (hessian > mostLeft) break;
    const otherGradient = totalGradient - gradient;
    const penalised = hessian + l2;
    const otherPenalised = totalHessian - hessian + l2;
    const gain =
      (gradient * gradient * otherPenalised + otherGradient * otherGradient * penalised) / (penalised * otherPenalised);
    if (gain > score) {
      score = gain;
      bin = b;
      bestLeft = left;
    }
  }
  if (bin < 0) return;
  best.feature = f;
  best.bin = bin;
  best.missingLeft = missing !== 0;
  best.left = bestLeft;
  best.score = score;
}

/** The same with counts of rows and monotone constraints (Auguste et al. 2020, the basic method: bounds at the middle). */
function scanCarefully(
  best: Candidate,
  f: number,
  feature: BinnedFeature,
  histogram: Float64Array,
  counts: Uint32Array | null,
  total: number,
  rows: number,
  missing: number,
  missingRows: number,
  bounds: Bounds,
  rules: SplitRules,
): void {
  const { l2, minHessian, minSamples } = rules;
  const { offset } = feature;
  const direction = rules.monotone === null ? 0 : rules.monotone[f];
  const totalHessian = hessianOf(total);
  const missingLeft = missing !== 0 || missingRows > 0;
  const last = feature.hasMissing && !missingLeft ? feature.valueBins : feature.valueBins - 1;
  let left = missing;
  let leftRows = missingRows;
  for (let b = 0; b < last; b++) {
    const cell = histogram[offset + b];
    if (counts === null) {
      if (cell === 0) continue;
    } else {
      if (counts[offset + b] === 0) continue;
      leftRows += counts[offset + b];
    }
    left += cell;
    const hessian = hessianOf(left);
    if (hessian < minHessian || totalHessian - hessian < minHessian) continue;
    if (counts !== null && (leftRows < minSamples || rows - leftRows < minSamples)) continue;
    const right = total - left;
    if (direction !== 0) {
      const step = leafValue(right, l2, bounds) - leafValue(left, l2, bounds);
      if (step * direction < 0) continue;
    }
    const score = scoreOf(left, l2, bounds) + scoreOf(right, l2, bounds);
    if (score > best.score) {
      best.feature = f;
      best.bin = b;
      best.missingLeft = missingLeft;
      best.left = left;
      best.score = score;
    }
  }
}

function complete(
  best: Candidate,
  feature: BinnedFeature,
  histogram: Float64Array,
  total: number,
  parentScore: number,
  bounds: Bounds,
  rules: SplitRules,
): Split {
  const direction = rules.monotone === null ? 0 : rules.monotone[best.feature];
  const { left } = best;
  const middle = (leafValue(left, rules.l2, bounds) + leafValue(total - left, rules.l2, bounds)) / 2;
  const below = { lower: bounds.lower, upper: middle };
  const above = { lower: middle, upper: bounds.upper };
  const sawMissing = feature.hasMissing && histogram[feature.offset + feature.valueBins] !== 0;
  return {
    feature: best.feature,
    bin: best.bin,
    missingLeft: best.missingLeft,
    sawMissing,
    threshold: thresholdAfter(feature, histogram, best.bin),
    gain: (best.score - parentScore) * rules.lossPerGain,
    left,
    leftBounds: direction === 0 ? bounds : direction > 0 ? below : above,
    rightBounds: direction === 0 ? bounds : direction > 0 ? above : below,
  };
}

/** The middle of the gap between the node's values on both sides of the cut, as far as the bins tell. */
function thresholdAfter(feature: BinnedFeature, histogram: Float64Array, bin: number): number {
  const { thresholds, offset, valueBins } = feature;
  let next = bin + 1;
  while (next < valueBins && histogram[offset + next] === 0) next++;
  if (bin >= valueBins - 1) return Number.POSITIVE_INFINITY;
  if (next >= valueBins) return thresholds[bin];
  const low = thresholds[bin];
  const high = thresholds[next - 1];
  return low < high ? cutBetween(low, high) : low;
}
