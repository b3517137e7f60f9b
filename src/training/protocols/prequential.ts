// The Fraud Detection Handbook's protocol: train on a week, wait a week for the labels, test on the next week; a fold
// for each of several weeks (prequential validation).
//
// A customer known to be defrauded would have had the card blocked, so its rows leave the test. Known on test day d are
// the frauds among the training rows and on the days of the delay whose labels have arrived by then: one more day for
// each test day, beginning with the last training day.
import { assert } from '../../lib/assert.ts';
import type { Fold } from './fold.ts';

export interface PrequentialOptions {
  /** Start of the last fold's first training day, milliseconds UTC; days are counted from it. */
  readonly trainStartMs: number;
  /** Fold k begins `k × testDays` days earlier. */
  readonly folds: number;
  readonly trainDays?: number;
  readonly delayDays?: number;
  readonly testDays?: number;
}

type Customers = Uint32Array | Int32Array;
/** 1 fraud; anything else is not known to be one. */
type Labels = Uint8Array | Int8Array;

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;

/**
 * @param times event time of each row, milliseconds UTC, in any order.
 * @param customers code of each row's customer.
 */
export function prequentialFolds(
  times: Float64Array,
  customers: Customers,
  labels: Labels,
  options: PrequentialOptions,
): Fold[] {
  assert(times.length === customers.length && times.length === labels.length, 'one time, customer and label per row');
  const { trainDays = WEEK_DAYS, delayDays = WEEK_DAYS, testDays = WEEK_DAYS } = options;
  return Array.from({ length: options.folds }, (_, fold) => {
    const trainStartMs = options.trainStartMs - fold * testDays * DAY_MS;
    return createFold(times, customers, labels, { trainStartMs, trainDays, delayDays, testDays });
  });
}

type FoldPlan = Required<Omit<PrequentialOptions, 'folds'>>;

function createFold(times: Float64Array, customers: Customers, labels: Labels, plan: FoldPlan): Fold {
  const dayOf = (row: number) => Math.floor((times[row] - plan.trainStartMs) / DAY_MS);
  const firstTestDay = plan.trainDays + plan.delayDays;
  const train: number[] = [];
  const test: number[] = [];
  const knownFrom = firstKnownDays(customers, labels, dayOf, plan);
  for (let row = 0; row < times.length; row++) {
    const day = dayOf(row);
    if (day >= 0 && day < plan.trainDays) train.push(row);
    const testDay = day - firstTestDay;
    if (testDay < 0 || testDay >= plan.testDays) continue;
    if (testDay < (knownFrom.get(customers[row]) ?? Number.POSITIVE_INFINITY)) test.push(row);
  }
  return {
    train: Uint32Array.from(train),
    test: Uint32Array.from(test),
    testDays: Int32Array.from(test, (row) => dayOf(row) - firstTestDay),
  };
}

/** For each customer with a fraud the first test day on which it is known. */
function firstKnownDays(
  customers: Customers,
  labels: Labels,
  dayOf: (row: number) => number,
  plan: FoldPlan,
): Map<number, number> {
  const knownFrom = new Map<number, number>();
  for (let row = 0; row < customers.length; row++) {
    if (labels[row] !== 1) continue;
    const day = dayOf(row);
    if (day < 0 || day > plan.trainDays + plan.testDays - 2) continue;
    const testDay = Math.max(0, day - plan.trainDays + 1);
    const before = knownFrom.get(customers[row]);
    if (before === undefined || testDay < before) knownFrom.set(customers[row], testDay);
  }
  return knownFrom;
}
