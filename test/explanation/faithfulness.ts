// Is an explanation true to its detector? Features are taken out of an anomalous row, by the values of ordinary rows, and
// the score must fall: more for the features that the explanation puts first than for others.
//
// The deletion measure of Samek and others, "Evaluating the visualization of what a deep neural network has learned", IEEE
// TNNLS 28, 2017, with values that occur: those of the ordinary rows that are nearest in the features that stay. Values of
// any ordinary row would not do, for where features go together (counts over one week and over two) they make a row that
// nobody has seen, which detectors of combinations rightly call anomalous (Aas, Jullum, Løland, "Explaining individual
// predictions when features are dependent", Artificial Intelligence 298, 2021).
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
/** Ordinary rows whose values stand for what is taken out. */
const STAND_INS = 8;
/** float32 has no probability nearer to 1 that is below it by much. */
const LARGEST_LOG_ODDS = 16;

/**
 * @param rows anomalous ones
 * @param explanations one per row: a number per feature
 * @param ordinary many rows, whose values stand for what is taken out
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
  const findNearest = createSearch(ordinary);
  let topDrop = 0;
  let randomDrop = 0;
  let wins = 0;
  explanations.forEach((contributions, index) => {
    const order = strongestFirst(contributions);
    const top = order.slice(0, removed);
    const others = order.slice(removed);
    const sets = Array.from({ length: RANDOM_SETS }, () => drawSome(others, removed, prng));
    const left = meanWithout(detector, rowOf(rows, index), [top, ...sets], ordinary, findNearest);
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

/** For each set of columns the mean log-odds of the row with values there of the ordinary rows that are like it elsewhere. */
function meanWithout(
  detector: FittedDetector,
  row: Float32Array,
  sets: readonly (readonly number[])[],
  ordinary: Matrix,
  findNearest: NearestSearch,
): number[] {
  const changed = createMatrix(sets.length * STAND_INS, ordinary.columns);
  sets.forEach((columns, set) => {
    findNearest(row, columns).forEach((standIn, i) => {
      const one = rowOf(changed, set * STAND_INS + i);
      one.set(row);
      for (const column of columns) one[column] = rowOf(ordinary, standIn)[column];
    });
  });
  const logOdds = logOddsOf(detector, changed);
  return sets.map((_, set) => mean(logOdds.slice(set * STAND_INS, (set + 1) * STAND_INS)));
}

/** @returns the rows that are nearest to the given one, not counting some columns */
type NearestSearch = (row: Float32Array, without: readonly number[]) => readonly number[];

/** A difference is the share of the ordinary rows that lie between, as ranks have no unit; at most so many rows. */
function createSearch(ordinary: Matrix): NearestSearch {
  const { rows, columns } = ordinary;
  const sorted = Array.from({ length: columns }, (_, column) =>
    Float32Array.from({ length: rows }, (_row, row) => rowOf(ordinary, row)[column]).sort(),
  );
  const ranksOf = (row: Float32Array) => Float64Array.from(row, (value, column) => rankOf(sorted[column], value));
  const ranks = Array.from({ length: rows }, (_, row) => ranksOf(rowOf(ordinary, row)));
  return (row, without) => {
    const own = ranksOf(row);
    const counted = Array.from(own.keys()).filter((column) => !without.includes(column));
    const distances = ranks.map((other) => counted.reduce((sum, c) => sum + Math.abs(own[c] - other[c]), 0));
    return [...distances.keys()].sort((a, b) => distances[a] - distances[b] || a - b).slice(0, STAND_INS);
  };
}

/** The share of the values below, those that are equal counted half. */
function rankOf(sorted: Float32Array, value: number): number {
  let below = 0;
  while (below < sorted.length && sorted[below] < value) below++;
  let end = below;
  while (end < sorted.length && sorted[end] <= value) end++;
  return (below + end) / 2 / sorted.length;
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
