// What can be chosen of an autoencoder, and what was chosen on validation data (docs/decisions/0011).
import type { TrainingObserver } from '../network/observer.ts';
import type { PreparationMethod } from '../preparation/preparation.ts';

export interface AutoencoderOptions {
  /** Units of the layers before and after the middle. */
  readonly hidden: number;
  /** Units of the middle: the length of an embedding. */
  readonly bottleneck: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly batchRows: number;
  readonly method: Exclude<PreparationMethod, 'piecewise-linear'>;
  /** Numbers per embedded category column. */
  readonly embeddingUnits: number;
  /** Share of a row's values that another row's stand for while the network learns to give the true ones, in [0, 1). */
  readonly swapShare: number;
  /** Not stored. */
  readonly observer: TrainingObserver | null;
}

export const DEFAULT_AUTOENCODER_OPTIONS: AutoencoderOptions = {
  hidden: 32,
  bottleneck: 8,
  // A longer training learns to repeat the anomalies among the rows, too.
  epochs: 6,
  learningRate: 2e-3,
  batchRows: 256,
  method: 'standardise',
  embeddingUnits: 4,
  swapShare: 0.2,
  observer: null,
};

/** @throws if the share is none; the message says so. */
export function completeAutoencoderOptions(options: Partial<AutoencoderOptions>): AutoencoderOptions {
  const complete = { ...DEFAULT_AUTOENCODER_OPTIONS, ...options };
  const { swapShare } = complete;
  if (!(swapShare >= 0 && swapShare < 1)) {
    throw new Error(`autoencoder: swapShare is ${swapShare}, expected a number from 0 to below 1`);
  }
  return complete;
}
