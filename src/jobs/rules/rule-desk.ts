// The rule book as an editor and its approvers work with it: what is in force and why, drafts checked, changes by request.
//
// Reads a version as the caller saw it: whoever changes a rule names the entry of the history that touched it last, so nobody
// approves what somebody has just changed.
import type { RuleOverride } from '../../decisions/verdict.ts';
import { InputError } from '../../lib/errors.ts';
import { RecentMap } from '../../privacy/recent-map.ts';
import { entryOf, type HistoryEntry } from '../../registry/history.ts';
import { type Act, type RuleBook, ruleHash } from '../../registry/rule-book.ts';
import {
  isInForce,
  type RuleBookState,
  type RuleEvent,
  type RuleVersion,
  ruleBookAt,
  type VersionState,
} from '../../registry/rule-book-state.ts';
import { namesUsed } from '../../rules/names-used.ts';
import type { RuleOutline } from '../../rules/outline.ts';
import type { PlacedProblem, PlacedRule } from '../../rules/read-rules.ts';
import { type Rule, ruleVersion } from '../../rules/rule.ts';
import { writeRule } from '../../rules/write-rule.ts';
import { changeOfRules } from '../stream/rule-publisher.ts';
import { checkVersion, proposeChecked, retireRule, rulesInForce } from './change-rules.ts';
import type { CheckBeside } from './check-beside.ts';
import { problemLine, type RuleFiles, readRuleFile } from './check-rules.ts';

export type RuleEntry = HistoryEntry<RuleEvent>;

export interface RuleDeskOptions {
  /** With the rules of files beneath (file-rules.ts). */
  readonly book: RuleBook;
  readonly files: readonly PlacedRule[];
  /** With all that rules may speak of, and the lists there are. */
  readonly check: CheckBeside;
  /** Names of those that the stream does not compute: a rule over them never fires. */
  readonly notComputed: ReadonlySet<string>;
}

/** A version with what is written in it. */
export interface ShownVersion extends Omit<RuleVersion, 'proposedBy' | 'proposedMs'> {
  readonly origin: 'book' | 'files';
  readonly rule: Rule;
  /** null for a rule of files. */
  readonly proposedBy: string | null;
  readonly proposedMs: number | null;
  readonly snoozedUntilMs: number | null;
  /** Number of the entry that touched the rule last; 0 where there is none. */
  readonly touched: number;
}

export interface CheckedDraft {
  readonly rules: readonly string[];
  readonly tests: number;
  readonly untested: readonly string[];
  readonly problems: readonly PlacedProblem[];
  readonly conditions: readonly (RuleOutline & Pick<PlacedRule, 'file' | 'line' | 'path'>)[];
  /** Names that the stream does not compute. */
  readonly notComputed: readonly string[];
}

export interface Draft {
  readonly text: string;
  /** `*.test.yaml`; null for none. */
  readonly tests: string | null;
}

/** How files of drafts are called in problems. */
const RULE_FILE = 'rule';
const TEST_FILE = 'tests';
const MOST_TOLD = 3;
const MOST_READ = 5000;
/** That wait for somebody's say. */
const MOST_PROPOSALS = 500;
const LATEST = Number.POSITIVE_INFINITY;

export class RuleDesk {
  readonly #options: RuleDeskOptions;
  /** Read before, by the hash of their text. */
  readonly #rules = new RecentMap<string, Rule>(MOST_READ);

  constructor(options: RuleDeskOptions) {
    this.#options = options;
  }

  history(): Promise<readonly RuleEntry[]> {
    return this.#options.book.history();
  }

  /** By id, then by version. @param states of `VersionState`; all where it is left out */
  async versions(nowMs: number, states: ReadonlySet<VersionState> | null, id?: string): Promise<ShownVersion[]> {
    const { book, files } = this.#options;
    const entries = await book.history();
    const state = stateAt(entries, nowMs);
    const touched = touchedBy(entries);
    const snoozedUntilMs = (of: string) => state.snoozes.get(of) ?? null;
    const wanted = ({ id: of, state: its }: Pick<RuleVersion, 'id' | 'state'>) =>
      (id === undefined || of === id) && (states === null || states.has(its));
    const ofBook = await Promise.all(
      state.versions.filter(wanted).map(
        async (version): Promise<ShownVersion> => ({
          ...{ ...version, origin: 'book', rule: await this.#ruleOf(version) },
          ...{
            snoozedUntilMs: isInForce(version) ? snoozedUntilMs(version.id) : null,
            touched: touched.get(version.id) ?? 0,
          },
        }),
      ),
    );
    const inForce = new Set(
      (await book.effectiveAt(latestOf(entries, nowMs))).rules.map(({ rule }) => ruleVersion(rule)),
    );
    const ofFiles = files
      .map(({ rule }) => shownOfFiles(rule, inForce.has(ruleVersion(rule)), touched.get(rule.id) ?? 0))
      .filter(wanted);
    return [...ofBook, ...ofFiles].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.version - b.version));
  }

  /** Of the rule, as it is now. */
  async overrides(nowMs: number, id: string): Promise<readonly RuleOverride[]> {
    return stateAt(await this.history(), nowMs).overrides.filter(({ ruleId }) => ruleId === id);
  }

  /** A version's kept text, its condition, and what would be wrong with it today next to the others in force. */
  async read({ origin, rule, ...version }: ShownVersion) {
    const { book, check } = this.#options;
    const known = { ...version, proposedBy: version.proposedBy ?? '', proposedMs: version.proposedMs ?? 0 };
    const text = origin === 'files' ? writeRule(rule) : await book.textOf(known);
    const { outlines, problems } = await checkVersion({ path: ruleVersion(version), text }, book, check);
    return { text, condition: outlines.length === 1 ? outlines[0] : null, problems };
  }

  async check(draft: Draft): Promise<CheckedDraft> {
    const { book, check, notComputed } = this.#options;
    const checked = await check(filesOf(draft), await rulesInForce(book));
    const { placed, outlines, tests, untested, problems } = checked;
    const conditions = placed.map(({ file, line, path }, index) => ({ ...outlines[index], file, line, path }));
    const names = namesUsed(placed.map(({ rule }) => rule));
    return {
      ...{ rules: placed.map(({ rule }) => ruleVersion(rule)), tests, untested, problems, conditions },
      notComputed: [...names].filter((name) => notComputed.has(name)),
    };
  }

  /** One rule. @throws InputError RULES_INVALID with the first problems */
  async propose(draft: Draft, act: Act): Promise<RuleEntry> {
    const { book, check } = this.#options;
    return this.#once(act, async () => {
      const { versions } = stateAt(await book.history(), LATEST);
      if (versions.filter(({ state }) => state === 'proposed').length >= MOST_PROPOSALS) {
        throw new InputError(
          'RULE_PROPOSALS_FULL',
          `${MOST_PROPOSALS} proposals wait already`,
          'Have some decided first',
        );
      }
      const checked = await check(filesOf(draft), await rulesInForce(book));
      const { placed } = checked;
      if (placed.length > 1) {
        throw new InputError('RULES_SEVERAL', `The text has ${placed.length} rules`, 'Propose one at a time');
      }
      const { done, unchanged, problems } = await proposeChecked(checked, book, act);
      demandSound(problems);
      if (done.length > 0) return;
      throw new InputError('RULE_UNCHANGED', `${unchanged.join(', ')} is in the book with the same text`, 'Change it');
    });
  }

  /** @param reviewedSha256 of the text that was read */
  async approve(name: string, reviewedSha256: string, act: Act): Promise<RuleEntry> {
    const { book, check } = this.#options;
    return this.#once(act, async () => {
      const version = stateAt(await book.history(), LATEST).versions.find((each) => ruleVersion(each) === name);
      if (version !== undefined && version.state === 'proposed') {
        const files = { rules: [{ path: name, text: await book.textOf(version) }], tests: [] };
        const inForce = await rulesInForce(book);
        const { placed, problems } = await check(files, inForce);
        demandSound(problems);
        const others = inForce.filter(({ rule }) => rule.id !== version.id);
        changeOfRules({ rules: [...placed, ...others], overrides: [] });
      }
      // One that is not there, or decided, is told by the book.
      await book.approve(name, reviewedSha256, act);
    });
  }

  /** By another person than who proposed it. */
  async reject(name: string, act: Act): Promise<RuleEntry> {
    return this.#once(act, async () => {
      if ((await this.#proposedBy(name)) === act.by) {
        throw new InputError(
          'RULE_SAME_PERSON',
          `You proposed ${name} yourself`,
          'Another person rejects it; withdraw it',
        );
      }
      await this.#options.book.reject(name, act);
    });
  }

  /** By who proposed it. */
  async withdraw(name: string, act: Act): Promise<RuleEntry> {
    return this.#once(act, async () => {
      const by = await this.#proposedBy(name);
      if (by !== undefined && by !== act.by) {
        throw new InputError('RULE_OTHER_PERSON', `${name} was proposed by somebody else`, 'Reject it instead');
      }
      await this.#options.book.reject(name, act);
    });
  }

  async retire(id: string, act: Act): Promise<RuleEntry> {
    const { book, check } = this.#options;
    return this.#once(act, async () => demandSound((await retireRule(id, book, check, act)).problems));
  }

  /** @param version null for the one before the present one */
  async rollback(id: string, version: number | null, act: Act): Promise<RuleEntry> {
    return this.#once(act, () => this.#options.book.rollback(id, version, act));
  }

  /** @param untilMs null ends it */
  async snooze(id: string, untilMs: number | null, act: Act): Promise<RuleEntry> {
    const { book } = this.#options;
    return this.#once(act, () => (untilMs === null ? book.endSnooze(id, act) : book.snooze(id, untilMs, act)));
  }

  /** @param untilMs null ends all of the rule for the entity */
  async override(
    { untilMs, ...entity }: Pick<RuleOverride, 'ruleId' | 'field' | 'value'> & { readonly untilMs: number | null },
    act: Act,
  ): Promise<RuleEntry> {
    const { book } = this.#options;
    return this.#once(act, () =>
      untilMs === null ? book.endOverride(entity, act) : book.override({ ...entity, untilMs }, act),
    );
  }

  /** @throws InputError VERSION_CONFLICT where the rule was touched since */
  async demandUntouched(id: string, seen: number, request: string): Promise<void> {
    const entries = await this.history();
    if (entryOf(entries, request) !== undefined) return;
    if ((touchedBy(entries).get(id) ?? 0) === seen) return;
    throw new InputError('VERSION_CONFLICT', `The rule '${id}' was changed meanwhile`, 'Look at it again and repeat');
  }

  /** What is asked for again was done: then its entry is there before anything is judged. */
  async #once(act: Act, change: () => Promise<unknown>): Promise<RuleEntry> {
    const request = act.via?.request ?? '';
    const before = entryOf(await this.history(), request);
    if (before !== undefined) return before;
    try {
      await change();
    } catch (error) {
      // The same request may have come twice at once: what the other has done is no reason to refuse this one.
      const meanwhile = entryOf(await this.history(), request);
      if (meanwhile !== undefined) return meanwhile;
      throw error;
    }
    return entryOf(await this.history(), request)!;
  }

  async #proposedBy(name: string): Promise<string | undefined> {
    const { versions } = stateAt(await this.history(), LATEST);
    return versions.find((each) => ruleVersion(each) === name)?.proposedBy;
  }

  async #ruleOf(version: RuleVersion): Promise<Rule> {
    const name = ruleVersion(version);
    const known = this.#rules.get(version.sha256);
    if (known !== undefined) return known;
    const { rules } = readRuleFile({ path: name, text: await this.#options.book.textOf(version) });
    if (rules.length === 1) {
      this.#rules.set(version.sha256, rules[0].rule);
      return rules[0].rule;
    }
    throw new InputError('RULE_TEXT_INVALID', `${name} cannot be read any more`, 'Propose a new version');
  }
}

function filesOf({ text, tests }: Draft): RuleFiles {
  return {
    rules: [{ path: RULE_FILE, text }],
    tests: tests === null ? [] : [{ path: TEST_FILE, text: tests }],
  };
}

function shownOfFiles(rule: Rule, isThere: boolean, touched: number): ShownVersion {
  const { id, version, mode } = rule;
  return {
    ...{ id, version, mode, sha256: ruleHash(rule), state: isThere ? mode : 'superseded', origin: 'files', rule },
    ...{ proposedBy: null, proposedMs: null, approvedBy: null, approvedMs: null, snoozedUntilMs: null, touched },
  };
}

/** @throws InputError RULES_INVALID */
function demandSound(problems: readonly PlacedProblem[]): void {
  if (problems.length === 0) return;
  const told = problems.slice(0, MOST_TOLD).map(problemLine).join(' ').replace(/\.$/, '');
  const more = problems.length > MOST_TOLD ? ` (and ${problems.length - MOST_TOLD} more)` : '';
  throw new InputError(
    'RULES_INVALID',
    `Nothing was done: ${told}${more}`,
    'Checking the draft tells all with their places',
  );
}

function stateAt(entries: readonly RuleEntry[], nowMs: number): RuleBookState {
  return ruleBookAt(entries, latestOf(entries, nowMs));
}

/** What is in the book counts, whatever the clocks say. */
function latestOf(entries: readonly RuleEntry[], nowMs: number): number {
  return Math.max(nowMs, entries.at(-1)?.atMs ?? nowMs);
}

function touchedBy(entries: readonly RuleEntry[]): ReadonlyMap<string, number> {
  return new Map(entries.map(({ number, event }) => [event.id, number]));
}
