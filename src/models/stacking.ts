// Combines detectors' outputs into one calibrated probability: logistic regression with weights that are never negative.
//
// Stacked generalisation (Wolpert 1992) on rows later than those the detectors were fitted on. A negative weight would
// mean that a detector's alarm makes fraud less likely, which no analyst could be told, so such an input is left out.

export interface Stacking {
  readonly bias: number;
  /** One per input, ≥ 0. */
  readonly weights: readonly number[];
}

export interface StackingRows {
  /** One array per input, each one number per row (log-odds or another additive unit). */
  readonly inputs: readonly Float64Array[];
  readonly labels: Uint8Array;
  /** How many rows each row stands for (genuine rows are sampled). */
  readonly weights: Float64Array;
}

const ITERATIONS = 30;
const TOLERANCE = 1e-9;
/** A weak pull to zero keeps the weights finite when the classes separate. */
const RIDGE = 1e-3;

/** Fits by Newton's method, dropping inputs whose weight comes out negative. */
export function fitStacking(rows: StackingRows): Stacking {
  let active = rows.inputs.map((_, index) => index);
  for (;;) {
    const solution = fitLogistic(rows, active);
    const positive = active.filter((_, index) => solution[index + 1] > 0);
    if (positive.length === active.length) {
      const weights = rows.inputs.map((_, index) => (active.includes(index) ? solution[active.indexOf(index) + 1] : 0));
      return { bias: solution[0], weights };
    }
    active = positive;
  }
}

/** Log-odds of one row. */
export function stackedLogOdds({ bias, weights }: Stacking, inputs: ArrayLike<number>): number {
  let sum = bias;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * inputs[i];
  return sum;
}

export function probabilityOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

function fitLogistic({ inputs, labels, weights }: StackingRows, active: readonly number[]): Float64Array {
  const size = active.length + 1;
  const solution = new Float64Array(size);
  const x = new Float64Array(size);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gradient = new Float64Array(size);
    const hessian = new Float64Array(size * size);
    for (let row = 0; row < labels.length; row++) {
      x[0] = 1;
      for (let j = 1; j < size; j++) x[j] = inputs[active[j - 1]][row];
      let logOdds = 0;
      for (let j = 0; j < size; j++) logOdds += solution[j] * x[j];
      const p = probabilityOf(logOdds);
      const error = (p - labels[row]) * weights[row];
      const curvature = Math.max(p * (1 - p), 1e-12) * weights[row];
      for (let j = 0; j < size; j++) {
        gradient[j] += error * x[j];
        for (let k = 0; k <= j; k++) hessian[j * size + k] += curvature * x[j] * x[k];
      }
    }
    for (let j = 0; j < size; j++) {
      if (j > 0) gradient[j] += RIDGE * solution[j];
      hessian[j * size + j] += j > 0 ? RIDGE : 1e-9;
      for (let k = 0; k < j; k++) hessian[k * size + j] = hessian[j * size + k];
    }
    const step = solveSymmetric(hessian, gradient);
    let largest = 0;
    for (let j = 0; j < size; j++) {
      // A bounded step keeps Newton's method from overshooting on nearly separable rows.
      const change = Math.max(-4, Math.min(4, step[j]));
      solution[j] -= change;
      largest = Math.max(largest, Math.abs(change));
    }
    if (largest < TOLERANCE) break;
  }
  return solution;
}

/** Solves a small symmetric positive definite system by Cholesky decomposition. */
function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j];
      for (let k = 0; k < j; k++) sum -= lower[i * size + k] * lower[j * size + k];
      lower[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[j * size + j];
    }
  }
  const solution = Float64Array.from(right);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i] -= lower[i * size + k] * solution[k];
    solution[i] /= lower[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) solution[i] -= lower[k * size + i] * solution[k];
    solution[i] /= lower[i * size + i];
  }
  return solution;
}
