// What the threads of `detect` do: fit models from sampled rows and score blocks with them.
import type { RiskModel, RiskScores } from '../../decisions/risk-model.ts';
import { scoreRisk } from '../../decisions/risk-model.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { KnownDetector } from '../../models/detectors.ts';
import type { Matrix } from '../../models/matrix.ts';
import { type PackedModel, packModel, unpackModel } from '../../registry/packed-model.ts';
import { detectorChoices } from '../../training/detector-choices.ts';
import { fitOnSample, type TrainingSample } from '../../training/fit-risk-model.ts';

export interface FitTask {
  readonly kind: 'fit';
  readonly sample: TrainingSample;
  readonly definitions: readonly FeatureDefinition[];
  /** Names separated by commas. */
  readonly detectors: string;
  readonly seed: number;
}

/** The models that later `score` tasks speak of by their number. */
export interface LoadTask {
  readonly kind: 'load';
  readonly models: readonly PackedModel[];
}

export interface ScoreTask {
  readonly kind: 'score';
  readonly model: number;
  readonly matrix: Matrix;
}

export type Task = FitTask | LoadTask | ScoreTask;
export type TaskResult<T extends Task> = T extends FitTask ? PackedModel : T extends ScoreTask ? RiskScores : null;

export function fitTask(
  { sample, definitions, detectors, seed }: Omit<FitTask, 'kind'>,
  known: readonly KnownDetector[],
): RiskModel {
  return fitOnSample(sample, definitions, detectorChoices(detectors, known), seed);
}

/** Performs tasks in turn, and keeps the loaded models between them. */
export function createTaskPerformer(known: readonly KnownDetector[]): (task: Task) => PackedModel | RiskScores | null {
  const models: RiskModel[] = [];
  return (task) => {
    switch (task.kind) {
      case 'fit':
        return packModel(fitTask(task, known));
      case 'load':
        models.splice(0, models.length, ...task.models.map((packed) => unpackModel(packed, known)));
        return null;
      case 'score':
        return scoreRisk(models[task.model], task.matrix);
    }
  };
}
