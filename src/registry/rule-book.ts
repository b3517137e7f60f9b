// The rule book: rules go live when a second person approves them, and everything that was ever done is kept.
//
// A version's text is kept under its hash and never changes; the history names it. Who proposes is not who approves
// (maker–checker, SBS's internal control): the names are those that the caller gives, so whoever lets people in must know
// them.

import type { RuleOverride } from '../decisions/verdict.ts';
import { InputError } from '../lib/errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { PlacedRule, ReadRules } from '../rules/read-rules.ts';
import { type Rule, ruleVersion } from '../rules/rule.ts';
import { writeRule } from '../rules/write-rule.ts';
import { type History, type HistoryDraft, type HistoryEntry, openHistory, type Requester, sha256 } from './history.ts';
import {
  isFor,
  isInForce,
  isSamePerson,
  type RuleBookState,
  type RuleEvent,
  type RuleVersion,
  ruleBookAt,
} from './rule-book-state.ts';

const FOLDER = 'rules';
const DAY_MS = 86_400_000;
/** What silences a rule is looked at again. */
export const MAX_SNOOZE_DAYS = 30;
export const MAX_OVERRIDE_DAYS = 366;

/** Who does something and why; `atMs` is the present. */
export interface Act {
  readonly by: string;
  readonly why: string;
  readonly atMs: number;
  /** Whose request it is; nobody's on a command line. */
  readonly via?: Requester;
}

export interface EffectiveRules {
  /** Live and shadow rules, and those that are off, which others may ask about; a snoozed live one is in shadow. */
  readonly rules: readonly PlacedRule[];
  readonly overrides: readonly RuleOverride[];
}

type Entry = HistoryEntry<RuleEvent>;

export interface RuleBook {
  history(): Promise<readonly Entry[]>;
  /** @throws InputError if the version exists, or is not newer than all others of the rule */
  propose(rule: Rule, act: Act): Promise<Entry>;
  /** @param reviewedSha256 of the text that was read; null where it was read in the book itself */
  approve(version: string, reviewedSha256: string | null, act: Act): Promise<Entry>;
  reject(version: string, act: Act): Promise<Entry>;
  retire(id: string, act: Act): Promise<Entry>;
  /** @param version one that was in force; null for the one before the present one */
  rollback(id: string, version: number | null, act: Act): Promise<Entry>;
  snooze(id: string, untilMs: number, act: Act): Promise<Entry>;
  override(override: Omit<RuleOverride, 'reason'>, act: Act): Promise<Entry>;
  /** The rule has its say again before the time. @throws InputError if it is not snoozed */
  endSnooze(id: string, act: Act): Promise<Entry>;
  /** The rule counts for the entity again before the time. @throws InputError if it has no override for it */
  endOverride(override: Pick<RuleOverride, 'ruleId' | 'field' | 'value'>, act: Act): Promise<Entry>;
  /** The kept text of a version, as it was proposed. @throws InputError if it is not what the history says */
  textOf(version: RuleVersion): Promise<string>;
  /** What counts at a time. */
  effectiveAt(timeMs: number): Promise<EffectiveRules>;
}

/** The hash that approving a rule is about. */
export function ruleHash(rule: Rule): string {
  return sha256(writeRule(rule));
}

/**
 * @param read how a rule's text is read, with the reason codes there are
 * @param remembers as of `openHistory`
 */
export function openRuleBook(
  store: ObjectStore,
  read: (text: string, file: string) => ReadRules,
  remembers = false,
): RuleBook {
  const history: History<RuleEvent> = openHistory(store, `${FOLDER}/history`, remembers);
  const textKey = (hash: string) => `${FOLDER}/texts/${hash}.json`;

  /** @param decide what happens, given all that happened before */
  const write = (act: Act, decide: (state: RuleBookState, entries: readonly Entry[]) => RuleEvent) => {
    const draft = (entries: readonly Entry[]): HistoryDraft<RuleEvent> => {
      const event = decide(ruleBookAt(entries, Number.POSITIVE_INFINITY), entries);
      return { by: act.by, why: act.why, event };
    };
    return history.append(draft, act.atMs, act.via);
  };

  /** What takes protection away, or gives it back before the time, is explained. */
  const writeWithReason: typeof write = async (act, decide) => {
    demandReason(act);
    return write(act, decide);
  };

  async function textOf(version: RuleVersion): Promise<string> {
    const bytes = await store.get(textKey(version.sha256));
    const text = bytes === null ? null : new TextDecoder().decode(bytes);
    if (text !== null && sha256(text) === version.sha256) return text;
    const what = text === null ? 'is missing' : 'is not what was proposed (its SHA-256 differs)';
    throw new InputError(
      'RULE_TEXT_CHANGED',
      `${ruleVersion(version)}: its text ${what}`,
      'Restore it from a copy, or propose a new version',
    );
  }

  return {
    textOf,
    history: () => history.read(),
    async propose(rule, act) {
      const text = writeRule(rule);
      const hash = sha256(text);
      await store.putNew(textKey(hash), new TextEncoder().encode(text));
      const { id, version, mode } = rule;
      return write(act, ({ versions }) => {
        const newest = versions.findLast((each) => each.id === id);
        if (newest !== undefined && newest.version >= version) {
          throw new InputError(
            'RULE_VERSION_TAKEN',
            `${id} has version ${newest.version} already, and versions never change`,
            `Propose version ${newest.version + 1}`,
          );
        }
        return { kind: 'proposed', id, version, mode, sha256: hash };
      });
    },
    async approve(name, reviewedSha256, act) {
      const reviewed = openProposal(ruleBookAt(await history.read(), Number.POSITIVE_INFINITY), name);
      await textOf(reviewed);
      if (reviewedSha256 !== null && reviewedSha256 !== reviewed.sha256) {
        throw new InputError(
          'RULE_TEXT_CHANGED',
          `${name} is not the text that you read: it has SHA-256 ${reviewed.sha256}, yours ${reviewedSha256}`,
          'Read it again with centinela rules show, or have a new version proposed',
        );
      }
      return write(act, (state) => {
        const { id, version, sha256: hash, proposedBy } = openProposal(state, name);
        if (isSamePerson(proposedBy, act.by)) {
          throw new InputError(
            'RULE_SAME_PERSON',
            `${name} was proposed by ${proposedBy}`,
            'Another person approves it',
          );
        }
        const newer = state.versions.find((each) => each.id === id && each.version > version && isInForce(each));
        if (newer !== undefined) {
          throw new InputError('RULE_OUTDATED', `${ruleVersion(newer)} is in force already`, 'Propose a newer version');
        }
        return { kind: 'approved', id, version, sha256: hash };
      });
    },
    reject: (name, act) =>
      writeWithReason(act, (state) => {
        const { id, version } = openProposal(state, name);
        return { kind: 'rejected', id, version };
      }),
    retire: (id, act) =>
      writeWithReason(act, (state) => ({ kind: 'retired', id, version: inForce(state, id).version })),
    rollback: (id, version, act) =>
      writeWithReason(act, ({ versions }, entries) => ({
        ...{ kind: 'rolled-back', id },
        version: version === null ? versionBefore(entries, id) : approvedVersion(versions, id, version),
      })),
    snooze: (id, untilMs, act) =>
      writeWithReason(act, (state) => {
        demandSoon(untilMs, act.atMs, MAX_SNOOZE_DAYS);
        return { kind: 'snoozed', id: inForce(state, id).id, untilMs };
      }),
    override: ({ ruleId, field, value, untilMs }, act) =>
      writeWithReason(act, (state) => {
        demandSoon(untilMs, act.atMs, MAX_OVERRIDE_DAYS);
        return { kind: 'overridden', id: inForce(state, ruleId).id, field, value, untilMs };
      }),
    endSnooze: (id, act) =>
      writeWithReason(act, (_, entries) => {
        if (presentState(entries, act).snoozes.has(id)) return { kind: 'snooze-ended', id };
        throw new InputError('SNOOZE_UNKNOWN', `'${id}' is not snoozed`, 'See centinela rules list');
      }),
    endOverride: ({ ruleId: id, field, value }, act) =>
      writeWithReason(act, (_, entries) => {
        const { overrides } = presentState(entries, act);
        if (overrides.some((override) => isFor(override, { id, field, value }))) {
          return { kind: 'override-ended', id, field, value };
        }
        const what = `'${id}' has no override for ${field} ${value}`;
        throw new InputError('OVERRIDE_UNKNOWN', what, 'See centinela rules list');
      }),
    async effectiveAt(timeMs) {
      const { versions, snoozes, overrides } = ruleBookAt(await history.read(), timeMs);
      const rules: PlacedRule[] = [];
      for (const version of versions) {
        if (!isInForce(version)) continue;
        const name = ruleVersion(version);
        const { rules: found, problems } = read(await textOf(version), name);
        if (found.length !== 1) {
          const [first] = problems;
          throw new InputError('RULE_TEXT_INVALID', `${name}: ${first?.message ?? 'it is no rule'}`, first?.hint ?? '');
        }
        const [placed] = found;
        const isSnoozed = placed.rule.mode === 'live' && snoozes.has(version.id);
        rules.push(isSnoozed ? { ...placed, rule: { ...placed.rule, mode: 'shadow' } } : placed);
      }
      return { rules, overrides };
    },
  };
}

function openProposal({ versions }: RuleBookState, name: string): RuleVersion {
  const found = versions.find((each) => ruleVersion(each) === name);
  if (found === undefined) {
    const open = versions.filter(({ state }) => state === 'proposed').map(ruleVersion);
    const hint = open.length === 0 ? 'Nothing is waiting' : `Waiting: ${open.slice(0, 20).join(', ')}`;
    throw new InputError('RULE_UNKNOWN', `There is no version '${name}'`, hint);
  }
  if (found.state === 'proposed') return found;
  const by = found.approvedBy === null ? '' : `, approved by ${found.approvedBy}`;
  throw new InputError('RULE_NOT_PROPOSED', `${name} is ${found.state}${by}`, 'Only what is proposed waits for a say');
}

/** What lasts until a time is judged at the time that the entry will have. */
function presentState(entries: readonly Entry[], { atMs }: Act): RuleBookState {
  return ruleBookAt(entries, Math.max(atMs, entries.at(-1)?.atMs ?? atMs));
}

function inForce({ versions }: RuleBookState, id: string): RuleVersion {
  const found = versions.find((each) => each.id === id && isInForce(each));
  if (found !== undefined) return found;
  throw new InputError('RULE_NOT_IN_FORCE', `No version of '${id}' is in force`, 'See centinela rules list');
}

/** The version that was in force before the present one, or before the rule was retired. */
function versionBefore(entries: readonly Entry[], id: string): number {
  const present = ruleBookAt(entries, Number.POSITIVE_INFINITY).versions.find(
    (each) => each.id === id && isInForce(each),
  );
  const earlier = entries.findLast(
    ({ event }) =>
      (event.kind === 'approved' || event.kind === 'rolled-back') &&
      event.id === id &&
      event.version !== present?.version,
  )?.event;
  if (earlier !== undefined && 'version' in earlier) return earlier.version;
  throw new InputError('RULE_NO_EARLIER', `'${id}' had no other version in force`, 'Retire it instead');
}

function approvedVersion(versions: readonly RuleVersion[], id: string, version: number): number {
  const found = versions.find((each) => each.id === id && each.version === version);
  if (found?.approvedBy != null && !isInForce(found)) return version;
  const what = found === undefined ? 'does not exist' : isInForce(found) ? 'is in force' : 'was never approved';
  throw new InputError('RULE_NOT_APPROVED', `${id}@${version} ${what}`, 'Go back to a version that was in force');
}

export function demandReason({ why }: Act): void {
  if (why.trim() !== '') return;
  throw new InputError('REASON_MISSING', 'It is not said why', 'Give the reason, for those who come later');
}

function demandSoon(untilMs: number, atMs: number, maxDays: number): void {
  if (untilMs > atMs && untilMs <= atMs + maxDays * DAY_MS) return;
  const what = untilMs <= atMs ? 'is in the past' : `is more than ${maxDays} days away`;
  throw new InputError('UNTIL_INVALID', `The end ${what}`, `Choose one within ${maxDays} days`);
}
