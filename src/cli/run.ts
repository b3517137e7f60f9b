// Finds the command, runs it, and turns what goes wrong into one line and an exit code: 1 failed, 2 wrong usage.
import { keyCardTokens } from '../adapters/card-token.ts';
import { readVariable } from '../config/environment.ts';
import { type Command, type CommandContext, helpFor, parseCommand, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { VERSION } from './version.ts';

/** Each is loaded when it is asked for: all of them take a second or two. */
const LOAD: Readonly<Record<keyof typeof OUTLINES, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand,
  detect: async () => (await import('./detect.ts')).detectCommand,
  simulate: async () => (await import('./simulate.ts')).simulateCommand,
  train: async () => (await import('./train.ts')).trainCommand,
  score: async () => (await import('./score.ts')).scoreCommand,
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand,
  replay: async () => (await import('./replay.ts')).replayCommand,
  features: async () => (await import('./features.ts')).featuresCommand,
  models: async () => (await import('./models.ts')).modelsCommand,
  rules: async () => (await import('./rules.ts')).rulesCommand,
  lists: async () => (await import('./lists.ts')).listsCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
  worker: async () => (await import('./worker.ts')).workerCommand,
  records: async () => (await import('./records.ts')).recordsCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  retention: async () => (await import('./retention.ts')).retentionCommand,
  archive: async () => (await import('./archive.ts')).archiveCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  topics: async () => (await import('./topics.ts')).topicsCommand,
  deadLetters: async () => (await import('./dead-letters.ts')).deadLettersCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
};

const SUMMARY_WIDTH = 72;
const COMMANDS = Object.keys(OUTLINES) as (keyof typeof OUTLINES)[];

/** @returns the exit code */
export async function runCommandLine(argv: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    context.out(overview());
    return 0;
  }
  if (name === '--version') {
    context.out(`${VERSION}\n`);
    return 0;
  }
  const known = COMMANDS.find((key) => OUTLINES[key].name === name);
  if (known === undefined) {
    context.log(`centinela: there is no command '${name}'. Try 'centinela --help'\n`);
    return 2;
  }
  try {
    const command = await LOAD[known]();
    const { positional, options } = parseCommand(command, rest);
    const cardKey = readVariable('CENTINELA_CARD_KEY');
    if (cardKey !== null) keyCardTokens(cardKey);
    if (options.help === true) context.out(helpFor(command));
    else await command.run(positional, options, context);
    return 0;
  } catch (error) {
    return explainFailure(error, context);
  }
}

function explainFailure(error: unknown, context: CommandContext): number {
  if (error instanceof UsageError) {
    context.log(`centinela: ${error.message}\n`);
    return 2;
  }
  // Errors made for people carry a `code`; anything else is a bug, and its stack is what the maintainers need.
  const forPeople = error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
  context.log(
    `centinela: ${forPeople ? (error as Error).message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  return 1;
}

function overview(): string {
  const usages = Object.values(OUTLINES).map(({ name, positional, summary }) => {
    return { usage: [name, ...positional].join(' '), summary };
  });
  const width = Math.max(...usages.map(({ usage }) => `centinela ${usage}`.length));
  return [
    'Centinela finds the unusual transactions of a bank and says why.',
    '',
    ...usages.flatMap(({ usage, summary }) => {
      return wrap(summary, SUMMARY_WIDTH).map(
        (line, at) => `  ${at === 0 ? `centinela ${usage}`.padEnd(width) : ' '.repeat(width)}  ${line}`,
      );
    }),
    '',
    "Start with 'centinela demo', or 'centinela detect FILE' on a file of your own. Each command has --help.",
    '',
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
