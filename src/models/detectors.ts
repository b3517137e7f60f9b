// Every detector of this version. A new one is added here and to the checks in test/model-checks.
import type { GraphRuntime } from '../ports.ts';
import type { Artefact, FittedDetector, TrainingData } from './detector.ts';
import { gbdt } from './gbdt/gbdt.ts';
import { isolationForest } from './isolation-forest/isolation-forest.ts';
import { createNetworkDetector } from './network/network.ts';

/** A detector with its own kind of options out of sight. */
export interface KnownDetector {
  readonly name: string;
  readonly needsLabels: boolean;
  /** Fits with the detector's defaults. */
  fit(data: TrainingData, seed: number): FittedDetector;
  load(artefact: Artefact): FittedDetector;
}

/** In the order in which they are listed to people. */
export function knownDetectors(runtime: GraphRuntime): readonly KnownDetector[] {
  return [gbdt, isolationForest, createNetworkDetector(runtime)].map((detector) => ({
    name: detector.name,
    needsLabels: detector.needsLabels,
    fit: (data, seed) => detector.fit(data, {}, seed),
    load: (artefact) => detector.load(artefact),
  }));
}
