// The shape of a command and how its arguments are read: one table of options gives the parsing, the checks and --help.
import { parseArgs } from 'node:util';
import type { CommandOutline } from './command-outlines.ts';

export interface OptionSpec {
  readonly type: 'text' | 'number' | 'flag';
  readonly help: string;
  /** How the value is called in --help: FILE, N, NAME. */
  readonly value?: string;
  readonly default?: string | number;
  readonly required?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Only whole numbers. */
  readonly whole?: boolean;
  /** The only values allowed. */
  readonly choices?: readonly string[];
}

export interface CommandContext {
  readonly out: (text: string) => void;
  readonly log: (text: string) => void;
  /** Standard error is a terminal: progress bars and colours are welcome. */
  readonly terminal: boolean;
  readonly nowMs: () => number;
}

export type OptionValues = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Command extends CommandOutline {
  readonly options: Readonly<Record<string, OptionSpec>>;
  run(arguments_: readonly string[], options: OptionValues, context: CommandContext): Promise<void>;
}

/** Wrong usage: one line that says what to do, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const COMMON: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'flag', help: 'print one JSON object on standard output and nothing else' },
  help: { type: 'flag', help: 'show this help' },
};

export interface ParsedCommand {
  readonly positional: readonly string[];
  readonly options: OptionValues;
}

export function parseCommand(command: Command, argv: readonly string[]): ParsedCommand {
  const specs: Record<string, OptionSpec> = { ...command.options, ...COMMON };
  const { values, positionals } = parseWords(command, specs, argv);
  const options: Record<string, string | number | boolean | undefined> = {};
  for (const [name, spec] of Object.entries(specs)) options[name] = readOption(name, spec, values[name]);
  if (options.help !== true) {
    for (const [name, spec] of Object.entries(specs)) {
      if (spec.required === true && options[name] === undefined) {
        throw new UsageError(
          `--${name}${spec.value === undefined ? '' : ` ${spec.value}`} is missing: ${spec.help}. Try 'centinela ${command.name} --help'`,
        );
      }
    }
    const required = command.positional.filter((word) => !word.startsWith('['));
    if (positionals.length < required.length || positionals.length > command.positional.length) {
      throw new UsageError(
        `usage: centinela ${[command.name, ...command.positional].join(' ')} [options]. Try 'centinela ${command.name} --help'`,
      );
    }
  }
  return { positional: positionals, options };
}

function parseWords(command: Command, specs: Record<string, OptionSpec>, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      { type: spec.type === 'flag' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('.')[0] : String(error);
    throw new UsageError(`${reason}. Try 'centinela ${command.name} --help'`);
  }
}

function readOption(name: string, spec: OptionSpec, given: string | boolean | (string | boolean)[] | undefined) {
  if (given === undefined) return spec.default;
  if (typeof given !== 'string') return given === true;
  if (spec.type === 'text') {
    if (spec.choices !== undefined && !spec.choices.includes(given)) {
      throw new UsageError(`--${name} must be one of ${spec.choices.join(', ')}; '${given}' is not`);
    }
    return given;
  }
  const number = Number(given);
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = spec;
  if (
    given.trim() === '' ||
    !Number.isFinite(number) ||
    number < minimum ||
    number > maximum ||
    (spec.whole === true && !Number.isInteger(number))
  ) {
    const range = [
      spec.minimum !== undefined && `at least ${minimum}`,
      spec.maximum !== undefined && `at most ${maximum}`,
    ].filter(Boolean);
    throw new UsageError(
      `--${name} must be a ${spec.whole === true ? 'whole ' : ''}number${range.length > 0 ? `, ${range.join(' and ')}` : ''}; '${given}' is not`,
    );
  }
  return number;
}

export function helpFor(command: Command): string {
  const rows = Object.entries({ ...command.options, ...COMMON }).map(([name, spec]) => {
    const left =
      spec.type === 'flag' ? `--${name}` : `--${name} ${spec.value ?? (spec.type === 'number' ? 'N' : 'TEXT')}`;
    const choices = spec.choices === undefined ? '' : ` (${spec.choices.join(', ')})`;
    const byDefault = spec.default === undefined ? '' : ` [${spec.default}]`;
    return [left, `${spec.help}${choices}${byDefault}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `centinela ${[command.name, ...command.positional].join(' ')} [options]`,
    '',
    command.summary,
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '',
  ].join('\n');
}
