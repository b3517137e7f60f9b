// Measures detectors that need no labels by ADBench's protocol: each set split and scaled once a seed, figures averaged.
import { type Matrix, takeRows } from '../models/matrix.ts';
import type { DetectorChoice } from '../training/fit-risk-model.ts';
import { aucRoc } from '../training/metrics/auc-roc.ts';
import { averagePrecision } from '../training/metrics/precision-recall.ts';
import { ADBENCH_SEEDS, adbenchSplit, scaleMinMax } from '../training/protocols/adbench.ts';

export interface AnomalyDataset {
  readonly name: string;
  /** One name per column. */
  readonly features: readonly string[];
  readonly matrix: Matrix;
  /** 1 anomaly, 0 normal, one per row; hidden from the detectors. */
  readonly labels: Uint8Array;
}

export interface ModelFigures {
  readonly name: string;
  readonly aucRoc: number;
  readonly averagePrecision: number;
}

export interface DatasetFigures {
  readonly name: string;
  readonly models: readonly ModelFigures[];
}

/** The mean over ADBench's seeds of each detector's figures on the test rows. */
export function evaluateOnDataset(dataset: AnomalyDataset, detectors: readonly DetectorChoice[]): DatasetFigures {
  const { name, features, matrix, labels } = dataset;
  const bySeed = ADBENCH_SEEDS.map((seed) => {
    const fold = adbenchSplit(labels, seed);
    const { train, test } = scaleMinMax(takeRows(matrix, fold.train), takeRows(matrix, fold.test));
    const testLabels = Uint8Array.from(fold.test, (row) => labels[row]);
    return detectors.map((choice): ModelFigures => {
      const scores = choice.fit({ matrix: train, features, labels: null, validation: null }, seed).score(test);
      return {
        name: choice.name,
        aucRoc: aucRoc(testLabels, scores),
        averagePrecision: averagePrecision(testLabels, scores),
      };
    });
  });
  return { name, models: meanByModel(bySeed) };
}

/** Each model's figures averaged over several measurements of the same models in the same order. */
export function meanByModel(measurements: readonly (readonly ModelFigures[])[]): ModelFigures[] {
  const mean = (figure: (models: readonly ModelFigures[]) => number) =>
    measurements.reduce((sum, models) => sum + figure(models), 0) / measurements.length;
  return measurements[0].map(({ name }, index) => ({
    name,
    aucRoc: mean((models) => models[index].aucRoc),
    averagePrecision: mean((models) => models[index].averagePrecision),
  }));
}
