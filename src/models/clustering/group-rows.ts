// Rows in a few groups of like ones, where there are such groups: as many as part the rows best.
//
// Every number of clusters up to a limit is tried, and the one with the greatest mean silhouette taken (Rousseeuw,
// Journal of Computational and Applied Mathematics 20, 1987): how much nearer a row is to its own cluster than to the
// next. Where even that is small there are no groups to speak of.
import { createPrng } from '../../lib/prng.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { kMeans, nearestCentres, squaredDistance } from './k-means.ts';

export interface GroupingOptions {
  readonly mostGroups: number;
  readonly seed: number;
}

/** The groups are found on at most this many evenly spaced rows, and the others put to the nearest. */
const MAX_ROWS = 1000;
/** Rousseeuw's and Kaufman's reading: below it the structure is no more than what chance gives. */
const LEAST_SILHOUETTE = 0.25;

/** Each row's group, counted from 0; null where the rows do not fall into groups. */
export function groupRows(matrix: Matrix, { mostGroups, seed }: GroupingOptions): Uint32Array | null {
  const count = Math.min(matrix.rows, MAX_ROWS);
  const rows = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * matrix.rows) / count));
  const sample = takeRows(matrix, rows);
  const distances = distancesBetween(sample);
  const prng = createPrng(seed);
  let best = { silhouette: LEAST_SILHOUETTE, centres: null as Matrix | null };
  for (let groups = 2; groups <= Math.min(mostGroups, count - 1); groups++) {
    const { centres, assignment } = kMeans(sample, groups, prng.fork(groups));
    const silhouette = meanSilhouette(distances, assignment, groups);
    if (silhouette > best.silhouette) best = { silhouette, centres };
  }
  return best.centres === null ? null : nearestCentres(matrix, best.centres).assignment;
}

/** rows × rows */
function distancesBetween(matrix: Matrix): Float32Array {
  const { rows } = matrix;
  const distances = new Float32Array(rows * rows);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < a; b++) {
      const distance = Math.sqrt(squaredDistance(matrix, a, matrix, b));
      distances[a * rows + b] = distance;
      distances[b * rows + a] = distance;
    }
  }
  return distances;
}

/** In [−1, 1]; a row alone in its cluster counts as 0. */
export function meanSilhouette(distances: Float32Array, assignment: Uint32Array, groups: number): number {
  const rows = assignment.length;
  const sizes = new Uint32Array(groups);
  for (const group of assignment) sizes[group] += 1;
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const sums = new Float64Array(groups);
    for (let other = 0; other < rows; other++) sums[assignment[other]] += distances[row * rows + other];
    const own = assignment[row];
    if (sizes[own] < 2) continue;
    const within = sums[own] / (sizes[own] - 1);
    let nearest = Number.POSITIVE_INFINITY;
    for (let group = 0; group < groups; group++) {
      if (group !== own && sizes[group] > 0) nearest = Math.min(nearest, sums[group] / sizes[group]);
    }
    if (nearest === Number.POSITIVE_INFINITY) continue;
    const greater = Math.max(within, nearest);
    if (greater > 0) total += (nearest - within) / greater;
  }
  return total / rows;
}
