// Options and adapters that every command on a file of transactions shares.

import { mkdir } from 'node:fs/promises';
import { openBlockFile } from '../adapters/files/block-file.ts';
import { openTransactions } from '../adapters/files/open-transactions.ts';
import { CATALOGUE_NAMES } from '../features/catalogue/choose.ts';
import type { KnownDetector } from '../models/detectors.ts';
import type { ResolvedMapping, TransactionReader } from '../ports.ts';
import { detectorChoices, UnknownDetectorError } from '../training/detector-choices.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { detectorsHere, MODEL_PREFIX } from './detectors-here.ts';

export const FILE_OPTIONS = {
  mapping: {
    type: 'text',
    value: 'NAME|FILE',
    help: "which column is what: 'handbook', 'sparkov', 'canonical' or a YAML file; guessed when not given",
  },
  'max-bad-share': {
    type: 'number',
    help: 'stop when more than this share of the rows is bad',
    default: 0.05,
    minimum: 0,
    maximum: 1,
  },
  seed: {
    type: 'number',
    help: 'the same seed gives the same result',
    default: 1,
    minimum: 0,
    maximum: 4_294_967_295,
    whole: true,
  },
  'memory-mb': {
    type: 'number',
    help: 'memory for feature rows; more go to a temporary file',
    default: 640,
    minimum: 16,
    whole: true,
  },
} as const satisfies Record<string, OptionSpec>;

export const FEATURES_OPTION = {
  type: 'text',
  help: 'feature catalogue; as the mapping says when not given',
  choices: CATALOGUE_NAMES,
} as const satisfies OptionSpec;

export const DETECTORS_OPTION = {
  type: 'text',
  value: 'NAMES',
  help: 'which detectors, separated by commas',
  default: 'gbdt,isolation-forest',
} as const satisfies OptionSpec;

export const DETECTORS_WITH_MODELS_OPTION = {
  ...DETECTORS_OPTION,
  help: `${DETECTORS_OPTION.help}; onnx:FILE for a model of your own`,
} as const satisfies OptionSpec;

/** Opens the file as often as asked; only the first opening writes the rejected rows. */
export function fileOpener(
  path: string,
  options: OptionValues,
  context: CommandContext,
  rejectedPath: string | null,
): () => Promise<TransactionReader> {
  // Both passes must judge a row by the same clock, or they would not number the accepted rows alike.
  const nowMs = context.nowMs();
  let opened = 0;
  return async () => {
    opened += 1;
    const reader = await openTransactions(path, {
      ...(typeof options.mapping === 'string' && { mapping: options.mapping }),
      nowMs,
      maxBadShare: options['max-bad-share'] as number,
      rejectedPath: opened === 1 ? rejectedPath : null,
    });
    if (opened === 1 && reader.mapping.guessed) {
      context.log(guessNote(reader.mapping));
    }
    return reader;
  };
}

/** Fields whose columns have another name than the field; those of the canonical schema need no line each. */
function guessNote(mapping: ResolvedMapping): string {
  const [file, ...fields] = mapping.describe();
  const asNamed = fields.filter((line) => /^(\w+) ← \1\b/.test(line)).length;
  if (asNamed === fields.length) return `centinela: no --mapping given; ${asNamed} columns have canonical names\n`;
  return `centinela: no --mapping given; the columns were recognised as\n${[file, ...fields].map((line) => `  ${line}\n`).join('')}`;
}

/**
 * The value of --detectors, checked before any long work.
 *
 * @param known with the models of `onnx:FILE`, where the command takes them
 */
export function detectorNames(options: OptionValues, known: readonly KnownDetector[] | null = null): string {
  const names = options.detectors as string;
  const words = names.split(',').map((name) => name.trim());
  if (words.includes('onnx')) throw new UsageError('--detectors: give the file of the model: onnx:FILE');
  if (known === null && words.some((name) => name.startsWith(MODEL_PREFIX))) {
    throw new UsageError("--detectors: onnx:FILE goes with 'detect', 'train' and 'evaluate'");
  }
  try {
    detectorChoices(names, known ?? detectorsHere());
  } catch (error) {
    if (error instanceof UnknownDetectorError) throw new UsageError(`--detectors: ${error.message}`);
    throw error;
  }
  return names;
}

/** Says which of the detectors asked for could not be trained, which happens where there are too few labelled frauds. */
export function noteLeftOut(asked: string, used: readonly string[], log: (text: string) => void): void {
  // A model of a file is called by the file when it is chosen, and `onnx` from then on.
  const left = asked.split(',').filter((name) => !used.includes(name.trim().replace(/^onnx:.*/, 'onnx')));
  if (left.length > 0) log(`centinela: too few labelled frauds to train ${left.join(', ')}; left out\n`);
}

/** Makes the folder that results go to. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new UsageError(`--out ${folder} is not a folder: give the name of a folder, new or existing`);
    }
    throw error;
  }
}

/** Options of the commands that fit models. */
export const TRAINING_OPTIONS = {
  detectors: DETECTORS_OPTION,
  features: FEATURES_OPTION,
  'review-share': {
    type: 'number',
    help: 'share of the transactions that is flagged for review',
    default: 0.005,
    minimum: 0.000001,
    maximum: 1,
  },
  'label-delay-days': { type: 'number', help: 'days until a label is known', default: 7, minimum: 0, maximum: 365 },
  'training-rows': {
    type: 'number',
    help: 'at most this many rows per fit',
    default: 150_000,
    minimum: 1000,
    whole: true,
  },
} as const satisfies Record<string, OptionSpec>;

/** The catalogue asked for; null for the mapping's. */
export function catalogueOf(options: OptionValues): string | null {
  return typeof options.features === 'string' ? options.features : null;
}

export function tableOptions(options: OptionValues) {
  return { memoryLimitBytes: (options['memory-mb'] as number) * 1e6, openStore: () => openBlockFile() };
}

export function peakMemoryMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
