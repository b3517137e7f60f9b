// Gradient-boosted decision trees: the supervised detector. Histogram boosting, leaf-wise, with logistic loss (Friedman
// 2001; Chen and Guestrin, "XGBoost", 2016; Ke et al., "LightGBM", 2017), exact TreeSHAP explanations.
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { decodeEnsemble, encodeEnsemble } from './artefact.ts';
import { boost, type LabelledMatrix } from './booster.ts';
import { type Ensemble, gainByColumn } from './ensemble.ts';
import { MAX_ROWS } from './histogram.ts';
import { completeOptions, DEFAULT_GBDT_OPTIONS, type GbdtOptions } from './options.ts';
import { createPathAttribution, type PathAttribution } from './path-attribution.ts';
import { createPredictor } from './predictor.ts';
import { createTreeExplainer, type TreeExplainer } from './tree-shap.ts';

export interface FittedGbdt extends FittedDetector {
  /** Trees kept, after early stopping. */
  readonly rounds: number;
  /** Log odds of fraud of one row: what `explain` splits into contributions. */
  marginOf(row: Float32Array): number;
  /** For each feature, its share of the drop of the training loss; sums to 1, or 0 if no tree was split. */
  importance(): Float64Array;
}

export interface GbdtDetector extends Detector<GbdtOptions> {
  fit(data: TrainingData, options: Partial<GbdtOptions>, seed: number): FittedGbdt;
  load(artefact: Artefact): FittedGbdt;
}

const NAME = 'gbdt';
const FEWEST_ROWS = 2;

export const gbdt: GbdtDetector = {
  name: NAME,
  needsLabels: true,
  defaults: DEFAULT_GBDT_OPTIONS,
  fit: (data, options, seed) => {
    const complete = completeOptions(options, data.features);
    const training = checkTraining(data, complete);
    const validation = checkValidation(data);
    const ensemble = boost(training, validation, data.features, complete, seed);
    const { sampleWeights, ...parameters } = complete;
    return createFitted(ensemble, data.features, { ...parameters, seed, weighted: sampleWeights !== null });
  },
  load: (artefact) => createFitted(decodeEnsemble(artefact), artefact.features, artefact.parameters),
};

function createFitted(ensemble: Ensemble, features: readonly string[], parameters: Artefact['parameters']): FittedGbdt {
  const predictor = createPredictor(ensemble);
  let explainer: TreeExplainer | null = null;
  let paths: PathAttribution | null = null;
  return {
    name: NAME,
    features,
    rounds: ensemble.treeStarts.length - 1,
    score: (matrix) => {
      checkColumns(matrix.columns, features.length);
      return predictor.score(matrix);
    },
    marginOf: (row) => {
      checkColumns(row.length, features.length);
      return predictor.marginOf(row);
    },
    explain: (row) => {
      checkColumns(row.length, features.length);
      explainer ??= createTreeExplainer(ensemble);
      return explainer.explain(row);
    },
    explainQuickly: (row) => {
      checkColumns(row.length, features.length);
      paths ??= createPathAttribution(ensemble);
      return paths.explain(row);
    },
    importance: () => {
      const gains = gainByColumn(ensemble);
      const total = gains.reduce((sum, gain) => sum + gain, 0);
      return total > 0 ? gains.map((gain) => gain / total) : gains;
    },
    save: () => encodeEnsemble(ensemble, features, parameters),
  };
}

function checkColumns(columns: number, expected: number): void {
  if (columns !== expected) throw new Error(`gbdt: got ${columns} columns but was trained on ${expected} features`);
}

function checkTraining({ matrix, features, labels }: TrainingData, options: GbdtOptions): LabelledMatrix {
  if (labels === null) throw new Error('gbdt: needs labels (1 fraud, 0 genuine): give them, or use a detector without');
  if (features.length !== matrix.columns || features.length === 0) {
    throw new Error(`gbdt: ${features.length} feature names for a matrix of ${matrix.columns} columns`);
  }
  if (matrix.rows < FEWEST_ROWS || matrix.rows > MAX_ROWS) {
    throw new Error(`gbdt: ${matrix.rows} training rows, but it takes ${FEWEST_ROWS} to ${MAX_ROWS}`);
  }
  if (matrix.values.length !== matrix.rows * matrix.columns) {
    throw new Error(`gbdt: ${matrix.values.length} values for ${matrix.rows} rows × ${matrix.columns} columns`);
  }
  checkLabels(labels, matrix.rows, 'training');
  checkWeights(options.sampleWeights, labels);
  return { matrix, labels };
}

function checkLabels(labels: Uint8Array, rows: number, which: string): void {
  if (labels.length !== rows) throw new Error(`gbdt: ${labels.length} labels for ${rows} ${which} rows`);
  const other = labels.findIndex((label) => label > 1);
  if (other >= 0) throw new Error(`gbdt: ${which} label ${other} is ${labels[other]}, neither 0 nor 1`);
}

function checkWeights(weights: Float32Array | null, labels: Uint8Array): void {
  if (weights !== null && weights.length !== labels.length) {
    throw new Error(`gbdt: ${weights.length} sample weights for ${labels.length} rows`);
  }
  const sums = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const weight = weights === null ? 1 : weights[i];
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new Error(`gbdt: sample weight ${i} is ${weight}, but weights are numbers from 0`);
    }
    sums[labels[i]] += weight;
  }
  if (sums[0] === 0 || sums[1] === 0) {
    const missing = sums[1] === 0 ? 'fraud' : 'genuine';
    throw new Error(`gbdt: the training rows hold no ${missing} row (of weight above 0); it needs both classes`);
  }
}

function checkValidation({ matrix, validation }: TrainingData): LabelledMatrix | null {
  if (validation === null) return null;
  if (validation.matrix.columns !== matrix.columns) {
    throw new Error(`gbdt: ${validation.matrix.columns} validation columns, but ${matrix.columns} training columns`);
  }
  if (validation.matrix.rows === 0) throw new Error('gbdt: no validation rows; give null to train without');
  checkLabels(validation.labels, validation.matrix.rows, 'validation');
  return validation;
}
