// Fails when a source file imports from a layer it must not know, or when pure code reaches for the outside world.
//
// The layers keep the decision core a pure fold over the log: the same code trains, serves and re-executes a decision
// years later. A folder under src/ is a room; ROOMS says which other rooms its files may import.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const LEAVES = ['domain', 'lib'];
const CORE = ['lists', 'rules', 'models', 'features', 'simulate', ...LEAVES];
const JUDGEMENT = ['decisions', 'alerts', ...CORE];
const WORK = ['ports', 'telemetry', ...JUDGEMENT];
const GUARDS = ['privacy', 'identity', 'audit', 'notify'];

/** room → rooms its files may import (its own room is always allowed) */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  domain: ['lib'],
  features: LEAVES,
  models: ['ports', ...LEAVES],
  rules: LEAVES,
  lists: ['rules', ...LEAVES],
  simulate: LEAVES,
  decisions: CORE,
  alerts: [...CORE, 'decisions'],
  ports: ['domain', 'lib'],
  telemetry: ['lib'],
  config: ['domain', 'lib'],
  privacy: ['ports', ...LEAVES],
  identity: ['ports', 'telemetry', ...LEAVES],
  audit: ['ports', 'telemetry', ...LEAVES],
  notify: ['ports', 'telemetry', 'alerts', ...LEAVES],
  records: [...WORK, ...GUARDS],
  registry: WORK,
  interchange: WORK,
  training: [...WORK, 'registry'],
  report: WORK,
  pipeline: [...WORK, 'registry', 'privacy'],
  jobs: [...WORK, ...GUARDS, 'records', 'registry', 'training', 'pipeline', 'report'],
  http: [...WORK, ...GUARDS, 'records', 'registry', 'training', 'pipeline', 'report', 'jobs'],
  adapters: ['ports', 'domain', 'telemetry', 'lib'],
  roles: ['*'],
  modelling: [...WORK, 'training', 'interchange'],
  cli: ['*'],
  main: ['roles', 'cli'],
  index: ['modelling', 'training', 'interchange', 'adapters', ...WORK],
};

/** From decisions down: no clock, no randomness, no input or output, no logging. */
const PURE = new Set(['decisions', 'alerts', ...CORE]);

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bfrom\s+'node:|\bimport\(\s*'node:|\brequire\(/, 'imports a node: module'],
  [/\bDate\.now\(|\bnew Date\(\s*\)/, 'reads the clock (take the time as an argument)'],
  [/\bMath\.random\(/, 'uses Math.random (take a seed and use lib/prng)'],
  [/\bconsole\.|\bprocess\./, 'touches console or process'],
  [/\bperformance\.now\(/, 'reads the clock (take the time as an argument)'],
];

const READS_ENVIRONMENT = /\bprocess\.env\b/;
const ENVIRONMENT_ROOMS = new Set(['config']);

function sourceFiles(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? sourceFiles(path) : path.endsWith('.ts') ? [path] : []))
    .sort();
}

function roomOf(source: string, path: string): string {
  const first = relative(source, path).split(sep)[0] ?? '';
  return first.replace(/\.ts$/, '');
}

function checkFile(source: string, path: string): Finding[] {
  const room = roomOf(source, path);
  const allowed = ROOMS[room];
  const file = relative(dirname(source), path);
  if (allowed === undefined) {
    return [{ file, line: 1, message: `src/${room} is not a known room: add it to ROOMS in scripts/check-layers.ts` }];
  }
  const isTest = path.endsWith('.test.ts');
  const findings: Finding[] = [];
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((text, index) => {
      const line = index + 1;
      const target = /(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/.exec(text)?.[1];
      if (target !== undefined) {
        const imported = roomOf(source, resolve(dirname(path), target));
        if (imported !== room && !allowed.includes('*') && !allowed.includes(imported) && !isTest) {
          findings.push({ file, line, message: `src/${room} must not import src/${imported}` });
        }
      }
      if (isTest || /^\s*(\/\/|\*|\/\*)/.test(text)) return;
      if (PURE.has(room)) {
        for (const [pattern, what] of IMPURE) {
          if (pattern.test(text)) findings.push({ file, line, message: `src/${room} is pure but ${what}` });
        }
      }
      if (READS_ENVIRONMENT.test(text) && !ENVIRONMENT_ROOMS.has(room)) {
        findings.push({ file, line, message: 'only src/config reads the environment' });
      }
    });
  return findings;
}

export function checkLayers(source: string): Finding[] {
  return sourceFiles(source).flatMap((path) => checkFile(source, path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = checkLayers(join(dirname(dirname(fileURLToPath(import.meta.url))), 'src'));
  for (const { file, line, message } of findings) process.stderr.write(`${file}:${line}: ${message}\n`);
  if (findings.length > 0) process.exit(1);
}
