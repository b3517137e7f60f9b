// The activations as functions of one number, for the scorer, explanations and tests. Definitions are Keras 3's.
import type { ActivationName } from './description.ts';

/** Keras's slope of leaky ReLU below zero, as float32 has it. */
export const LEAKY_SLOPE = Math.fround(0.3);

/** Klambauer and others, "Self-normalizing neural networks", NeurIPS 2017. */
const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

export const ACTIVATIONS: Readonly<Record<ActivationName, (x: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  'leaky-relu': (x) => (x > 0 ? x : LEAKY_SLOPE * x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  swish: (x) => x * sigmoid(x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sigmoid,
  tanh: Math.tanh,
};

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The error function to 1.2e-7: Abramowitz and Stegun's Chebyshev fit, as in Numerical Recipes, section 6.2. */
export function erf(x: number): number {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  let sum = 0.17087277;
  for (const coefficient of ERF_COEFFICIENTS) sum = sum * t + coefficient;
  const tail = t * Math.exp(-x * x + sum);
  return x >= 0 ? 1 - tail : tail - 1;
}

const ERF_COEFFICIENTS = [
  -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223,
];
