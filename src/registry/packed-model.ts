// A risk model as plain data: what is stored in files and what is sent to another thread.
import type { RiskModel } from '../decisions/risk-model.ts';
import type { LearntEvidence } from '../decisions/rule-evidence.ts';
import type { FeatureDefinition } from '../features/definition.ts';
import type { Calibration } from '../models/calibration.ts';
import { fitConformal } from '../models/conformal.ts';
import type { Artefact, FittedDetector } from '../models/detector.ts';
import type { KnownDetector } from '../models/detectors.ts';
import type { Stacking } from '../models/stacking.ts';

export interface PackedPart {
  readonly detector: string;
  readonly supervised: boolean;
  readonly columns: readonly number[];
  readonly artefact: Artefact;
  /** Ascending reference scores. */
  readonly reference: Float32Array;
}

export interface PackedModel {
  readonly definitions: readonly FeatureDefinition[];
  readonly stacking: Stacking | null;
  readonly calibration: Calibration;
  readonly ruleEvidence: LearntEvidence | null;
  readonly parts: readonly PackedPart[];
}

/** A model that cannot be used; the message says which and why. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code = 'MODEL_UNUSABLE';
}

export function packModel({ definitions, stacking, calibration, ruleEvidence, parts }: RiskModel): PackedModel {
  return {
    definitions,
    stacking,
    calibration,
    ruleEvidence,
    parts: parts.map(({ detector, supervised, columns, tail }) => ({
      detector: detector.name,
      supervised,
      columns,
      artefact: detector.save(),
      reference: tail.scores,
    })),
  };
}

/** @throws ModelError for a detector that this version does not know, and for one that is damaged or newer */
export function unpackModel(
  { definitions, stacking, calibration, ruleEvidence, parts }: PackedModel,
  known: readonly KnownDetector[],
): RiskModel {
  return {
    definitions,
    stacking,
    calibration,
    ruleEvidence,
    parts: parts.map(({ detector, supervised, columns, artefact, reference }) => {
      const loader = known.find(({ name }) => name === detector);
      if (loader === undefined) throw new ModelError(`this version does not know the detector '${detector}'`);
      return { detector: loadPart(loader, artefact), supervised, columns, tail: fitConformal(reference) };
    }),
  };
}

function loadPart(loader: KnownDetector, artefact: Artefact): FittedDetector {
  try {
    return loader.load(artefact);
  } catch (error) {
    throw new ModelError(`${loader.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
