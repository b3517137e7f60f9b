// Fits a risk model on a part of a feature table: detectors on the earlier rows, their combination on the later ones.
//
// Only the past is used, as in production: a label counts when it was known at the end of the training period, and the
// detectors are combined on rows that come after those they were fitted on.
import { type RiskModel, type RiskModelPart, stackingInput } from '../decisions/risk-model.ts';
import type { FeatureDefinition } from '../features/definition.ts';
import { createPrng } from '../lib/prng.ts';
import type { FittedDetector, TrainingData } from '../models/detector.ts';
import { type Matrix, takeColumns } from '../models/matrix.ts';
import { fitStacking } from '../models/stacking.ts';
import { fitTailProbability } from '../models/tail-probability.ts';

/** The rows to learn from, in event-time order; a `FeatureTable` is one. */
export interface TrainingTable {
  readonly rows: number;
  readonly timesMs: Float64Array;
  /** 1, 0, or −1 for unknown. */
  readonly labels: Int8Array;
  take(rows: Uint32Array): Matrix;
}

export interface DetectorChoice {
  readonly name: string;
  readonly supervised: boolean;
  /** Which features it reads; null for all. */
  readonly columns: readonly number[] | null;
  fit(data: TrainingData, seed: number): FittedDetector;
}

export interface FitOptions {
  readonly definitions: readonly FeatureDefinition[];
  readonly detectors: readonly DetectorChoice[];
  /** Rows before this time are used. */
  readonly endMs: number;
  /** A label is known this long after its transaction. */
  readonly labelDelayMs: number;
  /** Share of the training period, at its end, that the detectors are combined on. */
  readonly stackingShare: number;
  /** At most this many rows per fit: all frauds, genuine rows sampled. */
  readonly maxRows: number;
  readonly seed: number;
}

/** Fewer frauds than this in a period teach nothing reliable. */
const MIN_FRAUDS = 10;

interface Sample {
  readonly rows: Uint32Array;
  readonly labels: Uint8Array;
  /** How many genuine rows each sampled one stands for. */
  readonly genuineWeight: number;
  readonly frauds: number;
}

export function fitRiskModel(table: TrainingTable, options: FitOptions): RiskModel {
  const { definitions } = options;
  const samples = samplesOf(table, options);
  const learns = samples.detectors.frauds >= MIN_FRAUDS && samples.stacking.frauds >= MIN_FRAUDS;
  const chosen = options.detectors.filter((choice) => learns || !choice.supervised);
  if (chosen.length === 0) {
    throw new Error(
      `only ${samples.detectors.frauds} labelled frauds to learn from (at least ${MIN_FRAUDS} are needed): add isolation-forest to the detectors`,
    );
  }
  const ordinary = samples.ordinary.length === 0 ? new Uint32Array(0) : samples.ordinary;
  const ordinaryMatrix = table.take(ordinary);
  const labelledMatrix = learns ? table.take(samples.detectors.rows) : null;
  const features = definitions.map(({ id }) => id);
  const fitted = chosen.map((choice, index): Omit<RiskModelPart, 'tail'> => {
    const columns = choice.columns ?? definitions.map((_, column) => column);
    const names = columns.map((column) => features[column]);
    const matrix = takeColumns(choice.supervised && labelledMatrix !== null ? labelledMatrix : ordinaryMatrix, columns);
    const labels = choice.supervised ? samples.detectors.labels : null;
    const data: TrainingData = { matrix, features: names, labels, validation: null };
    return { detector: choice.fit(data, options.seed + index), supervised: choice.supervised, columns };
  });
  const parts = fitted.map((part) => {
    const scores = part.detector.score(takeColumns(ordinaryMatrix, part.columns));
    return { ...part, tail: fitTailProbability(scores) };
  });
  if (!learns) return { definitions, parts, stacking: null };
  return { definitions, parts, stacking: stack(table, parts, samples.stacking) };
}

function stack(table: TrainingTable, parts: readonly RiskModelPart[], sample: Sample) {
  const matrix = table.take(sample.rows);
  const inputs = parts.map((part) => {
    const scores = part.detector.score(takeColumns(matrix, part.columns));
    return Float64Array.from(scores, (score) => stackingInput(part, score));
  });
  const weights = Float64Array.from(sample.labels, (label) => (label === 1 ? 1 : sample.genuineWeight));
  return fitStacking({ inputs, labels: sample.labels, weights });
}

function samplesOf(table: TrainingTable, options: FitOptions) {
  const { timesMs } = table;
  let startMs = Number.POSITIVE_INFINITY;
  for (let row = 0; row < table.rows; row++) startMs = Math.min(startMs, timesMs[row]);
  const knownUntilMs = options.endMs - options.labelDelayMs;
  const stackingStartMs = knownUntilMs - (knownUntilMs - startMs) * options.stackingShare;
  return {
    detectors: labelledSample(table, Number.NEGATIVE_INFINITY, stackingStartMs, options),
    stacking: labelledSample(table, stackingStartMs, knownUntilMs, options),
    ordinary: anySample(table, options),
  };
}

function labelledSample(table: TrainingTable, fromMs: number, toMs: number, options: FitOptions): Sample {
  const { timesMs, labels } = table;
  let frauds = 0;
  let genuine = 0;
  for (let row = 0; row < table.rows; row++) {
    if (timesMs[row] < fromMs || timesMs[row] >= toMs) continue;
    if (labels[row] === 1) frauds += 1;
    else if (labels[row] === 0) genuine += 1;
  }
  const keep = Math.min(1, Math.max(0, options.maxRows - frauds) / Math.max(1, genuine));
  const prng = createPrng(options.seed);
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (timesMs[row] < fromMs || timesMs[row] >= toMs || labels[row] < 0) continue;
    if (labels[row] === 1 || keep === 1 || prng.nextFloat() < keep) rows.push(row);
  }
  const taken = Uint32Array.from(rows);
  return { rows: taken, labels: Uint8Array.from(taken, (row) => labels[row]), genuineWeight: 1 / keep, frauds };
}

function anySample(table: TrainingTable, options: FitOptions): Uint32Array {
  const { timesMs } = table;
  let count = 0;
  for (let row = 0; row < table.rows; row++) if (timesMs[row] < options.endMs) count += 1;
  const keep = Math.min(1, options.maxRows / Math.max(1, count));
  const prng = createPrng(options.seed ^ 0x2545f491);
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (timesMs[row] < options.endMs && (keep === 1 || prng.nextFloat() < keep)) rows.push(row);
  }
  return Uint32Array.from(rows);
}
