// `rules propose, approve, reject, retire, rollback, snooze, override`: changes of the rule book, each by a named person.
import { readRuleFiles } from '../adapters/files/rule-folder.ts';
import { approveRules, type ChangeOutcome, proposeRules, retireRule } from '../jobs/rules/change-rules.ts';
import { checkHere } from '../jobs/rules/check-beside.ts';
import type { HistoryEntry } from '../registry/history.ts';
import type { Act, RuleBook } from '../registry/rule-book.ts';
import { OVERRIDE_FIELDS, type RuleEvent } from '../registry/rule-book-state.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { actOf, ruleBookOf, untilOf, vocabularyOf, wanted } from './rule-options.ts';
import { failWith } from './rules-check.ts';

/** `--payer` for `payerId`. */
const ENTITY_OPTIONS = OVERRIDE_FIELDS.map((field) => ({ field, option: field.replace(/Id$/, '') }));

export const CHANGE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  end: { type: 'flag', help: 'snooze, override: end it now, before its time' },
  file: { type: 'text', value: 'FILE', help: 'approve: what you have read; refused if it is not the proposed text' },
  version: {
    type: 'number',
    help: 'rollback: to this version; the one before when not given',
    minimum: 1,
    whole: true,
  },
  ...Object.fromEntries(
    ENTITY_OPTIONS.map(({ option }) => [
      option,
      { type: 'text', value: 'ID', help: `override: for this ${option}` } satisfies OptionSpec,
    ]),
  ),
};

type Change = (what: string, book: RuleBook, act: Act, options: OptionValues) => Promise<ChangeOutcome>;

export const CHANGES = Object.fromEntries(
  Object.entries({
    propose: ['file', propose],
    approve: ['version (ID@VERSION)', approve],
    reject: ['version (ID@VERSION)', async (name, book, act) => doneOf(await book.reject(name, act))],
    retire: [
      'rule',
      async (id, book, act, options) => retireRule(id, book, checkHere(await vocabularyOf(options)), act),
    ],
    rollback: [
      'rule',
      async (id, book, act, options) =>
        doneOf(await book.rollback(id, (options.version as number | undefined) ?? null, act)),
    ],
    snooze: ['rule', snooze],
    override: ['rule', override],
  } satisfies Record<string, readonly [string, Change]>).map(([action, [noun, change]]) => [
    action,
    async (what: string | undefined, options: OptionValues, context: CommandContext) => {
      const command = `rules ${action}`;
      const target = wanted(command, what, noun);
      const outcome = await change(target, ruleBookOf(options), actOf(command, options, context), options);
      if (options.json === true) context.out(`${JSON.stringify(outcome)}\n`);
      failWith(outcome.problems, options, context.out);
      if (options.json !== true) context.out(described(options.end === true ? `${action}-end` : action, outcome));
    },
  ]),
);

async function propose(path: string, book: RuleBook, act: Act, options: OptionValues): Promise<ChangeOutcome> {
  return proposeRules(await readRuleFiles(path), book, checkHere(await vocabularyOf(options)), act);
}

async function approve(names: string, book: RuleBook, act: Act, options: OptionValues): Promise<ChangeOutcome> {
  const reviewed = typeof options.file === 'string' ? await readRuleFiles(options.file) : null;
  const wantedNames = [...new Set(names.split(',').map((name) => name.trim()))];
  return approveRules(wantedNames, reviewed, book, await vocabularyOf(options), act);
}

async function snooze(id: string, book: RuleBook, act: Act, options: OptionValues): Promise<ChangeOutcome> {
  if (endsNow('snooze', options)) return doneOf(await book.endSnooze(id, act));
  return doneOf(await book.snooze(id, endOf('snooze', options, act), act));
}

async function override(id: string, book: RuleBook, act: Act, options: OptionValues): Promise<ChangeOutcome> {
  const given = ENTITY_OPTIONS.filter(({ option }) => typeof options[option] === 'string');
  if (given.length !== 1) {
    const known = ENTITY_OPTIONS.map(({ option }) => `--${option}`).join(', ');
    throw new UsageError(`rules override: for whom? Give one of ${known}`);
  }
  const [{ field, option }] = given;
  const value = options[option] as string;
  if (endsNow('override', options)) return doneOf(await book.endOverride({ ruleId: id, field, value }, act));
  return doneOf(await book.override({ ruleId: id, field, value, untilMs: endOf('override', options, act) }, act));
}

function endsNow(action: string, { end, until }: OptionValues): boolean {
  if (end !== true) return false;
  if (until === undefined) return true;
  throw new UsageError(`rules ${action}: give --end or --until WHEN, not both`);
}

function endOf(action: string, options: OptionValues, act: Act): number {
  const untilMs = untilOf(`rules ${action}`, options, act.atMs);
  if (untilMs === null) throw new UsageError(`rules ${action}: --until WHEN is missing, or --end to end it now`);
  return untilMs;
}

function doneOf({ event }: HistoryEntry<RuleEvent>): ChangeOutcome {
  return { done: ['version' in event ? `${event.id}@${event.version}` : event.id], unchanged: [], problems: [] };
}

/** By action; with `-end` where `--end` was given. */
const DONE: Readonly<Record<string, string>> = {
  propose: 'proposed',
  approve: 'approved',
  reject: 'rejected',
  retire: 'retired',
  rollback: 'in force again',
  snooze: 'snoozed: it fires without a say',
  override: 'overridden',
  'snooze-end': 'is not snoozed any more: it has its say again',
  'override-end': 'counts for it again',
};

function described(action: string, { done, unchanged }: ChangeOutcome): string {
  const lines = done.map((name) => `${name} ${DONE[action]}\n`);
  if (unchanged.length > 0) lines.push(`${unchanged.length} rules are in the book already\n`);
  if (action === 'propose' && done.length > 0) {
    lines.push(`Another person approves: npx centinela rules approve ${done.join(',')} --by NAME\n`);
  }
  return lines.join('');
}
