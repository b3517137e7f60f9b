import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLayers } from './check-layers.ts';

let source: string;

beforeEach(() => {
  source = join(mkdtempSync(join(tmpdir(), 'layers-')), 'src');
  for (const room of ['lib', 'models', 'features', 'jobs', 'config'])
    mkdirSync(join(source, room), { recursive: true });
});

afterEach(() => rmSync(source, { recursive: true, force: true }));

const messages = () => checkLayers(source).map(({ file, line, message }) => `${file}:${line}: ${message}`);

test('a wrong import is found with its file and line', () => {
  writeFileSync(join(source, 'models', 'tree.ts'), "// a tree\nimport { a } from '../features/a.ts';\n");
  expect(messages()).toEqual(['src/models/tree.ts:2: src/models must not import src/features']);
});

test('imports down the layers are allowed', () => {
  writeFileSync(join(source, 'jobs', 'detect.ts'), "import { a } from '../models/a.ts';\nimport fs from 'node:fs';\n");
  writeFileSync(join(source, 'models', 'tree.ts'), "import { a } from '../lib/a.ts';\n");
  expect(messages()).toEqual([]);
});

test('pure code may not read the clock, use chance or reach node', () => {
  writeFileSync(
    join(source, 'lib', 'a.ts'),
    "import fs from 'node:fs';\nconst t = Date.now();\nconst r = Math.random();\nconst d = new Date();\nconsole.log(1);\n",
  );
  expect(messages()).toHaveLength(5);
});

test('only config reads the environment', () => {
  writeFileSync(join(source, 'jobs', 'a.ts'), 'const x = process.env.HOME;\n');
  writeFileSync(join(source, 'config', 'a.ts'), 'const x = process.env.HOME;\n');
  expect(messages()).toEqual(['src/jobs/a.ts:1: only src/config reads the environment']);
});

test('an unknown room is refused', () => {
  mkdirSync(join(source, 'utils'));
  writeFileSync(join(source, 'utils', 'a.ts'), 'export const a = 1;\n');
  expect(messages()[0]).toContain('src/utils is not a known room');
});
