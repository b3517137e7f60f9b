// Where the rows lie in time. A file holds a few impossible dates (1970, a clock five hours ahead), so the ends of its
// period are read off the bulk of its rows and never off the earliest and the latest.

const MAX_SAMPLED = 100_000;
/** Rows at each end whose dates are not trusted. */
const TAIL_SHARE = 0.001;

/** The time by which `share` of the rows have happened; from at most 100,000 evenly spaced rows. */
export function timeAtShare(timesMs: Float64Array, share: number): number {
  const step = Math.max(1, Math.ceil(timesMs.length / MAX_SAMPLED));
  const sampled = Float64Array.from({ length: Math.ceil(timesMs.length / step) }, (_, index) => timesMs[index * step]);
  sampled.sort();
  return sampled[Math.min(sampled.length - 1, Math.max(0, Math.round(share * (sampled.length - 1))))];
}

/** First and last time of all but one row in a thousand at each end. */
export function periodOf(timesMs: Float64Array): readonly [startMs: number, endMs: number] {
  return [timeAtShare(timesMs, TAIL_SHARE), timeAtShare(timesMs, 1 - TAIL_SHARE)];
}
