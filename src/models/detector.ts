// What every detector is: fitted from a matrix and a seed, it scores rows, explains one, and turns into bytes.
//
// The same checks (test/model-checks) run over every detector: the same seed gives the same bits, save and load change
// nothing, one row scores as it does in a batch, missing values are handled, contributions add up to the score.
import type { Matrix } from './matrix.ts';

export interface TrainingData {
  readonly matrix: Matrix;
  /** One name per column, in order. */
  readonly features: readonly string[];
  /** Columns that hold category codes, whose order means nothing; none where it is left out. */
  readonly categorical?: readonly number[];
  /** 1 fraud, 0 genuine, one per row; null for detectors that learn without labels. */
  readonly labels: Uint8Array | null;
  /** Later rows that were not trained on, for early stopping; null to train the full number of rounds. */
  readonly validation: { readonly matrix: Matrix; readonly labels: Uint8Array } | null;
}

/** Why one row got its score: `base + Σ contributions = raw score`, in the detector's own additive unit. */
export interface Explanation {
  /** The expected raw score before anything is known of the row. */
  readonly base: number;
  /** One number per feature, in column order; positive pushes towards anomalous. */
  readonly contributions: Float64Array;
}

/** A fitted detector as it is stored: a small JSON part that a person can read, and the numbers. */
export interface Artefact {
  readonly format: string;
  readonly formatVersion: number;
  readonly features: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly binary: Uint8Array;
}

export interface FittedDetector {
  readonly name: string;
  readonly features: readonly string[];
  /** One score per row, greater is more anomalous: a probability for supervised detectors, in [0, 1] for all. */
  score(matrix: Matrix): Float32Array;
  explain(row: Float32Array): Explanation;
  /**
   * An explanation in the time of a few scores, for decisions under a deadline, where `explain` takes much longer. It adds up
   * as `explain` does.
   */
  explainQuickly?(row: Float32Array): Explanation;
  save(): Artefact;
}

/**
 * A detector that keeps learning from a stream: a fold over its rows. A row is scored before it is learned, so that no
 * score knows its own row. The state is bounded; `save` after any row is its checkpoint, and what `load` makes of that goes
 * on with the same bits.
 */
export interface OnlineDetector extends FittedDetector {
  /** One row, the next in event order. */
  learn(row: Float32Array): void;
}

export function isOnline(detector: FittedDetector): detector is OnlineDetector {
  return 'learn' in detector;
}

export interface Detector<Options> {
  readonly name: string;
  readonly needsLabels: boolean;
  readonly defaults: Options;
  fit(data: TrainingData, options: Partial<Options>, seed: number): FittedDetector;
  /** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
  load(artefact: Artefact): FittedDetector;
}
