// Shapley values against ordinary rows by their definition, over all sets of columns: an oracle for few columns.
import { createMatrix, type Matrix } from '../../src/models/matrix.ts';

/** The worth of a set of columns is the mean score of the ordinary rows with the row's own values there. */
export function shapleyValues(
  scoresOf: (rows: Matrix) => ArrayLike<number>,
  ordinary: Matrix,
  row: Float32Array,
): Float64Array {
  const columns = row.length;
  const has = (set: number, column: number) => ((set >> column) & 1) === 1;
  const worths = Array.from({ length: 2 ** columns }, (_, set) => {
    const mixed = createMatrix(ordinary.rows, columns);
    for (let at = 0; at < mixed.values.length; at++) {
      mixed.values[at] = has(set, at % columns) ? row[at % columns] : ordinary.values[at];
    }
    return Array.from(scoresOf(mixed)).reduce((sum, score) => sum + score, 0) / ordinary.rows;
  });
  const values = new Float64Array(columns);
  worths.forEach((worth, set) => {
    const size = Array.from(row.keys()).filter((column) => has(set, column)).length;
    const share = (factorial(size) * factorial(columns - size - 1)) / factorial(columns);
    for (let column = 0; column < columns; column++) {
      if (!has(set, column)) values[column] += share * (worths[set | (1 << column)] - worth);
    }
  });
  return values;
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
