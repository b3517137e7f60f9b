// The figures by which a detector is judged over the folds of a protocol.
import { aucRoc } from './auc-roc.ts';
import { cardPrecisionAtK } from './card-precision.ts';
import type { Scores } from './order.ts';
import { averagePrecision } from './precision-recall.ts';

/** The test rows of one fold. */
export interface ScoredFold {
  readonly days: Int32Array;
  readonly customers: Uint32Array;
  /** 1 fraud, 0 genuine. */
  readonly labels: Uint8Array;
  readonly scores: Scores;
}

export interface FoldMetrics {
  readonly aucRoc: number;
  readonly averagePrecision: number;
  readonly cardPrecision100: number;
}

/** Means over the folds and population standard deviations. */
export interface EvaluationMetrics extends FoldMetrics {
  readonly aucRocStd: number;
  readonly averagePrecisionStd: number;
  readonly cardPrecision100Std: number;
  readonly folds: readonly FoldMetrics[];
}

const CARDS_PER_DAY = 100;

export function evaluateScores(folds: readonly ScoredFold[]): EvaluationMetrics {
  const each = folds.map(({ days, customers, labels, scores }) => ({
    aucRoc: aucRoc(labels, scores),
    averagePrecision: averagePrecision(labels, scores),
    cardPrecision100: cardPrecisionAtK(days, customers, labels, scores, CARDS_PER_DAY),
  }));
  const auc = spread(each.map((fold) => fold.aucRoc));
  const precision = spread(each.map((fold) => fold.averagePrecision));
  const cards = spread(each.map((fold) => fold.cardPrecision100));
  return {
    aucRoc: auc.mean,
    aucRocStd: auc.std,
    averagePrecision: precision.mean,
    averagePrecisionStd: precision.std,
    cardPrecision100: cards.mean,
    cardPrecision100Std: cards.std,
    folds: each,
  };
}

function spread(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}
