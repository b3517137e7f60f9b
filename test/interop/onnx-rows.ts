// Rows that tell two implementations of a detector apart, and what ONNX Runtime answers for them.
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { createMatrix, type Matrix } from '../../src/models/matrix.ts';
import type { GraphTensor } from '../../src/ports.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';

const runtime = createGraphRuntime();
const EXTREMES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -3.4e38, 0, -0, 1e-45];

/** Unseen rows, rows with extremes anywhere, and rows whose values are values of the training rows: thresholds among them. */
export function hardRows(seed: number, thresholds: ArrayLike<number> = []): Matrix {
  const unseen = makeTrainingData(2000, seed).matrix;
  const prng = createPrng(9);
  const rows = createMatrix(unseen.rows, unseen.columns);
  rows.values.set(unseen.values);
  for (let i = 0; i < rows.values.length; i++) {
    const drawn = prng.nextFloat();
    if (drawn < 0.1) rows.values[i] = EXTREMES[prng.nextBelow(EXTREMES.length)];
    else if (drawn < 0.3 && thresholds.length > 0) rows.values[i] = thresholds[prng.nextBelow(thresholds.length)];
  }
  return rows;
}

export function outputInOnnx(model: Uint8Array, rows: Matrix, output: string): GraphTensor {
  const session = runtime.open(model);
  const tensor = session.run({ inputs: { data: rows.values, dims: [rows.rows, rows.columns] } })[output];
  session.close();
  return tensor;
}
