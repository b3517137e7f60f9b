// The models that Keras, PyTorch, scikit-learn, XGBoost and LightGBM saved, and what they predict.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StateDictOptions } from '../../src/interchange/state-dict.ts';

export const FIXTURES = process.env.CENTINELA_INTEROP_FIXTURES ?? fileURLToPath(new URL('./fixtures', import.meta.url));

export interface ForeignModel {
  readonly file: string;
  readonly format: string;
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  /** rows × columns */
  readonly inputs: Float32Array;
  readonly outputs: readonly number[];
  readonly options: StateDictOptions & {
    readonly features?: readonly string[];
    readonly logits?: boolean;
    readonly output?: string;
    readonly negate?: boolean;
    readonly refused?: string;
    readonly trees?: ForeignTrees | null;
  };
}

/** As python/onnx_fixtures.py stores an isolation forest; the threshold of a leaf is null. */
export interface ForeignTrees {
  readonly treeStarts: readonly number[];
  readonly leftChildren: readonly number[];
  readonly thresholds: readonly (number | null)[];
  readonly samples: readonly number[];
  readonly splitColumns: readonly number[];
  readonly sampleSize: number;
}

interface StoredFacts {
  readonly file: string;
  readonly inputs: readonly (readonly (number | null)[])[];
  readonly outputs: readonly number[];
  readonly options: ForeignModel['options'];
}

export function foreignModels(): ForeignModel[] {
  return readdirSync(FIXTURES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const { file, inputs, outputs, options } = JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as StoredFacts;
      return {
        file,
        format: file.slice(file.lastIndexOf('.') + 1),
        bytes: new Uint8Array(readFileSync(join(FIXTURES, file))),
        rows: inputs.length,
        columns: inputs[0].length,
        inputs: Float32Array.from(inputs.flat(), (value) => value ?? Number.NaN),
        outputs,
        options,
      };
    });
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}
