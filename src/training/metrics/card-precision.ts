// Card Precision@k: of the k customers that the analysts can look at in a day, the share that has been defrauded.
import { assert } from '../../lib/assert.ts';
import { checkSameLength, descendingOrder, type Scores } from './order.ts';

export interface CardRows {
  readonly scores: Scores;
  /** 1 fraud, 0 genuine. */
  readonly labels: Uint8Array;
  /** Day number of each row, in any numbering. */
  readonly days: Int32Array;
  /** Code of each row's customer, any integers. */
  readonly customers: Uint32Array;
}

/**
 * The definition of the Fraud Detection Handbook (Le Borgne and others, chapter 4): for each day each customer's greatest
 * score and label; the k customers with the greatest scores; the number defrauded ÷ k. Customers that were caught are
 * left out on later days; the result is the mean over the days. In [0, 1]; NaN where there are no rows.
 */
export function cardPrecisionAtK(rows: CardRows, k: number): number {
  const { scores, labels, days, customers } = rows;
  checkSameLength(scores.length, labels.length, 'labels');
  checkSameLength(scores.length, days.length, 'days');
  checkSameLength(scores.length, customers.length, 'customers');
  assert(Number.isInteger(k) && k >= 1, `k is ${k}, expected an integer of at least 1`);
  const caught = new Set<number>();
  const byDay = rowsByDay(days, descendingOrder(scores));
  let sum = 0;
  for (const dayRows of byDay) sum += catchFrauds(rows, dayRows, k, caught) / k;
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
function catchFrauds(rows: CardRows, ranked: readonly number[], k: number, caught: Set<number>): number {
  const { labels, customers } = rows;
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
