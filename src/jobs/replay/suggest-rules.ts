// Rules that nobody has written yet: mined from the earlier part of labelled history, measured on the later part.
import { type Literal, literalsOf } from '../../decisions/mining/literals.ts';
import { type MinedRow, RowSample } from '../../decisions/mining/sample.ts';
import { type FoundRule, searchRules } from '../../decisions/mining/search.ts';
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import { createRuleVocabulary, type RuleInput } from '../../decisions/rule-names.ts';
import type { RuleRecord } from '../../decisions/worth/rule-ledger.ts';
import { limaDayNumber, startOfLimaDayMs } from '../../domain/calendar.ts';
import { type FoldedBatch, foldBatch } from '../../pipeline/decide-transactions.ts';
import type { TransactionReader } from '../../ports.ts';
import type { RuleName } from '../../rules/names.ts';
import type { Expression } from '../../rules/node.ts';
import { printExpression } from '../../rules/print-expression.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import { type Rule, ruleVersion } from '../../rules/rule.ts';
import { fileDefinitions } from '../read-features.ts';
import type { RuleLists } from '../rules/rule-lists.ts';
import { customerOf } from './history.ts';
import { rulesHealth } from './rules-health.ts';
import { type BuiltVersions, buildVersions, type VersionSpec } from './versions.ts';

export interface SuggestOptions {
  /** Opened twice: to mine and to measure. */
  readonly open: () => Promise<TransactionReader>;
  readonly live: VersionSpec;
  readonly lists: RuleLists;
  readonly catalogue: string | null;
  readonly costs: DecisionCosts;
  /** Of the file: what comes before is mined, what comes after measures. */
  readonly earlierShare: number;
  readonly most: number;
  readonly minPrecision: number;
  readonly minFrauds: number;
  readonly seed: number;
  readonly onProgress: (what: string, share: number) => void;
}

export interface Suggestion {
  readonly rule: Rule;
  /** On the part that was mined, estimated from the sample. */
  readonly earlier: Omit<FoundRule, 'conditions'>;
  /** On the later part, next to the live rules. */
  readonly later: RuleRecord;
  /** Of the later part's frauds. */
  readonly recall: number;
  /** Weeks of the later part in which it hit, and those in which its precision was at least what was asked. */
  readonly weeks: number;
  readonly weeksHeld: number;
}

export interface Suggestions {
  /** The later part begins here. */
  readonly cutMs: number;
  readonly missedFrauds: number;
  readonly laterFrauds: number;
  /** By what they save on the later part. */
  readonly kept: readonly Suggestion[];
  /** Found on the earlier part, but not worth it on the later one. */
  readonly dropped: readonly Suggestion[];
}

const TEXTS = ['operation', 'channel', 'rail', 'entryMode'] as const;
const MOST_FRAUDS = 20_000;
const MOST_GENUINE = 40_000;
const DAYS_OF_WEEK = 7;
/** Precision falls from the part that was mined to the next; half of what was asked is still worth a look. */
const KEPT_PRECISION_SHARE = 0.5;
const MIN_LATER_FRAUDS = 3;
const LONGEST_NAME = 480;
/** A person who takes the suggestion over gives it a better one. */
const REASON = 'COMBINACION_INUSUAL';

export async function suggestRules(options: SuggestOptions): Promise<Suggestions> {
  const { live, costs, minPrecision, minFrauds } = options;
  const { cutMs, frauds, genuine, numbers } = await sampleMisses(options);
  const literals: readonly Literal[] = literalsOf({ numbers, texts: TEXTS }, frauds.rows, genuine.rows, minFrauds);
  const found = searchRules(literals, frauds.rows, {
    ...{ most: options.most, minPrecision, minFrauds, costs, genuineWeight: genuine.weight },
  });
  const meanings = new Map(numbers.map(({ name, meaning }) => [name, meaning]));
  const rules = found.map(({ conditions }, index) => ruleOf(conditions, index + 1, meanings, live.rules));
  const reader = await options.open();
  const health = await rulesHealth({
    ...{ reader, version: { ...live, rules: [...live.rules, ...rules.map(placed)] }, catalogue: options.catalogue },
    lists: options.lists,
    ...{ range: { fromMs: cutMs, untilMs: Number.POSITIVE_INFINITY }, costs, seed: options.seed },
    onProgress: (share) => options.onProgress('measuring', share),
  });
  const records = new Map(health.records.map((record) => [record.rule, record]));
  const suggestions = rules.map((rule, index): Suggestion => {
    const later = records.get(ruleVersion(rule))!;
    const { conditions: _, ...earlier } = found[index];
    const weeksHeld = later.weeks.filter(({ precision }) => precision !== null && precision >= minPrecision).length;
    const recall = health.frauds === 0 ? 0 : later.frauds / health.frauds;
    return { rule, earlier, later, recall, weeks: later.weeks.length, weeksHeld };
  });
  const holds = ({ later }: Suggestion) =>
    later.savedMinor > 0 &&
    later.frauds >= MIN_LATER_FRAUDS &&
    (later.precision ?? 0) >= KEPT_PRECISION_SHARE * minPrecision;
  const byMoney = (a: Suggestion, b: Suggestion) => b.later.savedMinor - a.later.savedMinor;
  return {
    ...{ cutMs, missedFrauds: frauds.seen, laterFrauds: health.frauds },
    kept: suggestions.filter(holds).sort(byMoney),
    dropped: suggestions.filter((suggestion) => !holds(suggestion)).sort(byMoney),
  };
}

/** What the live version approves in the earlier part of the file, up to the beginning of a day. */
async function sampleMisses({ open, live, lists, catalogue, earlierShare, seed, onProgress }: SuggestOptions) {
  const reader = await open();
  const built = buildVersions([live], reader, catalogue, lists, fileDefinitions(reader, catalogue));
  const numbers = minedNames(built, reader, catalogue);
  const frauds = new RowSample(MOST_FRAUDS, seed);
  const genuine = new RowSample(MOST_GENUINE, seed + 1);
  let newestMs = Number.NEGATIVE_INFINITY;
  for await (const batch of reader) {
    if (reader.progress() > earlierShare) break;
    const folded = foldBatch(batch, built.engine);
    const decide = built.deciders[0].open(folded);
    batch.forEach((transaction, row) => {
      newestMs = Math.max(newestMs, transaction.eventTimeMs);
      const { isFraud } = transaction;
      if (isFraud === null) return;
      const { verdict, input } = decide(row);
      if (verdict.action !== 'approve') return;
      (isFraud ? frauds : genuine).offer(() => minedRow(folded, row, numbers, input));
    });
    onProgress('mining', reader.progress() / earlierShare);
  }
  const cutMs = Number.isFinite(newestMs) ? startOfLimaDayMs(limaDayNumber(newestMs) + 1) : 0;
  return { cutMs, frauds, genuine, numbers };
}

/** Numbers and truths that a condition can be made of; what labels say of the past is left to people. */
function minedNames(
  { definitions }: BuiltVersions,
  reader: TransactionReader,
  catalogue: string | null,
): RuleName<RuleInput>[] {
  const present = new Set(
    fileDefinitions(reader, catalogue)
      .filter(({ unit, field, delayMs }) => unit !== 'category' && field !== 'log-amount' && delayMs === 0)
      .map(({ id }) => id),
  );
  return [...createRuleVocabulary(definitions, []).names.values()].filter(({ name }) => present.has(name));
}

function minedRow(
  { transactions, worthsMinor }: FoldedBatch,
  row: number,
  numbers: readonly RuleName<RuleInput>[],
  input: RuleInput,
): MinedRow {
  const transaction = transactions[row];
  return {
    numbers: Float64Array.from(numbers, (name) => {
      const value = name.read(input);
      return typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : Number.NaN;
    }),
    texts: TEXTS.map((field) => transaction[field]),
    worthMinor: worthsMinor[row],
    customer: customerOf(transaction),
    week: Math.floor(limaDayNumber(transaction.eventTimeMs) / DAYS_OF_WEEK),
  };
}

function ruleOf(
  conditions: readonly Expression[],
  number: number,
  meanings: ReadonlyMap<string, { readonly es: string; readonly en: string }>,
  live: readonly PlacedRule[],
): Rule {
  const span = { from: 0, to: 0 };
  const when: Expression = { kind: 'all', operands: conditions, span };
  const text = (locale: 'es' | 'en') => conditions.map((condition) => worded(condition, meanings, locale)).join('; ');
  const ids = new Set(live.map(({ rule }) => rule.id));
  const free = [`suggested-${number}`, `suggested-${number}-new`].find((id) => !ids.has(id));
  return {
    ...{ id: free ?? `suggested-${number}-of-${ids.size}`, version: 1, owner: 'por-asignar', severity: 'medium' },
    name: {
      es: `Sugerida: ${text('es')}`.slice(0, LONGEST_NAME),
      en: `Suggested: ${text('en')}`.slice(0, LONGEST_NAME),
    },
    ...{ reason: REASON, action: 'review', mode: 'shadow', fromMs: null, untilMs: null, typologies: [], notes: null },
    ...{ when, source: printExpression(when) },
  };
}

/** The condition with the names' meanings in place of the names. */
function worded(
  condition: Expression,
  meanings: ReadonlyMap<string, { readonly es: string; readonly en: string }>,
  locale: 'es' | 'en',
): string {
  if (condition.kind === 'name') return meanings.get(condition.name)?.[locale] ?? condition.name;
  if (condition.kind === 'not') {
    return `${locale === 'es' ? 'no ' : 'not '}${worded(condition.operand, meanings, locale)}`;
  }
  if (condition.kind !== 'comparison') return printExpression(condition);
  const operator = { '>=': '≥', '<=': '≤' }[condition.operator as string] ?? condition.operator;
  const right = condition.right.kind === 'text' ? condition.right.value : printExpression(condition.right);
  return `${worded(condition.left, meanings, locale)} ${operator} ${right}`;
}

function placed(rule: Rule): PlacedRule {
  return { rule, file: 'suggested', line: 1, path: '', place: () => ({ line: 1, column: 1, path: '' }) };
}
