// k-means: centres such that rows are near the centre of their own cluster (Lloyd, IEEE Transactions on Information Theory
// 28, 1982), from starts that are spread out (Arthur and Vassilvitskii, "k-means++", SODA 2007).
import type { Prng } from '../../lib/prng.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';

export interface Clusters {
  /** clusters × columns */
  readonly centres: Matrix;
  /** Per row, the number of its centre, counted from 0. */
  readonly assignment: Uint32Array;
  /** Σ of the rows' squared distances from their centres. */
  readonly inertia: number;
}

const STARTS = 4;
const MAX_ROUNDS = 100;

/** The best of several starts. @param count clusters, 1 … rows; one without rows stays where it was */
export function kMeans(matrix: Matrix, count: number, prng: Prng): Clusters {
  let best: Clusters | null = null;
  for (let start = 0; start < STARTS; start++) {
    const found = improved(matrix, spreadRows(matrix, count, prng.fork(start)));
    if (best === null || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** Each row's nearest centre; the first of equal ones. */
export function nearestCentres(matrix: Matrix, centres: Matrix): { assignment: Uint32Array; squared: Float64Array } {
  const assignment = new Uint32Array(matrix.rows);
  const squared = new Float64Array(matrix.rows).fill(Number.POSITIVE_INFINITY);
  for (let row = 0; row < matrix.rows; row++) {
    for (let centre = 0; centre < centres.rows; centre++) {
      const distance = squaredDistance(matrix, row, centres, centre);
      if (distance >= squared[row]) continue;
      squared[row] = distance;
      assignment[row] = centre;
    }
  }
  return { assignment, squared };
}

export function squaredDistance(a: Matrix, rowOfA: number, b: Matrix, rowOfB: number): number {
  let sum = 0;
  const fromA = rowOfA * a.columns;
  const fromB = rowOfB * b.columns;
  for (let column = 0; column < a.columns; column++) {
    const difference = a.values[fromA + column] - b.values[fromB + column];
    sum += difference * difference;
  }
  return sum;
}

function improved(matrix: Matrix, start: Matrix): Clusters {
  let centres = start;
  let { assignment, squared } = nearestCentres(matrix, centres);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    centres = meansOf(matrix, assignment, centres);
    const before = assignment;
    ({ assignment, squared } = nearestCentres(matrix, centres));
    if (assignment.every((centre, row) => centre === before[row])) break;
  }
  return { centres, assignment, inertia: squared.reduce((sum, distance) => sum + distance, 0) };
}

function meansOf(matrix: Matrix, assignment: Uint32Array, before: Matrix): Matrix {
  const sums = new Float64Array(before.values.length);
  const rows = new Uint32Array(before.rows);
  for (let row = 0; row < matrix.rows; row++) {
    const from = row * matrix.columns;
    const to = assignment[row] * matrix.columns;
    rows[assignment[row]] += 1;
    for (let column = 0; column < matrix.columns; column++) sums[to + column] += matrix.values[from + column];
  }
  const values = Float32Array.from(sums, (sum, at) => {
    const members = rows[Math.floor(at / matrix.columns)];
    return members === 0 ? before.values[at] : sum / members;
  });
  return { ...before, values };
}

/** Rows drawn one after the other, each with a chance that grows with its squared distance from those before. */
function spreadRows(matrix: Matrix, count: number, prng: Prng): Matrix {
  const chosen = createMatrix(count, matrix.columns);
  let nearest = new Float64Array(matrix.rows).fill(1);
  for (let centre = 0; centre < count; centre++) {
    const row = drawnBy(nearest, prng.nextFloat());
    chosen.values.set(rowOf(matrix, row), centre * matrix.columns);
    const so = { ...chosen, rows: centre + 1 };
    nearest = nearestCentres(matrix, so).squared as Float64Array<ArrayBuffer>;
  }
  return chosen;
}

/** @param place where to stop on the way through all weights, in [0, 1) */
function drawnBy(weights: Float64Array, place: number): number {
  let left = place * weights.reduce((sum, weight) => sum + weight, 0);
  for (let row = 0; row < weights.length; row++) {
    left -= weights[row];
    if (left < 0) return row;
  }
  return Math.floor(place * weights.length);
}
