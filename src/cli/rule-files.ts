// The rules that a command works with: those of a folder, or of a file that stands beside them. Where none is named: the
// folder config/rules of the working folder, or the rules that come with the program.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRuleFiles } from '../adapters/files/rule-folder.ts';
import { rulesError } from '../jobs/replay/versions.ts';
import { readRuleFile } from '../jobs/rules/check-rules.ts';
import type { PlacedRule } from '../rules/read-rules.ts';
import type { OptionSpec } from './command.ts';

/** Of the commands that decide or rank with rules. */
export const RULES_OPTION = {
  type: 'text',
  value: 'DIR|FILE|book|none',
  help: "rules that have a say, 'book' for those in force in the registry; config/rules, or else the program's own, when not given",
} as const satisfies OptionSpec;

export const RULES_FOLDER_OPTION = {
  type: 'text',
  value: 'DIR|FILE|book',
  help: "the rules that are live, 'book' for those in force in the registry; config/rules, or else the program's own, when not given",
} as const satisfies OptionSpec;

const OWN_RULES = join('config', 'rules');

/** The folder of the rules that come with the program. */
export const BUILT_IN_RULES: string = fileURLToPath(new URL('../../config/rules', import.meta.url));

/** @param workingFolder where the command was started */
export function defaultRules(workingFolder = '.'): string {
  return existsSync(join(workingFolder, OWN_RULES)) ? OWN_RULES : BUILT_IN_RULES;
}

export interface RuleFiles {
  readonly isFolder: boolean;
  readonly rules: readonly PlacedRule[];
}

/** @throws InputError where there is no such file, or with every problem of the files */
export async function readPlacedRules(path: string): Promise<RuleFiles> {
  const { rules: files } = await readRuleFiles(path);
  const read = files.map(readRuleFile);
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) throw rulesError(problems);
  const isFolder = files.length > 1 || files[0].path !== path;
  return { isFolder, rules: read.flatMap(({ rules }) => rules) };
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
