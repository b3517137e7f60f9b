// Rules and the tests beside them, checked together: everything that is wrong, with its place.
//
// A test shows what a condition says, so it runs whatever the rule's dates and mode are.

import { REASON_CODES } from '../../decisions/reason-codes.ts';
import type { RuleInput } from '../../decisions/rule-names.ts';
import type { TextFile } from '../../ports.ts';
import type { RuleVocabulary } from '../../rules/names.ts';
import { type PlacedProblem, type PlacedRule, type ReadRules, readRules } from '../../rules/read-rules.ts';
import { compileRuleSet, type RuleSet } from '../../rules/rule-set.ts';
import { type RuleTest, readRuleTests, runRuleTests, testVocabulary } from '../../rules/rule-tests.ts';

export interface RuleFiles {
  readonly rules: readonly TextFile[];
  readonly tests: readonly TextFile[];
}

export interface CheckedRules {
  readonly placed: readonly PlacedRule[];
  /** null where there are problems with the rules. */
  readonly set: RuleSet<RuleInput> | null;
  readonly tests: number;
  /** Rules that no test expects to fire. */
  readonly untested: readonly string[];
  /** By file, line and column; failed tests among them. */
  readonly problems: readonly PlacedProblem[];
}

export function readRuleFile({ path, text }: TextFile): ReadRules {
  return readRules(text, path, new Set(Object.keys(REASON_CODES)));
}

/** @param inForce rules that are there already, which the files' rules may ask about; the files' own are in their place */
export function checkRules(
  files: RuleFiles,
  vocabulary: RuleVocabulary<RuleInput>,
  inForce: readonly PlacedRule[] = [],
): CheckedRules {
  const read = files.rules.map(readRuleFile);
  const placed = read.flatMap(({ rules }) => rules);
  const unfinished = read.flatMap((each) => each.unfinished);
  const own = new Set(placed.map(({ rule }) => rule.id));
  const all = [...placed, ...inForce.filter(({ rule }) => !own.has(rule.id))];
  const { set, problems: ofSet } = compileRuleSet(all, vocabulary, unfinished);
  const known = new Set([...unfinished.map(({ id }) => id), ...all.map(({ rule }) => rule.id)]);
  const tests = files.tests.map(({ path, text }) => ({ path, ...readRuleTests(text, path, vocabulary, known) }));
  const readable = set !== null && read.every((each) => each.problems.length === 0);
  const runnable = tests.filter((each) => each.problems.length === 0);
  const problems = [
    ...read.flatMap((each) => each.problems),
    ...ofSet,
    ...tests.flatMap((each) => each.problems),
    ...(readable ? runnable.flatMap((each) => failuresOf(each.path, each.tests, all, vocabulary)) : []),
  ];
  const fire = new Set(tests.flatMap((each) => each.tests.flatMap(({ fires }) => fires)));
  return {
    ...{ placed, set: readable ? set : null },
    tests: tests.reduce((count, each) => count + each.tests.length, 0),
    untested: placed.map(({ rule }) => rule.id).filter((id) => !fire.has(id)),
    problems: problems.sort(
      (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
    ),
  };
}

function failuresOf(
  file: string,
  tests: readonly RuleTest[],
  placed: readonly PlacedRule[],
  vocabulary: RuleVocabulary<RuleInput>,
): PlacedProblem[] {
  const timeless = placed.map((each) => ({
    ...each,
    rule: { ...each.rule, fromMs: null, untilMs: null, mode: 'live' as const },
  }));
  const { set } = compileRuleSet(timeless, testVocabulary(vocabulary));
  const failures = set === null ? [] : runRuleTests(tests, set, 0);
  return failures.map(({ test, message }) => ({
    ...({ file, code: 'TEST_FAILED', line: test.line, column: test.column, path: test.path } as const),
    ...{ message: `test '${test.name}': ${message}` },
    hint: 'Correct the rule, or what the test expects',
  }));
}

/** `file:line:column: what is wrong. What to do.` */
export function problemLine({ file, line, column, message, hint }: PlacedProblem): string {
  return `${file}:${line}:${column}: ${message}.${hint === '' ? '' : ` ${hint.replace(/(?<![.?!])$/, '.')}`}`;
}
