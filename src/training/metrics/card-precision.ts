// Card Precision@k: of the k customers that the analysts can look at in a day, the share that has been defrauded.
import { assert } from '../../lib/assert.ts';
import { checkSameLength, descendingOrder, type Scores } from './order.ts';

/**
 * The definition of the Fraud Detection Handbook (Le Borgne and others, chapter 4): for each day each customer's greatest
 * score and label; the k customers with the greatest scores; the number defrauded ÷ k. Customers that were caught are
 * left out on later days; the result is the mean over the days. In [0, 1]; NaN where there are no rows.
 *
 * @param days day number of each row, in any numbering.
 * @param customers code of each row's customer.
 * @param labels 1 fraud, 0 genuine.
 */
export function cardPrecisionAtK(
  days: Int32Array,
  customers: Uint32Array,
  labels: Uint8Array,
  scores: Scores,
  k: number,
): number {
  checkSameLength(scores.length, labels.length, 'labels');
  checkSameLength(scores.length, days.length, 'days');
  checkSameLength(scores.length, customers.length, 'customers');
  assert(Number.isInteger(k) && k >= 1, `k is ${k}, expected an integer of at least 1`);
  const caught = new Set<number>();
  const byDay = rowsByDay(days, descendingOrder(scores));
  let sum = 0;
  for (const ranked of byDay) sum += catchFrauds(customers, labels, ranked, k, caught) / k;
  return sum / byDay.length;
}

/** Each day's rows in the given order; the days ascending. */
function rowsByDay(days: Int32Array, order: Uint32Array): number[][] {
  const byDay = new Map<number, number[]>();
  for (const row of order) {
    const dayRows = byDay.get(days[row]);
    if (dayRows === undefined) byDay.set(days[row], [row]);
    else dayRows.push(row);
  }
  return [...byDay].sort(([a], [b]) => a - b).map(([, dayRows]) => dayRows);
}

/** Looks at the k customers with the greatest scores and adds the defrauded ones to `caught`; returns their number. */
function catchFrauds(
  customers: Uint32Array,
  labels: Uint8Array,
  ranked: readonly number[],
  k: number,
  caught: Set<number>,
): number {
  const defrauded = new Set<number>();
  for (const row of ranked) if (labels[row] === 1) defrauded.add(customers[row]);
  const looked = new Set<number>();
  let found = 0;
  for (const row of ranked) {
    const customer = customers[row];
    if (looked.has(customer) || caught.has(customer)) continue;
    if (looked.size === k) break;
    looked.add(customer);
    if (!defrauded.has(customer)) continue;
    caught.add(customer);
    found++;
  }
  return found;
}
