// What can be chosen when a network is fitted as a detector: a preset, and anything that departs from it.
import type { PreparationOptions } from '../preparation/preparation.ts';
import { DEFAULT_PREPARATION } from '../preparation/preparation.ts';
import type { Layer } from './description.ts';
import type { Loss } from './losses.ts';
import type { TrainingObserver } from './observer.ts';
import type { LearningRate, Optimizer } from './optimizer.ts';
import { dense, dropout } from './sequential.ts';

export interface NetworkOptions {
  /** `simple` and `complex` are the networks of the original design; the other options default to the preset's. */
  readonly preset: 'simple' | 'complex' | 'best';
  /** After the embeddings of category codes, if there are any; the last is `dense(1, 'sigmoid')`. */
  readonly layers: readonly Layer[];
  readonly preparation: Partial<Omit<PreparationOptions, 'categorical'>>;
  /** Numbers per embedded category column, 1 … 256. */
  readonly embeddingUnits: number;
  readonly loss: Exclude<Loss, { kind: 'mean-squared-error' }>;
  readonly optimizer: Optimizer;
  readonly learningRate: LearningRate;
  /** Longest gradient of a batch, > 0; null for any. */
  readonly clipNorm: number | null;
  /** At most, 1 … 10,000. */
  readonly epochs: number;
  readonly batchRows: number;
  /** Epochs without a better validation loss; 0 trains all epochs. */
  readonly patience: number;
  /** Share of the training rows, the last ones, watched for early stopping where no validation rows are given, [0, 0.5]. */
  readonly validationShare: number;
  /** Weight of a fraud against a genuine row, > 0. Shifts the probabilities. */
  readonly positiveWeight: number;
  /** Networks from different seeds whose logits are averaged, 1 … 64. */
  readonly members: number;
  /** Not stored. */
  readonly observer: TrainingObserver | null;
}

const COMMON = {
  preparation: { ...DEFAULT_PREPARATION },
  embeddingUnits: 8,
  loss: { kind: 'binary-cross-entropy' },
  optimizer: { kind: 'adam' },
  learningRate: { initial: 1e-3 },
  clipNorm: null,
  batchRows: 256,
  patience: 0,
  validationShare: 0,
  positiveWeight: 1,
  members: 1,
  observer: null,
} as const;

export const PRESETS: Readonly<Record<NetworkOptions['preset'], NetworkOptions>> = {
  simple: {
    ...COMMON,
    preset: 'simple',
    layers: [dense(64, 'relu'), dense(32, 'relu'), dense(1, 'sigmoid')],
    epochs: 10,
  },
  complex: {
    ...COMMON,
    preset: 'complex',
    layers: [dense(128, 'relu'), dropout(0.5), dense(64, 'relu'), dropout(0.5), dense(1, 'sigmoid')],
    epochs: 50,
    patience: 5,
    validationShare: 0.15,
  },
  best: {
    ...COMMON,
    preset: 'best',
    layers: [dense(64, 'relu'), dropout(0.2), dense(32, 'relu'), dense(1, 'sigmoid')],
    optimizer: { kind: 'adamw', weightDecay: 0.01 },
    epochs: 50,
    patience: 5,
    validationShare: 0.15,
    members: 3,
  },
};

export const DEFAULT_NETWORK_OPTIONS: NetworkOptions = PRESETS.best;

/** Inclusive; `whole` asks for an integer. */
export interface OptionRange {
  readonly key: keyof NetworkOptions;
  readonly from: number;
  readonly to: number;
  readonly whole: boolean;
}

export const OPTION_RANGES: readonly OptionRange[] = [
  { key: 'embeddingUnits', from: 1, to: 256, whole: true },
  { key: 'epochs', from: 1, to: 10_000, whole: true },
  { key: 'batchRows', from: 1, to: 1e6, whole: true },
  { key: 'patience', from: 0, to: 10_000, whole: true },
  { key: 'validationShare', from: 0, to: 0.5, whole: false },
  { key: 'positiveWeight', from: 1e-9, to: 1e9, whole: false },
  { key: 'members', from: 1, to: 64, whole: true },
];

/** Fills in the preset's values. @throws if an option is unknown or out of its range; the message says which. */
export function completeOptions(options: Partial<NetworkOptions>): NetworkOptions {
  const preset = PRESETS[options.preset ?? DEFAULT_NETWORK_OPTIONS.preset];
  if (preset === undefined) {
    throw new Error(`network: there is no preset "${options.preset}"; there are ${Object.keys(PRESETS).join(', ')}`);
  }
  const unknown = Object.keys(options).find((key) => !(key in preset));
  if (unknown !== undefined) throw new Error(`network: unknown option "${unknown}"`);
  const complete: NetworkOptions = { ...preset, ...options };
  for (const { key, from, to, whole } of OPTION_RANGES) {
    const value = complete[key] as number;
    if (!(value >= from && value <= to) || (whole && !Number.isInteger(value))) {
      throw new Error(`network: ${key} is ${value} but must be ${whole ? 'a whole number' : 'a number'} ${from}–${to}`);
    }
  }
  return complete;
}
