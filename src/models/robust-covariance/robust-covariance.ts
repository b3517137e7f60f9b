// Mahalanobis distance from the robust centre of the training rows: unusual combinations of values that are each usual.
//
// The squared distance is Σ_i z_i (P z)_i with z the difference from the centre and P the inverse covariance. A term is the
// feature's exact Shapley value against the centre (Mayrhofer and Filzmoser, "Multivariate outlier explanations using
// Shapley values and Mahalanobis distances", Econometrics and Statistics, 2023), and less its mean against the training
// rows; it may be negative where the feature explains the others away.
import { createAdditiveDetector } from '../additive/additive-detector.ts';
import { cholesky, inverseOf } from '../linear-algebra/cholesky.ts';
import { fastMcd } from './fast-mcd.ts';

export const robustCovariance = createAdditiveDetector({
  name: 'robust-covariance',
  defaults: {},
  // The estimate's error is a few parts in a hundred by then, and its cost grows with rows × columns².
  maxRows: 5000,
  learn(scaled, _options, seed) {
    const { mean, covariance } = fastMcd(scaled, seed);
    return { numbers: { mean, precision: inverseOf(cholesky(covariance, scaled.columns)!, scaled.columns) } };
  },
  prepare({ numbers: { mean, precision } }, columns) {
    const z = new Float64Array(columns);
    return (scaled, terms) => {
      for (let i = 0; i < columns; i++) z[i] = scaled[i] - mean[i];
      for (let i = 0; i < columns; i++) terms[i] = z[i] * dotProduct(precision, i * columns, z);
    };
  },
});

/** Four sums side by side, for an addition need not wait for the one before. */
function dotProduct(matrix: Float64Array, from: number, z: Float64Array): number {
  const columns = z.length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let j = 0;
  for (; j + 4 <= columns; j += 4) {
    a += matrix[from + j] * z[j];
    b += matrix[from + j + 1] * z[j + 1];
    c += matrix[from + j + 2] * z[j + 2];
    d += matrix[from + j + 3] * z[j + 3];
  }
  for (; j < columns; j++) a += matrix[from + j] * z[j];
  return a + b + (c + d);
}
