// Writes the page of a training.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileFeatures } from '../jobs/read-features.ts';
import type { TrainedModel } from '../jobs/train.ts';
import { type TrainingFacts, trainingReportOf } from '../jobs/training-report.ts';
import { renderTrainingReport } from '../report/training/render-training-report.ts';

export async function writeTrainingReport(
  path: string,
  trained: TrainedModel,
  features: FileFeatures,
  facts: TrainingFacts,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, renderTrainingReport(trainingReportOf(trained, features, facts), 'es'));
}
