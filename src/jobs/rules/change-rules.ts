// Proposing, approving and retiring rules: what is asked for is done only if the rules that would then be in force still
// make a sound set together.
import type { RuleInput } from '../../decisions/rule-names.ts';
import { InputError } from '../../lib/errors.ts';
import type { TextFile } from '../../ports.ts';
import { type Act, type RuleBook, ruleHash } from '../../registry/rule-book.ts';
import { ruleBookAt } from '../../registry/rule-book-state.ts';
import type { RuleVocabulary } from '../../rules/names.ts';
import type { PlacedProblem, PlacedRule } from '../../rules/read-rules.ts';
import { ruleVersion } from '../../rules/rule.ts';
import { compileRuleSet } from '../../rules/rule-set.ts';
import type { CheckBeside, CheckedFiles } from './check-beside.ts';
import { type RuleFiles, readRuleFile } from './check-rules.ts';
import type { SentRule } from './sent-rules.ts';

export interface ChangeOutcome {
  /** `id@version` */
  readonly done: readonly string[];
  /** Rules of the file that are in the book with the same text. */
  readonly unchanged: readonly string[];
  /** Why nothing was done. */
  readonly problems: readonly PlacedProblem[];
}

/** Whatever the clocks say, a change is judged by all that is in the book. */
const LATEST = Number.POSITIVE_INFINITY;

const refused = (problems: readonly PlacedProblem[]): ChangeOutcome => ({ done: [], unchanged: [], problems });

/** Proposes all rules of the files that are not in the book yet. */
export async function proposeRules(
  files: RuleFiles,
  book: RuleBook,
  check: CheckBeside,
  act: Act,
): Promise<ChangeOutcome> {
  return proposeChecked(await check(files, await rulesInForce(book)), book, act);
}

/** @param checked beside what is in force */
export async function proposeChecked(
  { placed, problems }: Pick<CheckedFiles, 'placed' | 'problems'>,
  book: RuleBook,
  act: Act,
): Promise<ChangeOutcome> {
  if (problems.length > 0) return refused(problems);
  const { versions } = ruleBookAt(await book.history(), LATEST);
  const isKnown = ({ rule }: SentRule) => {
    const known = versions.find(({ id, version }) => id === rule.id && version === rule.version);
    return known?.sha256 === ruleHash(rule);
  };
  const changed = placed.filter((each) => !isKnown(each));
  const taken = changed.flatMap(({ rule, file, line, path }): PlacedProblem[] => {
    const newest = versions.findLast(({ id }) => id === rule.id);
    if (newest === undefined || newest.version < rule.version) return [];
    const message = `${rule.id}: version ${newest.version} is in the book, and versions never change`;
    return [
      { file, code: 'VERSION_TAKEN', line, column: 1, path, message, hint: `Write version: ${newest.version + 1}` },
    ];
  });
  if (taken.length > 0) return refused(taken);
  for (const { rule } of changed) await book.propose(rule, act);
  const namesOf = (rules: readonly SentRule[]) => rules.map(({ rule }) => ruleVersion(rule));
  return { done: namesOf(changed), unchanged: namesOf(placed.filter(isKnown)), problems: [] };
}

/** @param reviewed the files that were read before approving; null where they were read in the book */
export async function approveRules(
  names: readonly string[],
  reviewed: RuleFiles | null,
  book: RuleBook,
  vocabulary: RuleVocabulary<RuleInput>,
  act: Act,
): Promise<ChangeOutcome> {
  const hashes = new Map(
    reviewed?.rules.flatMap((file) => readRuleFile(file).rules.map(({ rule }) => [ruleVersion(rule), ruleHash(rule)])),
  );
  const missing = reviewed === null ? [] : names.filter((name) => !hashes.has(name));
  if (missing.length > 0) {
    throw new InputError('RULE_UNKNOWN', `The file has no ${missing.join(', ')}`, 'Give the file that you have read');
  }
  const { versions } = ruleBookAt(await book.history(), LATEST);
  const candidates: PlacedRule[] = [];
  for (const name of names) {
    const version = versions.find((each) => ruleVersion(each) === name);
    // One that is not there is told by the book.
    if (version !== undefined) candidates.push(...readRuleFile({ path: name, text: await book.textOf(version) }).rules);
  }
  const others = await othersInForce(book, new Set(candidates.map(({ rule }) => rule.id)));
  const { problems } = compileRuleSet([...candidates, ...others], vocabulary);
  if (problems.length > 0) return refused(problems);
  for (const name of names) await book.approve(name, hashes.get(name) ?? null, act);
  return { done: names, unchanged: [], problems: [] };
}

export async function retireRule(id: string, book: RuleBook, check: CheckBeside, act: Act): Promise<ChangeOutcome> {
  const { problems } = await check({ rules: [], tests: [] }, await othersInForce(book, new Set([id])));
  if (problems.length > 0) return refused(problems);
  const { event } = await book.retire(id, act);
  return { done: ['version' in event ? `${id}@${event.version}` : id], unchanged: [], problems: [] };
}

/** What is wrong with a kept version today, next to the other rules in force: names and lists may be gone since. */
export async function checkVersion(
  text: TextFile,
  book: RuleBook,
  check: CheckBeside,
): Promise<Pick<CheckedFiles, 'outlines' | 'problems'>> {
  const { outlines, problems } = await check({ rules: [text], tests: [] }, await rulesInForce(book));
  return { outlines, problems: problems.filter(({ file }) => file === text.path) };
}

export async function rulesInForce(book: RuleBook): Promise<readonly PlacedRule[]> {
  return (await book.effectiveAt(LATEST)).rules;
}

async function othersInForce(book: RuleBook, without: ReadonlySet<string>): Promise<PlacedRule[]> {
  return (await rulesInForce(book)).filter(({ rule }) => !without.has(rule.id));
}
