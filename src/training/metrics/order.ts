// The rank order of scores, by radix sort on the bits of the floats, and the steps of the ranking: its distinct scores.

export type Scores = Float32Array | Float64Array;

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const SHIFTS = [0, DIGIT_BITS, 2 * DIGIT_BITS];

/**
 * Row indices from the greatest score to the least; equal scores keep the order of their rows.
 * @throws if a score is NaN: a row without a score has no rank.
 */
export function descendingOrder(scores: Scores): Uint32Array {
  const words = descendingWords(scores);
  const width = scores instanceof Float64Array ? 2 : 1;
  let sorted: Keyed = { rows: new Uint32Array(scores.length), keys: new Uint32Array(scores.length) };
  let spare: Keyed = { rows: new Uint32Array(scores.length), keys: new Uint32Array(scores.length) };
  for (let row = 0; row < scores.length; row++) sorted.rows[row] = row;
  for (let word = 0; word < width; word++) {
    for (let i = 0; i < scores.length; i++) sorted.keys[i] = words[sorted.rows[i] * width + word];
    for (const shift of SHIFTS) {
      sortByDigit(sorted, spare, shift);
      [sorted, spare] = [spare, sorted];
    }
  }
  return sorted.rows;
}

/** Rows and, beside each, the word it is being sorted by. */
interface Keyed {
  readonly rows: Uint32Array;
  readonly keys: Uint32Array;
}

/** The floats' bits (32-bit words, least first) turned into unsigned integers that ascend where the scores descend. */
function descendingWords(scores: Scores): Uint32Array {
  const copy = scores.slice();
  for (let row = 0; row < copy.length; row++) {
    if (Number.isNaN(copy[row])) throw new Error(`score of row ${row} is NaN: a row without a score can't be ranked`);
    if (copy[row] === 0) copy[row] = 0; // −0 is 0
  }
  const words = new Uint32Array(copy.buffer);
  const width = scores instanceof Float64Array ? 2 : 1;
  for (let top = width - 1; top < words.length; top += width) {
    if (words[top] >>> 31 === 1) continue;
    words[top] ^= 0x7fffffff;
    if (width === 2) words[top - 1] = ~words[top - 1];
  }
  return words;
}

function sortByDigit(from: Keyed, into: Keyed, shift: number): void {
  const { rows, keys } = from;
  const positions = new Uint32Array(DIGITS);
  for (let i = 0; i < keys.length; i++) positions[(keys[i] >>> shift) & (DIGITS - 1)]++;
  let position = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = positions[digit];
    positions[digit] = position;
    position += count;
  }
  for (let i = 0; i < keys.length; i++) {
    const target = positions[(keys[i] >>> shift) & (DIGITS - 1)]++;
    into.rows[target] = rows[i];
    into.keys[target] = keys[i];
  }
}

/** The ranking cut after each distinct score, from the greatest: how many rows and frauds lie at or above it. */
export interface RankSteps {
  /** The distinct scores, descending. */
  readonly scores: Float64Array;
  readonly flagged: Uint32Array;
  readonly frauds: Uint32Array;
  readonly totalFrauds: number;
}

/** @throws if there is not one label per score. */
export function rankSteps(labels: Uint8Array, scores: Scores): RankSteps {
  checkSameLength(scores.length, labels.length, 'labels');
  const order = descendingOrder(scores);
  const distinct = new Float64Array(order.length);
  const flagged = new Uint32Array(order.length);
  const frauds = new Uint32Array(order.length);
  let steps = 0;
  let seen = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i];
    seen += labels[row];
    if (i + 1 < order.length && scores[order[i + 1]] === scores[row]) continue;
    distinct[steps] = scores[row];
    flagged[steps] = i + 1;
    frauds[steps++] = seen;
  }
  return {
    scores: distinct.subarray(0, steps),
    flagged: flagged.subarray(0, steps),
    frauds: frauds.subarray(0, steps),
    totalFrauds: seen,
  };
}

export function checkSameLength(expected: number, actual: number, what: string): void {
  if (expected !== actual) throw new Error(`${expected} scores but ${actual} ${what}: one for each row is needed`);
}
