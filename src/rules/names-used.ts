// Which names and other rules the conditions of rules speak of.
import { walk } from './node.ts';
import type { Rule } from './rule.ts';

export function namesUsed(rules: Iterable<Pick<Rule, 'when'>>): Set<string> {
  const names = new Set<string>();
  for (const { when } of rules) for (const node of walk(when)) if (node.kind === 'name') names.add(node.name);
  return names;
}

/** Ids of the rules that it asks about with `fired(…)`. */
export function rulesAsked({ when }: Pick<Rule, 'when'>): string[] {
  return [...walk(when)].flatMap((node) => {
    const [rule] = node.kind === 'call' && node.name === 'fired' ? node.parameters : [];
    return rule?.kind === 'text' ? [rule.value] : [];
  });
}
