// Conformal p-values: how rare a score is among reference rows that the detector was not fitted on.
//
// Split conformal inference (Vovk, Gammerman, Shafer 2005; Laxhammar and Falkman 2010; Bates, Candès, Lei, Romano, Sesia,
// "Testing for outliers with conformal p-values", Annals of Statistics 2023). A new row that is exchangeable with the
// reference rows has p ≤ α with a probability of at most α, whatever the detector. Behaviour drifts, so newer reference
// rows may weigh more (Barber, Candès, Ramdas, Tibshirani, "Conformal prediction beyond exchangeability", 2023).

export interface ConformalReference {
  /** Ascending. */
  readonly scores: Float32Array;
  /** `weightFrom[i]`: weight of the rows i, i + 1, …; one entry more than scores, the last is 0. */
  readonly weightFrom: Float64Array;
}

/** The weight of the new row itself: as that of the newest reference row. It is the +1 of the finite-sample correction. */
const OWN_WEIGHT = 1;

/**
 * @param scores of rows that the detector was not fitted on, one or more, none of them NaN
 * @param weights in (0, 1], one per score, 1 for the newest; null where all weigh the same
 * @throws if a score is NaN, a weight is out of its range, or there is not one weight per score
 */
export function fitConformal(scores: Float32Array, weights: Float64Array | null = null): ConformalReference {
  if (scores.length === 0) throw new Error('no reference rows: a p-value needs at least one');
  if (weights !== null && weights.length !== scores.length)
    throw new Error(`${scores.length} scores but ${weights.length} weights`);
  for (let row = 0; row < scores.length; row++) {
    if (Number.isNaN(scores[row])) throw new Error(`score of reference row ${row} is NaN`);
    if (weights !== null && !(weights[row] > 0 && weights[row] <= 1))
      throw new Error(`weight of reference row ${row} is ${weights[row]}, expected (0, 1]`);
  }
  const sorted = Float32Array.from(scores).sort();
  const weightFrom = new Float64Array(scores.length + 1);
  if (weights === null) {
    for (let i = 0; i < scores.length; i++) weightFrom[i] = scores.length - i;
    return { scores: sorted, weightFrom };
  }
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b]);
  for (let i = scores.length - 1; i >= 0; i--) weightFrom[i] = weightFrom[i + 1] + weights[order[i]];
  return { scores: sorted, weightFrom };
}

/**
 * @param tieShare in [0, 1]: how much of the rows with the very same score, the new one among them, counts as at least as
 *   unusual. 1 is conservative; a uniform random number makes p uniform for ordinary rows.
 * @returns in [0, 1], small is unusual; NaN for a score that is NaN
 */
export function conformalPValue({ scores, weightFrom }: ConformalReference, score: number, tieShare = 1): number {
  if (Number.isNaN(score)) return Number.NaN;
  const from = weightFrom[firstFrom(scores, (reference) => reference >= score)];
  const above = weightFrom[firstFrom(scores, (reference) => reference > score)];
  return (above + tieShare * (from - above + OWN_WEIGHT)) / (weightFrom[0] + OWN_WEIGHT);
}

/**
 * The least 32-bit score whose p-value is at most `alpha`, ties counted whole: of new rows that are exchangeable with the
 * reference rows, at most `alpha` reach it.
 *
 * @returns null where so small a p-value takes more reference rows
 */
export function conformalThreshold({ scores, weightFrom }: ConformalReference, alpha: number): number | null {
  const most = alpha * (weightFrom[0] + OWN_WEIGHT) - OWN_WEIGHT;
  if (most < 0) return null;
  let above = scores.length;
  while (above > 0 && weightFrom[above - 1] <= most) above--;
  return above === 0 ? Number.NEGATIVE_INFINITY : nextAbove(scores[above - 1]);
}

/** The next greater 32-bit float. */
function nextAbove(value: number): number {
  const float = Float32Array.of(value === 0 ? 0 : value);
  new Int32Array(float.buffer)[0] += value >= 0 ? 1 : -1;
  return float[0];
}

/** Weights that halve with every `halfLifeMs` of age; rows of the future weigh 1. */
export function recencyWeights(timesMs: Float64Array, nowMs: number, halfLifeMs: number): Float64Array {
  if (!(halfLifeMs > 0)) throw new Error(`the half-life is ${halfLifeMs} ms, expected more than 0`);
  // A floor keeps very old rows above 0.
  return timesMs.map((timeMs) => Math.max(Number.MIN_VALUE, 2 ** (-Math.max(0, nowMs - timeMs) / halfLifeMs)));
}

/** The first index from which the condition holds; it holds from there on. */
function firstFrom(scores: Float32Array, holds: (score: number) => boolean): number {
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(scores[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
