// Where one feature is cut into bins.
//
// Every distinct value gets its own bin where they are few. Otherwise bins hold about equal numbers of rows, but become
// finer towards both ends: fraud lives in the tails, and a bin of half a percent of the rows cannot place a cut such as
// "amount above 220" (on the Handbook data 255 equal bins lose .04 to .07 of average precision).
import { floatOfKey, orderKey, sortKeys } from './float-order.ts';

/** Within a tail, a bin holds this share of the rows that lie beyond it (more bins allow a finer share). */
const TAIL_SHARE_TIMES_BINS = 64;
/** With fewer bins than this there are none to spare for the tails. */
const FEWEST_BINS_WITH_TAILS = 128;

/** A value x lies in the first bin b with x ≤ thresholds[b], else in the last of thresholds.length + 1 bins. */
export interface BinEdges {
  readonly thresholds: Float32Array;
  readonly hasMissing: boolean;
}

/** Scratch memory for columns of up to `rows` values. */
export interface EdgeScratch {
  readonly keys: Uint32Array;
  readonly sorted: Uint32Array;
}

export function createEdgeScratch(rows: number): EdgeScratch {
  return { keys: new Uint32Array(rows), sorted: new Uint32Array(rows) };
}

/**
 * @param bits the float32 bits of one column of a row-major matrix, starting at `column`, `stride` apart
 * @param rows which rows to look at
 * @param maxBins at most so many bins for numbers
 */
export function findBinEdges(
  bits: Int32Array,
  column: number,
  stride: number,
  rows: Uint32Array,
  maxBins: number,
  scratch: EdgeScratch,
): BinEdges {
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = bits[rows[i] * stride + column];
    if ((value & 0x7fffffff) <= 0x7f800000) scratch.keys[count++] = orderKey(value);
  }
  const sorted = sortKeys(scratch.keys.subarray(0, count), scratch.sorted.subarray(0, count));
  const hasMissing = count < rows.length;
  const ends = distinctEnds(sorted, maxBins) ?? quantileEnds(sorted, maxBins);
  return { thresholds: thresholdsAt(sorted, ends), hasMissing };
}

/** Ends of the runs of equal keys but the last, or null if there are more than `limit` runs. */
function distinctEnds(sorted: Uint32Array, limit: number): number[] | null {
  const ends: number[] = [];
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] !== sorted[i - 1]) {
      ends.push(i);
      if (ends.length >= limit) return null;
    }
  }
  return ends;
}

/** The smallest bin size in the middle that needs no more than `limit` bins, by bisection. */
function quantileEnds(sorted: Uint32Array, limit: number): number[] {
  let tooFine = 0;
  let enough = sorted.length;
  let best: number[] = [];
  while (enough - tooFine > Math.max(0.01, enough / 1000)) {
    const size = (tooFine + enough) / 2;
    const ends = endsOfSize(sorted, size, limit);
    if (ends === null) tooFine = size;
    else {
      enough = size;
      best = ends;
    }
  }
  return best;
}

/** Walks the sorted keys in bins of `middleSize` rows, fewer in the tails; null if more than `limit` bins are needed. */
function endsOfSize(sorted: Uint32Array, middleSize: number, limit: number): number[] | null {
  const tailShare = limit < FEWEST_BINS_WITH_TAILS ? Number.POSITIVE_INFINITY : TAIL_SHARE_TIMES_BINS / limit;
  const ends: number[] = [];
  const { length } = sorted;
  let at = 0;
  while (at < length) {
    const fromEnd = Math.min(at, length - at) + 1;
    const size = Math.max(1, Math.min(middleSize, fromEnd * tailShare));
    at = endNearRun(sorted, at, Math.min(length, Math.max(at + 1, Math.round(at + size))));
    if (at < length) ends.push(at);
    if (ends.length >= limit) return null;
  }
  return ends;
}

/** Moves `end` to the nearer border of the run of equal keys it would cut. */
function endNearRun(sorted: Uint32Array, start: number, end: number): number {
  const key = sorted[end - 1];
  if (end === sorted.length || sorted[end] !== key) return end;
  const runStart = firstAtLeast(sorted, key, start, end);
  const runEnd = firstAtLeast(sorted, key + 1, end, sorted.length);
  return runStart > start && end - runStart < runEnd - end ? runStart : runEnd;
}

function firstAtLeast(sorted: Uint32Array, key: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number half way between the neighbours of each end, never above the left one's successor. */
function thresholdsAt(sorted: Uint32Array, ends: readonly number[]): Float32Array {
  const thresholds = new Float32Array(ends.length);
  for (let i = 0; i < ends.length; i++) {
    thresholds[i] = cutBetween(floatOfKey(sorted[ends[i] - 1]), floatOfKey(sorted[ends[i]]));
  }
  return thresholds;
}

/** A float32 t with low ≤ t < high, half way where possible; low < high. */
export function cutBetween(low: number, high: number): number {
  const middle = Math.fround((low + high) / 2);
  return middle >= low && middle < high ? middle : low;
}
