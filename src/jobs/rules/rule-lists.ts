// Kept lists as rules see them.
import type { RuleInput } from '../../decisions/rule-names.ts';
import { createKeptList, type ListDefinition, ruleListOf } from '../../lists/kept-list.ts';
import type { ListState } from '../../registry/list-book-state.ts';
import type { RuleList } from '../../rules/names.ts';

export function ruleLists(lists: Iterable<ListState>): Map<string, RuleList<RuleInput>> {
  const timeOf = ({ transaction }: RuleInput) => transaction.eventTimeMs;
  return new Map(
    [...lists].map(({ definition, entries }) => [
      definition.name,
      ruleListOf(createKeptList(definition, entries), timeOf),
    ]),
  );
}

/** Empty ones, to check rules that speak of them. */
export function emptyRuleLists(definitions: Iterable<ListDefinition>): Map<string, RuleList<RuleInput>> {
  return ruleLists([...definitions].map((definition) => ({ definition, entries: [] })));
}
