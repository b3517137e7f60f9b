// Runs a foreign model over rows, always as many at a time: so one row has the same bits alone as in a batch.
//
// A runtime picks its kernels by the shape of the batch, and sums in another order with another one. Blocks of one size,
// the last one filled up, leave it no choice.
import { InputError } from '../../lib/errors.ts';
import type { GraphRuntime, GraphTensor } from '../../ports.ts';
import { createMatrix, type Matrix } from '../matrix.ts';
import type { ModelPorts } from './model-ports.ts';
import type { NumberType } from './signature.ts';

export interface ModelRunner {
  /** The model's own answer per row: the last column of its output. */
  run(rows: Matrix): Float64Array;
}

const BLOCK_ROWS = 64;
/** One number, or a number for each of two classes. */
const MAX_OUTPUT_COLUMNS = 2;

export function createModelRunner(runtime: GraphRuntime, bytes: Uint8Array, ports: ModelPorts): ModelRunner {
  const session = runtime.open(bytes);
  const blockRows = ports.rows ?? BLOCK_ROWS;
  return {
    run(rows) {
      const answers = new Float64Array(rows.rows);
      const block = createMatrix(blockRows, rows.columns);
      for (let from = 0; from < rows.rows; from += blockRows) {
        const count = Math.min(blockRows, rows.rows - from);
        // What is left of the block before fills up the last one; its answers are not looked at.
        block.values.set(rows.values.subarray(from * rows.columns, (from + count) * rows.columns));
        readAnswers(session.run(feedsOf(ports, block), [ports.output])[ports.output], blockRows, count, answers, from);
      }
      return answers;
    },
  };
}

function feedsOf({ inputs }: ModelPorts, block: Matrix): Record<string, GraphTensor> {
  return Object.fromEntries(
    inputs.map(({ name, type, columns }) => [
      name,
      { data: numbersOf(type, block, columns), dims: [block.rows, columns.length] },
    ]),
  );
}

function numbersOf(type: NumberType, { rows, columns: width, values }: Matrix, columns: readonly number[]) {
  const length = rows * columns.length;
  const at = (i: number) => values[Math.floor(i / columns.length) * width + columns[i % columns.length]];
  if (type === 'int64') return BigInt64Array.from({ length }, (_, i) => wholeNumber(at(i)));
  if (type === 'float64') return Float64Array.from({ length }, (_, i) => at(i));
  return Float32Array.from({ length }, (_, i) => at(i));
}

/** Whole numbers have no missing value: −1, which no code and no count is. */
function wholeNumber(value: number): bigint {
  return Number.isSafeInteger(Math.trunc(value)) ? BigInt(Math.trunc(value)) : -1n;
}

function readAnswers(
  output: GraphTensor | undefined,
  blockRows: number,
  count: number,
  into: Float64Array,
  from: number,
): void {
  const data = output?.data;
  const columns = data === undefined ? 0 : data.length / blockRows;
  if (data === undefined || !Number.isInteger(columns) || columns < 1 || columns > MAX_OUTPUT_COLUMNS) {
    throw new InputError(
      'ONNX_MODEL_REFUSED',
      `The ONNX model gives ${data?.length ?? 0} numbers for ${blockRows} rows`,
      'It must give one number per row, or one for each of two classes',
    );
  }
  for (let row = 0; row < count; row++) into[from + row] = Number(data[row * columns + columns - 1]);
}
