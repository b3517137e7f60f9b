// Train on the first part of the time line, test on the rest: how a model that is put to work today meets tomorrow.
import type { Fold } from './fold.ts';

const DAY_MS = 86_400_000;

/**
 * One fold, its rows in time order; test days are counted from the first test row's UTC day.
 *
 * @param times event time of each row, in any order; rows of one time keep their order.
 * @param fraction share of the rows that goes to training, in (0, 1).
 */
export function timeSplit(times: Float64Array, fraction: number): Fold {
  if (!(fraction > 0 && fraction < 1))
    throw new Error(`train fraction is ${fraction}, expected more than 0 and less than 1`);
  const order = Uint32Array.from({ length: times.length }, (_, row) => row);
  if (!isAscending(times)) order.sort((a, b) => times[a] - times[b] || a - b);
  const cut = Math.floor(times.length * fraction);
  const test = order.slice(cut);
  const firstDay = Math.floor(times[test[0]] / DAY_MS);
  return {
    train: order.slice(0, cut),
    test,
    testDays: Int32Array.from(test, (row) => Math.floor(times[row] / DAY_MS) - firstDay),
  };
}

function isAscending(times: Float64Array): boolean {
  for (let row = 1; row < times.length; row++) if (times[row] < times[row - 1]) return false;
  return true;
}
