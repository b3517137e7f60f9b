// Options and adapters that every command on a file of transactions shares.
import { openBlockFile } from '../adapters/files/block-file.ts';
import { openTransactions } from '../adapters/files/open-transactions.ts';
import type { TransactionReader } from '../ports.ts';
import type { CommandContext, OptionSpec, OptionValues } from './command.ts';

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

export const DETECTORS_OPTION = {
  type: 'text',
  value: 'NAMES',
  help: 'which detectors, separated by commas',
  default: 'gbdt,isolation-forest',
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
      context.log(
        `centinela: no --mapping given; the columns were recognised as\n${reader.mapping
          .describe()
          .map((line) => `  ${line}\n`)
          .join('')}`,
      );
    }
    return reader;
  };
}

export function tableOptions(options: OptionValues) {
  return { memoryLimitBytes: (options['memory-mb'] as number) * 1e6, openStore: () => openBlockFile() };
}

export function peakMemoryMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
