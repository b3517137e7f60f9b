// Distance to the k-th nearest training row (Ramaswamy, Rastogi, Shim, "Efficient algorithms for mining outliers from
// large data sets", SIGMOD 2000), exact, among a bounded number of reference rows.
//
// The Euclidean distance d = Σ (difference² ÷ d): each feature's share of it is its term.
import { InputError } from '../../lib/errors.ts';
import { createAdditiveDetector } from '../additive/additive-detector.ts';
import { createSearch, sortReferences } from './nearest-rows.ts';

const MAX_NEIGHBOURS = 1000;

export const knn = createAdditiveDetector({
  name: 'knn',
  /** k, 1–1,000. */
  defaults: { neighbours: 5 },
  // Ten thousand references keep even a row that is far from all of them under a few milliseconds.
  maxRows: 10_000,
  learn(scaled, { neighbours }) {
    if (!Number.isInteger(neighbours) || neighbours < 1 || neighbours > MAX_NEIGHBOURS) {
      throw new InputError(
        'OPTION_INVALID',
        `knn: neighbours is ${neighbours}`,
        `Give a whole number in 1–${MAX_NEIGHBOURS}`,
      );
    }
    const { rows, projections, axis } = sortReferences(scaled);
    const k = Math.min(neighbours, scaled.rows);
    return { numbers: { references: rows, projections, axis, neighbours: Float64Array.of(k) } };
  },
  prepare({ numbers: { references, projections, axis, neighbours } }, columns) {
    const k = neighbours[0];
    const search = createSearch({ rows: references, projections, axis }, k);
    return (scaled, terms) => {
      const { squares, indices } = search(scaled);
      const distance = Math.sqrt(squares[k - 1]);
      const from = indices[k - 1] * columns;
      for (let i = 0; i < columns; i++) {
        terms[i] = distance === 0 ? 0 : (scaled[i] - references[from + i]) ** 2 / distance;
      }
    };
  },
});
