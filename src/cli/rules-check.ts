// `rules check [DIR]`, also `rules test`: all problems of rules and of the tests beside them.
import { readRuleFiles } from '../adapters/files/rule-folder.ts';
import { checkRules, problemLine } from '../jobs/rules/check-rules.ts';
import { InputError } from '../lib/errors.ts';
import { outlineOf } from '../rules/outline.ts';
import type { PlacedProblem } from '../rules/read-rules.ts';
import { ruleVersion } from '../rules/rule.ts';
import type { CommandContext, OptionValues } from './command.ts';
import { defaultRules } from './rule-files.ts';
import { vocabularyOf } from './rule-options.ts';

export async function check(what: string | undefined, options: OptionValues, { out }: CommandContext): Promise<void> {
  const path = what ?? defaultRules();
  const { placed, tests, untested, problems } = checkRules(await readRuleFiles(path), await vocabularyOf(options));
  if (options.json === true) {
    const rules = placed.map(({ rule }) => ruleVersion(rule));
    const conditions = placed.map(({ rule, file, line, path }) => ({ ...outlineOf(rule), file, line, path }));
    out(`${JSON.stringify({ rules, tests, untested, problems, conditions })}\n`);
  }
  failWith(problems, options, out);
  if (options.json === true) return;
  out(`${path}: ${placed.length} rules and ${tests} tests, no problems.\n`);
  if (untested.length > 0) {
    const shown = untested.slice(0, 10).join(', ');
    out(`${untested.length} rules that no test expects to fire: ${shown}${untested.length > 10 ? ', …' : ''}\n`);
  }
}

/** Prints each on a line of its own, unless it went out as JSON. @throws InputError where there is any */
export function failWith(problems: readonly PlacedProblem[], options: OptionValues, out: (text: string) => void): void {
  if (problems.length === 0) return;
  if (options.json !== true) out(problems.map((problem) => `${problemLine(problem)}\n`).join(''));
  const files = new Set(problems.map(({ file }) => file)).size;
  throw new InputError(
    'RULES_INVALID',
    `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${files} ${files === 1 ? 'file' : 'files'}`,
    'Nothing was put into force',
  );
}
