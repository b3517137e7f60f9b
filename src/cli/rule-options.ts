// What the commands on rules and lists share: where they are kept, who acts, until when.

import { createRuleVocabulary, type RuleInput } from '../decisions/rule-names.ts';
import { parseLimaDay } from '../domain/calendar.ts';
import { catalogueNamed } from '../features/catalogue/choose.ts';
import { readRuleFile } from '../jobs/rules/check-rules.ts';
import { emptyRuleLists } from '../jobs/rules/rule-lists.ts';
import { InputError } from '../lib/errors.ts';
import { STANDARD_LISTS } from '../lists/standard-lists.ts';
import { SEALED } from '../registry/history.ts';
import { type ListBook, openListBook } from '../registry/list-book.ts';
import type { ListState } from '../registry/list-book-state.ts';
import { type Act, openRuleBook, type RuleBook } from '../registry/rule-book.ts';
import type { RuleVocabulary } from '../rules/names.ts';
import { tokenize } from '../rules/tokens.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { detectorsHere } from './detectors-here.ts';
import { FEATURES_OPTION } from './file-options.ts';
import { openObjectStore } from './object-store.ts';

export const REGISTRY_OPTION = {
  type: 'text',
  value: 'DIR',
  help: 'the folder that rules, lists and models are kept in',
  default: 'out/registry',
} as const satisfies OptionSpec;

export const ACT_OPTIONS = {
  by: { type: 'text', value: 'NAME', help: 'who does it' },
  reason: { type: 'text', help: 'why' },
  until: { type: 'text', value: 'WHEN', help: 'the last day (2026-12-31), or how long from now (36h, 7d)' },
} as const satisfies Record<string, OptionSpec>;

export const VOCABULARY_OPTIONS = {
  registry: REGISTRY_OPTION,
  features: { ...FEATURES_OPTION, help: "catalogue whose features rules may use; 'default' when not given" },
} as const satisfies Record<string, OptionSpec>;

const MS_PER_DAY = 86_400_000;

export function ruleBookOf(options: OptionValues): RuleBook {
  return openRuleBook(openObjectStore(options.registry as string), (text, path) => readRuleFile({ path, text }));
}

export function listBookOf(options: OptionValues): ListBook {
  return openListBook(openObjectStore(options.registry as string));
}

/** null where a service keeps them sealed. @throws InputError where they are not what was written */
export async function readableLists(options: OptionValues): Promise<ReadonlyMap<string, ListState> | null> {
  try {
    return await listBookOf(options).lists();
  } catch (error) {
    if (error instanceof InputError && error.code === SEALED) return null;
    throw error;
  }
}

/** All that rules may speak of here; the lists are empty, and the standard ones alone where a service keeps them. */
export async function vocabularyOf(options: OptionValues): Promise<RuleVocabulary<RuleInput>> {
  const lists = await readableLists(options);
  const definitions = lists === null ? STANDARD_LISTS : [...lists.values()].map(({ definition }) => definition);
  return createRuleVocabulary(
    catalogueNamed((options.features as string | undefined) ?? 'default'),
    detectorsHere().map(({ name }) => name),
    emptyRuleLists(definitions),
  );
}

export function actOf(command: string, options: OptionValues, { nowMs }: CommandContext): Act {
  if (typeof options.by !== 'string') throw new UsageError(`${command}: --by NAME is missing: who does it?`);
  return { by: options.by, why: (options.reason as string | undefined) ?? '', atMs: nowMs() };
}

/** As an instant; null where it is not given. */
export function untilOf(command: string, options: OptionValues, nowMs: number): number | null {
  const { until } = options;
  if (typeof until !== 'string') return null;
  const dayMs = parseLimaDay(until);
  if (dayMs !== null) return dayMs + MS_PER_DAY;
  const [first, end] = tokenize(until).tokens;
  if (first.kind === 'number' && first.unit === 'duration' && end.kind === 'end') return nowMs + first.value;
  throw new UsageError(
    `${command}: --until must be a day (2026-12-31) or how long from now (36h, 7d); '${until}' is not`,
  );
}

/** The word after the action. */
export function wanted(command: string, what: string | undefined, noun: string): string {
  if (what === undefined)
    throw new UsageError(`${command}: which ${noun}? Try 'centinela ${command.split(' ')[0]} --help'`);
  return what;
}
