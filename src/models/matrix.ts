// A dense feature matrix: rows are transactions in event-time order, columns are features of one catalogue.

/** Row-major float32; NaN is a missing value. `values.length === rows * columns`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export function createMatrix(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float32Array(rows * columns) };
}

/** The rows `[from, to)` as a view on the same memory. */
export function sliceRows(matrix: Matrix, from: number, to: number): Matrix {
  const { columns } = matrix;
  return { rows: to - from, columns, values: matrix.values.subarray(from * columns, to * columns) };
}

/** One row as a view on the same memory. */
export function rowOf(matrix: Matrix, row: number): Float32Array {
  return matrix.values.subarray(row * matrix.columns, (row + 1) * matrix.columns);
}

/** The given rows, copied, in the given order. */
export function takeRows(matrix: Matrix, rows: Uint32Array): Matrix {
  const taken = createMatrix(rows.length, matrix.columns);
  for (let i = 0; i < rows.length; i++) taken.values.set(rowOf(matrix, rows[i]), i * matrix.columns);
  return taken;
}

/** The given columns, copied, in the given order. */
export function takeColumns(matrix: Matrix, columns: readonly number[]): Matrix {
  const taken = createMatrix(matrix.rows, columns.length);
  for (let row = 0; row < matrix.rows; row++) {
    const source = row * matrix.columns;
    const target = row * columns.length;
    for (let j = 0; j < columns.length; j++) taken.values[target + j] = matrix.values[source + columns[j]];
  }
  return taken;
}
