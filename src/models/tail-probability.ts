// How unusual a score is: the share of reference scores at least as great.
//
// The smoothed share (k + 1) / (n + 1) is the conformal p-value of Vovk, Gammerman and Shafer (2005): if a new row comes
// from the same distribution as the reference rows, it is below α with probability at most α.

const MAX_REFERENCE = 200_000;

export interface TailProbability {
  /** Ascending reference scores. */
  readonly reference: Float32Array;
}

/** @param scores scores of rows that stand for the ordinary; evenly thinned to 200,000 when there are more. */
export function fitTailProbability(scores: Float32Array): TailProbability {
  const sorted = Float32Array.from(scores).sort();
  if (sorted.length <= MAX_REFERENCE) return { reference: sorted };
  const reference = new Float32Array(MAX_REFERENCE);
  const step = (sorted.length - 1) / (MAX_REFERENCE - 1);
  for (let i = 0; i < MAX_REFERENCE; i++) reference[i] = sorted[Math.round(i * step)];
  return { reference };
}

/** @returns a p-value in (0, 1]: small is unusual. */
export function tailProbability({ reference }: TailProbability, score: number): number {
  let low = 0;
  let high = reference.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reference[middle] < score) low = middle + 1;
    else high = middle;
  }
  return (reference.length - low + 1) / (reference.length + 1);
}
