// `train FILE`: fit, calibrate, evaluate on later time, register.
import { createFolderObjectStore } from '../adapters/files/folder-object-store.ts';
import { readFeatures } from '../jobs/read-features.ts';
import { type ChosenThresholds, trainModel } from '../jobs/train.ts';
import { saveModel } from '../registry/model-store.ts';
import { detectorChoices } from '../training/detector-choices.ts';
import type { Command } from './command.ts';
import { detectorsAsked } from './detectors-here.ts';
import {
  catalogueOf,
  DETECTORS_OPTION,
  detectorNames,
  FILE_OPTIONS,
  fileOpener,
  noteLeftOut,
  TRAINING_OPTIONS,
  tableOptions,
} from './file-options.ts';
import { MODELS_OPTION } from './models.ts';
import { createProgress } from './progress.ts';

const DAY_MS = 86_400_000;

export const trainCommand: Command = {
  name: 'train',
  summary: 'Fit a model on a file, measure it on later time, register it.',
  positional: ['FILE'],
  options: {
    ...FILE_OPTIONS,
    name: { type: 'text', help: 'name of the model; each training makes a new version', default: 'default' },
    registry: MODELS_OPTION,
    ...TRAINING_OPTIONS,
    detectors: { ...DETECTORS_OPTION, help: `${DETECTORS_OPTION.help}; onnx:FILE for a model of your own` },
    'review-capacity-per-day': {
      type: 'number',
      help: 'alerts a day that the analysts can look at; chooses the threshold instead of --review-share',
      minimum: 0.01,
    },
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const started = nowMs();
    const known = detectorsAsked(options.detectors as string, options.registry as string);
    const asked = detectorNames(options, known);
    const capacity = options['review-capacity-per-day'] as number | undefined;
    const progress = createProgress(log, terminal, nowMs);
    const reader = await fileOpener(path, options, context, null)();
    const features = await readFeatures(reader, {
      ...tableOptions(options),
      catalogue: catalogueOf(options),
      onProgress: (share) => progress.show('reading and features', share),
    });
    const { table, definitions } = features;
    const trained = trainModel({
      features,
      detectors: detectorChoices(asked, known),
      labelDelayMs: (options['label-delay-days'] as number) * DAY_MS,
      maxTrainingRows: options['training-rows'] as number,
      reviewShare: options['review-share'] as number,
      ...(capacity !== undefined && { reviewCapacityPerDay: capacity }),
      seed: options.seed as number,
      onProgress: (what, share) => progress.show(what, share),
    });
    const id = await saveModel(
      createFolderObjectStore(options.registry as string),
      options.name as string,
      trained.model,
      {
        createdAt: new Date(nowMs()).toISOString(),
        utcOffsetMinutes: reader.utcOffsetMinutes,
        reviewAtRisk: trained.reviewAtRisk,
        thresholds: trained.thresholds,
        trainedOn: {
          rows: table.rows,
          fromMs: table.timesMs[0],
          toMs: table.timesMs[table.rows - 1],
          seed: options.seed as number,
        },
        metrics: trained.metrics,
      },
    );
    table.close();
    progress.done();
    const seconds = (nowMs() - started) / 1000;
    const detectors = trained.model.parts.map(({ detector }) => detector.name);
    noteLeftOut(asked, detectors, log);
    if (options.json === true) {
      out(
        `${JSON.stringify({ model: id, detectors, metrics: trained.metrics, thresholds: { reviewAtRisk: trained.reviewAtRisk, ...trained.thresholds }, seconds })}\n`,
      );
      return;
    }
    const { aucRoc, averagePrecision, evaluatedRows, evaluatedFrauds } = trained.metrics;
    out(
      `${id}: ${detectors.join(' + ')}, ${definitions.length} features, ${seconds.toFixed(1)} s\n` +
        (aucRoc === null
          ? 'no labels on later time to measure it on\n'
          : `on the later ${evaluatedRows.toLocaleString('en-US')} rows (${evaluatedFrauds} frauds): AUC ${aucRoc.toFixed(3)}, average precision ${averagePrecision!.toFixed(3)}\n`) +
        alertsLine(trained.thresholds) +
        `Next: npx centinela score FILE --model ${id} --out decisions.csv\n`,
    );
  },
};

function alertsLine(thresholds: ChosenThresholds): string {
  if (thresholds.by === 'share') return '';
  const { mean, standardDeviation, least, greatest } = thresholds.alertsPerDay;
  return `alerts on ${thresholds.days} later days: ${mean.toFixed(1)} a day ± ${standardDeviation.toFixed(1)}, ${least} to ${greatest}\n`;
}
