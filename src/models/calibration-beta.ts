// Beta calibration: Kull, Silva Filho, Flach, "Beta calibration: a well-founded and easily implemented improvement on
// logistic calibration for binary classifiers", AISTATS 2017. For scores in [0, 1] that are skewed towards 0 or 1, as
// those of rare fraud are; the identity is one of its curves, so a calibrated score can stay as it is.
import { checkRows, logistic, type Scores } from './calibration-rows.ts';
import { fitStacking } from './stacking.ts';

export interface BetaCalibration {
  readonly kind: 'beta';
  readonly version: 1;
  /** The log-odds are a × ln s − b × ln(1 − s) + c; a and b are never negative, so the curve never falls. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Scores are kept this far from 0 and 1, where a logarithm has no value. */
export const LEAST_SCORE = 1e-6;

/**
 * @param labels 1 fraud, 0 genuine, one per score.
 * @param genuineWeight how many genuine rows each genuine one stands for, where they were sampled.
 * @throws if there are no rows, or a score is not a number in [0, 1].
 */
export function fitBeta(scores: Scores, labels: Uint8Array, genuineWeight = 1): BetaCalibration {
  checkRows(scores, labels, genuineWeight);
  const bad = scores.findIndex((score: number) => score < 0 || score > 1);
  if (bad >= 0) throw new Error(`score of row ${bad} is ${scores[bad]}: beta calibration needs scores in [0, 1]`);
  const { bias, weights } = fitStacking({
    inputs: [
      Float64Array.from(scores, (score) => Math.log(inside(score))),
      Float64Array.from(scores, (score) => -Math.log1p(-inside(score))),
    ],
    labels,
    weights: Float64Array.from(labels, (label) => (label === 1 ? 1 : genuineWeight)),
  });
  return { kind: 'beta', version: 1, a: weights[0], b: weights[1], c: bias };
}

export function betaProbability({ a, b, c }: BetaCalibration, score: number): number {
  const kept = inside(score);
  return logistic(a * Math.log(kept) - b * Math.log1p(-kept) + c);
}

function inside(score: number): number {
  return Math.max(LEAST_SCORE, Math.min(1 - LEAST_SCORE, score));
}
