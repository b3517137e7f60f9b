// Splits a row's logit among its features: Shapley values against one reference row, by permutations.
//
// Features are switched from the reference's values to the row's in a random order, and each gets the change that it
// made; the mean over several orders, each also backwards, estimates its Shapley value without bias (Castro, Gómez, Tejada,
// "Polynomial calculation of the Shapley value based on sampling", Computers & Operations Research 36, 2009). The changes
// of an order add up to the whole difference, so the contributions do too. The orders are fixed: the same row, the same reasons.
import { createPrng } from '../../lib/prng.ts';
import type { Explanation } from '../detector.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';

const ORDERS = 8;
const SEED = 20_090_501;

/** @param logitsOf the raw scores of feature rows @param reference an ordinary row */
export function explainRow(
  logitsOf: (matrix: Matrix) => Float64Array,
  reference: Float32Array,
  row: Float32Array,
): Explanation {
  const columns = row.length;
  const orders = drawOrders(columns);
  const matrix = createMatrix(orders.length * (columns + 1), columns);
  orders.forEach((order, o) => {
    const current = reference.slice();
    rowOf(matrix, o * (columns + 1)).set(current);
    order.forEach((column, step) => {
      current[column] = row[column];
      rowOf(matrix, o * (columns + 1) + step + 1).set(current);
    });
  });
  const logits = logitsOf(matrix);
  const contributions = new Float64Array(columns);
  orders.forEach((order, o) => {
    order.forEach((column, step) => {
      const at = o * (columns + 1) + step;
      contributions[column] += (logits[at + 1] - logits[at]) / orders.length;
    });
  });
  return { base: logits[0], contributions };
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
