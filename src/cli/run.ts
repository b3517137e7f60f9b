// Finds the command, runs it, and turns what goes wrong into one line and an exit code: 1 failed, 2 wrong usage.
import { keyCardTokens } from '../adapters/card-token.ts';
import { readVariable } from '../config/environment.ts';
import { archiveCommand } from './archive.ts';
import { auditCommand } from './audit.ts';
import { benchCommand } from './bench.ts';
import { type Command, type CommandContext, helpFor, parseCommand, UsageError } from './command.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { demoCommand } from './demo.ts';
import { detectCommand } from './detect.ts';
import { evaluateCommand } from './evaluate.ts';
import { featuresCommand } from './features.ts';
import { keysCommand } from './keys.ts';
import { listsCommand } from './lists.ts';
import { modelsCommand } from './models.ts';
import { recordsCommand } from './records.ts';
import { replayCommand } from './replay.ts';
import { retentionCommand } from './retention.ts';
import { rulesCommand } from './rules.ts';
import { scoreCommand } from './score.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { topicsCommand } from './topics.ts';
import { trainCommand } from './train.ts';
import { VERSION } from './version.ts';
import { workerCommand } from './worker.ts';

const COMMANDS: readonly Command[] = [
  demoCommand,
  detectCommand,
  simulateCommand,
  trainCommand,
  scoreCommand,
  evaluateCommand,
  replayCommand,
  featuresCommand,
  modelsCommand,
  rulesCommand,
  listsCommand,
  serveCommand,
  workerCommand,
  recordsCommand,
  keysCommand,
  retentionCommand,
  archiveCommand,
  auditCommand,
  topicsCommand,
  deadLettersCommand,
  benchCommand,
];

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
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    context.log(`centinela: there is no command '${name}'. Try 'centinela --help'\n`);
    return 2;
  }
  try {
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
  const width = Math.max(...COMMANDS.map((command) => [command.name, ...command.positional].join(' ').length));
  return [
    'Centinela finds the unusual transactions of a bank and says why.',
    '',
    ...COMMANDS.map(
      (command) => `  centinela ${[command.name, ...command.positional].join(' ').padEnd(width)}  ${command.summary}`,
    ),
    '',
    "Start with 'centinela demo', or 'centinela detect FILE' on a file of your own. Each command has --help.",
    '',
  ].join('\n');
}
