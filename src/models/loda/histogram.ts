// A histogram of equal bins whose number the values choose: the greatest penalised likelihood (Birgé and Rozenholc, "How
// many bins should be put in a regular histogram", ESAIM: Probability and Statistics 10, 2006).
import { exactLog } from '../../lib/exact-math.ts';

export interface Histogram {
  readonly least: number;
  /** Of all bins together, > 0. */
  readonly range: number;
  /** Values per bin. */
  readonly counts: Float64Array;
}

const MAX_BINS = 400;
/** Numbers of bins that are compared grow by this factor. */
const BINS_RATIO = 1.1;

/** @param values at least two, finite */
export function fitHistogram(values: Float64Array): Histogram {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (least === greatest) return { least, range: 1, counts: Float64Array.of(values.length) };
  const range = greatest - least;
  const mostBins = Math.max(1, Math.min(MAX_BINS, Math.floor(values.length / exactLog(values.length))));
  let best: Float64Array = new Float64Array(0);
  let bestLikelihood = Number.NEGATIVE_INFINITY;
  for (let bins = 1; bins <= mostBins; bins = Math.max(bins + 1, Math.floor(bins * BINS_RATIO))) {
    const counts = countInto(values, least, range, bins);
    const likelihood = penalisedLikelihood(counts, values.length);
    if (likelihood > bestLikelihood) {
      bestLikelihood = likelihood;
      best = counts;
    }
  }
  return { least, range, counts: best };
}

function countInto(values: Float64Array, least: number, range: number, bins: number): Float64Array {
  const counts = new Float64Array(bins);
  const perUnit = bins / range;
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - least) * perUnit))] += 1;
  return counts;
}

function penalisedLikelihood(counts: Float64Array, values: number): number {
  const bins = counts.length;
  let likelihood = 0;
  for (const count of counts) if (count > 0) likelihood += count * exactLog((bins * count) / values);
  const log = exactLog(bins);
  return likelihood - (bins - 1) - log * log * Math.sqrt(log);
}
