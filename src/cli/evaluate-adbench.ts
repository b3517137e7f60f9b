// `evaluate DIR --protocol adbench`: detectors that need no labels over every set of a folder, beside published figures.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readLabelledTable } from '../adapters/files/read-matrix.ts';
import { type DatasetFigures, evaluateOnDataset, type ModelFigures, meanByModel } from '../jobs/evaluate-adbench.ts';
import { InputError } from '../lib/errors.ts';
import { detectorChoices, unsupervisedOf } from '../training/detector-choices.ts';
import type { DetectorChoice } from '../training/fit-risk-model.ts';
import { type CommandContext, type OptionValues, UsageError } from './command.ts';
import { detectorsHere } from './detectors-here.ts';
import { detectorNames } from './file-options.ts';
import { createProgress } from './progress.ts';

const DATASET_ENDING = '.csv.gz';
const PUBLISHED_FILE = 'published_aucroc.csv';

export async function evaluateAdbench(folder: string, options: OptionValues, context: CommandContext): Promise<void> {
  const detectors =
    options.detectors === undefined
      ? detectorChoices(everyUnsupervised(), detectorsHere())
      : unsupervisedChoices(detectorNames(options), context.log);
  const progress = createProgress(context.log, context.terminal, context.nowMs);
  const files = await datasetsIn(folder);
  const published = await readPublished(join(folder, PUBLISHED_FILE));
  const datasets: DatasetFigures[] = [];
  for (const [index, file] of files.entries()) {
    const name = basename(file, DATASET_ENDING);
    progress.show(name, index / files.length);
    datasets.push(await evaluateFile(join(folder, file), name, detectors));
  }
  progress.done();
  const mean = meanByModel(datasets.map(({ models }) => models));
  context.out(options.json === true ? `${JSON.stringify({ datasets, mean })}\n` : tableOf(datasets, mean, published));
}

function everyUnsupervised(): string {
  return detectorsHere()
    .filter(({ needsLabels }) => !needsLabels)
    .map(({ name }) => name)
    .join(',');
}

function unsupervisedChoices(names: string, log: (text: string) => void): DetectorChoice[] {
  const known = detectorsHere();
  const asked = detectorChoices(names, known);
  const unsupervised = unsupervisedOf(names, known);
  if (unsupervised === '') {
    throw new UsageError(
      `ADBench measures detectors that learn without labels; ${names} needs them. Try --detectors isolation-forest`,
    );
  }
  const left = asked.filter(({ supervised }) => supervised).map(({ name }) => name);
  if (left.length > 0) {
    log(`centinela: left out, because ADBench hides the labels from detectors: ${left.join(', ')}\n`);
  }
  return detectorChoices(unsupervised, known);
}

async function datasetsIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(DATASET_ENDING)).sort();
  if (files.length === 0) {
    throw new InputError(
      'FOLDER_EMPTY',
      `${folder} holds no ${DATASET_ENDING} files`,
      'Each set is one, with columns of numbers and the labels in the last column, y',
    );
  }
  return files;
}

async function evaluateFile(path: string, name: string, detectors: readonly DetectorChoice[]): Promise<DatasetFigures> {
  const { columns, rows, values, labels } = await readLabelledTable(path);
  if (!labels.includes(1) || !labels.includes(0)) {
    throw new InputError(
      'LABELS_ALIKE',
      `${path} has only ${labels[0] === 1 ? 'anomalies' : 'normal rows'}`,
      'Both kinds are needed to measure a detector',
    );
  }
  return evaluateOnDataset(
    { name, features: columns, matrix: { rows, columns: columns.length, values }, labels },
    detectors,
  );
}

/** set → algorithm → AUC ROC in [0, 1]; empty where the folder has no such file. */
type Published = ReadonlyMap<string, ReadonlyMap<string, number>>;

async function readPublished(path: string): Promise<Published> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  const [names, ...rows] = text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.split(','));
  return new Map(
    rows.map(([dataset, ...figures]) => [
      dataset,
      new Map(figures.map((figure, index) => [names[index + 1], Number(figure) / 100])),
    ]),
  );
}

/** Our detectors whose published name is spelt otherwise. */
const PUBLISHED_NAMES: Readonly<Record<string, string>> = { 'isolation-forest': 'IForest' };

function tableOf(datasets: readonly DatasetFigures[], mean: readonly ModelFigures[], published: Published): string {
  const withPublished = published.size > 0;
  const names = mean.map(({ name }) => name);
  const head = [
    'AUC ROC (average precision)',
    ...names.flatMap((name) => (withPublished ? [name, 'published'] : [name])),
    ...(withPublished ? ['best published'] : []),
  ];
  const lines = datasets.map(({ name, models }) => {
    const figures = published.get(name);
    return [
      name,
      ...models.flatMap((model) => [
        shown(model),
        ...(withPublished ? [publishedOf(figures, model.name)?.toFixed(3) ?? '-'] : []),
      ]),
      ...(withPublished ? [bestOf(figures)] : []),
    ];
  });
  const means = ['mean', ...mean.flatMap((model) => [shown(model), ...(withPublished ? [meanPublished(model)] : [])])];
  return aligned([head, ...lines, means]);

  function meanPublished({ name }: ModelFigures): string {
    const figures = datasets.map((dataset) => publishedOf(published.get(dataset.name), name));
    return figures.includes(undefined)
      ? '-'
      : (figures.reduce<number>((sum, figure) => sum + (figure ?? 0), 0) / figures.length).toFixed(3);
  }
}

function shown({ aucRoc, averagePrecision }: ModelFigures): string {
  return `${aucRoc.toFixed(3)} (${averagePrecision.toFixed(3)})`;
}

function publishedOf(figures: ReadonlyMap<string, number> | undefined, detector: string): number | undefined {
  const name = (PUBLISHED_NAMES[detector] ?? detector).toLowerCase();
  return [...(figures ?? [])].find(([algorithm]) => algorithm.toLowerCase() === name)?.[1];
}

function bestOf(figures: ReadonlyMap<string, number> | undefined): string {
  const best = [...(figures ?? [])].sort(([, a], [, b]) => b - a)[0];
  return best === undefined ? '-' : `${best[1].toFixed(3)} ${best[0]}`;
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((word, column) => word.padEnd(widths[column]))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
