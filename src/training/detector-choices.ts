// The detectors by name, with the settings that were chosen on validation periods (never on test periods).
import type { FeatureDefinition } from '../features/definition.ts';
import type { FittedDetector, TrainingData } from '../models/detector.ts';
import { gbdt } from '../models/gbdt/gbdt.ts';
import { isolationForest } from '../models/isolation-forest/isolation-forest.ts';
import type { DetectorChoice } from './fit-risk-model.ts';

const BY_NAME: Readonly<Record<string, (definitions: readonly FeatureDefinition[]) => DetectorChoice>> = {
  gbdt: () => ({
    name: gbdt.name,
    supervised: true,
    columns: null,
    fit: (data: TrainingData, seed: number): FittedDetector => gbdt.fit(data, {}, seed),
  }),
  'isolation-forest': () => ({
    name: isolationForest.name,
    supervised: false,
    columns: null,
    fit: (data: TrainingData, seed: number): FittedDetector => isolationForest.fit(data, {}, seed),
  }),
};

/** A choice that cannot be made; the message says what can. */
export class UnknownDetectorError extends Error {
  override readonly name = 'UnknownDetectorError';
  readonly code = 'UNKNOWN_DETECTOR';
}

/** @param names separated by commas */
export function detectorChoices(names: string): (definitions: readonly FeatureDefinition[]) => DetectorChoice[] {
  const makers = names.split(',').map((name) => {
    const maker = BY_NAME[name.trim()];
    if (maker === undefined) {
      throw new UnknownDetectorError(
        `there is no detector '${name.trim()}'; there are ${Object.keys(BY_NAME).join(', ')}`,
      );
    }
    return maker;
  });
  return (definitions) => makers.map((make) => make(definitions));
}

/** Those of the names that need no labels, separated by commas; empty if none does. */
export function unsupervisedOf(names: string): string {
  return detectorChoices(names)([])
    .filter(({ supervised }) => !supervised)
    .map(({ name }) => name)
    .join(',');
}
