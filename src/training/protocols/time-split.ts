// Train on the first part of the time line, test on the rest: how a model that is put to work today meets tomorrow.

export interface TimeSplit {
  /** Row indices in time order. */
  readonly train: Uint32Array;
  /** Row indices in time order. */
  readonly test: Uint32Array;
}

/**
 * @param times event time of each row, in any order; rows of one time keep their order.
 * @param fraction share of the rows that goes to training, in (0, 1).
 */
export function timeSplit(times: Float64Array, fraction: number): TimeSplit {
  if (!(fraction > 0 && fraction < 1))
    throw new Error(`train fraction is ${fraction}, expected more than 0 and less than 1`);
  const order = Uint32Array.from({ length: times.length }, (_, row) => row);
  if (!isAscending(times)) order.sort((a, b) => times[a] - times[b] || a - b);
  const cut = Math.floor(times.length * fraction);
  return { train: order.slice(0, cut), test: order.slice(cut) };
}

function isAscending(times: Float64Array): boolean {
  for (let row = 1; row < times.length; row++) if (times[row] < times[row - 1]) return false;
  return true;
}
