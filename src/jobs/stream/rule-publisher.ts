// What is in force in the rule book and on the lists, onto the topic of changes, from where the workers take it.
//
// The book is the truth, the topic follows. After each change, at the start and now and then it is compared with what the
// topic says last, and sent where that is something else: so a crash between a change and its sending delays it, a change made
// on the command line comes through, and a snooze ends when its time is over. What is already there is not sent again. Of two
// services at once one may send an older state after a newer one; it looks again after sending, and mends it.
import { createHash } from 'node:crypto';
import type { ControlLists, ControlRecord } from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import type { StreamLog } from '../../ports.ts';
import type { HistoryEntry } from '../../registry/history.ts';
import type { EffectiveRules, RuleBook } from '../../registry/rule-book.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import { ruleVersion } from '../../rules/rule.ts';
import { writeRule } from '../../rules/write-rule.ts';

export interface RulePublisherOptions {
  readonly log: Pick<StreamLog, 'append' | 'read' | 'bounds'>;
  /** Of changes; it has one partition. */
  readonly topic: string;
  readonly rules: Pick<RuleBook, 'history' | 'effectiveAt'>;
  readonly lists: { history(): Promise<readonly HistoryEntry<unknown>[]> };
  readonly nowMs: () => number;
}

/** Hashes of what was sent last; null for nothing. */
interface Sent {
  readonly rules: string | null;
  readonly lists: string | null;
}

interface Wanted extends Sent {
  readonly change: ControlRecord;
}

/** The topic takes a megabyte a record, with room for what it is called. */
const MOST_CHANGE_BYTES = 900_000;
const READ_BACK_AT_ONCE = 50;
const MOST_LOOKS = 10;
const encoder = new TextEncoder();

/** @throws InputError RULES_TOO_LARGE where the set does not fit into one record */
export function changeOfRules({
  rules,
  overrides,
}: Pick<EffectiveRules, 'overrides'> & { readonly rules: readonly Pick<PlacedRule, 'rule'>[] }): Pick<
  ControlRecord,
  'rules' | 'overrides'
> {
  const change = { rules: rules.map(({ rule }) => ({ path: ruleVersion(rule), text: writeRule(rule) })), overrides };
  const bytes = encoder.encode(JSON.stringify(change)).length;
  if (bytes <= MOST_CHANGE_BYTES) return change;
  throw new InputError(
    'RULES_TOO_LARGE',
    `The rules in force would have ${bytes} bytes, and ${MOST_CHANGE_BYTES} fit into one change`,
    'Retire some, or put long enumerations on a list',
  );
}

export class RulePublisher {
  readonly #options: RulePublisherOptions;
  #sent: Sent | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: RulePublisherOptions) {
    this.#options = options;
  }

  /** One at a time. @throws StreamUnavailableError; InputError where the book cannot be read */
  publish(): Promise<void> {
    const run = this.#running.then(() => this.#publish());
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #publish(): Promise<void> {
    this.#sent ??= await this.#lastSent();
    for (let look = 0; look < MOST_LOOKS; look++) {
      const wanted = await this.#wanted();
      const isSame = wanted.rules === this.#sent.rules && wanted.lists === this.#sent.lists;
      if (isSame) return;
      // Rules may speak of lists that are new, so those go along; lists alone need no rules.
      const { lists, ...rules } = wanted.change;
      const change =
        wanted.rules === this.#sent.rules ? { lists: lists as ControlLists } : { ...rules, ...(lists && { lists }) };
      await this.#send(change);
      this.#sent = wanted;
    }
  }

  async #send(change: ControlRecord): Promise<void> {
    const { log, topic } = this.#options;
    const value = encoder.encode(JSON.stringify(change));
    await log.append([{ topic, partition: 0, key: null, value, headers: [], timestampMs: null }]);
  }

  /** A book that nobody has written into says nothing: the rules that the workers were started with decide. */
  async #wanted(): Promise<Wanted> {
    const { rules, lists, nowMs } = this.#options;
    const [ruleEntries, listEntries] = await Promise.all([rules.history(), lists.history()]);
    const lastRule = ruleEntries.at(-1);
    const lastList = listEntries.at(-1);
    const inForce =
      lastRule === undefined ? {} : changeOfRules(await rules.effectiveAt(Math.max(nowMs(), lastRule.atMs)));
    const listsAt = lastList === undefined ? {} : { lists: { entry: lastList.number, hash: lastList.hash } };
    const change = { ...inForce, ...listsAt };
    const before = this.#sent ?? { rules: null, lists: null };
    return {
      change,
      rules: lastRule === undefined ? before.rules : hashOfRules(change),
      lists: lastList === undefined ? before.lists : lastList.hash,
    };
  }

  /** The newest rules and lists on the topic: mostly of its last record. */
  async #lastSent(): Promise<Sent> {
    const { log, topic } = this.#options;
    const [{ start, end }] = await log.bounds(topic);
    let sent: Sent = { rules: null, lists: null };
    for (let before = end; before > start && (sent.rules === null || sent.lists === null); ) {
      const from = Math.max(start, before - READ_BACK_AT_ONCE);
      const records = await log.read({ topic, partition: 0, offset: from }, READ_BACK_AT_ONCE, 0);
      for (const { offset, value } of [...records].reverse()) {
        if (offset >= before || value === null) continue;
        const change = readChange(value);
        sent = {
          rules: sent.rules ?? (change.rules === undefined ? null : hashOfRules(change)),
          lists: sent.lists ?? change.lists?.hash ?? null,
        };
      }
      before = from;
    }
    return sent;
  }
}

/** What others wrote onto the topic may be anything: the door of the stream judges it. */
function readChange(value: Uint8Array): ControlRecord {
  try {
    return (JSON.parse(new TextDecoder().decode(value)) ?? {}) as ControlRecord;
  } catch {
    return {};
  }
}

function hashOfRules({ rules, overrides = [] }: ControlRecord): string {
  return createHash('sha256')
    .update(JSON.stringify([rules, overrides]))
    .digest('hex');
}
