// Rows as a person has them at hand, as the matrices that networks take.
import { InputError } from '../lib/errors.ts';
import { createMatrix, type Matrix } from '../models/matrix.ts';

/** A matrix, or a list of rows of numbers. */
export type Rows = Matrix | readonly ArrayLike<number>[];

/** @throws InputError where rows differ in length or a value is not a finite number, for a network can't take those */
export function matrixOf(rows: Rows): Matrix {
  const matrix = isMatrix(rows) ? rows : stacked(rows);
  const bad = matrix.values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return matrix;
  throw new InputError(
    'INPUT_NOT_FINITE',
    `Row ${Math.floor(bad / matrix.columns)}, column ${bad % matrix.columns} of the inputs is ${matrix.values[bad]} (counted from 0)`,
    'Prepare the inputs first: createPreparation(fitPreparation(matrix)).apply(matrix) fills and scales them',
  );
}

function stacked(rows: readonly ArrayLike<number>[]): Matrix {
  const columns = rows[0]?.length ?? 0;
  const matrix = createMatrix(rows.length, columns);
  rows.forEach((row, index) => {
    if (row.length !== columns) {
      throw new InputError(
        'ROWS_UNEVEN',
        `Row ${index} has ${row.length} values and row 0 has ${columns}`,
        'Give every row the same columns',
      );
    }
    matrix.values.set(Array.from(row), index * columns);
  });
  return matrix;
}

function isMatrix(rows: Rows): rows is Matrix {
  return 'values' in rows && rows.values instanceof Float32Array;
}
