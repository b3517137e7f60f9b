// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi rotations (Golub and Van Loan, "Matrix computations",
// 4th edition, section 8.5): slow for thousands of columns, exact and short for hundreds.

export interface SymmetricEigen {
  /** Descending. */
  readonly values: Float64Array;
  /** size × size, row-major: row j is the unit vector of value j, its greatest component positive. */
  readonly vectors: Float64Array;
}

const MAX_SWEEPS = 60;
/** Off-diagonal mass, relative to the whole, that counts as none. */
const CONVERGED = 1e-22;

/** @param matrix size × size, symmetric, row-major; left as it was. */
export function symmetricEigen(matrix: Float64Array, size: number): SymmetricEigen {
  const a = matrix.slice();
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  const total = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(a, size) > CONVERGED * total; sweep++) {
    for (let p = 0; p < size - 1; p++) for (let q = p + 1; q < size; q++) rotate(a, v, size, p, q);
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j] - a[i * size + i] || i - j);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => {
    let greatest = 0;
    for (let i = 0; i < size; i++) {
      const component = v[i * size + from];
      if (Math.abs(component) > Math.abs(greatest)) greatest = component;
    }
    for (let i = 0; i < size; i++) vectors[to * size + i] = v[i * size + from] * (greatest < 0 ? -1 : 1);
  });
  return { values: Float64Array.from(order, (i) => a[i * size + i]), vectors };
}

function offDiagonal(a: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) if (i !== j) sum += a[i * size + j] ** 2;
  return sum;
}

/** Makes element (p, q) zero. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q];
  if (apq === 0) return;
  const theta = (a[q * size + q] - a[p * size + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < size; i++) {
    const aip = a[i * size + p];
    const aiq = a[i * size + q];
    a[i * size + p] = c * aip - s * aiq;
    a[i * size + q] = s * aip + c * aiq;
  }
  for (let i = 0; i < size; i++) {
    const api = a[p * size + i];
    const aqi = a[q * size + i];
    a[p * size + i] = c * api - s * aqi;
    a[q * size + i] = s * api + c * aqi;
    const vip = v[i * size + p];
    const viq = v[i * size + q];
    v[i * size + p] = c * vip - s * viq;
    v[i * size + q] = s * vip + c * viq;
  }
}
