// Detectors whose raw score is a sum of one term per feature: what they share is everything but the terms.
//
// The raw score r of a row, in units of the training rows' median, becomes r ÷ (1 + r) in [0, 1), which keeps the order
// and tells even extreme rows apart. The explanation is the terms themselves.
import { createPrng } from '../../lib/prng.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { bytesOf, packArtefact, unpackArtefact } from '../packed-artefact.ts';
import { type ColumnRanges, fitColumnRanges, scaleMatrix, scaleRow } from './column-ranges.ts';

/** What a method has learned; `numbers` are all its arrays, by name. */
export interface Learned {
  readonly numbers: Readonly<Record<string, Float64Array>>;
}

/** Writes each feature's term for one scaled row; the sum is the raw score, ≥ 0. */
export type Terms = (scaled: Float64Array, terms: Float64Array) => void;

export interface AdditiveMethod<Options extends Readonly<Record<string, unknown>>> {
  readonly name: string;
  readonly defaults: Options;
  /** At most this many rows, drawn by the seed, are learned from. */
  readonly maxRows: number;
  /** @param scaled at least one row and one column, values in [0, 1] @throws for options out of range */
  learn(scaled: Matrix, options: Options, seed: number): Learned;
  /** Ready for use: everything that can be worked out once. */
  prepare(learned: Learned, columns: number): Terms;
}

interface State<Options> {
  readonly ranges: ColumnRanges;
  /** null where no column varies: then all rows score 0. */
  readonly learned: Learned | null;
  /** The training rows' median raw score, > 0. */
  readonly scale: number;
  readonly options: Options;
}

interface Stored<Options> extends Omit<State<Options>, 'learned'> {
  readonly arrays: readonly string[] | null;
}

const FORMAT_VERSION = 1;
/** Rows that the scale is taken from. */
const SCALE_ROWS = 2000;
const MIN_ROWS = 2;

export function createAdditiveDetector<Options extends Readonly<Record<string, unknown>>>(
  method: AdditiveMethod<Options>,
): Detector<Options> {
  const format = `centinela.${method.name}`;
  return {
    name: method.name,
    needsLabels: false,
    defaults: method.defaults,
    fit(data: TrainingData, options: Partial<Options>, seed: number) {
      const { matrix, features } = data;
      if (features.length !== matrix.columns) {
        throw new Error(`${method.name}: ${features.length} features are named for ${matrix.columns} columns`);
      }
      if (matrix.rows < MIN_ROWS) throw new Error(`${method.name}: ${matrix.rows} rows to learn from; 2 are the least`);
      const chosen = { ...method.defaults, ...options };
      const sample = sampleOf(matrix, method.maxRows, seed);
      const ranges = fitColumnRanges(sample);
      const columns = ranges.varying.length;
      const scaled = scaleMatrix(ranges, sample);
      const learned = columns === 0 ? null : method.learn(scaled, chosen, seed);
      const scale = learned === null ? 1 : medianRaw(scaled, method.prepare(learned, columns), seed);
      return fitted({ ranges, learned, scale, options: chosen }, features);
    },
    load(artefact: Artefact) {
      const { contents, sections } = unpackArtefact(artefact, format, FORMAT_VERSION);
      const { arrays, ranges, scale, options } = contents as Stored<Options>;
      if (artefact.features?.length !== ranges.columns) {
        throw new Error(`${format} artefact names ${artefact.features?.length} features for ${ranges.columns} columns`);
      }
      const entries = arrays?.map((name, index) => [name, new Float64Array(sections[index].buffer)] as const);
      const learned = entries === undefined ? null : { numbers: Object.fromEntries(entries) };
      return fitted({ ranges, learned, scale, options }, artefact.features);
    },
  };

  function fitted(state: State<Options>, features: readonly string[]): FittedDetector {
    const { ranges, learned, scale } = state;
    const columns = ranges.varying.length;
    const terms = learned === null ? null : method.prepare(learned, columns);
    const scaled = new Float64Array(columns);
    const one = new Float64Array(columns);
    const check = (given: number) => {
      if (given !== ranges.columns) throw new Error(`${method.name}: ${given} columns, trained on ${ranges.columns}`);
    };
    const termsOf = (values: Float32Array, row: number) => {
      if (terms === null) return;
      scaleRow(ranges, values, row, scaled);
      terms(scaled, one);
    };
    return {
      name: method.name,
      features,
      score(matrix) {
        check(matrix.columns);
        const scores = new Float32Array(matrix.rows);
        for (let row = 0; row < matrix.rows; row++) {
          termsOf(matrix.values, row * matrix.columns);
          let raw = 0;
          for (let i = 0; i < columns; i++) raw += one[i];
          const relative = Math.max(0, raw) / scale;
          scores[row] = relative / (1 + relative);
        }
        return scores;
      },
      explain(row) {
        check(row.length);
        termsOf(row, 0);
        const contributions = new Float64Array(ranges.columns);
        ranges.varying.forEach(({ column }, i) => {
          contributions[column] = one[i] / scale;
        });
        return { base: 0, contributions };
      },
      save() {
        const arrays = learned === null ? null : Object.keys(learned.numbers);
        const sections = learned === null ? [] : Object.values(learned.numbers).map(bytesOf);
        const contents: Stored<Options> = { arrays, ranges, scale, options: state.options };
        const parameters = { ...state.options };
        return packArtefact(
          { format, formatVersion: FORMAT_VERSION, features: [...features], parameters },
          { contents, sections },
        );
      },
    };
  }
}

/** All rows, or as many as asked for, drawn by the seed, in their order. */
function sampleOf(matrix: Matrix, maxRows: number, seed: number): Matrix {
  if (matrix.rows <= maxRows) return matrix;
  const prng = createPrng(seed);
  const rows: number[] = [];
  for (let row = 0; row < matrix.rows; row++) {
    if (prng.nextBelow(matrix.rows - row) < maxRows - rows.length) rows.push(row);
  }
  return takeRows(matrix, Uint32Array.from(rows));
}

function medianRaw(scaled: Matrix, terms: Terms, seed: number): number {
  const { rows, columns, values } = sampleOf(scaled, SCALE_ROWS, seed);
  const one = new Float64Array(columns);
  const raws = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    terms(Float64Array.from(values.subarray(row * columns, (row + 1) * columns)), one);
    for (const term of one) raws[row] += term;
  }
  const median = raws.sort()[rows >> 1];
  if (median > 0) return median;
  const greatest = raws[rows - 1];
  return greatest > 0 ? greatest : 1;
}
