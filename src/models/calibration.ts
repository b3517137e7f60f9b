// Scores to probabilities, fitted on rows that come after those the detector learned from.
//
// Four curves, from the stiffest to the most flexible: the scores as they are, where they are probabilities already;
// Platt's logistic (two numbers), beta (three), isotonic (as many steps as the rows ask for). Which one serves is decided
// on later rows (`chooseCalibration`).
import { type BetaCalibration, betaProbability, fitBeta } from './calibration-beta.ts';
import { fitIsotonic, type IsotonicCalibration, interpolate } from './calibration-isotonic.ts';
import { fitPlatt, type PlattCalibration } from './calibration-platt.ts';
import { checkRows, logistic, type Scores } from './calibration-rows.ts';

export { fitBeta, fitIsotonic, fitPlatt };

/** The scores are probabilities that no curve improves on. */
export interface AsIsCalibration {
  readonly kind: 'as-is';
  readonly version: 1;
}

export const AS_IS: AsIsCalibration = { kind: 'as-is', version: 1 };

/** Plain data: it can be written as JSON as it is. */
export type Calibration = AsIsCalibration | IsotonicCalibration | PlattCalibration | BetaCalibration;

export interface CalibrationChoice {
  readonly calibration: Calibration;
  /** Mean log loss on the later rows, in nats, by kind; null for a curve that these rows do not allow. */
  readonly logLoss: Readonly<Record<Calibration['kind'], number | null>>;
}

/** Share of the rows, at the end, that the curves are compared on. */
const COMPARED_SHARE = 0.3;
/** A probability of exactly 0 or 1 would make one row's loss infinite. */
const LEAST_PROBABILITY = 1e-6;

/** From the fewest parameters to the most. */
const CURVES = [
  ['as-is', takeAsIs],
  ['platt', fitPlatt],
  ['beta', fitBeta],
  ['isotonic', fitIsotonic],
] as const;

/**
 * Fits each curve on the earlier rows and takes the stiffest whose log loss on the later ones is within one standard error
 * of the best one's (the rule of Breiman and others, CART, 1984); it is then fitted on all rows.
 *
 * @param scores in the order of time.
 * @param labels 1 fraud, 0 genuine, one per score.
 * @param genuineWeight how many genuine rows each genuine one stands for, where they were sampled.
 * @param rising leaves out isotonic, whose steps give rows with different scores the same probability.
 * @throws if there are fewer than 2 rows or a score is not finite.
 */
export function chooseCalibration(
  scores: Scores,
  labels: Uint8Array,
  genuineWeight = 1,
  rising = false,
): CalibrationChoice {
  checkRows(scores, labels, genuineWeight);
  const cut = Math.round(scores.length * (1 - COMPARED_SHARE));
  if (cut < 1 || cut >= scores.length) throw new Error('at least 2 rows are needed to compare calibrations');
  const later = { scores: scores.subarray(cut), labels: labels.subarray(cut) };
  const onAll = CURVES.map(([kind, fitCurve]) =>
    rising && kind === 'isotonic' ? null : attempt(() => fitCurve(scores, labels, genuineWeight)),
  );
  const losses = CURVES.map(([, fitCurve], index) => {
    if (onAll[index] === null) return null;
    const earlier = attempt(() => fitCurve(scores.subarray(0, cut), labels.subarray(0, cut), genuineWeight));
    return earlier === null ? null : rowLosses(calibrate(earlier, later.scores), later.labels);
  });
  const weights = Float64Array.from(later.labels, (label) => (label === 1 ? 1 : genuineWeight));
  const means = losses.map((each) => (each === null ? Number.POSITIVE_INFINITY : weightedMean(each, weights)));
  const best = means.indexOf(Math.min(...means));
  const chosen = losses.findIndex((each, index) => {
    if (each === null) return false;
    const excess = means[index] - means[best];
    return excess <= standardErrorOfDifference(each, losses[best]!, weights, excess);
  });
  const logLossOf = (index: number) => (losses[index] === null ? null : means[index]);
  return {
    calibration: onAll[chosen]!,
    logLoss: { 'as-is': logLossOf(0), platt: logLossOf(1), beta: logLossOf(2), isotonic: logLossOf(3) },
  };
}

function takeAsIs(scores: Scores): AsIsCalibration {
  const bad = scores.findIndex((score: number) => score < 0 || score > 1);
  if (bad >= 0) throw new Error(`score of row ${bad} is ${scores[bad]}: it is no probability`);
  return AS_IS;
}

/** A curve can refuse rows: a logistic one falling scores, a beta one and none at all scores beyond [0, 1]. */
function attempt(curve: () => Calibration): Calibration | null {
  try {
    return curve();
  } catch {
    return null;
  }
}

function rowLosses(probabilities: Float32Array, labels: Uint8Array): Float64Array {
  return Float64Array.from(labels, (label, row) => {
    const right = label === 1 ? probabilities[row] : 1 - probabilities[row];
    return -Math.log(Math.max(LEAST_PROBABILITY, right));
  });
}

function weightedMean(values: Float64Array, weights: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    sum += weights[row] * values[row];
    total += weights[row];
  }
  return sum / total;
}

/** Of the weighted mean of the paired differences. */
function standardErrorOfDifference(a: Float64Array, b: Float64Array, weights: Float64Array, mean: number): number {
  let squares = 0;
  let total = 0;
  for (let row = 0; row < a.length; row++) {
    squares += (weights[row] * (a[row] - b[row] - mean)) ** 2;
    total += weights[row];
  }
  return Math.sqrt(squares) / total;
}

/** One probability per score: monotone, in [0, 1]. A missing score has a missing probability. */
export function calibrate(calibration: Calibration, scores: Scores): Float32Array {
  if (calibration.kind === 'as-is') return Float32Array.from(scores);
  if (calibration.kind === 'isotonic') {
    const { scores: knots, probabilities } = calibration;
    return Float32Array.from(scores, (score) => interpolate(knots, probabilities, score));
  }
  if (calibration.kind === 'beta') return Float32Array.from(scores, (score) => betaProbability(calibration, score));
  return Float32Array.from(scores, (score) => logistic(calibration.slope * score + calibration.intercept));
}

/** @throws if the data, as parsed from JSON, is no calibration; the message says why. */
export function readCalibration(data: unknown): Calibration {
  const given = data as Partial<Calibration> | null;
  if (typeof given !== 'object' || given === null) throw invalid('it is no object');
  if (given.version !== 1) throw invalid(`its version is ${String(given.version)}, this program reads 1`);
  if (given.kind === 'as-is') return AS_IS;
  if (given.kind === 'platt') {
    if (!Number.isFinite(given.slope) || !Number.isFinite(given.intercept))
      throw invalid('slope or intercept is no number');
    return given as Calibration;
  }
  if (given.kind === 'beta') {
    const { a, b, c } = given;
    if (![a, b, c].every(Number.isFinite)) throw invalid('a, b or c is no number');
    if (a! < 0 || b! < 0) throw invalid('a or b is negative');
    return given as Calibration;
  }
  if (given.kind !== 'isotonic') throw invalid(`its kind is "${String((given as { kind?: unknown }).kind)}"`);
  checkKnots(given.scores, given.probabilities);
  return given as Calibration;
}

function checkKnots(scores: unknown, probabilities: unknown): void {
  if (!isNumbers(scores) || !isNumbers(probabilities)) throw invalid('scores or probabilities are no numbers');
  if (scores.length === 0 || scores.length !== probabilities.length)
    throw invalid('scores and probabilities differ in number');
  for (let i = 0; i < scores.length; i++) {
    if (probabilities[i] < 0 || probabilities[i] > 1) throw invalid(`probability ${i} is ${probabilities[i]}`);
    if (i > 0 && (scores[i] <= scores[i - 1] || probabilities[i] < probabilities[i - 1])) {
      throw invalid(`its steps do not ascend at ${i}`);
    }
  }
}

function isNumbers(values: unknown): values is readonly number[] {
  return Array.isArray(values) && values.every((value) => Number.isFinite(value));
}

function invalid(what: string): Error {
  return new Error(`calibration can't be read: ${what}; fit it again`);
}
