// A rule as it is written: who answers for it, when it counts, what it looks for and what it asks for.
import type { Expression } from './node.ts';

/** From mild to severe. */
export const ACTIONS = ['approve', 'review', 'challenge', 'hold', 'decline'] as const;
export type RuleAction = (typeof ACTIONS)[number];

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** `shadow`: evaluated and counted, without a say in the decision. */
export const MODES = ['live', 'shadow', 'off'] as const;
export type RuleMode = (typeof MODES)[number];

export interface Rule {
  /** Lower case words joined by hyphens; stays the same from version to version. */
  readonly id: string;
  /** From 1; `id@version` names what decided. */
  readonly version: number;
  readonly name: { readonly es: string; readonly en: string };
  /** Who answers for it: a team or a role. */
  readonly owner: string;
  readonly severity: Severity;
  /** A code of decisions/reason-codes.ts, whose texts are shown to analysts and customers. */
  readonly reason: string;
  readonly action: RuleAction;
  readonly mode: RuleMode;
  /** Counts for events in `[fromMs, untilMs)`; null where it is open. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  /** Kinds of fraud (F01–F20) and error (E01–E15) that it is meant for. */
  readonly typologies: readonly string[];
  /** Why it exists, for those who come later. */
  readonly notes: string | null;
  readonly when: Expression;
  /** The condition as text, which the spans of `when` and of a trace speak of. */
  readonly source: string;
}

export function ruleVersion({ id, version }: Pick<Rule, 'id' | 'version'>): string {
  return `${id}@${version}`;
}
