// A few rows that stand for many when a score is explained: rows at evenly spaced ranks of the score.
//
// Stratified by what is explained, eight of them tell the mean score and its Shapley values as well as sixteen drawn at
// random (docs/decisions/0010).
import { type Matrix, takeRows } from './matrix.ts';

const REPRESENTATIVE_ROWS = 8;
const MAX_CANDIDATES = 2000;

/**
 * @param isOrdinary which rows may stand for the others; where none may, all do
 * @param scoresOf one number per row
 */
export function representativeRows(
  matrix: Matrix,
  isOrdinary: (row: number) => boolean,
  scoresOf: (rows: Matrix) => ArrayLike<number>,
): Matrix {
  const all = Array.from({ length: matrix.rows }, (_, row) => row);
  const ordinary = all.filter(isOrdinary);
  const candidates = takeRows(matrix, spaced(ordinary.length > 0 ? ordinary : all, MAX_CANDIDATES));
  const scores = scoresOf(candidates);
  const order = Array.from({ length: candidates.rows }, (_, row) => row).sort((a, b) => scores[a] - scores[b] || a - b);
  return takeRows(candidates, spaced(order, REPRESENTATIVE_ROWS));
}

/** The middles of so many equal parts of the list; all of it where it is shorter. */
function spaced(rows: readonly number[], count: number): Uint32Array {
  const parts = Math.min(rows.length, count);
  return Uint32Array.from({ length: parts }, (_, i) => rows[Math.floor(((i + 0.5) * rows.length) / parts)]);
}
