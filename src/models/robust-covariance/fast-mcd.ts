// The minimum covariance determinant: mean and covariance of the half of the rows that lies closest together, so that
// anomalies among the training rows do not widen what counts as ordinary (Rousseeuw and Van Driessen, "A fast algorithm
// for the minimum covariance determinant estimator", Technometrics 41, 1999).
import { createPrng, type Prng } from '../../lib/prng.ts';
import { cholesky, logDeterminant, squaredNorm } from '../linear-algebra/cholesky.ts';
import { allRows, type Moments, momentsOf } from '../linear-algebra/covariance.ts';
import { type Matrix, takeRows } from '../matrix.ts';

const STARTS = 20;
const KEPT_STARTS = 5;
const START_STEPS = 2;
const MAX_STEPS = 30;
/** Starts are compared on at most this many rows. */
const START_ROWS = 600;
/** z of the 97.5 % quantile, up to which rows count in the final, reweighted estimate. */
const Z_OF_ORDINARY = 1.959964;
/**
 * Share of the plain variances mixed in. A flag that is 0 in the closest half has no variance there, and a row that sets
 * it would be infinitely far; and the mixture keeps the matrix invertible.
 */
const SHRINKAGE = 0.001;

interface Candidate {
  readonly moments: Moments;
  readonly logDeterminant: number;
}

/** @param matrix at least two rows, every column varying */
export function fastMcd(matrix: Matrix, seed: number): Moments {
  const prng = createPrng(seed);
  const plain = momentsOf(matrix, allRows(matrix));
  const start = matrix.rows <= START_ROWS ? matrix : takeRows(matrix, drawRows(matrix.rows, START_ROWS, prng));
  const candidates: Candidate[] = [];
  for (let i = 0; i < STARTS; i++) {
    const first = drawRows(start.rows, Math.min(start.rows, matrix.columns + 1), prng);
    candidates.push(concentrate(start, momentsOf(start, first), plain, START_STEPS));
  }
  candidates.sort((a, b) => a.logDeterminant - b.logDeterminant);
  let best: Candidate | null = null;
  for (const { moments } of candidates.slice(0, KEPT_STARTS)) {
    const refined = concentrate(start, moments, plain, MAX_STEPS);
    if (best === null || refined.logDeterminant < best.logDeterminant) best = refined;
  }
  const { moments } = concentrate(matrix, best!.moments, plain, MAX_STEPS);
  return reweighted(matrix, moments, plain);
}

/** C-steps: the rows closest to the estimate give the next one, whose determinant is never greater. */
function concentrate(matrix: Matrix, from: Moments, plain: Moments, steps: number): Candidate {
  const count = Math.min(matrix.rows, (matrix.rows + matrix.columns + 1) >>> 1);
  let moments = from;
  let determinant = Number.POSITIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    const distances = squaredDistances(matrix, moments, plain);
    const next = momentsOf(matrix, closestRows(distances, count));
    const lower = factor(next, plain, matrix.columns);
    const now = logDeterminant(lower, matrix.columns);
    moments = next;
    if (!(now < determinant - 1e-9)) break;
    determinant = now;
  }
  return { moments, logDeterminant: determinant };
}

/** One step of reweighting makes the estimate efficient: all rows that are not far count. */
function reweighted(matrix: Matrix, moments: Moments, plain: Moments): Moments {
  const { columns } = matrix;
  const distances = squaredDistances(matrix, moments, plain);
  const median = distances.slice().sort()[distances.length >> 1];
  // The closest half is too narrow by the same factor in all directions: its median tells by how much.
  const factorOfHalf = median > 0 ? median / chiSquaredQuantile(columns, 0) : 1;
  const limit = factorOfHalf * chiSquaredQuantile(columns, Z_OF_ORDINARY);
  const ordinary = allRows(matrix).filter((row) => distances[row] <= limit);
  const final = ordinary.length > columns ? momentsOf(matrix, ordinary) : moments;
  return { mean: final.mean, covariance: shrunk(final, plain, columns) };
}

function squaredDistances(matrix: Matrix, moments: Moments, plain: Moments): Float64Array {
  const { rows, columns, values } = matrix;
  const lower = factor(moments, plain, columns);
  const centred = new Float64Array(columns);
  const work = new Float64Array(columns);
  const distances = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) centred[i] = values[row * columns + i] - moments.mean[i];
    distances[row] = squaredNorm(lower, columns, centred, work);
  }
  return distances;
}

function shrunk({ covariance }: Moments, plain: Moments, columns: number): Float64Array {
  const mixed = covariance.map((value) => (1 - SHRINKAGE) * value);
  for (let i = 0; i < columns; i++) mixed[i * columns + i] += SHRINKAGE * plain.covariance[i * columns + i];
  return mixed;
}

function factor(moments: Moments, plain: Moments, columns: number): Float64Array {
  const lower = cholesky(shrunk(moments, plain, columns), columns);
  if (lower === null) throw new Error('robust-covariance: the covariance has no inverse although variances were added');
  return lower;
}

/** The rows with the least distances; of equal ones the earlier. */
function closestRows(distances: Float64Array, count: number): Uint32Array {
  const order = Uint32Array.from(distances.keys());
  return order.sort((a, b) => distances[a] - distances[b] || a - b).subarray(0, count);
}

/** Distinct rows. */
function drawRows(rows: number, count: number, prng: Prng): Uint32Array {
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let i = 0; i < count; i++) {
    const other = i + prng.nextBelow(rows - i);
    const row = all[i];
    all[i] = all[other];
    all[other] = row;
  }
  return all.slice(0, count);
}

/** Wilson and Hilferty's approximation (1931). @param z the normal quantile of the same probability */
function chiSquaredQuantile(degrees: number, z: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + z * Math.sqrt(spread)) ** 3;
}
