// How unusual a detector's score is, on a scale that detectors share: −log of the share of training rows above it.
//
// Within the training scores the share is counted. Beyond them it falls exponentially, as the tail above a high
// threshold does where it is not heavy (Pickands, Annals of Statistics 3, 1975), so that the farthest rows keep an order.

export interface TailReference {
  /** Ascending; evenly spaced ranks of the training scores, the extremes among them. */
  readonly scores: Float64Array;
  /** Mean excess of the training scores above their 95 % quantile, > 0. */
  readonly excess: number;
}

const MAX_REFERENCES = 4096;
const TAIL_SHARE = 0.05;

/** @param mostScores how many ranks are kept at most */
export function fitTailReference(given: Float32Array, mostScores = MAX_REFERENCES): TailReference {
  const sorted = Float64Array.from(given).sort();
  const count = Math.min(sorted.length, mostScores);
  const scores = Float64Array.from(
    { length: count },
    (_, i) => sorted[count === 1 ? 0 : Math.round((i * (sorted.length - 1)) / (count - 1))],
  );
  const tail = sorted.subarray(Math.floor(sorted.length * (1 - TAIL_SHARE)));
  const excess = tail.reduce((sum, score) => sum + score - tail[0], 0) / tail.length;
  return { scores, excess: excess > 0 ? excess : 1 };
}

/** ≥ 0; greater is rarer. */
export function tailScore({ scores, excess }: TailReference, score: number): number {
  const count = scores.length;
  const greatest = scores[count - 1];
  if (score > greatest) return Math.log(count + 1) + (score - greatest) / excess;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[middle] < score) low = middle + 1;
    else high = middle;
  }
  return Math.log((count + 1) / (count - low + 1));
}
