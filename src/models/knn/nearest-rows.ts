// The exact k nearest of a few thousand reference rows, without looking at all of them.
//
// The references are sorted by their projection on the axis along which they spread most. Two rows are at least as far
// apart as their projections, so the search goes outwards from the point's own projection and stops on either side where
// the projection alone is farther than the k-th nearest row so far.
import { allRows, momentsOf } from '../linear-algebra/covariance.ts';
import type { Matrix } from '../matrix.ts';

export interface SortedReferences {
  /** Rows × columns, ascending by projection. */
  readonly rows: Float64Array;
  readonly projections: Float64Array;
  /** Unit vector. */
  readonly axis: Float64Array;
}

/** The nearest rows found by the last search. */
export interface NearestRows {
  /** k distances squared, ascending. */
  readonly squares: Float64Array;
  /** Which of the sorted references they belong to. */
  readonly indices: Uint32Array;
}

const POWER_STEPS = 30;
/** Room for rounding in projections, so that no row is passed over that could be nearer. */
const ROUNDING = 1 + 1e-9;

export function sortReferences(matrix: Matrix): SortedReferences {
  const { rows, columns, values } = matrix;
  const axis = widestAxis(matrix);
  const unsorted = Float64Array.from({ length: rows }, (_, row) => projectionOf(values, row * columns, axis));
  const order = Uint32Array.from(unsorted.keys()).sort((a, b) => unsorted[a] - unsorted[b] || a - b);
  const sorted = new Float64Array(rows * columns);
  order.forEach((row, place) => {
    sorted.set(values.subarray(row * columns, (row + 1) * columns), place * columns);
  });
  return { rows: sorted, projections: Float64Array.from(order, (row) => unsorted[row]), axis };
}

/** @returns a search that writes into the same `NearestRows` each time; k at most the number of references */
export function createSearch(references: SortedReferences, k: number): (point: Float64Array) => NearestRows {
  const { rows, projections, axis } = references;
  const columns = axis.length;
  const count = projections.length;
  const squares = new Float64Array(k);
  const indices = new Uint32Array(k);

  function consider(row: number, point: Float64Array): void {
    const square = squaredDistance(rows, row * columns, point, squares[k - 1]);
    if (square >= squares[k - 1]) return;
    let place = k - 1;
    for (; place > 0 && squares[place - 1] > square; place--) {
      squares[place] = squares[place - 1];
      indices[place] = indices[place - 1];
    }
    squares[place] = square;
    indices[place] = row;
  }

  return (point) => {
    squares.fill(Number.POSITIVE_INFINITY);
    const projection = projectionOf(point, 0, axis);
    let above = firstFrom(projections, projection);
    let below = above - 1;
    while (below >= 0 || above < count) {
      const down = below >= 0 ? projection - projections[below] : Number.POSITIVE_INFINITY;
      const up = above < count ? projections[above] - projection : Number.POSITIVE_INFINITY;
      const nearer = Math.min(down, up);
      if (nearer * nearer > squares[k - 1] * ROUNDING) break;
      consider(up < down ? above++ : below--, point);
    }
    return { squares, indices };
  };
}

/** The first principal axis, by the power method (Golub and Van Loan, section 8.2): near is good enough to sort by. */
function widestAxis(matrix: Matrix): Float64Array {
  const { columns } = matrix;
  const { covariance } = momentsOf(matrix, allRows(matrix));
  let axis = new Float64Array(columns).fill(1 / Math.sqrt(columns));
  for (let step = 0; step < POWER_STEPS; step++) {
    const next = new Float64Array(columns);
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < columns; j++) next[i] += covariance[i * columns + j] * axis[j];
    const length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0));
    if (length === 0) break;
    axis = next.map((value) => value / length);
  }
  return axis;
}

function projectionOf(values: Float32Array | Float64Array, from: number, axis: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < axis.length; i++) sum += values[from + i] * axis[i];
  return sum;
}

/** The first place whose projection is at least the given one. */
function firstFrom(projections: Float64Array, projection: number): number {
  let low = 0;
  let high = projections.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (projections[middle] < projection) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Gives up, with a sum that is too great, soon after it exceeds the bound. */
function squaredDistance(rows: Float64Array, from: number, point: Float64Array, bound: number): number {
  const columns = point.length;
  let sum = 0;
  let i = 0;
  for (; i + 4 <= columns; i += 4) {
    const a = point[i] - rows[from + i];
    const b = point[i + 1] - rows[from + i + 1];
    const c = point[i + 2] - rows[from + i + 2];
    const d = point[i + 3] - rows[from + i + 3];
    sum += a * a + b * b + (c * c + d * d);
    if (sum > bound) return sum;
  }
  for (; i < columns; i++) {
    const difference = point[i] - rows[from + i];
    sum += difference * difference;
  }
  return sum;
}
