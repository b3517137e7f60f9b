// Distance to the k-th nearest training row (Ramaswamy, Rastogi, Shim, "Efficient algorithms for mining outliers from
// large data sets", SIGMOD 2000), exact, among a bounded number of reference rows.
//
// The Euclidean distance d = Σ (difference² ÷ d): each feature's share of it is its term.
import { InputError } from '../../lib/errors.ts';
import { createAdditiveDetector } from '../additive/additive-detector.ts';

const MAX_NEIGHBOURS = 1000;

export const knn = createAdditiveDetector({
  name: 'knn',
  /** k, 1–1,000. */
  defaults: { neighbours: 5 },
  // Exact distances cost rows × references × features: ten thousand references keep a row under a millisecond.
  maxRows: 10_000,
  learn({ rows, values }, { neighbours }) {
    if (!Number.isInteger(neighbours) || neighbours < 1 || neighbours > MAX_NEIGHBOURS) {
      throw new InputError(
        'OPTION_INVALID',
        `knn: neighbours is ${neighbours}`,
        `Give a whole number in 1–${MAX_NEIGHBOURS}`,
      );
    }
    return {
      numbers: { references: Float64Array.from(values), neighbours: Float64Array.of(Math.min(neighbours, rows)) },
    };
  },
  prepare({ numbers: { references, neighbours } }, columns) {
    const k = neighbours[0];
    const rows = references.length / columns;
    // The k least distances found, ascending, and whose they are.
    const nearest = new Float64Array(k);
    const nearestRow = new Uint32Array(k);
    return (scaled, terms) => {
      nearest.fill(Number.POSITIVE_INFINITY);
      for (let row = 0; row < rows; row++) {
        const distance = squaredDistance(references, row * columns, scaled, nearest[k - 1]);
        if (distance >= nearest[k - 1]) continue;
        let place = k - 1;
        for (; place > 0 && nearest[place - 1] > distance; place--) {
          nearest[place] = nearest[place - 1];
          nearestRow[place] = nearestRow[place - 1];
        }
        nearest[place] = distance;
        nearestRow[place] = row;
      }
      const distance = Math.sqrt(nearest[k - 1]);
      const from = nearestRow[k - 1] * columns;
      for (let i = 0; i < columns; i++) {
        terms[i] = distance === 0 ? 0 : (scaled[i] - references[from + i]) ** 2 / distance;
      }
    };
  },
});

/** Gives up, with a sum that is too great, once it exceeds the bound. */
function squaredDistance(references: Float64Array, from: number, point: Float64Array, bound: number): number {
  let sum = 0;
  for (let i = 0; i < point.length; i++) {
    const difference = point[i] - references[from + i];
    sum += difference * difference;
    if (sum > bound) return sum;
  }
  return sum;
}
