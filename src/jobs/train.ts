// Fits a risk model on a file, measures it on later time, and makes it ready to be registered.
import { type RiskModel, scoreRisk } from '../decisions/risk-model.ts';
import { type DetectorChoice, fitRiskModel } from '../training/fit-risk-model.ts';
import { aucRoc } from '../training/metrics/auc-roc.ts';
import { averagePrecision } from '../training/metrics/precision-recall.ts';
import { periodOf } from '../training/time-line.ts';
import type { FileFeatures } from './read-features.ts';

export interface TrainOptions {
  readonly features: FileFeatures;
  readonly detectors: readonly DetectorChoice[];
  readonly labelDelayMs: number;
  readonly maxTrainingRows: number;
  readonly reviewShare: number;
  readonly seed: number;
  readonly onProgress: (what: string, share: number) => void;
}

export interface TrainedModel {
  readonly model: RiskModel;
  /** The risk that `reviewShare` of the later rows reach. */
  readonly reviewAtRisk: number;
  /** Of the same recipe, fitted on the earlier part and measured on the later; null figures without labels there. */
  readonly metrics: {
    readonly evaluatedRows: number;
    readonly evaluatedFrauds: number;
    readonly aucRoc: number | null;
    readonly averagePrecision: number | null;
  };
}

/** The last part of the time line, never trained on while measuring. */
const EVALUATION_SHARE = 0.2;
const STACKING_SHARE = 0.25;

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
  const metrics = measure(table.labels, later, ranking);
  const ordered = Float32Array.from(risk).sort();
  const reviewAtRisk =
    ordered[Math.max(0, ordered.length - Math.max(1, Math.round(ordered.length * options.reviewShare)))];
  options.onProgress('training on everything', 0.6);
  return { model: fitUntil(endMs + 1 + options.labelDelayMs), reviewAtRisk, metrics };
}

function measure(labels: Int8Array, rows: Uint32Array, ranking: Float32Array): TrainedModel['metrics'] {
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
  };
}
