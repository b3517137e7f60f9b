// Measures detectors on a file by a protocol that says which rows are the past and which the future.
import { categoricalColumns } from '../features/definition.ts';
import { type Matrix, takeColumns } from '../models/matrix.ts';
import type { DetectorChoice } from '../training/fit-risk-model.ts';
import { evaluateScores, type ScoredFold } from '../training/metrics/evaluate.ts';
import { expectedCalibrationError } from '../training/metrics/reliability.ts';
import type { Fold } from '../training/protocols/fold.ts';
import type { FileFeatures } from './read-features.ts';

export interface EvaluateOptions {
  readonly features: FileFeatures;
  readonly folds: readonly Fold[];
  readonly detectors: readonly DetectorChoice[];
  /** Each fold is fitted with seeds `seed … seed + seeds − 1`, and the figures are averaged over them. */
  readonly seed: number;
  readonly seeds: number;
  readonly nowMs: () => number;
  readonly onProgress: (what: string, share: number) => void;
}

export interface EvaluatedModel {
  readonly name: string;
  readonly aucRoc: number;
  readonly aucRocStd: number;
  readonly averagePrecision: number;
  readonly averagePrecisionStd: number;
  /** Card Precision@100 as the Fraud Detection Handbook defines it. */
  readonly cardPrecision100: number;
  readonly cardPrecision100Std: number;
  /** Of the scores read as probabilities, in bins of equal mass; null for a detector that learns without labels. */
  readonly expectedCalibrationError: number | null;
  /** Mean per fit. */
  readonly fitSeconds: number;
  readonly scoreRowsPerSecond: number;
}

export function evaluateDetectors(options: EvaluateOptions): EvaluatedModel[] {
  const { folds, detectors, seeds } = options;
  const total = folds.length * detectors.length * seeds;
  let done = 0;
  const data = folds.map((fold) => foldData(options.features, fold));
  return detectors.map((choice) => {
    const bySeed = Array.from({ length: seeds }, (_, seed) => {
      let fitMs = 0;
      let scoreMs = 0;
      let rows = 0;
      const scored = data.map((fold) => {
        options.onProgress(choice.name, done / total);
        done += 1;
        const { scores, ...timing } = fitAndScore(choice, fold, options, seed);
        fitMs += timing.fitMs;
        scoreMs += timing.scoreMs;
        rows += scores.length;
        return { scores, labels: fold.testLabels, days: fold.days, customers: fold.customers };
      });
      return {
        ...evaluateScores(scored),
        expectedCalibrationError: choice.supervised ? meanCalibrationError(scored) : null,
        fitSeconds: fitMs / 1000 / folds.length,
        scoreRowsPerSecond: rows / Math.max(scoreMs / 1000, 1e-3),
      };
    });
    return { name: choice.name, ...meanOf(bySeed) };
  });
}

type FoldData = ReturnType<typeof foldData>;

function foldData({ table, definitions }: FileFeatures, fold: Fold) {
  const labelsOf = (rows: Uint32Array) => Uint8Array.from(rows, (row) => (table.labels[row] === 1 ? 1 : 0));
  return {
    definitions,
    train: table.take(fold.train),
    trainLabels: labelsOf(fold.train),
    test: table.take(fold.test),
    testLabels: labelsOf(fold.test),
    days: fold.testDays,
    customers: Uint32Array.from(fold.test, (row) => table.payers[row]),
  };
}

function fitAndScore(choice: DetectorChoice, fold: FoldData, options: EvaluateOptions, seed: number) {
  const columns = choice.columns ?? fold.definitions.map((_, column) => column);
  const select = (matrix: Matrix) => (choice.columns === null ? matrix : takeColumns(matrix, columns));
  const train = select(fold.train);
  const test = select(fold.test);
  const definitions = columns.map((column) => fold.definitions[column]);
  const started = options.nowMs();
  const detector = choice.fit(
    {
      matrix: train,
      features: definitions.map(({ id }) => id),
      categorical: categoricalColumns(definitions),
      labels: choice.supervised ? fold.trainLabels : null,
      validation: null,
    },
    options.seed + seed,
  );
  const fitted = options.nowMs();
  const scores = detector.score(test);
  return { scores, fitMs: fitted - started, scoreMs: options.nowMs() - fitted };
}

/** Bins enough to look at the frauds apart: with ten, the top one would hold some ten times as many rows as frauds. */
const CALIBRATION_BINS = 100;

function meanCalibrationError(folds: readonly ScoredFold[]): number {
  const errors = folds.map(({ labels, scores }) => expectedCalibrationError(labels, scores, CALIBRATION_BINS));
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

/** The mean of each figure. */
function meanOf(figures: readonly Omit<EvaluatedModel, 'name'>[]): Omit<EvaluatedModel, 'name'> {
  const mean = (key: keyof Omit<EvaluatedModel, 'name' | 'expectedCalibrationError'>) =>
    figures.reduce((sum, each) => sum + each[key], 0) / figures.length;
  const errors = figures.map((each) => each.expectedCalibrationError).filter((error) => error !== null);
  return {
    aucRoc: mean('aucRoc'),
    aucRocStd: mean('aucRocStd'),
    averagePrecision: mean('averagePrecision'),
    averagePrecisionStd: mean('averagePrecisionStd'),
    cardPrecision100: mean('cardPrecision100'),
    cardPrecision100Std: mean('cardPrecision100Std'),
    expectedCalibrationError:
      errors.length === 0 ? null : errors.reduce((sum, error) => sum + error, 0) / errors.length,
    fitSeconds: mean('fitSeconds'),
    scoreRowsPerSecond: Math.round(mean('scoreRowsPerSecond')),
  };
}
