// Which names the conditions of rules speak of, so that only those are computed.
import { walk } from './node.ts';
import type { Rule } from './rule.ts';

export function namesUsed(rules: Iterable<Pick<Rule, 'when'>>): Set<string> {
  const names = new Set<string>();
  for (const { when } of rules) for (const node of walk(when)) if (node.kind === 'name') names.add(node.name);
  return names;
}
