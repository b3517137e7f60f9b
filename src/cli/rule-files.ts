// Rule files on disk: one file, or all .yaml, .yml and .json of a folder but the tests beside them.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { REASON_CODES } from '../decisions/reason-codes.ts';
import { rulesError } from '../jobs/replay/versions.ts';
import { type PlacedRule, readRules } from '../rules/read-rules.ts';
import { type OptionSpec, UsageError } from './command.ts';

export const RULES_FOLDER_OPTION = {
  type: 'text',
  value: 'DIR|FILE',
  help: 'the rules that are live',
  default: 'config/rules',
} as const satisfies OptionSpec;

const REASONS: ReadonlySet<string> = new Set(Object.keys(REASON_CODES));
const RULE_FILE = /\.(?:ya?ml|json)$/;
const TEST_FILE = /\.test\.(?:ya?ml|json)$/;

export interface RuleFiles {
  readonly isFolder: boolean;
  readonly rules: readonly PlacedRule[];
}

/** @throws UsageError where there is no such file, InputError with every problem of the files */
export async function readRuleFiles(path: string): Promise<RuleFiles> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new UsageError(`there are no rules at ${path}: give a file of rules or a folder of them`);
  const isFolder = found.isDirectory();
  const files = isFolder ? await filesOf(path) : [path];
  if (files.length === 0) throw new UsageError(`${path} has no rule files (.yaml, .yml, .json)`);
  const read = await Promise.all(files.map(async (file) => readRules(await readFile(file, 'utf8'), file, REASONS)));
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) throw rulesError(problems);
  return { isFolder, rules: read.flatMap(({ rules }) => rules) };
}

async function filesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => RULE_FILE.test(name) && !TEST_FILE.test(name));
  return names.sort().map((name) => join(folder, name));
}

/**
 * A folder is the whole candidate. The rules of a file take the place of the live ones with their ids or join them, and
 * those in shadow are taken as live: what they would do is the question.
 */
export function candidateRules(live: readonly PlacedRule[], candidate: RuleFiles): PlacedRule[] {
  if (candidate.isFolder) return [...candidate.rules];
  const ids = new Set(candidate.rules.map(({ rule }) => rule.id));
  const joining = candidate.rules.map(
    (placed): PlacedRule =>
      placed.rule.mode === 'shadow' ? { ...placed, rule: { ...placed.rule, mode: 'live' } } : placed,
  );
  return [...live.filter(({ rule }) => !ids.has(rule.id)), ...joining];
}
