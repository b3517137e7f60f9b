// Kept lists as rules see them.
import type { RuleInput } from '../../decisions/rule-names.ts';
import { createKeptList, isListedAt, type ListDefinition, type ListEntry, ruleListOf } from '../../lists/kept-list.ts';
import type { ListState } from '../../registry/list-book-state.ts';
import type { RuleList } from '../../rules/names.ts';

export type RuleLists = ReadonlyMap<string, RuleList<RuleInput>>;

/**
 * @param asOfMs null: an entry counts for the transactions that happened while it was in force. A time: the entries in force
 * then count for all of history, which asks what a list would have done and knows more than anybody knew at the time.
 */
export function ruleLists(lists: Iterable<ListState>, asOfMs: number | null = null): RuleLists {
  const timeOf = ({ transaction }: RuleInput) => transaction.eventTimeMs;
  const counted = (entries: readonly ListEntry[]) =>
    asOfMs === null ? entries : entries.filter((entry) => isListedAt(entry, asOfMs)).map(always);
  return new Map(
    [...lists].map(({ definition, entries }) => [
      definition.name,
      ruleListOf(createKeptList(definition, counted(entries)), timeOf),
    ]),
  );
}

/** Empty ones, to check rules that speak of them. */
export function emptyRuleLists(definitions: Iterable<ListDefinition>): RuleLists {
  return ruleLists([...definitions].map((definition) => ({ definition, entries: [] })));
}

function always(entry: ListEntry): ListEntry {
  return { ...entry, fromMs: Number.NEGATIVE_INFINITY, untilMs: null };
}
