// Whether probabilities mean what they say: of the rows given 10 %, a tenth should be frauds.
import { checkSameLength, descendingOrder, type Scores } from './order.ts';
import { type Interval, wilsonInterval } from './wilson-interval.ts';

/** Mean squared difference between probability and label (Brier 1950), in [0, 1], 0 is best; NaN without rows. */
export function brierScore(labels: Uint8Array, probabilities: Scores): number {
  checkSameLength(probabilities.length, labels.length, 'labels');
  let sum = 0;
  for (let row = 0; row < labels.length; row++) sum += (probabilities[row] - labels[row]) ** 2;
  return sum / labels.length;
}

export interface ReliabilityBin {
  readonly rows: number;
  readonly least: number;
  readonly greatest: number;
  readonly meanProbability: number;
  /** Share of frauds among the rows. */
  readonly fraudRate: number;
  /** Of the fraud rate, 95 %. */
  readonly interval: Interval;
}

const BINS = 10;
/** A bin with fewer rows says nothing of a share. */
const LEAST_BIN_ROWS = 50;

/**
 * Bins of about equal numbers of rows, ascending in probability. Equal probabilities stay in one bin, so there are fewer
 * bins where many rows share one.
 */
export function reliabilityTable(labels: Uint8Array, probabilities: Scores, bins = BINS): ReliabilityBin[] {
  checkSameLength(probabilities.length, labels.length, 'labels');
  const order = descendingOrder(probabilities).reverse();
  return equalMass(order, probabilities, bins).map((rows) => binOf(labels, probabilities, rows));
}

/**
 * Tenths by number of rows, the topmost tenth again in tenths, and so on while each has rows enough. Frauds are rare and
 * decisions fall where the risk is high: among tenths of all rows the topmost alone would hold everything that matters.
 */
export function rareReliabilityTable(labels: Uint8Array, probabilities: Scores): ReliabilityBin[] {
  checkSameLength(probabilities.length, labels.length, 'labels');
  const parts = equalMass(descendingOrder(probabilities).reverse(), probabilities, BINS);
  for (;;) {
    const top = parts.at(-1);
    if (top === undefined || top.length < BINS * LEAST_BIN_ROWS) break;
    const finer = equalMass(top, probabilities, BINS);
    if (finer.length === 1) break;
    parts.splice(-1, 1, ...finer);
  }
  return parts.map((rows) => binOf(labels, probabilities, rows));
}

/** @param order rows, ascending in probability */
function equalMass(order: Uint32Array, probabilities: Scores, bins: number): Uint32Array[] {
  const parts: Uint32Array[] = [];
  let first = 0;
  for (let i = 0; i < order.length; i++) {
    const last = i + 1 === order.length;
    const isFull = i + 1 >= ((parts.length + 1) * order.length) / bins;
    if (!last && (!isFull || probabilities[order[i + 1]] === probabilities[order[i]])) continue;
    parts.push(order.subarray(first, i + 1));
    first = i + 1;
  }
  return parts;
}

/** Expected calibration error: the mean of |mean probability − fraud rate| over bins of equal mass (Naeini and others 2015). */
export function expectedCalibrationError(labels: Uint8Array, probabilities: Scores, bins = BINS): number {
  const table = reliabilityTable(labels, probabilities, bins);
  let sum = 0;
  for (const { rows, meanProbability, fraudRate } of table) sum += rows * Math.abs(meanProbability - fraudRate);
  return sum / labels.length;
}

function binOf(labels: Uint8Array, probabilities: Scores, rows: Uint32Array): ReliabilityBin {
  let sum = 0;
  let frauds = 0;
  for (const row of rows) {
    sum += probabilities[row];
    frauds += labels[row];
  }
  return {
    rows: rows.length,
    least: probabilities[rows[0]],
    greatest: probabilities[rows[rows.length - 1]],
    meanProbability: sum / rows.length,
    fraudRate: frauds / rows.length,
    interval: wilsonInterval(frauds, rows.length),
  };
}
