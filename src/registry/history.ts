// An append-only history in an object store: who did what, when and why, each entry bound to the one before by its hash.
//
// An entry is an object of its own, put only where there is none under its number. Of two processes that append at once one
// is told that the number is taken; it reads what is new, judges again and takes the next number: nothing is lost, and no
// entry was decided on an outdated state. Whatever is changed or removed in the middle breaks the chain; to show that
// nothing was cut off at the end, keep the last hash elsewhere.
//
// What an entry says may be forgotten when it need not be kept any longer: its place and its hash stay, and a later entry of the
// same chain names both. One that says nothing and is named by none breaks the chain as a changed one does.
import { createHash } from 'node:crypto';
import { InputError } from '../lib/errors.ts';
import type { ObjectStore } from '../ports.ts';

/** Who asked for it, as the service knows them; a command line is believed what it says. */
export interface Requester {
  /** `system`: the service itself, where something else that was done leads to it. */
  readonly kind: 'user' | 'api-key' | 'system';
  readonly name: string;
  /** Where the request came from. */
  readonly address: string | null;
  /** Hash of the request: a history has one entry of it, however often it is sent. */
  readonly request: string;
  /** Random, where the entry is about a person: its hash may then be shown, for nobody can find the value by trying. */
  readonly salt?: string;
}

export interface HistoryEntry<Event> {
  /** From 1, without gaps. */
  readonly number: number;
  /** Never before the entry it follows, so that order and time agree though clocks do not. */
  readonly atMs: number;
  /** A name; the id of the person or key where `via` is there. */
  readonly by: string;
  readonly via?: Requester;
  readonly why: string;
  readonly event: Event;
  /** Hash of the entry before; zeros for the first. */
  readonly previous: string;
  /** SHA-256 of all above, as JSON in this order. */
  readonly hash: string;
}

/** An entry that may say nothing any more. */
export interface ForgottenEntry {
  readonly number: number;
  readonly hash: string;
}

/** How a history forgets. */
export interface Forgetting<Event> {
  /** What stands for what an entry said. */
  readonly event: Event;
  /** Entries that an event names as forgotten. */
  named(event: Event): readonly ForgottenEntry[];
}

export type HistoryDraft<Event> = Pick<HistoryEntry<Event>, 'by' | 'why' | 'event'>;

export interface History<Event> {
  /** @throws InputError where the chain is broken */
  read(): Promise<readonly HistoryEntry<Event>[]>;
  /**
   * @param decide what to write given all that is there; may be asked again. It throws to write nothing.
   * @param via whose request it is: where it was written before, that entry is given back
   */
  append(
    decide: (entries: readonly HistoryEntry<Event>[]) => HistoryDraft<Event> | Promise<HistoryDraft<Event>>,
    nowMs: number,
    via?: Requester,
  ): Promise<HistoryEntry<Event>>;
  /** What these entries say goes; the entry that names them is written before. */
  forget(entries: readonly HistoryEntry<Event>[]): Promise<void>;
}

const START = '0'.repeat(64);
const BROKEN = 'HISTORY_BROKEN';
const DIGITS = 8;
/** As many as can come first while one waits; more means that the store does not keep what it is given. */
const MAX_ATTEMPTS = 1000;
const MAX_NAME = 100;
const MAX_WHY = 1000;

/**
 * @param folder `rules/history`: entries are kept under it
 * @param remembers what was read is not read again: for a long-running program that appends. That somebody changed or took
 * away what was read before is then found by who reads it anew.
 * @param forgetting null: entries of it say what they said for ever
 */
export function openHistory<Event>(
  store: ObjectStore,
  folder: string,
  remembers = false,
  forgetting: Forgetting<Event> | null = null,
): History<Event> {
  let remembered: readonly HistoryEntry<Event>[] = [];
  const keyOf = (number: number) => keyIn(folder, number);

  /** Follows the chain from what is known to the first number without an entry. */
  async function follow(known: readonly HistoryEntry<Event>[]): Promise<readonly HistoryEntry<Event>[]> {
    let entries: HistoryEntry<Event>[] | null = null;
    for (;;) {
      const key = keyOf((entries ?? known).length + 1);
      const bytes = await store.get(key);
      if (bytes === null) return entries ?? known;
      entries ??= [...known];
      entries.push(readEntry<Event>(bytes, key, entries.length + 1, entries.at(-1)?.hash ?? START, forgetting));
    }
  }

  async function read(): Promise<readonly HistoryEntry<Event>[]> {
    const entries = await follow(remembered);
    if (remembers && entries === remembered && entries.length > 0) return entries;
    const last = (await store.list(`${folder}/`)).at(-1);
    // Another process may have added one since; a gap stays one.
    if (last !== undefined && last > keyOf(entries.length) && (await store.get(keyOf(entries.length + 1))) === null) {
      throw broken(keyOf(entries.length + 1), 'is missing though later ones are there');
    }
    if (forgetting !== null) demandNamed(entries, forgetting, keyOf);
    if (remembers) remembered = entries;
    return entries;
  }

  return {
    read,
    async append(decide, nowMs, via) {
      let entries = await read();
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const before = via === undefined ? undefined : entryOf(entries, via.request);
        if (before !== undefined) return before;
        const entry = seal(await decide(entries), entries, nowMs, via);
        const bytes = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
        if (await store.putNew(keyOf(entry.number), bytes)) return entry;
        entries = await follow(entries);
      }
      throw new InputError('HISTORY_BUSY', `${folder} was changed by others all the time`, 'Try again');
    },
    async forget(entries) {
      for (const { number, atMs, previous, hash } of entries) {
        const stub: Stub = { number, atMs, previous, hash, forgotten: true };
        await store.put(keyOf(number), new TextEncoder().encode(`${JSON.stringify(stub)}\n`));
      }
      // Read anew, so that nothing of it is left in memory.
      remembered = [];
    },
  };
}

/** What is there of a history that may be broken. */
export interface FoundHistory<Event> {
  /** As far as the chain holds. */
  readonly entries: readonly HistoryEntry<Event>[];
  /** Objects after them, which do not follow. */
  readonly loose: readonly string[];
}

export async function findHistory<Event>(
  store: ObjectStore,
  folder: string,
  forgetting: Forgetting<Event> | null = null,
): Promise<FoundHistory<Event>> {
  const entries: HistoryEntry<Event>[] = [];
  const keys = await store.list(`${folder}/`);
  for (const key of keys) {
    const number = entries.length + 1;
    const bytes = key === keyIn(folder, number) ? await store.get(key) : null;
    if (bytes === null) break;
    try {
      entries.push(readEntry<Event>(bytes, key, number, entries.at(-1)?.hash ?? START, forgetting));
    } catch (error) {
      if ((error as InputError).code !== BROKEN) throw error;
      break;
    }
  }
  return { entries, loose: keys.slice(entries.length) };
}

function keyIn(folder: string, number: number): string {
  return `${folder}/${String(number).padStart(DIGITS, '0')}.json`;
}

/** @throws InputError where an entry says nothing and no other names it */
function demandNamed<Event>(
  entries: readonly HistoryEntry<Event>[],
  { event: nothing, named }: Forgetting<Event>,
  keyOf: (number: number) => string,
): void {
  const silent = entries.filter(({ event }) => event === nothing);
  if (silent.length === 0) return;
  const all = new Map(entries.flatMap(({ event }) => named(event)).map(({ number, hash }) => [number, hash]));
  const wrong = silent.find(({ number, hash }) => all.get(number) !== hash);
  if (wrong !== undefined) throw broken(keyOf(wrong.number), 'says nothing, and no entry tells that it was forgotten');
}

/** What was written of a request. */
export function entryOf<Event>(
  entries: readonly HistoryEntry<Event>[],
  request: string,
): HistoryEntry<Event> | undefined {
  return entries.findLast(({ via }) => via?.request === request);
}

function seal<Event>(
  { by, why, event }: HistoryDraft<Event>,
  entries: readonly HistoryEntry<Event>[],
  nowMs: number,
  via: Requester | undefined,
): HistoryEntry<Event> {
  const person = by.trim();
  if (person === '' || person.length > MAX_NAME) {
    throw new InputError(
      'PERSON_MISSING',
      'It is not said who does this',
      `Give a name of 1 to ${MAX_NAME} characters`,
    );
  }
  if (why.length > MAX_WHY) {
    throw new InputError('REASON_TOO_LONG', `The reason has ${why.length} characters`, `At most ${MAX_WHY} are kept`);
  }
  const last = entries.at(-1);
  const content = {
    ...{ number: entries.length + 1, atMs: Math.max(nowMs, last?.atMs ?? nowMs), by: person },
    ...(via !== undefined && { via }),
    ...{ why: why.trim(), event },
    previous: last?.hash ?? START,
  };
  return { ...content, hash: sha256(JSON.stringify(content)) };
}

/** Sealed bytes begin with it (privacy/envelope.ts), JSON never does. */
const ENVELOPE_VERSION = 1;
export const SEALED = 'HISTORY_SEALED';

/** What is left of an entry that was forgotten. */
interface Stub {
  readonly number: number;
  readonly atMs: number;
  readonly previous: string;
  readonly hash: string;
  readonly forgotten: true;
}

function readEntry<Event>(
  bytes: Uint8Array,
  key: string,
  number: number,
  previous: string,
  forgetting: Forgetting<Event> | null,
): HistoryEntry<Event> {
  if (bytes[0] === ENVELOPE_VERSION) {
    throw new InputError(SEALED, `${key} is sealed by the service (centinela serve)`, 'Read and change it there');
  }
  let read: HistoryEntry<Event> | Stub;
  try {
    read = JSON.parse(new TextDecoder().decode(bytes)) as HistoryEntry<Event> | Stub;
  } catch {
    throw broken(key, 'is not JSON');
  }
  if (forgetting !== null && read !== null && 'forgotten' in read) {
    if (read.number !== number || read.previous !== previous) throw broken(key, 'does not follow the one before');
    const { atMs, hash } = read;
    return { number, atMs, by: '', why: '', event: forgetting.event, previous, hash };
  }
  const entry = (read ?? {}) as HistoryEntry<Event>;
  const { hash, ...content } = entry;
  if (hash !== sha256(JSON.stringify(content))) throw broken(key, 'is not what was written (its hash differs)');
  if (content.number !== number || content.previous !== previous) throw broken(key, 'does not follow the one before');
  return entry;
}

function broken(key: string, what: string): InputError {
  return new InputError(BROKEN, `${key} ${what}`, 'Nothing is done until the history is restored from a copy');
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
