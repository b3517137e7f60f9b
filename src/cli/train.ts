// `train FILE`: fit, calibrate, evaluate on later time, register.
import { basename } from 'node:path';
import { money } from '../decisions/reasons/format.ts';
import { readFeatures } from '../jobs/read-features.ts';
import { type TrainedModel, trainModel } from '../jobs/train.ts';
import { saveModel } from '../registry/model-store.ts';
import { detectorChoices } from '../training/detector-choices.ts';
import type { Command } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsAsked } from './detectors-here.ts';
import {
  catalogueOf,
  DETECTORS_WITH_MODELS_OPTION,
  detectorNames,
  FILE_OPTIONS,
  fileOpener,
  noteLeftOut,
  TRAINING_OPTIONS,
  tableOptions,
} from './file-options.ts';
import { evaluatedRules } from './live-rules.ts';
import { MODELS_OPTION } from './models.ts';
import { NETWORK_OPTIONS, networkSettings } from './network-options.ts';
import { openObjectStore } from './object-store.ts';
import { createProgress } from './progress.ts';
import { RULES_OPTION } from './rule-files.ts';
import { costsOf, THRESHOLD_OPTIONS, thresholdWish } from './threshold-options.ts';
import { observeTraining } from './training-progress.ts';
import { writeTrainingReport } from './training-report.ts';
import { VERSION } from './version.ts';

const DAY_MS = 86_400_000;

export const trainCommand: Command = {
  ...OUTLINES.train,
  options: {
    ...FILE_OPTIONS,
    name: { type: 'text', help: 'name of the model; each training makes a new version', default: 'default' },
    registry: MODELS_OPTION,
    ...TRAINING_OPTIONS,
    ...NETWORK_OPTIONS,
    report: {
      type: 'text',
      value: 'FILE.html',
      help: 'write a page of how training went: loss curves, settings, figures',
    },
    detectors: DETECTORS_WITH_MODELS_OPTION,
    rules: RULES_OPTION,
    ...THRESHOLD_OPTIONS,
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const started = nowMs();
    const progress = createProgress(log, terminal, nowMs);
    let stage = '';
    const names = options.detectors as string;
    const known = detectorsAsked(
      { names, registry: options.registry as string, network: networkSettings(options, names) },
      observeTraining(progress, nowMs, () => stage),
    );
    const asked = detectorNames(options, known);
    const wish = thresholdWish(options);
    const rules = await evaluatedRules(options.rules, options, context, known);
    const reader = await fileOpener(path, options, context, null)();
    const features = await readFeatures(reader, {
      ...tableOptions(options),
      catalogue: catalogueOf(options),
      rules,
      onProgress: (share) => progress.show('reading and features', share),
    });
    const { table, definitions } = features;
    const trained = trainModel({
      features,
      detectors: detectorChoices(asked, known),
      labelDelayMs: (options['label-delay-days'] as number) * DAY_MS,
      maxTrainingRows: options['training-rows'] as number,
      thresholds: wish,
      costs: costsOf(options),
      seed: options.seed as number,
      onProgress: (what, share) => {
        stage = what;
        progress.show(what, share);
      },
    });
    const id = await saveModel(openObjectStore(options.registry as string), options.name as string, trained.model, {
      createdAt: new Date(nowMs()).toISOString(),
      utcOffsetMinutes: reader.utcOffsetMinutes,
      ...levelsOf(trained.decide),
      thresholds: trained.thresholds,
      trainedOn: {
        rows: table.rows,
        fromMs: table.timesMs[0],
        toMs: table.timesMs[table.rows - 1],
        seed: options.seed as number,
      },
      metrics: trained.metrics,
    });
    progress.done();
    const seconds = (nowMs() - started) / 1000;
    if (typeof options.report === 'string') {
      const { utcOffsetMinutes } = reader;
      await writeTrainingReport(options.report, trained, features, {
        ...{ fileName: basename(path), model: id, seed: options.seed as number, seconds, utcOffsetMinutes },
        ...{ version: VERSION, createdMs: nowMs() },
      });
    }
    table.close();
    const detectors = trained.model.parts.map(({ detector }) => detector.name);
    noteLeftOut(asked, detectors, log);
    if (options.json === true) {
      out(
        `${JSON.stringify({ model: id, detectors, metrics: trained.metrics, thresholds: { reviewAtRisk: trained.decide.reviewAtRisk, ...trained.thresholds }, seconds })}\n`,
      );
      return;
    }
    const { aucRoc, averagePrecision, evaluatedRows, evaluatedFrauds } = trained.metrics;
    out(
      `${id}: ${detectors.join(' + ')}, ${definitions.length} features, ${seconds.toFixed(1)} s\n` +
        (aucRoc === null
          ? 'no labels on later time to measure it on\n'
          : `on the later ${evaluatedRows.toLocaleString('en-US')} rows (${evaluatedFrauds} frauds): AUC ${aucRoc.toFixed(3)}, average precision ${averagePrecision!.toFixed(3)}${withoutRules(trained)}\n`) +
        thresholdLines(trained) +
        `Next: npx centinela score FILE --model ${id} --out decisions.csv\n`,
    );
  },
};

function withoutRules({ metrics: { averagePrecisionWithoutRules } }: TrainedModel): string {
  return averagePrecisionWithoutRules === null ? '' : ` (${averagePrecisionWithoutRules.toFixed(3)} without rules)`;
}

function thresholdLines({ thresholds, metrics: { policy } }: TrainedModel): string {
  const lines: string[] = [];
  if (thresholds.by === 'capacity') {
    const { mean, standardDeviation, least, greatest } = thresholds.alertsPerDay;
    lines.push(
      `alerts on ${thresholds.days} later days: ${mean.toFixed(1)} a day ± ${standardDeviation.toFixed(1)}, ${least} to ${greatest}`,
    );
  }
  if (thresholds.by === 'one-in') {
    const { rows, flagged, interval } = thresholds.measured;
    const oneIn = (share: number) => (share === 0 ? 'none' : `1 in ${Math.round(1 / share).toLocaleString('en-US')}`);
    lines.push(
      `flagged on later time: ${oneIn(flagged / rows)} of ${rows.toLocaleString('en-US')} rows (95 %: ${oneIn(interval.low)} to ${oneIn(interval.high)}); wished 1 in ${thresholds.flagOneIn.toLocaleString('en-US')}`,
    );
  }
  if (policy?.costPerDay != null) {
    const { approveAllSoles, policySoles, savedSoles } = policy.costPerDay;
    const soles = (value: number) => money(value * 100, 'PEN');
    lines.push(
      `a day on later time: ${policy.flaggedPerDay.toFixed(1)} flagged, ${policy.heldPerDay.toFixed(1)} of them held; ${soles(policySoles)} of cost against ${soles(approveAllSoles)} when all is approved, ${soles(savedSoles)} saved`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** All but the level of holding, which is the same for every model. */
function levelsOf({ holdAtRisk: _, ...levels }: TrainedModel['decide']) {
  return levels;
}
