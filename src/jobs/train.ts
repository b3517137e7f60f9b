// Fits a risk model on a file, measures it on later time, and makes it ready to be registered.
import { type RiskModel, scoreRisk } from '../decisions/risk-model.ts';
import { type DetectorChoice, fitRiskModel } from '../training/fit-risk-model.ts';
import { aucRoc } from '../training/metrics/auc-roc.ts';
import { averagePrecision } from '../training/metrics/precision-recall.ts';
import { expectedCalibrationError } from '../training/metrics/reliability.ts';
import { type CapacityThreshold, chooseByCapacity } from '../training/thresholds/capacity.ts';
import { periodOf } from '../training/time-line.ts';
import type { FileFeatures } from './read-features.ts';

export interface TrainOptions {
  readonly features: FileFeatures;
  readonly detectors: readonly DetectorChoice[];
  readonly labelDelayMs: number;
  readonly maxTrainingRows: number;
  readonly reviewShare: number;
  /** Alerts a day that the analysts can look at; where given, it chooses the threshold and not `reviewShare`. */
  readonly reviewCapacityPerDay?: number;
  readonly seed: number;
  readonly onProgress: (what: string, share: number) => void;
}

export interface TrainedModel {
  readonly model: RiskModel;
  /** The risk that `reviewShare` of the later rows reach, or that fills the analysts' days. */
  readonly reviewAtRisk: number;
  /** How `reviewAtRisk` was chosen, on the later rows. */
  readonly thresholds: ChosenThresholds;
  /** Of the same recipe, fitted on the earlier part and measured on the later; null figures without labels there. */
  readonly metrics: {
    readonly evaluatedRows: number;
    readonly evaluatedFrauds: number;
    readonly aucRoc: number | null;
    readonly averagePrecision: number | null;
    /** Of the risk read as a probability, in bins of equal mass; null where it is none, too. */
    readonly expectedCalibrationError: number | null;
  };
}

export type ChosenThresholds =
  | { readonly by: 'share'; readonly reviewShare: number }
  | ({ readonly by: 'capacity'; readonly reviewCapacityPerDay: number } & Omit<CapacityThreshold, 'threshold'>);

/** The last part of the time line, never trained on while measuring. */
const EVALUATION_SHARE = 0.2;
const STACKING_SHARE = 0.25;
/** As in `evaluate`: with few bins the top one would hold some ten times as many rows as frauds. */
const CALIBRATION_BINS = 100;

export function trainModel(options: TrainOptions): TrainedModel {
  const { table, definitions } = options.features;
  const { timesMs } = table;
  const [startMs, endMs] = periodOf(timesMs);
  const cutMs = endMs - (endMs - startMs) * EVALUATION_SHARE;
  const fitUntil = (untilMs: number) =>
    fitRiskModel(table, {
      definitions,
      detectors: options.detectors,
      endMs: untilMs,
      labelDelayMs: options.labelDelayMs,
      stackingShare: STACKING_SHARE,
      maxRows: options.maxTrainingRows,
      seed: options.seed,
      outOfSampleReference: true,
    });
  options.onProgress('training', 0);
  const earlier = fitUntil(cutMs);
  options.onProgress('measuring on later time', 0.4);
  const later = Uint32Array.from(timesMs.keys()).filter((row) => timesMs[row] >= cutMs);
  const { risk, ranking } = scoreRisk(earlier, table.take(later));
  const metrics = measure(table.labels, later, ranking, earlier.stacking === null ? null : risk);
  const laterTimesMs = Float64Array.from(later, (row) => timesMs[row]);
  const { reviewAtRisk, thresholds } = chooseThresholds(risk, laterTimesMs, [cutMs, endMs], options);
  options.onProgress('training on everything', 0.6);
  return { model: fitUntil(endMs + 1 + options.labelDelayMs), reviewAtRisk, thresholds, metrics };
}

function chooseThresholds(
  risk: Float32Array,
  timesMs: Float64Array,
  [startMs, endMs]: readonly [number, number],
  { reviewShare, reviewCapacityPerDay }: TrainOptions,
): Pick<TrainedModel, 'reviewAtRisk' | 'thresholds'> {
  if (reviewCapacityPerDay !== undefined) {
    const { threshold, ...chosen } = chooseByCapacity(risk, timesMs, startMs, endMs, reviewCapacityPerDay);
    return { reviewAtRisk: threshold, thresholds: { by: 'capacity', reviewCapacityPerDay, ...chosen } };
  }
  const ordered = Float32Array.from(risk).sort();
  const flagged = Math.max(1, Math.round(ordered.length * reviewShare));
  return {
    reviewAtRisk: ordered[Math.max(0, ordered.length - flagged)],
    thresholds: { by: 'share', reviewShare },
  };
}

function measure(
  labels: Int8Array,
  rows: Uint32Array,
  ranking: Float32Array,
  probabilities: Float32Array | null,
): TrainedModel['metrics'] {
  const known = Array.from(rows.keys()).filter((index) => labels[rows[index]] >= 0);
  const knownLabels = Uint8Array.from(known, (index) => labels[rows[index]]);
  const scores = Float32Array.from(known, (index) => ranking[index]);
  const frauds = knownLabels.reduce((sum, label) => sum + label, 0);
  const measurable = frauds > 0 && frauds < knownLabels.length;
  return {
    evaluatedRows: rows.length,
    evaluatedFrauds: frauds,
    aucRoc: measurable ? aucRoc(knownLabels, scores) : null,
    averagePrecision: measurable ? averagePrecision(knownLabels, scores) : null,
    expectedCalibrationError:
      measurable && probabilities !== null
        ? expectedCalibrationError(
            knownLabels,
            Float32Array.from(known, (index) => probabilities[index]),
            CALIBRATION_BINS,
          )
        : null,
  };
}
