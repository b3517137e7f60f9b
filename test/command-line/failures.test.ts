// What goes wrong for a user: one line that helps, the right exit code, and nothing half-written left behind.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { centinela, centinelaHere, temporaryFolder } from './run-program.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const COMMANDS = [
  ...['demo', 'detect', 'simulate', 'train', 'score', 'evaluate'],
  ...[
    'replay',
    'features',
    'models',
    'rules',
    'lists',
    'serve',
    'worker',
    'records',
    'keys',
    'retention',
    'archive',
    'audit',
    'topics',
    'dead-letters',
    'bench',
  ],
];

/** The one line on standard error, without the program's name. */
function onlyLine(errors: string): string {
  expect(errors).toMatch(/^centinela: [^\n]+\n$/);
  return errors.slice('centinela: '.length, -1);
}

beforeAll(() => {
  const rows = Array.from({ length: 4000 }, (_, row) => `${row},2026-01-01 10:00:00,C${row % 50},${row * 3}.50`);
  const packed = gzipSync(['id,fecha,cliente,importe', ...rows].join('\n'));
  writeFileSync(folder.path('cut.csv.gz'), packed.subarray(0, packed.length / 2));
  writeFileSync(folder.path('empty.csv'), '');
  writeFileSync(folder.path('no-amount.csv'), 'id,fecha\n1,2026-01-01 10:00:00\n');
  writeFileSync(folder.path('no-label.csv.gz'), gzipSync('x0,x1\n1,2\n'));
  mkdirSync(folder.path('folder'));
  mkdirSync(folder.path('sets'));
  writeFileSync(folder.path('sets', 'words.csv.gz'), gzipSync('x0,y\n1,0\nhola,1\n'));
});

describe('wrong usage', () => {
  it.each([
    [['nonsense'], "there is no command 'nonsense'. Try 'centinela --help'"],
    [['detect'], "usage: centinela detect FILE [options]. Try 'centinela detect --help'"],
    [['detect', 'x.csv', '--wrong'], "Unknown option '--wrong'"],
    [['detect', 'x.csv', '--top', 'many'], "--top must be a whole number, at least 1 and at most 500; 'many' is not"],
    [['detect', 'x.csv', '--detectors', 'magic'], "there is no detector 'magic'; there are gbdt, ensemble, network, "],
    [['simulate', '--customers', '1e99', '--out', 'x.csv'], "'1e99' is not"],
    [['simulate', '--start', '2026-02-30', '--out', 'x.csv'], "--start must be a day such as 2026-01-05; '2026-02-30'"],
    [['simulate'], '--out FILE is missing'],
    [['evaluate', 'x.csv', '--protocol', 'prequential'], '--train-start YYYY-MM-DD is needed'],
    [['evaluate', '.', '--protocol', 'time-split'], '. is a folder: give one file of transactions'],
    [
      ['evaluate', 'package.json', '--protocol', 'adbench'],
      'package.json is a file: --protocol adbench takes the folder',
    ],
    [['evaluate', '.', '--protocol', 'adbench', '--detectors', 'gbdt'], 'Try --detectors isolation-forest'],
  ])('%j', async (argv, message) => {
    const { exitCode, out, errors } = await centinelaHere(...argv);
    expect(onlyLine(errors)).toContain(message);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
  });

  it('a file where results should go', async () => {
    const { exitCode, errors } = await centinelaHere('detect', 'x.csv', '--out', folder.path('empty.csv'));
    expect(onlyLine(errors)).toContain('empty.csv is not a folder');
    expect(exitCode).toBe(2);
  });
});

it('the process ends with the exit code, and nothing but the line on standard error', async () => {
  const wrong = await centinela('detect', '--wrong');
  expect(onlyLine(wrong.errors)).toContain("Unknown option '--wrong'");
  expect(wrong).toMatchObject({ exitCode: 2, out: '' });
  const missing = await centinela('detect', folder.path('nowhere.csv'), '--out', folder.path('nothing'));
  expect(onlyLine(missing.errors)).toContain('There is no file');
  expect(missing).toMatchObject({ exitCode: 1, out: '' });
});

describe('bad files', () => {
  it.each([
    ['missing.csv', 'There is no file'],
    ['empty.csv', 'is empty. It needs a line with the names of the columns'],
    ['folder', 'is a folder. Give one file of transactions in it'],
    ['no-amount.csv', 'the amount could not be recognised among the columns'],
  ])('detect %s', async (name, message) => {
    const out = folder.path(`out-of-${name}`);
    const { exitCode, out: printed, errors } = await centinelaHere('detect', folder.path(name), '--out', out, '--json');
    expect(onlyLine(errors)).toContain(message);
    expect({ exitCode, printed }).toEqual({ exitCode: 1, printed: '' });
    expect(readdirSync(out)).toEqual([]);
  });

  it('a gzip file that is cut off says so, and earlier results stay whole', async () => {
    const out = folder.path('out-of-cut');
    mkdirSync(out);
    writeFileSync(folder.path('out-of-cut', 'report.html'), 'an earlier report');
    const { exitCode, errors } = await centinelaHere('detect', folder.path('cut.csv.gz'), '--out', out);
    expect(exitCode).toBe(1);
    expect(errors.trimEnd().split('\n').at(-1)).toContain('is cut off: the gzip data ends in the middle');
    expect(errors).not.toContain('    at ');
    expect(readdirSync(out)).toEqual(['report.html']);
    expect(readFileSync(folder.path('out-of-cut', 'report.html'), 'utf8')).toBe('an earlier report');
  });

  it('features on a file that is cut off leaves no table', async () => {
    const out = folder.path('half.csv');
    const before = readdirSync(folder.path());
    const { exitCode } = await centinelaHere('features', folder.path('cut.csv.gz'), '--out', out);
    expect(exitCode).toBe(1);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder.path())).toEqual(before);
  });

  it.each([
    ['sets', "line 3, column x0: 'hola' is not a number"],
    ['folder', 'holds no .csv.gz files'],
    ['nowhere', 'There is no folder'],
    ['', "has no labels: its last column is 'importe'"],
  ])('evaluate %j by adbench', async (name, message) => {
    const argv = ['evaluate', folder.path(name), '--protocol', 'adbench', '--detectors', 'isolation-forest'];
    const { exitCode, errors } = await centinelaHere(...argv);
    expect(onlyLine(errors)).toContain(message);
    expect(exitCode).toBe(1);
  });
});

describe('help', () => {
  it.each(COMMANDS)('%s --help', async (name) => {
    const { exitCode, out, errors } = await centinelaHere(name, '--help');
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(out).toMatch(new RegExp(`^centinela ${name}\\b.*\\[options\\]\n`));
    expect(out).toContain('--json');
  });

  it('the overview names every command', async () => {
    const { exitCode, out } = await centinelaHere('--help');
    expect(exitCode).toBe(0);
    expect([...out.matchAll(/^ {2}centinela (\S+)/gm)].map(([, name]) => name)).toEqual(COMMANDS);
  });
});
