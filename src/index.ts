// The module `centinela`: build, train, evaluate and save networks as in Keras, and fit the other detectors.
//
//   import { compile, dense, dropout, earlyStopping, sequential } from 'centinela';
//
//   const model = compile(sequential(30, [dense(64, 'relu'), dropout(0.5), dense(1, 'sigmoid')]), {
//     loss: 'focal',
//     metrics: ['aucRoc', 'averagePrecision'],
//   });
//   await model.fit(inputs, targets, { epochs: 50, validationShare: 0.2, callbacks: [earlyStopping({ patience: 5 })] });
//   await model.save('fraud.keras');
//
// What is exported here is what programs may rely on; docs/networks.md describes it.
import { createGraphRuntime } from './adapters/onnx-runtime/graph-runtime.ts';
import type { StateDictOptions } from './interchange/state-dict.ts';
import { loadNetwork } from './modelling/files.ts';
import { createModel, type Model, type ModelSettings } from './modelling/model.ts';
import { createAutoencoderDetector } from './models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from './models/blend/unsupervised-ensemble.ts';
import { copod } from './models/copod/copod.ts';
import { ecod } from './models/ecod/ecod.ts';
import { createEnsembleDetector } from './models/ensemble/ensemble.ts';
import { gbdt } from './models/gbdt/gbdt.ts';
import { halfSpaceTrees } from './models/half-space-trees/half-space-trees.ts';
import { hbos } from './models/hbos/hbos.ts';
import { isolationForest } from './models/isolation-forest/isolation-forest.ts';
import { knn } from './models/knn/knn.ts';
import type { NetworkDescription } from './models/network/description.ts';
import { createNetworkDetector } from './models/network/network.ts';
import { createOnnxModelDetector } from './models/onnx-model/onnx-model.ts';
import { pca } from './models/pca/pca.ts';
import { robustCovariance } from './models/robust-covariance/robust-covariance.ts';

export { type LabelledTable, readLabelledTable } from './adapters/files/read-matrix.ts';
export { InputError } from './lib/errors.ts';
export type { Callback, CallbackAnswer, EpochReport, Monitor } from './modelling/callbacks.ts';
export { earlyStopping, progressLines, reduceOnPlateau } from './modelling/callbacks.ts';
export { csvLogger, modelCheckpoint } from './modelling/files.ts';
export type { Metric, MetricFunction, MetricName } from './modelling/metrics.ts';
export type { EpochRecord, FitOptions, FittedModel, Model, ModelSettings } from './modelling/model.ts';
export type { Rows } from './modelling/rows.ts';
export type { Detector, Explanation, FittedDetector, TrainingData } from './models/detector.ts';
export { type Matrix, sliceRows, takeColumns, takeRows } from './models/matrix.ts';
export type { ActivationName, Layer, Network, NetworkDescription } from './models/network/description.ts';
export type { Loss } from './models/network/losses.ts';
export type { LearningRate, Optimizer } from './models/network/optimizer.ts';
export { batchNorm, dense, dropout, embedColumns, sequential } from './models/network/sequential.ts';
export {
  createPreparation,
  fitPreparation,
  type Preparation,
  type PreparationOptions,
  type PreparationPlan,
} from './models/preparation/preparation.ts';
export { aucRoc } from './training/metrics/auc-roc.ts';
export { averagePrecision } from './training/metrics/precision-recall.ts';

const runtime = createGraphRuntime();

/** A model with random numbers, by the settings' seed. */
export function compile(description: NetworkDescription, settings: ModelSettings = {}): Model {
  return createModel(runtime, description, null, settings);
}

/**
 * A model of a .keras, .h5, .pt or .safetensors file, to predict with or to train further.
 *
 * @param weights what files of weights (.pt, .safetensors) that are not ours do not say
 * @throws InputError where there is no such file, or its network is none that is known here
 */
export async function loadModel(
  path: string,
  settings: ModelSettings = {},
  weights: StateDictOptions = {},
): Promise<Model> {
  const network = await loadNetwork(path, weights);
  return createModel(runtime, network.description, network, settings);
}

/**
 * The detectors, each `fit(data, options, seed)` and `load(artefact)`. What is fitted has `score(matrix)`, `explain(row)` and
 * `save()`.
 */
export const detectors = {
  gbdt,
  network: createNetworkDetector(runtime),
  ensemble: createEnsembleDetector(runtime),
  unsupervisedEnsemble,
  isolationForest,
  autoencoder: createAutoencoderDetector(runtime),
  robustCovariance,
  ecod,
  copod,
  halfSpaceTrees,
  hbos,
  pca,
  knn,
  onnx: createOnnxModelDetector(runtime),
} as const;
