// Rules as files: a folder of *.yaml, *.yml or *.json, each with its tests beside it (*.test.yaml).
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../lib/errors.ts';
import type { TextFile } from '../../ports.ts';

const RULES = /\.(?:yaml|yml|json)$/;
const TESTS = /\.test\.(?:yaml|yml|json)$/;
const MAX_FILES = 1000;
const MAX_BYTES = 8_000_000;

/** @param path a folder, or one file of rules, whose tests are taken too */
export async function readRuleFiles(
  path: string,
): Promise<{ readonly rules: readonly TextFile[]; readonly tests: readonly TextFile[] }> {
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new InputError('FILE_MISSING', `There is no file or folder '${path}'`, 'Give a folder of rules (*.yaml)');
  }
  const paths = found.isDirectory() ? await filesOf(path) : [path, ...(await testsOf(path))];
  const read = (wanted: readonly string[]) => Promise.all(wanted.map(readText));
  return {
    rules: await read(paths.filter((each) => !TESTS.test(each))),
    tests: await read(paths.filter((each) => TESTS.test(each))),
  };
}

async function filesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => RULES.test(name)).sort();
  if (!names.some((name) => !TESTS.test(name))) {
    throw new InputError('RULES_NONE', `${folder} has no rules`, 'Rules are files that end in .yaml, .yml or .json');
  }
  if (names.length > MAX_FILES) {
    throw new InputError('RULES_TOO_MANY', `${folder} has ${names.length} files`, `At most ${MAX_FILES} are read`);
  }
  return names.map((name) => join(folder, name));
}

async function testsOf(path: string): Promise<string[]> {
  const stem = path.replace(RULES, '');
  const candidates = ['yaml', 'yml', 'json'].map((ending) => `${stem}.test.${ending}`);
  const there = await Promise.all(candidates.map((each) => stat(each).catch(() => null)));
  return candidates.filter((_, index) => there[index] !== null);
}

async function readText(path: string): Promise<TextFile> {
  const { size } = await stat(path);
  if (size > MAX_BYTES) {
    throw new InputError('FILE_TOO_LARGE', `${path} has ${size} bytes`, `At most ${MAX_BYTES} are read: split it`);
  }
  return { path, text: await readFile(path, 'utf8') };
}
