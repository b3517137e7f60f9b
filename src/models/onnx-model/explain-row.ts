// Splits a row's raw score among its features where nothing is known of the model inside: Shapley values against ordinary
// rows, by permutations.
//
// Features are switched from an ordinary row's values to the row's in a random order, and each gets the change that it
// made; the mean over several orders, each also backwards, estimates its Shapley value without bias (Castro, Gómez, Tejada,
// "Polynomial calculation of the Shapley value based on sampling", Computers & Operations Research 36, 2009). Each order
// starts from another ordinary row, so that what is one row's peculiarity is no reason. The changes of an order add up to
// the whole difference, so the contributions do too. The orders are fixed: the same row, the same reasons.
import { createPrng } from '../../lib/prng.ts';
import type { Explanation } from '../detector.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';

const ORDERS = 8;
const SEED = 20_090_501;

/** @param scoresOf the raw scores of feature rows @param ordinary at least one row */
export function explainRow(
  scoresOf: (matrix: Matrix) => Float64Array,
  ordinary: Matrix,
  row: Float32Array,
): Explanation {
  const columns = row.length;
  const orders = drawOrders(columns);
  const matrix = createMatrix(orders.length * (columns + 1), columns);
  orders.forEach((order, o) => {
    const current = rowOf(ordinary, o % ordinary.rows).slice();
    rowOf(matrix, o * (columns + 1)).set(current);
    order.forEach((column, step) => {
      current[column] = row[column];
      rowOf(matrix, o * (columns + 1) + step + 1).set(current);
    });
  });
  const scores = scoresOf(matrix);
  const contributions = new Float64Array(columns);
  let base = 0;
  orders.forEach((order, o) => {
    base += scores[o * (columns + 1)] / orders.length;
    order.forEach((column, step) => {
      const at = o * (columns + 1) + step;
      contributions[column] += (scores[at + 1] - scores[at]) / orders.length;
    });
  });
  return { base, contributions };
}

function drawOrders(columns: number): Uint32Array[] {
  const prng = createPrng(SEED);
  return Array.from({ length: ORDERS / 2 }, () => {
    const order = Uint32Array.from({ length: columns }, (_, i) => i);
    for (let i = columns - 1; i > 0; i--) {
      const j = prng.nextBelow(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return [order, order.toReversed()];
  }).flat();
}
