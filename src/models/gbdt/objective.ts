// Logistic loss: its starting point, gradients and hessians (Friedman, "Greedy Function Approximation: A Gradient
// Boosting Machine", Annals of Statistics 29, 2001; second order as in Chen and Guestrin, "XGBoost", KDD 2016).
import { MAX_ROWS, PACK, type PackedGradients } from './histogram.ts';

/** e^x = 2^(k/64) · e^r with |r| ≤ ln 2 ÷ 128; ln 2 ÷ 64 in two parts, so that r keeps all its bits. */
const STEPS = 64;
const STEPS_PER_UNIT = STEPS * Math.LOG2E;
const STEP_HIGH = 0.010830424696906538;
const STEP_LOW = Math.LN2 / STEPS - STEP_HIGH;
/** Beyond it a float32 probability is 0 or 1 anyway. */
const MAX_MARGIN = 120;
const MAX_POWER = 200;
const POWERS_OF_TWO = Float64Array.from({ length: 2 * MAX_POWER + 1 }, (_, k) => 2 ** (k - MAX_POWER));
const ROOTS_OF_TWO = Float64Array.from({ length: STEPS }, (_, k) => rootOfTwo(k));

/** 2^(k/64) by square roots, which are exactly rounded on every machine. */
function rootOfTwo(k: number): number {
  let root = 2;
  let product = 1;
  for (let bit = STEPS / 2; bit >= 1; bit /= 2) {
    root = Math.sqrt(root);
    if ((k & bit) !== 0) product *= root;
  }
  return product;
}

/**
 * 1 / (1 + e^−margin), relative error below 1e-12. Only exactly rounded operations: the same bits on every machine, and
 * faster than Math.exp.
 */
export function sigmoid(margin: number): number {
  const x = margin > MAX_MARGIN ? -MAX_MARGIN : margin < -MAX_MARGIN ? MAX_MARGIN : -margin;
  const k = Math.floor(x * STEPS_PER_UNIT + 0.5) | 0;
  const r = x - k * STEP_HIGH - k * STEP_LOW;
  const series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24))));
  return 1 / (1 + series * ROOTS_OF_TWO[k & (STEPS - 1)] * POWERS_OF_TWO[(k >> 6) + MAX_POWER]);
}

/** The log odds of the weighted share of frauds: what a model of no trees answers. */
export function initialMargin({ labels, weights }: Targets): number {
  let positive = 0;
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    total += weights[i];
    if (labels[i] === 1) positive += weights[i];
  }
  return Math.log(positive / (total - positive));
}

/** What is to be learned: one label and one weight per row. */
export interface Targets {
  readonly labels: Uint8Array;
  readonly weights: Float32Array;
}

/** Odd multiplier of Weyl's sequence (2^32 ÷ golden ratio): its multiples spread evenly over [0, 2^32). */
const WEYL = 0x9e3779b1 | 0;
const TWO_TO_MINUS_32 = 1 / 4_294_967_296;

/**
 * Fills `target` with each row's packed gradient and hessian at the given margins.
 * @param probabilities scratch, one per row
 * @param dither any integer; another for each round
 * @returns false if no row has a hessian left, so that there is nothing to learn
 */
export function computeGradients(
  margins: Float64Array,
  targets: Targets,
  probabilities: Float64Array,
  dither: number,
  target: PackedGradients,
): boolean {
  for (let i = 0; i < margins.length; i++) probabilities[i] = sigmoid(margins[i]);
  const { gradientSize, hessianSum } = sizeOf(probabilities, targets);
  if (!(hessianSum > 0)) return false;
  // Rounding adds at most one unit per row to a sum.
  const budget = PACK - 2 - Math.min(margins.length, MAX_ROWS);
  target.gradientUnit = gradientSize / budget;
  target.hessianUnit = hessianSum / budget;
  target.rowHessian = pack(probabilities, targets, budget / gradientSize, budget / hessianSum, dither, target.packed);
  return true;
}

/** Σ |gradient| and Σ hessian, which bound the sums over any node. */
function sizeOf(probabilities: Float64Array, { labels, weights }: Targets) {
  let gradientSize = 0;
  let hessianSum = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i];
    gradientSize += weights[i] * Math.abs(p - labels[i]);
    hessianSum += weights[i] * p * (1 - p);
  }
  return { gradientSize, hessianSum };
}

/** Returns the greatest hessian of a row, in units. */
function pack(
  probabilities: Float64Array,
  { labels, weights }: Targets,
  perGradient: number,
  perHessian: number,
  dither: number,
  packed: Float64Array,
): number {
  let greatest = 1;
  let state = dither | 0;
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i];
    const weight = weights[i];
    state = (state + WEYL) | 0;
    const noise = state * TWO_TO_MINUS_32 + 0.5;
    const gradient = Math.floor(weight * (p - labels[i]) * perGradient + noise);
    const hessian = Math.floor(weight * p * (1 - p) * perHessian + 1 - noise);
    greatest = Math.max(greatest, hessian);
    // At least one unit, so that an empty cell of a histogram is one without rows.
    packed[i] = gradient * PACK + Math.max(1, hessian);
  }
  return greatest;
}

/** Mean weighted −log likelihood, in nats. */
export function logLoss(margins: Float64Array, labels: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const against = labels[i] === 1 ? -margins[i] : margins[i];
    sum += against > 0 ? against + Math.log1p(Math.exp(-against)) : Math.log1p(Math.exp(against));
  }
  return sum / labels.length;
}

/** Σ (recall step × precision) over distinct margins, ties taken together; 0 without positives. */
export function averagePrecision(margins: Float64Array, labels: Uint8Array): number {
  const order = Uint32Array.from(margins, (_, i) => i).sort((a, b) => margins[b] - margins[a]);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i];
  let found = 0;
  let sum = 0;
  for (let at = 0; at < order.length; ) {
    const margin = margins[order[at]];
    let hits = 0;
    while (at < order.length && margins[order[at]] === margin) hits += labels[order[at++]];
    found += hits;
    sum += hits * (found / at);
  }
  return positives === 0 ? 0 : sum / positives;
}
