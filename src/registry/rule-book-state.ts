// What the history of a rule book comes to: which versions are proposed, live, in shadow, retired, and what is snoozed or
// overridden. A pure function of the entries and a time, so that any day of the past can be decided again.
import type { RuleOverride } from '../decisions/verdict.ts';
import { plainText } from '../lib/plain-text.ts';
import type { RuleMode } from '../rules/rule.ts';
import type { HistoryEntry } from './history.ts';

export const OVERRIDE_FIELDS = ['payerId', 'payeeId', 'cardId', 'deviceId', 'terminalId', 'merchantId'] as const;

export type RuleEvent =
  | {
      readonly kind: 'proposed';
      readonly id: string;
      readonly version: number;
      readonly mode: RuleMode;
      /** Of the rule's text. */
      readonly sha256: string;
    }
  | { readonly kind: 'approved'; readonly id: string; readonly version: number; readonly sha256: string }
  | { readonly kind: 'rejected'; readonly id: string; readonly version: number }
  | { readonly kind: 'retired'; readonly id: string; readonly version: number }
  /** The version that is in force again. */
  | { readonly kind: 'rolled-back'; readonly id: string; readonly version: number }
  | { readonly kind: 'snoozed'; readonly id: string; readonly untilMs: number }
  | {
      readonly kind: 'overridden';
      readonly id: string;
      readonly field: RuleOverride['field'];
      readonly value: string;
      readonly untilMs: number;
    }
  | { readonly kind: 'snooze-ended'; readonly id: string }
  /** All overrides of the rule for the entity. */
  | {
      readonly kind: 'override-ended';
      readonly id: string;
      readonly field: RuleOverride['field'];
      readonly value: string;
    };

export type VersionState = 'proposed' | 'rejected' | 'live' | 'shadow' | 'off' | 'superseded' | 'retired';

export interface RuleVersion {
  readonly id: string;
  readonly version: number;
  readonly mode: RuleMode;
  readonly sha256: string;
  readonly proposedBy: string;
  readonly proposedMs: number;
  readonly approvedBy: string | null;
  readonly approvedMs: number | null;
  readonly state: VersionState;
}

export interface RuleBookState {
  /** In the order of their proposal. */
  readonly versions: readonly RuleVersion[];
  /** By rule: until when it has no say, ms UTC. */
  readonly snoozes: ReadonlyMap<string, number>;
  readonly overrides: readonly RuleOverride[];
}

/** Entries after the time do not count; neither do snoozes and overrides that have ended by then. */
export function ruleBookAt(entries: readonly HistoryEntry<RuleEvent>[], timeMs: number): RuleBookState {
  const versions = new Map<string, RuleVersion>();
  const snoozes = new Map<string, number>();
  let overrides: RuleOverride[] = [];
  const change = (id: string, version: number, more: Partial<RuleVersion>) => {
    const key = keyOf(id, version);
    const known = versions.get(key);
    if (known !== undefined) versions.set(key, { ...known, ...more });
  };
  const putInForce = (id: string, version: number, more: Partial<RuleVersion> = {}) => {
    for (const each of versions.values()) {
      if (each.id === id && isInForce(each)) change(id, each.version, { state: 'superseded' });
    }
    const mode = versions.get(keyOf(id, version))?.mode;
    if (mode !== undefined) change(id, version, { state: mode, ...more });
  };
  for (const { atMs, by, why, event } of entries) {
    if (atMs > timeMs) break;
    switch (event.kind) {
      case 'proposed': {
        const { id, version, mode, sha256 } = event;
        const made = { proposedBy: by, proposedMs: atMs, approvedBy: null, approvedMs: null };
        versions.set(keyOf(id, version), { id, version, mode, sha256, ...made, state: 'proposed' });
        break;
      }
      case 'approved':
        putInForce(event.id, event.version, { approvedBy: by, approvedMs: atMs });
        break;
      case 'rolled-back':
        putInForce(event.id, event.version);
        break;
      case 'rejected':
      case 'retired':
        change(event.id, event.version, { state: event.kind });
        break;
      case 'snoozed':
        if (event.untilMs > timeMs) snoozes.set(event.id, event.untilMs);
        else snoozes.delete(event.id);
        break;
      case 'overridden': {
        const { id, field, value, untilMs } = event;
        if (untilMs > timeMs) overrides.push({ ruleId: id, field, value, untilMs, reason: why });
        break;
      }
      case 'snooze-ended':
        snoozes.delete(event.id);
        break;
      case 'override-ended':
        overrides = overrides.filter((override) => !isFor(override, event));
    }
  }
  return { versions: [...versions.values()], snoozes, overrides };
}

/** The override is this rule's for this entity. */
export function isFor(
  { ruleId, field, value }: RuleOverride,
  of: { readonly id: string; readonly field: RuleOverride['field']; readonly value: string },
): boolean {
  return ruleId === of.id && field === of.field && value === of.value;
}

export function isInForce({ state }: RuleVersion): boolean {
  return state === 'live' || state === 'shadow' || state === 'off';
}

/** `Ana  Pérez` and `ana perez` are one person. */
export function isSamePerson(a: string, b: string): boolean {
  const plain = (name: string) => plainText(name).replace(/\s+/g, ' ').trim();
  return plain(a) === plain(b);
}

function keyOf(id: string, version: number): string {
  return `${id}@${version}`;
}
