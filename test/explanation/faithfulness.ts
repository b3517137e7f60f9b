// Is an explanation true to its detector? Features are taken out of an anomalous row, by the values of ordinary rows, and
// the score must fall: more for the features that the explanation puts first than for others.
//
// The deletion measure of Samek and others, "Evaluating the visualization of what a deep neural network has learned", IEEE
// TNNLS 28, 2017, with values that occur in place of one constant.
import { createPrng } from '../../src/lib/prng.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import { createMatrix, type Matrix, rowOf } from '../../src/models/matrix.ts';

export interface Faithfulness {
  /** How far anomalous rows lie above ordinary ones, in log-odds of the score: the most that a removal can bring. */
  readonly gap: number;
  /** Mean drop of the log-odds when the first `removed` reasons are taken out. */
  readonly topDrop: number;
  /** The same for as many others, drawn at random. */
  readonly randomDrop: number;
  /** Share of the rows where the first reasons bring more than the others. */
  readonly wins: number;
}

export interface FaithfulnessOptions {
  /** How many reasons are taken out. */
  readonly removed: number;
  readonly seed: number;
}

/** Random sets of other features per row. */
const RANDOM_SETS = 4;
/** float32 has no probability nearer to 1 that is below it by much. */
const LARGEST_LOG_ODDS = 16;

/**
 * @param rows anomalous ones
 * @param explanations one per row: a number per feature
 * @param ordinary rows whose values stand for what is taken out; the mean over them counts
 */
export function measureFaithfulness(
  detector: FittedDetector,
  rows: Matrix,
  explanations: readonly Float64Array[],
  ordinary: Matrix,
  { removed, seed }: FaithfulnessOptions,
): Faithfulness {
  const prng = createPrng(seed);
  const own = logOddsOf(detector, rows);
  let topDrop = 0;
  let randomDrop = 0;
  let wins = 0;
  explanations.forEach((contributions, index) => {
    const order = strongestFirst(contributions);
    const top = order.slice(0, removed);
    const others = order.slice(removed);
    const sets = Array.from({ length: RANDOM_SETS }, () => drawSome(others, removed, prng));
    const left = meanWithout(detector, rowOf(rows, index), [top, ...sets], ordinary);
    const byTop = own[index] - left[0];
    const byRandom = own[index] - mean(left.slice(1));
    topDrop += byTop / rows.rows;
    randomDrop += byRandom / rows.rows;
    wins += Number(byTop > byRandom) / rows.rows;
  });
  return { gap: mean(own) - mean(logOddsOf(detector, ordinary)), topDrop, randomDrop, wins };
}

/** Columns by what they push towards anomalous. */
export function strongestFirst(contributions: Float64Array): number[] {
  return Array.from(contributions.keys()).sort((a, b) => contributions[b] - contributions[a]);
}

/** For each set of columns the mean log-odds of the row with ordinary rows' values there. */
function meanWithout(
  detector: FittedDetector,
  row: Float32Array,
  sets: readonly (readonly number[])[],
  ordinary: Matrix,
): number[] {
  const changed = createMatrix(sets.length * ordinary.rows, ordinary.columns);
  sets.forEach((columns, set) => {
    for (let i = 0; i < ordinary.rows; i++) {
      const one = rowOf(changed, set * ordinary.rows + i);
      one.set(row);
      for (const column of columns) one[column] = rowOf(ordinary, i)[column];
    }
  });
  const logOdds = logOddsOf(detector, changed);
  return sets.map((_, set) => mean(logOdds.slice(set * ordinary.rows, (set + 1) * ordinary.rows)));
}

function logOddsOf(detector: FittedDetector, rows: Matrix): number[] {
  return Array.from(detector.score(rows), (score) =>
    Math.max(-LARGEST_LOG_ODDS, Math.min(LARGEST_LOG_ODDS, Math.log(score / (1 - score)))),
  );
}

function drawSome(from: readonly number[], count: number, prng: { nextBelow(bound: number): number }): number[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(prng.nextBelow(left.length), 1)[0]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
