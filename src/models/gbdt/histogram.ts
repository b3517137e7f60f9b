// Sums of gradients and hessians per bin: the inner loop of histogram boosting (Ke et al., "LightGBM: A Highly Efficient
// Gradient Boosting Decision Tree", NeurIPS 2017).
//
// A row's gradient g and hessian h are rounded to whole units and packed into one float64, g · 2^26 + h, so that one
// addition sums both. The units are chosen so that neither sum can pass 2^26 in size; then every sum stays a whole number
// below 2^53, additions are exact in any order, and a sibling's histogram by subtraction equals one built from its rows.
// Rounding is dithered by the row's number, so that errors cancel over rows (as in quantised LightGBM, Shi et al. 2022).
import type { BinnedMatrix, BinnedWord } from './binned-matrix.ts';

/** 2^26: a packed sum S holds the gradient ⌊S / PACK⌋ and the hessian S mod PACK. */
export const PACK = 67_108_864;
export const INVERSE_PACK = 1 / PACK;

/** Above it a row's gradient would have less than four units on average. */
export const MAX_ROWS = 16_000_000;

/** Real gradient = units × gradientUnit, likewise for the hessian. */
export interface PackedGradients {
  readonly packed: Float64Array;
  gradientUnit: number;
  hessianUnit: number;
  /** Greatest hessian of a row, in units. */
  rowHessian: number;
}

/** How the words are visited: two words of one width at a time, so that a row's number and gradient are loaded less often. */
export interface HistogramPlan {
  readonly pairs: readonly (readonly [BinnedWord, BinnedWord])[];
  readonly singles: readonly BinnedWord[];
}

/** @param used for each feature of `binned`, 1 if this tree may split on it */
export function planHistograms(binned: BinnedMatrix, used: Uint8Array): HistogramPlan {
  const pairs: [BinnedWord, BinnedWord][] = [];
  const singles: BinnedWord[] = [];
  for (const wide of [false, true]) {
    const words = binned.words.filter((word) => word.wide === wide && word.features.some((f) => used[f] === 1));
    for (let i = 0; i + 1 < words.length; i += 2) pairs.push([words[i], words[i + 1]]);
    if (words.length % 2 === 1) singles.push(words[words.length - 1]);
  }
  return { pairs, singles };
}

/**
 * Overwrites `histogram` with the sums over the given rows.
 * @param rows row numbers
 * @param gradients packed gradients of these rows, in their order
 */
export function buildHistogram(
  plan: HistogramPlan,
  rows: Uint32Array,
  gradients: Float64Array,
  histogram: Float64Array,
): void {
  histogram.fill(0);
  for (const [a, b] of plan.pairs) {
    if (a.wide) addWidePair(histogram, a.bins, b.bins, a.offsets, b.offsets, rows, gradients);
    else addNarrowPair(histogram, a.bins, b.bins, a.offsets, b.offsets, rows, gradients);
  }
  for (const word of plan.singles) {
    if (word.wide) addWide(histogram, word.bins, word.offsets, rows, gradients);
    else addNarrow(histogram, word.bins, word.offsets, rows, gradients);
  }
}

/** `parent` becomes the histogram of the rows that are not in `child`. */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let cell = 0; cell < parent.length; cell++) parent[cell] -= child[cell];
}

function addNarrowPair(
  histogram: Float64Array,
  binsA: Uint32Array,
  binsB: Uint32Array,
  offsetsA: readonly number[],
  offsetsB: readonly number[],
  rows: Uint32Array,
  gradients: Float64Array,
): void {
  const [a0, a1, a2, a3] = offsetsA;
  const [b0, b1, b2, b3] = offsetsB;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    const a = binsA[row];
    const b = binsB[row];
    const gradient = gradients[i];
    histogram[a0 + (a & 255)] += gradient;
    histogram[a1 + ((a >>> 8) & 255)] += gradient;
    histogram[a2 + ((a >>> 16) & 255)] += gradient;
    histogram[a3 + (a >>> 24)] += gradient;
    histogram[b0 + (b & 255)] += gradient;
    histogram[b1 + ((b >>> 8) & 255)] += gradient;
    histogram[b2 + ((b >>> 16) & 255)] += gradient;
    histogram[b3 + (b >>> 24)] += gradient;
  }
}

function addNarrow(
  histogram: Float64Array,
  bins: Uint32Array,
  offsets: readonly number[],
  rows: Uint32Array,
  gradients: Float64Array,
): void {
  const [o0, o1, o2, o3] = offsets;
  for (let i = 0; i < rows.length; i++) {
    const word = bins[rows[i]];
    const gradient = gradients[i];
    histogram[o0 + (word & 255)] += gradient;
    histogram[o1 + ((word >>> 8) & 255)] += gradient;
    histogram[o2 + ((word >>> 16) & 255)] += gradient;
    histogram[o3 + (word >>> 24)] += gradient;
  }
}

function addWidePair(
  histogram: Float64Array,
  binsA: Uint32Array,
  binsB: Uint32Array,
  offsetsA: readonly number[],
  offsetsB: readonly number[],
  rows: Uint32Array,
  gradients: Float64Array,
): void {
  const [a0, a1] = offsetsA;
  const [b0, b1] = offsetsB;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    const a = binsA[row];
    const b = binsB[row];
    const gradient = gradients[i];
    histogram[a0 + (a & 0xffff)] += gradient;
    histogram[a1 + (a >>> 16)] += gradient;
    histogram[b0 + (b & 0xffff)] += gradient;
    histogram[b1 + (b >>> 16)] += gradient;
  }
}

function addWide(
  histogram: Float64Array,
  bins: Uint32Array,
  offsets: readonly number[],
  rows: Uint32Array,
  gradients: Float64Array,
): void {
  const [o0, o1] = offsets;
  for (let i = 0; i < rows.length; i++) {
    const word = bins[rows[i]];
    const gradient = gradients[i];
    histogram[o0 + (word & 0xffff)] += gradient;
    histogram[o1 + (word >>> 16)] += gradient;
  }
}
