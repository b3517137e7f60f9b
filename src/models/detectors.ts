// Every detector of this version. A new one is added here and to the checks in test/model-checks.
import type { GraphRuntime } from '../ports.ts';
import { createAutoencoderDetector } from './autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from './blend/unsupervised-ensemble.ts';
import { copod } from './copod/copod.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from './detector.ts';
import { ecod } from './ecod/ecod.ts';
import { createEnsembleDetector } from './ensemble/ensemble.ts';
import { gbdt } from './gbdt/gbdt.ts';
import { gbdtOptionsFor } from './gbdt/options.ts';
import { halfSpaceTrees } from './half-space-trees/half-space-trees.ts';
import { hbos } from './hbos/hbos.ts';
import { isolationForest } from './isolation-forest/isolation-forest.ts';
import { knn } from './knn/knn.ts';
import { loda } from './loda/loda.ts';
import { createNetworkDetector } from './network/network.ts';
import type { TrainingObserver } from './network/observer.ts';
import type { NetworkOptions } from './network/options.ts';
import { createOnnxModelDetector } from './onnx-model/onnx-model.ts';
import { pca } from './pca/pca.ts';
import { robustCovariance } from './robust-covariance/robust-covariance.ts';

/** A detector with its own kind of options out of sight. */
export interface KnownDetector {
  readonly name: string;
  readonly needsLabels: boolean;
  /** Fits with the detector's defaults, but for the settings. */
  fit(data: TrainingData, seed: number): FittedDetector;
  load(artefact: Artefact): FittedDetector;
}

/** What departs from the detectors' defaults. */
export interface DetectorSettings {
  /** Of the detector `network`, and of the networks in `ensemble`. */
  readonly network: Partial<NetworkOptions>;
  /** Who watches the networks of a detector being trained. */
  readonly observe: ((detector: string) => TrainingObserver) | null;
}

/** In the order in which they are listed to people. */
export function knownDetectors(
  runtime: GraphRuntime,
  settings: Partial<DetectorSettings> = {},
): readonly KnownDetector[] {
  const { network = {}, observe = null } = settings;
  const observer = (detector: string) => ({ observer: observe?.(detector) ?? null });
  return [
    known(gbdt, gbdtOptionsFor),
    known(createEnsembleDetector(runtime), { network: { ...network, ...observer('ensemble') } }),
    known(createNetworkDetector(runtime), { ...network, ...observer('network') }),
    known(unsupervisedEnsemble),
    known(isolationForest),
    known(createAutoencoderDetector(runtime), observer('autoencoder')),
    known(robustCovariance),
    known(ecod),
    known(loda),
    known(copod),
    known(halfSpaceTrees),
    known(hbos),
    known(pca),
    known(knn),
    // Fitted only with a file (cli/detectors-here.ts); as if it needed labels, so that nobody takes it for one of those that learn without.
    { ...known(createOnnxModelDetector(runtime)), needsLabels: true },
  ];
}

/** @param options what departs from the detector's defaults, or that for so many features */
function known<Options>(
  detector: Detector<Options>,
  options: Partial<Options> | ((features: number) => Partial<Options>) = {},
): KnownDetector {
  return {
    name: detector.name,
    needsLabels: detector.needsLabels,
    fit: (data, seed) =>
      detector.fit(data, typeof options === 'function' ? options(data.features.length) : options, seed),
    load: (artefact) => detector.load(artefact),
  };
}
