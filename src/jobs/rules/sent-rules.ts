// Rules on their way to another thread and back: what stands where, but for places within conditions, which are functions.
import type { PlacedRule } from '../../rules/read-rules.ts';

export type SentRule = Omit<PlacedRule, 'place'>;

export function sentRule({ place: _, ...sent }: PlacedRule): SentRule {
  return sent;
}

/** Problems of its condition are told at the rule itself. */
export function receivedRule(sent: SentRule): PlacedRule {
  return { ...sent, place: () => ({ line: sent.line, column: 1, path: sent.path }) };
}
