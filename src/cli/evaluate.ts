// `evaluate`: measures detectors on a file by the Handbook's prequential protocol or a split of the time line, or on a
// folder of sets by ADBench's protocol.
import { stat } from 'node:fs/promises';
import { type EvaluatedModel, evaluateDetectors } from '../jobs/evaluate.ts';
import { type FileFeatures, readFeatures } from '../jobs/read-features.ts';
import { InputError } from '../lib/errors.ts';
import { detectorChoices } from '../training/detector-choices.ts';
import type { Fold } from '../training/protocols/fold.ts';
import { prequentialFolds } from '../training/protocols/prequential.ts';
import { timeSplit } from '../training/protocols/time-split.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsAsked } from './detectors-here.ts';
import { evaluateAdbench } from './evaluate-adbench.ts';
import {
  catalogueOf,
  DETECTORS_OPTION,
  detectorNames,
  FEATURES_OPTION,
  FILE_OPTIONS,
  fileOpener,
  tableOptions,
} from './file-options.ts';
import { MODELS_OPTION } from './models.ts';
import { NETWORK_OPTIONS, networkSettings } from './network-options.ts';
import { createProgress } from './progress.ts';

export const evaluateCommand: Command = {
  ...OUTLINES.evaluate,
  options: {
    ...FILE_OPTIONS,
    protocol: {
      type: 'text',
      help: 'how training and test rows are chosen; adbench takes a folder of .csv.gz sets',
      choices: ['prequential', 'time-split', 'adbench'],
      required: true,
    },
    detectors: {
      type: 'text',
      value: 'NAMES',
      help: `which detectors, separated by commas; when not given ${DETECTORS_OPTION.default}, for adbench all that need no labels`,
    },
    features: FEATURES_OPTION,
    'train-start': { type: 'text', value: 'YYYY-MM-DD', help: 'prequential: first training day of the last fold' },
    folds: {
      type: 'number',
      help: 'prequential: how many folds, a week apart',
      default: 4,
      minimum: 1,
      maximum: 52,
      whole: true,
    },
    'train-fraction': {
      type: 'number',
      help: 'time-split: share of the rows to train on',
      default: 0.7,
      minimum: 0.01,
      maximum: 0.99,
    },
    ...NETWORK_OPTIONS,
    seeds: {
      type: 'number',
      help: 'average over this many seeds (adbench: always 1, 2 and 3)',
      default: 1,
      minimum: 1,
      maximum: 100,
      whole: true,
    },
  },
  async run([path], options, context) {
    const adbench = options.protocol === 'adbench';
    if (adbench && (options.network ?? options['network-preset']) !== undefined) {
      throw new UsageError(
        '--network and --network-preset concern detectors that learn from labels, which ADBench hides',
      );
    }
    await checkKind(path, adbench);
    await (adbench ? evaluateAdbench(path, options, context) : evaluateFile(path, options, context));
  },
};

/** A file that is not there is left to the reader of files, which says so. */
async function checkKind(path: string, folderWanted: boolean): Promise<void> {
  const entry = await stat(path).catch(() => null);
  if (entry === null && folderWanted) {
    throw new InputError('FOLDER_MISSING', `There is no folder ${path}`, 'Check the name');
  }
  if (entry?.isDirectory() === true && !folderWanted) {
    throw new UsageError(
      `${path} is a folder: give one file of transactions, or --protocol adbench for a folder of sets`,
    );
  }
  if (entry?.isDirectory() === false && folderWanted) {
    throw new UsageError(`${path} is a file: --protocol adbench takes the folder that the .csv.gz sets are in`);
  }
}

async function evaluateFile(path: string, options: OptionValues, context: CommandContext): Promise<void> {
  const { out, log, terminal, nowMs } = context;
  if (options.protocol === 'prequential') checkTrainStart(options['train-start']);
  const asked = (options.detectors ?? DETECTORS_OPTION.default) as string;
  const registry = MODELS_OPTION.default;
  const known = detectorsAsked({ names: asked, registry, network: networkSettings(options, asked) });
  const detectors = detectorNames({ detectors: asked }, known);
  const progress = createProgress(log, terminal, nowMs);
  const reader = await fileOpener(path, options, context, null)();
  const features = await readFeatures(reader, {
    ...tableOptions(options),
    catalogue: catalogueOf(options),
    onProgress: (share) => progress.show('reading and features', share),
  });
  const folds = foldsOf(features, options, reader.utcOffsetMinutes);
  const models = evaluateDetectors({
    features,
    folds,
    detectors: detectorChoices(detectors, known),
    seed: options.seed as number,
    seeds: options.seeds as number,
    nowMs,
    onProgress: (what, share) => progress.show(what, share),
  });
  progress.done();
  features.table.close();
  const prequential = options.protocol === 'prequential';
  if (options.json === true) out(`${JSON.stringify({ ...(prequential && { folds: folds.length }), models })}\n`);
  else out(tableOf(models));
}

function checkTrainStart(day: OptionValues[string]): void {
  if (day === undefined) {
    throw new UsageError('--train-start YYYY-MM-DD is needed: the first training day of the last fold');
  }
  if (Number.isNaN(Date.parse(`${day}T00:00:00Z`))) {
    throw new UsageError(`--train-start must be a day such as 2018-08-15; '${day}' is not`);
  }
}

function foldsOf({ table }: FileFeatures, options: OptionValues, utcOffsetMinutes: number): Fold[] {
  const labels = Uint8Array.from(table.labels, (label) => (label === 1 ? 1 : 0));
  if (!labels.includes(1))
    throw new UsageError('the file has no labelled fraud, so there is nothing to measure against');
  if (options.protocol === 'prequential') {
    const trainStartMs = Date.parse(`${options['train-start']}T00:00:00Z`) - utcOffsetMinutes * 60_000;
    const folds = prequentialFolds(table.timesMs, table.payers, labels, {
      trainStartMs,
      folds: options.folds as number,
    });
    if (folds.some((fold) => fold.train.length === 0 || fold.test.length === 0)) {
      throw new UsageError(
        'a fold has no rows to train or test on: choose --train-start and --folds within the period of the file',
      );
    }
    return withFrauds(folds, labels, '--train-start and --folds');
  }
  return withFrauds([timeSplit(table.timesMs, options['train-fraction'] as number)], labels, '--train-fraction');
}

/** A fold that lacks frauds on either side gives no figures at all. */
function withFrauds(folds: Fold[], labels: Uint8Array, choice: string): Fold[] {
  for (const fold of folds) {
    for (const [part, rows] of [
      ['training', fold.train],
      ['test', fold.test],
    ] as const) {
      if (!rows.some((row) => labels[row] === 1)) {
        throw new UsageError(
          `a fold's ${part} rows hold no labelled fraud, so it measures nothing: choose ${choice} otherwise`,
        );
      }
    }
  }
  return folds;
}

function tableOf(models: readonly EvaluatedModel[]): string {
  const width = Math.max(...models.map(({ name }) => name.length));
  const figure = (mean: number, std: number) => `${mean.toFixed(3)} ± ${std.toFixed(3)}`;
  return [
    `${''.padEnd(width)}  AUC ROC        average prec.  CP@100         cal. err.  fit s   rows/s`,
    ...models.map((model) =>
      [
        model.name.padEnd(width),
        figure(model.aucRoc, model.aucRocStd),
        figure(model.averagePrecision, model.averagePrecisionStd),
        figure(model.cardPrecision100, model.cardPrecision100Std),
        (model.expectedCalibrationError?.toFixed(4) ?? '-').padStart(9),
        model.fitSeconds.toFixed(2).padStart(6),
        model.scoreRowsPerSecond.toLocaleString('en-US').padStart(9),
      ].join('  '),
    ),
    '',
  ].join('\n');
}
