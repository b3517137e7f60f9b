// Precision and recall at every threshold, at one, and summed up in one number.
import { checkSameLength, rankSteps, type Scores } from './order.ts';

/**
 * Σ (recall − recall before) × precision over the distinct scores, greatest first: scikit-learn's definition, without
 * interpolation. In [0, 1]; NaN where there is no fraud.
 */
export function averagePrecision(labels: Uint8Array, scores: Scores): number {
  const { flagged, frauds, totalFrauds } = rankSteps(labels, scores);
  if (totalFrauds === 0) return Number.NaN;
  let sum = 0;
  let fraudsBefore = 0;
  for (let step = 0; step < flagged.length; step++) {
    sum += ((frauds[step] - fraudsBefore) * frauds[step]) / flagged[step];
    fraudsBefore = frauds[step];
  }
  return sum / totalFrauds;
}

export interface PrecisionRecallCurve {
  /** The distinct scores, descending; a row at or above the threshold is flagged. */
  readonly thresholds: Float64Array;
  readonly precision: Float64Array;
  /** NaN where there is no fraud. */
  readonly recall: Float64Array;
}

export function precisionRecallCurve(labels: Uint8Array, scores: Scores): PrecisionRecallCurve {
  const steps = rankSteps(labels, scores);
  return {
    thresholds: steps.scores,
    precision: Float64Array.from(steps.frauds, (frauds, step) => frauds / steps.flagged[step]),
    recall: Float64Array.from(steps.frauds, (frauds) => frauds / steps.totalFrauds),
  };
}

export interface ThresholdMetrics {
  readonly threshold: number;
  /** Rows with a score at or above the threshold. */
  readonly flagged: number;
  readonly truePositives: number;
  /** NaN where nothing is flagged. */
  readonly precision: number;
  /** NaN where there is no fraud. */
  readonly recall: number;
  /** 2·TP ÷ (flagged + frauds); NaN where there are neither. */
  readonly f1: number;
}

export function precisionRecallF1At(labels: Uint8Array, scores: Scores, threshold: number): ThresholdMetrics {
  checkSameLength(scores.length, labels.length, 'labels');
  let flagged = 0;
  let truePositives = 0;
  let frauds = 0;
  for (let row = 0; row < scores.length; row++) {
    frauds += labels[row];
    if (!(scores[row] >= threshold)) continue;
    flagged++;
    truePositives += labels[row];
  }
  return {
    threshold,
    flagged,
    truePositives,
    precision: truePositives / flagged,
    recall: truePositives / frauds,
    f1: (2 * truePositives) / (flagged + frauds),
  };
}
