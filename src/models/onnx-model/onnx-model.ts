// Bring your own model: any ONNX file with a list of features, from Keras, PyTorch, scikit-learn, XGBoost, LightGBM.
//
// It learns nothing here. From the training rows it takes what is ordinary: the medians that stand for missing values where
// the model can't take them, the range, the spread of its scores, and a few rows that explanations start from. The artefact holds
// the model's bytes.
import { InputError } from '../../lib/errors.ts';
import type { GraphRuntime } from '../../ports.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { createMatrix, type Matrix, rowOf, sliceRows, takeColumns } from '../matrix.ts';
import { bytesOf, checkFeatureNames, packArtefact, unpackArtefact } from '../packed-artefact.ts';
import { representativeRows } from '../representative-rows.ts';
import { explainRow } from './explain-row.ts';
import { findPorts } from './model-ports.ts';
import { createModelRunner } from './model-runner.ts';
import { type OrdinaryRows, summariseRows } from './ordinary-rows.ts';
import { readSignature } from './signature.ts';

/** What a model's answer is. */
export type AnswerKind =
  /** of fraud, in [0, 1] */
  | 'probability'
  /** log odds of fraud */
  | 'logit'
  /** Greater is more anomalous, in any unit. */
  | 'score'
  /** Smaller is more anomalous, as scikit-learn's decision_function. */
  | 'negated-score';

export const ANSWER_KINDS: readonly AnswerKind[] = ['probability', 'logit', 'score', 'negated-score'];

export interface OnnxModelOptions {
  /** The file. */
  readonly model: Uint8Array | null;
  /** In the model's order; each must be among the training features. */
  readonly modelFeatures: readonly string[];
  /** Name of the output; null to find it. */
  readonly output: string | null;
  readonly answer: AnswerKind;
}

const NAME = 'onnx';
const FORMAT = 'centinela.onnx-model';
/** Version 1 had no representative rows. */
const FORMAT_VERSION = 2;
/** Probabilities are kept this far from 0 and 1, so that their log odds are numbers. */
const LEAST_PROBABILITY = 1e-6;
const LARGEST_LOG_ODDS = Math.log((1 - LEAST_PROBABILITY) / LEAST_PROBABILITY);
/** Enough rows to see whether a model answers in probabilities. */
const PROBE_ROWS = 1000;
const SPREAD_ROWS = 20_000;
/** Float32 noise of a probability. */
const PROBABILITY_SLACK = 1e-5;

/**
 * Explanations add up to the log odds of a probability, or to the number of deviations of a score.
 *
 * `fit` throws InputError where the model is not of a kind that can be served: its message says what to do.
 */
export function createOnnxModelDetector(runtime: GraphRuntime): Detector<OnnxModelOptions> {
  return {
    name: NAME,
    needsLabels: false,
    defaults: { model: null, modelFeatures: [], output: null, answer: 'probability' },
    fit(data, options) {
      const { model = null, modelFeatures = data.features, output = null, answer = 'probability' } = options;
      if (model === null) {
        throw new InputError(
          'ONNX_MODEL_MISSING',
          "The detector 'onnx' needs the file of a model",
          'Give it as onnx:FILE, with its features in FILE.features.json',
        );
      }
      checkTraining(data);
      const columns = columnsOf(modelFeatures, data.features);
      const rows = summariseRows(takeColumns(data.matrix, columns));
      const served = serve(runtime, model, { modelFeatures, output, answer, columns }, rows);
      const probe = takeColumns(sliceRows(data.matrix, 0, Math.min(data.matrix.rows, SPREAD_ROWS)), columns);
      const settings = served.measure(probe);
      const representatives = representativeRows(
        probe,
        (row) => data.labels?.[row] !== 1,
        (candidates) => served.raw(candidates, settings),
      );
      return fitted(runtime, { ...settings, model, rows, representatives }, data.features);
    },
    load(artefact) {
      const { contents, sections } = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
      const settings = contents as Settings & { trainedFeatures: number };
      checkFeatureNames(artefact, settings.trainedFeatures);
      const numbers = sections.slice(1).map((bytes) => new Float32Array(bytes.slice().buffer));
      const [medians, least, greatest, values = medians] = numbers;
      const columns = settings.columns.length;
      const representatives = { rows: values.length / columns, columns, values };
      const stored = { ...settings, model: sections[0], rows: { medians, least, greatest }, representatives };
      return fitted(runtime, stored, artefact.features);
    },
  };
}

interface ModelChoice {
  readonly modelFeatures: readonly string[];
  readonly output: string | null;
  readonly answer: AnswerKind;
  /** Of the training matrix, in the model's order. */
  readonly columns: readonly number[];
}

interface Settings extends ModelChoice {
  /** Whether a missing value may be handed to the model as it is. */
  readonly takesMissing: boolean;
  /** Of scores: what raw scores are counted from and in. */
  readonly centre: number;
  readonly deviation: number;
}

interface Stored extends Settings {
  readonly model: Uint8Array;
  readonly rows: OrdinaryRows;
  /** Rows of the model's columns that explanations start from; the medians in artefacts of version 1. */
  readonly representatives: Matrix;
}

function fitted(runtime: GraphRuntime, stored: Stored, features: readonly string[]): FittedDetector {
  const { model, rows, representatives, ...settings } = stored;
  const served = serve(runtime, model, settings, rows);
  const rawOf = (matrix: Matrix): Float64Array => served.raw(matrix, settings);
  return {
    name: NAME,
    features,
    score(matrix) {
      checkColumns(matrix.columns, features);
      return Float32Array.from(rawOf(takeColumns(matrix, settings.columns)), (raw) => scoreOf(raw, settings.answer));
    },
    explain(row) {
      checkColumns(row.length, features);
      const own = Float32Array.from(settings.columns, (column) => row[column]);
      const { base, contributions: parts } = explainRow(rawOf, representatives, own);
      // Features that the model does not read have no influence.
      const contributions = new Float64Array(features.length);
      settings.columns.forEach((column, i) => {
        contributions[column] += parts[i];
      });
      return { base, contributions };
    },
    save(): Artefact {
      const { modelFeatures, output, answer, takesMissing, centre, deviation } = settings;
      const readable = {
        format: FORMAT,
        formatVersion: FORMAT_VERSION,
        features: [...features],
        parameters: { modelFeatures, output, answer, takesMissing, centre, deviation, modelBytes: model.length },
      };
      const contents = { ...settings, trainedFeatures: features.length };
      const numbers = [rows.medians, rows.least, rows.greatest, representatives.values].map(bytesOf);
      return packArtefact(readable, { contents, sections: [model, ...numbers] });
    },
  };
}

function serve(runtime: GraphRuntime, model: Uint8Array, choice: ModelChoice, rows: OrdinaryRows) {
  const ports = findPorts(readSignature(model), choice.modelFeatures, choice.output);
  const runner = createModelRunner(runtime, model, ports);
  /** Answers as numbers, whatever the rows hold: what the model can't take is brought into the training rows' range. */
  const answers = (matrix: Matrix, takesMissing: boolean): Float64Array => {
    const first = runner.run(mapValues(matrix, (value, column) => finite(value, takesMissing, rows.medians[column])));
    const failed = Array.from(first.keys()).filter((row) => !Number.isFinite(first[row]));
    if (failed.length === 0) return first;
    const again = createMatrix(failed.length, matrix.columns);
    failed.forEach((row, i) => {
      rowOf(again, i).set(rowOf(matrix, row));
    });
    const second = runner.run(mapValues(again, (value, column) => inRange(value, column, rows)));
    failed.forEach((row, i) => {
      first[row] = second[i];
    });
    if (!first.every(Number.isFinite)) throw noNumber();
    return first;
  };
  return {
    raw: (matrix: Matrix, { takesMissing, centre, deviation }: Settings): Float64Array =>
      answers(matrix, takesMissing).map((answer) => rawOfAnswer(answer, choice.answer, centre, deviation)),
    measure(matrix: Matrix): Settings {
      const takesMissing = runner.run(rowsWithGaps(rows.medians)).every(Number.isFinite);
      const sample = answers(matrix, takesMissing);
      if (choice.answer === 'probability') checkProbabilities(sample.subarray(0, PROBE_ROWS));
      return { ...choice, takesMissing, ...spreadOf(sample) };
    },
  };
}

/** The ordinary row with each column missing in turn, and with all of them. */
function rowsWithGaps(medians: Float32Array): Matrix {
  const gaps = createMatrix(medians.length + 1, medians.length);
  for (let row = 0; row < gaps.rows; row++) {
    if (row < medians.length) rowOf(gaps, row).set(medians);
    else rowOf(gaps, row).fill(Number.NaN);
    if (row < medians.length) rowOf(gaps, row)[row] = Number.NaN;
  }
  return gaps;
}

function rawOfAnswer(answer: number, kind: AnswerKind, centre: number, deviation: number): number {
  switch (kind) {
    case 'probability': {
      const kept = Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, answer));
      return Math.log(kept / (1 - kept));
    }
    case 'logit':
      return Math.min(LARGEST_LOG_ODDS, Math.max(-LARGEST_LOG_ODDS, answer));
    case 'score':
      return (answer - centre) / deviation;
    case 'negated-score':
      return (centre - answer) / deviation;
  }
}

/** In [0, 1] and growing: a score has no natural end, and this leaves room for its extremes. */
function scoreOf(raw: number, kind: AnswerKind): number {
  if (kind === 'probability' || kind === 'logit') return 1 / (1 + Math.exp(-raw));
  return 0.5 + (0.5 * raw) / (1 + Math.abs(raw));
}

function spreadOf(answers: Float64Array): { centre: number; deviation: number } {
  const centre = answers.toSorted()[answers.length >> 1];
  const deviation = answers.reduce((sum, answer) => sum + Math.abs(answer - centre), 0) / answers.length;
  return { centre, deviation: deviation > 0 ? deviation : 1 };
}

function checkProbabilities(answers: Float64Array): void {
  const wrong = answers.find((answer) => answer < -PROBABILITY_SLACK || answer > 1 + PROBABILITY_SLACK);
  if (wrong === undefined) return;
  throw new InputError(
    'ONNX_MODEL_NOT_PROBABILITY',
    `The ONNX model answers ${wrong} for a row, which is no probability`,
    "Say what it answers: 'logit' for log odds, 'score' or 'negated-score' for another unit",
  );
}

function mapValues(matrix: Matrix, change: (value: number, column: number) => number): Matrix {
  const changed = createMatrix(matrix.rows, matrix.columns);
  for (let i = 0; i < matrix.values.length; i++) changed.values[i] = change(matrix.values[i], i % matrix.columns);
  return changed;
}

const MAX_FLOAT32 = 3.4028234663852886e38;

function finite(value: number, takesMissing: boolean, median: number): number {
  if (Number.isNaN(value)) return takesMissing ? value : median;
  return Math.min(MAX_FLOAT32, Math.max(-MAX_FLOAT32, value));
}

function inRange(value: number, column: number, { medians, least, greatest }: OrdinaryRows): number {
  return Number.isNaN(value) ? medians[column] : Math.min(greatest[column], Math.max(least[column], value));
}

function columnsOf(wanted: readonly string[], features: readonly string[]): number[] {
  const missing = wanted.filter((name) => !features.includes(name));
  if (missing.length === 0) return wanted.map((name) => features.indexOf(name));
  throw new InputError(
    'ONNX_MODEL_FEATURES',
    `The ONNX model asks for ${missing.length} features that are not computed: ${missing.slice(0, 5).join(', ')}`,
    "Features are listed by 'centinela features'",
  );
}

function checkTraining({ matrix, features }: TrainingData): void {
  checkColumns(matrix.columns, features);
  if (matrix.rows < 1) throw new Error('onnx: no rows to learn from what is ordinary');
}

function checkColumns(columns: number, features: readonly string[]): void {
  if (columns === features.length) return;
  throw new Error(`onnx: got ${columns} columns for ${features.length} features`);
}

function noNumber(): InputError {
  return new InputError(
    'ONNX_MODEL_NO_NUMBER',
    'The ONNX model gives no number for a row within the range of the training rows',
    'Check the model on such rows where it was made',
  );
}
