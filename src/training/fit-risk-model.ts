// Fits a risk model on a part of a feature table: detectors on the earlier rows, their combination on the later ones.
//
// Only the past is used, as in production: a label counts when it was known at the end of the training period, and the
// detectors are combined on rows that come after those they were fitted on. Sampling and fitting are two steps, so that
// fitting can be done elsewhere (another thread) from the sampled rows alone.
import { type RiskModel, type RiskModelPart, stackingInput } from '../decisions/risk-model.ts';
import { categoricalColumns, type FeatureDefinition } from '../features/definition.ts';
import { InputError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import { AS_IS, chooseCalibration } from '../models/calibration.ts';
import { fitConformal } from '../models/conformal.ts';
import type { FittedDetector, TrainingData } from '../models/detector.ts';
import { type Matrix, takeColumns } from '../models/matrix.ts';
import { fitStacking, probabilityOf, stackedLogOdds } from '../models/stacking.ts';
import { periodOf } from './time-line.ts';

/** The rows to learn from; a `FeatureTable` is one. */
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

export interface SampleOptions {
  /** Rows before this time are used. */
  readonly endMs: number;
  /** A label is known this long after its transaction. */
  readonly labelDelayMs: number;
  /** Share of the training period, at its end, that the detectors are combined on. */
  readonly stackingShare: number;
  /** At most this many rows per fit: all frauds, genuine rows sampled. */
  readonly maxRows: number;
  readonly seed: number;
  /** The model is for later rows: its reference scores come from the end of the training period, which no detector saw. */
  readonly outOfSampleReference?: boolean;
}

export interface LabelledSample {
  readonly matrix: Matrix;
  readonly labels: Uint8Array;
  /** How many genuine rows each sampled one stands for. */
  readonly genuineWeight: number;
}

/** Everything a fit needs. */
export interface TrainingSample {
  /** Rows of any label: what is ordinary. */
  readonly ordinary: Matrix;
  /**
   * Later rows of any label that no detector learns from, for its reference scores: a p-value for rows to come is true
   * only against rows that were as new to the detector as they are. null: the rows it learned from serve, which is right
   * where those very rows are then ranked; among themselves each is as likely as any to be the k-th most unusual, and
   * against unseen rows, which look more unusual to the detector, all of them would look too ordinary.
   */
  readonly reference: Matrix | null;
  /** null where there are too few labelled frauds to learn from. */
  readonly labelled: { readonly detectors: LabelledSample; readonly stacking: LabelledSample } | null;
  /** Labelled frauds found, for messages. */
  readonly frauds: number;
}

/** Rows that show what is ordinary; more change neither a forest nor the reference scores. */
const MAX_ORDINARY_ROWS = 100_000;

/** Fewer frauds than this in a period teach nothing reliable. */
const MIN_FRAUDS = 10;

/** The detectors are combined on rows of `[stackingStartMs, knownUntilMs)`, and fitted on those before. */
export function stackingPeriod(
  { timesMs }: Pick<TrainingTable, 'timesMs'>,
  { endMs, labelDelayMs, stackingShare }: Pick<SampleOptions, 'endMs' | 'labelDelayMs' | 'stackingShare'>,
) {
  const [startMs] = periodOf(timesMs);
  const knownUntilMs = endMs - labelDelayMs;
  return { stackingStartMs: knownUntilMs - (knownUntilMs - startMs) * stackingShare, knownUntilMs };
}

export function sampleRows(table: TrainingTable, options: SampleOptions): TrainingSample {
  const { stackingStartMs, knownUntilMs } = stackingPeriod(table, options);
  const detectors = chooseLabelled(table, Number.NEGATIVE_INFINITY, stackingStartMs, options);
  const stacking = chooseLabelled(table, stackingStartMs, knownUntilMs, options);
  const referenceStartMs =
    options.outOfSampleReference === true ? referenceStart(table, stackingStartMs, options) : options.endMs;
  const enough = detectors.frauds >= MIN_FRAUDS && stacking.frauds >= MIN_FRAUDS;
  return {
    ordinary: table.take(chooseAny(table, Number.NEGATIVE_INFINITY, referenceStartMs, options)),
    reference:
      referenceStartMs < options.endMs ? table.take(chooseAny(table, referenceStartMs, options.endMs, options)) : null,
    labelled: enough
      ? { detectors: labelledSample(table, detectors), stacking: labelledSample(table, stacking) }
      : null,
    frauds: detectors.frauds + stacking.frauds,
  };
}

export function fitOnSample(
  sample: TrainingSample,
  definitions: readonly FeatureDefinition[],
  detectors: readonly DetectorChoice[],
  seed: number,
): RiskModel {
  const { labelled, ordinary, reference } = sample;
  const chosen = detectors.filter((choice) => labelled !== null || !choice.supervised);
  if (chosen.length === 0) {
    throw new InputError(
      'TOO_FEW_LABELS',
      `There are only ${sample.frauds} labelled frauds to learn from, and at least ${2 * MIN_FRAUDS}, spread over time, are needed`,
      'Add isolation-forest to --detectors: it needs no labels',
    );
  }
  const parts = chosen.map((choice, index): RiskModelPart => {
    const columns = choice.columns ?? definitions.map((_, column) => column);
    const select = (matrix: Matrix) => (choice.columns === null ? matrix : takeColumns(matrix, columns));
    const detector = choice.fit(
      {
        matrix: select(choice.supervised && labelled !== null ? labelled.detectors.matrix : ordinary),
        features: columns.map((column) => definitions[column].id),
        categorical: categoricalColumns(columns.map((column) => definitions[column])),
        labels: choice.supervised && labelled !== null ? labelled.detectors.labels : null,
        validation: null,
      },
      seed + index,
    );
    return {
      detector,
      supervised: choice.supervised,
      columns,
      tail: fitConformal(detector.score(select(reference ?? ordinary))),
    };
  });
  if (labelled === null) return { definitions, parts, stacking: null, calibration: AS_IS, ruleEvidence: null };
  return { definitions, parts, ...combine(parts, labelled.stacking), ruleEvidence: null };
}

export interface FitOptions extends SampleOptions {
  readonly definitions: readonly FeatureDefinition[];
  readonly detectors: readonly DetectorChoice[];
}

export function fitRiskModel(table: TrainingTable, options: FitOptions): RiskModel {
  return fitOnSample(sampleRows(table, options), options.definitions, options.detectors, options.seed);
}

/**
 * Weighs the detectors, then asks whether a curve makes the weighted probability a better one. A curve has to earn its
 * place: it is fitted on the earlier 70 % of these rows, and the stacking's own probability stays unless the log loss on
 * the other 30 % falls by more than a standard error (`chooseCalibration`). The stacking has seen those 30 % as well, which
 * favours leaving it as it is. Isotonic steps are not among the curves: transactions of the same risk cannot be parted by
 * a share, the analysts' capacity or "one in a thousand" (with the forest alone on the Handbook's data, where isotonic
 * steps foretold best, one in 13,600 was flagged instead).
 */
function combine(
  parts: readonly RiskModelPart[],
  { matrix, labels, genuineWeight }: LabelledSample,
): Pick<RiskModel, 'stacking' | 'calibration'> {
  const inputs = parts.map((part) => {
    const scores = part.detector.score(takeColumns(matrix, part.columns));
    return Float64Array.from(scores, (score) => stackingInput(part, score));
  });
  const stacking = fitStacking({
    inputs,
    labels,
    weights: Float64Array.from(labels, (label) => (label === 1 ? 1 : genuineWeight)),
  });
  const probabilities = Float64Array.from(labels, (_, row) =>
    probabilityOf(
      stackedLogOdds(
        stacking,
        inputs.map((column) => column[row]),
      ),
    ),
  );
  return { stacking, calibration: chooseCalibration(probabilities, labels, genuineWeight, true).calibration };
}

interface ChosenRows {
  readonly rows: Uint32Array;
  readonly genuineWeight: number;
  readonly frauds: number;
}

function labelledSample(table: TrainingTable, { rows, genuineWeight }: ChosenRows): LabelledSample {
  return { matrix: table.take(rows), labels: Uint8Array.from(rows, (row) => table.labels[row]), genuineWeight };
}

function chooseLabelled(table: TrainingTable, fromMs: number, toMs: number, options: SampleOptions): ChosenRows {
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
  return { rows: Uint32Array.from(rows), genuineWeight: 1 / keep, frauds };
}

/** Where the stacking rows begin; the end, for no reference apart, where one side would be left without rows. */
function referenceStart({ timesMs }: TrainingTable, stackingStartMs: number, { endMs }: SampleOptions): number {
  const used = timesMs.filter((timeMs) => timeMs < endMs);
  const isParted = used.some((timeMs) => timeMs < stackingStartMs) && used.some((timeMs) => timeMs >= stackingStartMs);
  return isParted ? stackingStartMs : endMs;
}

function chooseAny(table: TrainingTable, fromMs: number, toMs: number, options: SampleOptions): Uint32Array {
  const { timesMs } = table;
  const inside = (row: number) => timesMs[row] >= fromMs && timesMs[row] < toMs;
  let count = 0;
  for (let row = 0; row < table.rows; row++) if (inside(row)) count += 1;
  const keep = Math.min(1, Math.min(options.maxRows, MAX_ORDINARY_ROWS) / Math.max(1, count));
  // Another stream than the labelled sample's, which walks the same rows.
  const prng = createPrng(options.seed).fork(1);
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (inside(row) && (keep === 1 || prng.nextFloat() < keep)) rows.push(row);
  }
  return Uint32Array.from(rows);
}
