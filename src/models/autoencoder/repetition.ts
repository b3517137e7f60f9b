// What an autoencoder repeats of a prepared row, and how far it was off: numbers first, then a block of logits for each
// category's codes.
import type { Matrix } from '../matrix.ts';
import { createMatrix } from '../matrix.ts';
import { crossEntropyAt, type Loss } from '../network/losses.ts';
import type { Preparation } from '../preparation/preparation.ts';

export interface Repetition {
  /** Prepared columns that are repeated as numbers. */
  readonly numbers: readonly number[];
  /** Prepared columns that hold the codes of a category. */
  readonly categories: Preparation['categorical'];
  /** Outputs of the network. */
  readonly width: number;
}

/** @param withCategories false for what was stored before categories were repeated */
export function repetitionOf({ outputs, categorical }: Preparation, withCategories: boolean): Repetition {
  const codes = new Set(categorical.map(({ column }) => column));
  const numbers = Array.from({ length: outputs }, (_, output) => output).filter((output) => !codes.has(output));
  const repeated = withCategories ? categorical : [];
  const width = repeated.reduce((sum, { categories }) => sum + categories, numbers.length);
  return { numbers, categories: repeated, width };
}

export function lossOfRepetition({ categories }: Repetition): Loss {
  if (categories.length === 0) return { kind: 'mean-squared-error' };
  return { kind: 'mixed', blocks: categories.map((column) => column.categories) };
}

/** rows × width: the numbers, and a 1 at each category's code. */
export function targetsOf({ numbers, categories, width }: Repetition, { rows, columns, values }: Matrix): Float32Array {
  const targets = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let at = row * width;
    for (const column of numbers) targets[at++] = values[row * columns + column];
    for (const { column, categories: codes } of categories) {
      targets[at + values[row * columns + column]] = 1;
      at += codes;
    }
  }
  return targets;
}

/** rows × features: Σ (value − output)² over what a number became, −log of the probability of a category's code. */
export function residualsOf(
  repetition: Repetition,
  preparation: Preparation,
  prepared: Matrix,
  outputs: Float32Array,
): Matrix {
  const residuals = createMatrix(prepared.rows, preparation.inputs);
  createResiduals(repetition, preparation)(prepared.values, outputs, prepared.rows, residuals.values);
  return residuals;
}

/** Writes what `residualsOf` gives. */
export type WriteResiduals = (prepared: Float32Array, outputs: Float32Array, rows: number, into: Float32Array) => void;

export function createResiduals(
  { numbers: given, categories, width }: Repetition,
  { sourceColumns, inputs: features, outputs: columns }: Preparation,
): WriteResiduals {
  const numbers = Int32Array.from(given);
  const numberFeatures = Int32Array.from(given, (column) => sourceColumns[column]);
  return (prepared, outputs, rows, into) => {
    into.fill(0, 0, rows * features);
    for (let row = 0; row < rows; row++) {
      const from = row * columns;
      const to = row * features;
      let at = row * width;
      for (let i = 0; i < numbers.length; i++) {
        const difference = prepared[from + numbers[i]] - outputs[at + i];
        into[to + numberFeatures[i]] += difference * difference;
      }
      at += numbers.length;
      for (const { column, categories: codes } of categories) {
        into[to + sourceColumns[column]] = crossEntropyAt(outputs, at, codes, prepared[from + column]);
        at += codes;
      }
    }
  };
}
