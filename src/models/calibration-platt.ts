// Platt's calibration: a logistic curve with smoothed targets ("Probabilistic outputs for support vector machines", 1999),
// fitted by Newton's method as in Lin, Lin, Weng, Machine Learning 68, 2007. It does with few frauds.
import { checkRows, logistic, type Scores } from './calibration-rows.ts';

export interface PlattCalibration {
  readonly kind: 'platt';
  readonly version: 1;
  /** The probability is 1 ÷ (1 + exp(−(slope × score + intercept))). */
  readonly slope: number;
  readonly intercept: number;
}

const NEWTON_STEPS = 100;
const CONVERGED = 1e-10;
const LEAST_STEP = 1e-10;
/** Keeps the Hessian invertible where all scores are equal. */
const RIDGE = 1e-12;

/**
 * @param labels 1 fraud, 0 genuine, one per score.
 * @param genuineWeight how many genuine rows each genuine one stands for, where they were sampled.
 * @throws if there are no rows, a score is not finite, or the scores run against the labels (a curve that falls).
 */
export function fitPlatt(scores: Scores, labels: Uint8Array, genuineWeight = 1): PlattCalibration {
  checkRows(scores, labels, genuineWeight);
  const { mean, spread } = standardisation(scores);
  const values = Float64Array.from(scores, (score) => (score - mean) / spread);
  const frauds = labels.reduce((sum, label) => sum + label, 0);
  const genuine = (labels.length - frauds) * genuineWeight;
  const weights = Float64Array.from(labels, (label) => (label === 1 ? 1 : genuineWeight));
  const targets = Float64Array.from(labels, (label) => (label === 1 ? (frauds + 1) / (frauds + 2) : 1 / (genuine + 2)));
  const { slope, intercept } = fitLogistic(values, targets, weights, Math.log((frauds + 1) / (genuine + 1)));
  if (slope < 0) {
    throw new Error(
      'scores fall as fraud rises on the calibration rows: a curve through them would turn the ranking round',
    );
  }
  return { kind: 'platt', version: 1, slope: slope / spread, intercept: intercept - (slope * mean) / spread };
}

function standardisation(scores: Scores): { mean: number; spread: number } {
  let sum = 0;
  for (const score of scores) sum += score;
  const mean = sum / scores.length;
  let squares = 0;
  for (const score of scores) squares += (score - mean) ** 2;
  const spread = Math.sqrt(squares / scores.length);
  return { mean, spread: spread > 0 ? spread : 1 };
}

/** Newton's method with halved steps on the cross-entropy, which is convex. */
function fitLogistic(
  values: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
  start: number,
): { slope: number; intercept: number } {
  let slope = 0;
  let intercept = start;
  let loss = crossEntropy(values, targets, weights, slope, intercept);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const move = newtonMove(values, targets, weights, slope, intercept);
    if (move.decrease < CONVERGED) break;
    let size = 1;
    let next = crossEntropy(values, targets, weights, slope + move.slope, intercept + move.intercept);
    while (next > loss && size > LEAST_STEP) {
      size /= 2;
      next = crossEntropy(values, targets, weights, slope + size * move.slope, intercept + size * move.intercept);
    }
    if (next > loss) break;
    slope += size * move.slope;
    intercept += size * move.intercept;
    loss = next;
  }
  return { slope, intercept };
}

function newtonMove(
  values: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
  slope: number,
  intercept: number,
) {
  let gradientSlope = 0;
  let gradientIntercept = 0;
  let slopeSlope = RIDGE;
  let slopeIntercept = 0;
  let interceptIntercept = RIDGE;
  for (let row = 0; row < values.length; row++) {
    const probability = logistic(slope * values[row] + intercept);
    const error = (probability - targets[row]) * weights[row];
    const curvature = probability * (1 - probability) * weights[row];
    gradientSlope += error * values[row];
    gradientIntercept += error;
    slopeSlope += curvature * values[row] * values[row];
    slopeIntercept += curvature * values[row];
    interceptIntercept += curvature;
  }
  const determinant = slopeSlope * interceptIntercept - slopeIntercept * slopeIntercept;
  const moveSlope = (slopeIntercept * gradientIntercept - interceptIntercept * gradientSlope) / determinant;
  const moveIntercept = (slopeIntercept * gradientSlope - slopeSlope * gradientIntercept) / determinant;
  const decrease = -(gradientSlope * moveSlope + gradientIntercept * moveIntercept);
  return { slope: moveSlope, intercept: moveIntercept, decrease };
}

function crossEntropy(
  values: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
  slope: number,
  intercept: number,
): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) {
    const logit = slope * values[row] + intercept;
    // log(1 + e^z) − t·z, without overflow
    sum += weights[row] * (Math.max(0, logit) + Math.log1p(Math.exp(-Math.abs(logit))) - targets[row] * logit);
  }
  return sum;
}
