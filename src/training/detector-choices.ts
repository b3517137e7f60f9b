// The detectors by name, with the settings that were chosen on validation periods (never on test periods).
import type { KnownDetector } from '../models/detectors.ts';
import type { DetectorChoice } from './fit-risk-model.ts';

/** A choice that cannot be made; the message says what can. */
export class UnknownDetectorError extends Error {
  override readonly name = 'UnknownDetectorError';
  readonly code = 'UNKNOWN_DETECTOR';
}

/** @param names separated by commas */
export function detectorChoices(names: string, known: readonly KnownDetector[]): DetectorChoice[] {
  return names.split(',').map((given) => {
    const name = given.trim();
    const detector = known.find((each) => each.name === name);
    if (detector === undefined) {
      throw new UnknownDetectorError(
        `there is no detector '${name}'; there are ${known.map((each) => each.name).join(', ')}`,
      );
    }
    return {
      name,
      supervised: detector.needsLabels,
      columns: null,
      fit: (data, seed) => detector.fit(data, seed),
    };
  });
}

/** Those of the names that need no labels, separated by commas; empty if none does. */
export function unsupervisedOf(names: string, known: readonly KnownDetector[]): string {
  return detectorChoices(names, known)
    .filter(({ supervised }) => !supervised)
    .map(({ name }) => name)
    .join(',');
}
