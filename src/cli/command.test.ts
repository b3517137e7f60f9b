import { expect, test } from 'vitest';
import { type Command, helpFor, parseCommand, UsageError } from './command.ts';

const command: Command = {
  name: 'detect',
  summary: 'Find the unusual.',
  positional: ['FILE'],
  options: {
    top: { type: 'number', help: 'how many', default: 50, minimum: 1, maximum: 500, whole: true },
    lang: { type: 'text', help: 'language', choices: ['es', 'en'], default: 'es' },
    out: { type: 'text', value: 'DIR', help: 'the folder to write', required: true },
  },
  run: async () => undefined,
};

const parse = (...argv: string[]) => parseCommand(command, argv);

test('reads positionals, options and defaults', () => {
  const { positional, options } = parse('a.csv', '--top', '7', '--out', 'x', '--json');
  expect(positional).toEqual(['a.csv']);
  expect(options).toEqual({ top: 7, lang: 'es', out: 'x', json: true, help: undefined });
});

test.each([
  [['a.csv', '--out', 'x', '--top', 'many'], "--top must be a whole number, at least 1 and at most 500; 'many' is not"],
  [['a.csv', '--out', 'x', '--top', '1.5'], "'1.5' is not"],
  [['a.csv', '--out', 'x', '--top', '0'], 'at least 1'],
  [['a.csv', '--out', 'x', '--lang', 'fr'], "--lang must be one of es, en; 'fr' is not"],
  [['a.csv'], '--out DIR is missing: the folder to write'],
  [['--out', 'x'], 'usage: centinela detect FILE'],
  [['a.csv', 'b.csv', '--out', 'x'], 'usage: centinela detect FILE'],
  [['a.csv', '--out', 'x', '--wrong'], "Unknown option '--wrong'"],
  [['a.csv', '--out'], '--out'],
])('wrong usage %j says what to do', (argv, message) => {
  expect(() => parse(...argv)).toThrow(UsageError);
  expect(() => parse(...argv)).toThrow(message);
});

test('--help needs nothing else', () => {
  expect(parse('--help').options.help).toBe(true);
});

test('help lists every option with its default', () => {
  const help = helpFor(command);
  expect(help).toContain('centinela detect FILE [options]');
  expect(help).toMatch(/--top N +how many \[50\]/);
  expect(help).toMatch(/--lang TEXT +language \(es, en\) \[es\]/);
  expect(help).toMatch(/--json +print one JSON object/);
});
