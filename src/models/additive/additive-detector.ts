// Detectors whose raw score is a sum of one term per feature: what they share is everything but the terms.
//
// The raw score r of a row, in units of the training rows' median, becomes r ÷ (1 + r) in [0, 1), which keeps the order
// and tells even extreme rows apart. An explanation tells how far each term is from the training rows' mean term: for a
// sum of one function per feature these are the exact Shapley values against those rows (Lundberg and Lee, "A unified
// approach to interpreting model predictions", NeurIPS 2017, corollary 1), so a feature with its usual value is no reason.
import { createPrng } from '../../lib/prng.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { bytesOf, checkFeatureNames, packArtefact, unpackArtefact } from '../packed-artefact.ts';
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
  /** The sum of the terms, where there is a quicker way to it. */
  prepareRaw?(learned: Learned): (scaled: Float64Array) => number;
}

export interface AdditiveState<Options> {
  readonly ranges: ColumnRanges;
  /** null where no column varies: then all rows score 0. */
  readonly learned: Learned | null;
  /** The training rows' median raw score, > 0. */
  readonly scale: number;
  /** The training rows' mean terms, by varying column. */
  readonly meanTerms: readonly number[];
  readonly options: Options;
}

interface Stored<Options> extends Omit<AdditiveState<Options>, 'learned' | 'meanTerms'> {
  readonly arrays: readonly string[] | null;
  /** Since version 2; before, terms were explained as they are. */
  readonly meanTerms?: readonly number[];
}

const FORMAT_VERSION = 2;
/** Rows that the scale and the mean terms are taken from. */
const SCALE_ROWS = 2000;
const MIN_ROWS = 2;

export function createAdditiveDetector<Options extends Readonly<Record<string, unknown>>>(
  method: AdditiveMethod<Options>,
): Detector<Options> {
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
      const ordinary =
        learned === null ? { scale: 1, meanTerms: [] } : summariseTerms(scaled, method.prepare(learned, columns), seed);
      return fitted({ ranges, learned, ...ordinary, options: chosen }, features);
    },
    load(artefact: Artefact) {
      return fitted(readAdditive(method, artefact), artefact.features);
    },
  };

  function fitted(state: AdditiveState<Options>, features: readonly string[]): FittedDetector {
    const { ranges, learned, scale, meanTerms } = state;
    const columns = ranges.varying.length;
    const terms = learned === null ? null : method.prepare(learned, columns);
    const quickRaw = learned === null ? undefined : method.prepareRaw?.(learned);
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
    const rawOf = (values: Float32Array, row: number) => {
      if (quickRaw !== undefined) {
        scaleRow(ranges, values, row, scaled);
        return quickRaw(scaled);
      }
      termsOf(values, row);
      let raw = 0;
      for (let i = 0; i < columns; i++) raw += one[i];
      return raw;
    };
    return {
      name: method.name,
      features,
      score(matrix) {
        check(matrix.columns);
        const scores = new Float32Array(matrix.rows);
        for (let row = 0; row < matrix.rows; row++) {
          const raw = rawOf(matrix.values, row * matrix.columns);
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
          contributions[column] = (one[i] - meanTerms[i]) / scale;
        });
        return { base: meanTerms.reduce((sum, term) => sum + term / scale, 0), contributions };
      },
      save() {
        const arrays = learned === null ? null : Object.keys(learned.numbers);
        const sections = learned === null ? [] : Object.values(learned.numbers).map(bytesOf);
        const contents: Stored<Options> = { arrays, ranges, scale, meanTerms, options: state.options };
        const parameters = { ...state.options };
        return packArtefact(
          { format: formatOf(method), formatVersion: FORMAT_VERSION, features: [...features], parameters },
          { contents, sections },
        );
      },
    };
  }
}

/** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
export function readAdditive<Options>(method: { readonly name: string }, artefact: Artefact): AdditiveState<Options> {
  const { contents, sections } = unpackArtefact(artefact, formatOf(method), FORMAT_VERSION);
  const { arrays, ranges, scale, options, ...stored } = contents as Stored<Options>;
  checkFeatureNames(artefact, ranges.columns);
  const entries = arrays?.map((name, index) => [name, new Float64Array(sections[index].buffer)] as const);
  const learned = entries === undefined ? null : { numbers: Object.fromEntries(entries) };
  const meanTerms = stored.meanTerms ?? ranges.varying.map(() => 0);
  return { ranges, learned, scale, meanTerms, options };
}

const formatOf = ({ name }: { readonly name: string }) => `centinela.${name}`;

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

/** The median raw score and the mean terms. */
function summariseTerms(scaled: Matrix, terms: Terms, seed: number): { scale: number; meanTerms: number[] } {
  const { rows, columns, values } = sampleOf(scaled, SCALE_ROWS, seed);
  const one = new Float64Array(columns);
  const means = new Float64Array(columns);
  const raws = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    terms(Float64Array.from(values.subarray(row * columns, (row + 1) * columns)), one);
    for (let i = 0; i < columns; i++) {
      raws[row] += one[i];
      means[i] += one[i] / rows;
    }
  }
  const median = raws.sort()[rows >> 1];
  const greatest = raws[rows - 1];
  return { scale: median > 0 ? median : greatest > 0 ? greatest : 1, meanTerms: [...means] };
}
