// Kept lists as rules see them.
import type { RuleInput } from '../../decisions/rule-names.ts';
import { InputError } from '../../lib/errors.ts';
import { createKeptList, isListedAt, type ListDefinition, type ListEntry, ruleListOf } from '../../lists/kept-list.ts';
import type { NameVocabulary } from '../../lists/name-vocabulary.ts';
import type { ListState } from '../../registry/list-book-state.ts';
import type { RuleList } from '../../rules/names.ts';

export type RuleLists = ReadonlyMap<string, RuleList<RuleInput>>;

/** One way to write a value: how an exact list compares. */
export type Canonical = (value: string) => string;

const AS_IT_IS: Canonical = (value) => value;

/**
 * @param asOfMs null: an entry counts for the transactions that happened while it was in force. A time: the entries in force
 * then count for all of history, which asks what a list would have done and knows more than anybody knew at the time.
 */
export function ruleLists(lists: Iterable<ListState>, asOfMs: number | null = null): RuleLists {
  const counted = (entries: readonly ListEntry[]) =>
    asOfMs === null ? entries : entries.filter((entry) => isListedAt(entry, asOfMs)).map(always);
  return new Map(
    [...lists].map(({ definition, entries }) => [
      definition.name,
      ruleListFor({ definition, entries: counted(entries) }),
    ]),
  );
}

/**
 * One of them, with the entries in their places.
 *
 * @param canonical of values on an exact list, and of those that are looked for
 * @param vocabulary of a list of names
 */
export function ruleListFor(
  { definition, entries }: ListState,
  canonical: Canonical = AS_IT_IS,
  vocabulary?: NameVocabulary,
): RuleList<RuleInput> {
  if (definition.match === 'name' || canonical === AS_IT_IS)
    return ruleListOf(createKeptList(definition, entries, vocabulary), timeOf);
  const written = entries.map((entry) => ({ ...entry, value: canonical(entry.value) }));
  const kept = createKeptList(definition, written);
  return ruleListOf({ ...kept, find: (value, timeMs) => kept.find(canonical(value), timeMs) }, timeOf);
}

function timeOf({ transaction }: RuleInput): number {
  return transaction.eventTimeMs;
}

/** Empty ones, to check rules that speak of them. */
export function emptyRuleLists(definitions: Iterable<ListDefinition>): RuleLists {
  return ruleLists([...definitions].map((definition) => ({ definition, entries: [] })));
}

function always(entry: ListEntry): ListEntry {
  return { ...entry, fromMs: Number.NEGATIVE_INFINITY, untilMs: null };
}

/** Of lists that a service keeps sealed: rules may speak of them, and what asks one of them ends. */
export function sealedRuleLists(definitions: Iterable<ListDefinition>): RuleLists {
  return new Map(
    [...definitions].map(({ name }): [string, RuleList<RuleInput>] => {
      const ask = (): never => {
        throw new InputError(
          'LIST_SEALED',
          `A rule asks @${name}, which the service (centinela serve) keeps sealed in this registry`,
          'Leave rules that ask lists out, or give another --registry',
        );
      };
      return [name, { name, cost: 1, has: ask, similarity: ask, placeOf: ask }];
    }),
  );
}
