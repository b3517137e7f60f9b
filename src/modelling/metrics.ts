// What a network's answers are measured by: the names that `compile` takes, and measures of one's own.
import { InputError } from '../lib/errors.ts';
import { aucRoc } from '../training/metrics/auc-roc.ts';
import { averagePrecision, precisionRecallF1At } from '../training/metrics/precision-recall.ts';

export interface MetricFunction {
  readonly name: string;
  /** @param outputs of the network, row by row, as many as targets */
  measure(targets: Float32Array, outputs: Float32Array): number;
}

export type MetricName = keyof typeof METRICS;

/** By name, or a measure of one's own. */
export type Metric = MetricName | MetricFunction;

const THRESHOLD = 0.5;

/** Of one output, with targets 0 and 1, but for the last. NaN where a class is missing. */
const METRICS = {
  aucRoc: (targets: Float32Array, outputs: Float32Array) => aucRoc(labelsOf(targets), outputs),
  averagePrecision: (targets: Float32Array, outputs: Float32Array) => averagePrecision(labelsOf(targets), outputs),
  /** Share of the values on the right side of .5. */
  accuracy: (targets: Float32Array, outputs: Float32Array) =>
    meanOver(targets, (target, i) => (outputs[i] >= THRESHOLD === target >= THRESHOLD ? 1 : 0)),
  /** At .5. */
  precision: (targets: Float32Array, outputs: Float32Array) =>
    precisionRecallF1At(labelsOf(targets), outputs, THRESHOLD).precision,
  /** At .5. */
  recall: (targets: Float32Array, outputs: Float32Array) =>
    precisionRecallF1At(labelsOf(targets), outputs, THRESHOLD).recall,
  meanAbsoluteError: (targets: Float32Array, outputs: Float32Array) =>
    meanOver(targets, (target, i) => Math.abs(outputs[i] - target)),
} as const;

export function metricFunction(metric: Metric): MetricFunction {
  if (typeof metric !== 'string') return metric;
  if (!Object.hasOwn(METRICS, metric)) {
    throw new InputError(
      'METRIC_UNKNOWN',
      `There is no metric '${metric}'`,
      `There are ${Object.keys(METRICS).join(', ')}; or give { name, measure(targets, outputs) }`,
    );
  }
  return { name: metric, measure: METRICS[metric] };
}

function labelsOf(targets: Float32Array): Uint8Array {
  return Uint8Array.from(targets, (target) => (target >= THRESHOLD ? 1 : 0));
}

function meanOver(targets: Float32Array, of: (target: number, index: number) => number): number {
  return targets.reduce((sum, target, index) => sum + of(target, index), 0) / targets.length;
}
