// Lists at rest: a history of what was put on and taken off, by whom and why, in the object store beside the rules.
//
// An import is one entry of the history; its rows are kept under their hash.
import { InputError } from '../lib/errors.ts';
import { type ListDefinition, MAX_ENTRIES } from '../lists/kept-list.ts';
import type { ListRow, ObjectStore } from '../ports.ts';
import { type Forgetting, type HistoryEntry, openHistory, sha256 } from './history.ts';
import {
  effectOf,
  FORGOTTEN,
  type ImportedFile,
  type ImportedRow,
  type ListEvent,
  type ListState,
  listsOf,
  type PrunedEntry,
  prunedEntries,
} from './list-book-state.ts';
import { prunableEntries } from './list-pruning.ts';
import { type Act, demandReason } from './rule-book.ts';

/** What rows are kept under is their hash: with something random among them it tells nobody what they are. */
interface SaltedRows {
  readonly salt: string;
  readonly rows: readonly ImportedRow[];
}

const FOLDER = 'lists';
const LOSSES = `${FOLDER}/losses`;
const NAME = /^[\p{L}_][\p{L}\p{N}_-]{0,62}$/u;
const MAX_VALUE = 500;
const MOST_FORGOTTEN = 5000;
/** How the history of lists forgets what ended long ago. */
export const LIST_FORGETTING: Forgetting<ListEvent> = {
  event: FORGOTTEN,
  named: (event) => (event.kind === 'pruned' ? event.forgotten : []),
};

export interface ListImport {
  readonly list: string;
  /** Who publishes it, or the file: what the source listed before can be replaced. */
  readonly source: string;
  readonly replaces: boolean;
  readonly rows: readonly ListRow[];
  /** null where they did not come in one. */
  readonly file: ImportedFile | null;
}

export interface LostEntry {
  readonly entry: number;
  readonly hash: string;
}

/** Changes on the stream name entries of the history: what is to be read where those are gone. */
export interface AcceptedLoss {
  /** Entries that are left. */
  readonly kept: number;
  readonly lost: readonly LostEntry[];
}

export interface ListBook {
  history(): Promise<readonly HistoryEntry<ListEvent>[]>;
  lists(): Promise<ReadonlyMap<string, ListState>>;
  /** As they were once so many entries were written. @throws InputError where there are fewer */
  listsAt(entry: number): Promise<ReadonlyMap<string, ListState>>;
  /** How many entries stand for one that was lost, where that was accepted; null where it was not. */
  standingFor(lost: LostEntry): Promise<number | null>;
  define(definition: ListDefinition, act: Act): Promise<HistoryEntry<ListEvent>>;
  add(
    list: string,
    value: string,
    details: { readonly source: string; readonly untilMs: number | null },
    act: Act,
  ): Promise<HistoryEntry<ListEvent>>;
  /** @param also other ways in which the value stands there */
  remove(list: string, value: string, act: Act, also?: readonly string[]): Promise<HistoryEntry<ListEvent>>;
  importRows(what: ListImport, act: Act): Promise<HistoryEntry<ListEvent>>;
  /** Entries of the history that need not be kept, by list. */
  prunable(endedBeforeMs: number): Promise<ReadonlyMap<string, readonly PrunedEntry[]>>;
  /**
   * What ended before is forgotten: who was on a list, why, and the rows of imports. What a run that was cut short has left is
   * forgotten, too.
   *
   * @returns how many entries of the history, and whether there are more: of a list some 5,000 are forgotten at once
   */
  prune(endedBeforeMs: number, act: Act): Promise<{ readonly entries: number; readonly isMore: boolean }>;
}

/** @param remembers as of `openHistory` */
export function openListBook(store: ObjectStore, remembers = false): ListBook {
  const history = openHistory<ListEvent>(store, `${FOLDER}/history`, remembers, LIST_FORGETTING);
  const rowsKey = (hash: string) => `${FOLDER}/imports/${hash}.json`;

  async function readRows(entries: readonly HistoryEntry<ListEvent>[]): Promise<Map<string, readonly ImportedRow[]>> {
    const rows = new Map<string, readonly ImportedRow[]>();
    for (const { event } of entries) {
      if (event.kind !== 'imported' || rows.has(event.sha256)) continue;
      const bytes = await store.get(rowsKey(event.sha256));
      const text = bytes === null ? null : new TextDecoder().decode(bytes);
      if (text === null || sha256(text) !== event.sha256) {
        const what = text === null ? 'are missing' : 'are not what was imported (their SHA-256 differs)';
        throw new InputError(
          'LIST_ROWS_CHANGED',
          `@${event.list}: the rows of ${event.source} ${what}`,
          `Put ${rowsKey(event.sha256)} back from a backup of the registry`,
        );
      }
      const kept = JSON.parse(text) as ImportedRow[] | SaltedRows;
      rows.set(event.sha256, 'rows' in kept ? kept.rows : kept);
    }
    return rows;
  }

  /** @param all of the history, where `entries` are a part of it */
  const stateOf = async (entries: readonly HistoryEntry<ListEvent>[], all = entries) =>
    listsOf(entries, await readRows(entries), prunedEntries(all));

  async function prunable(entries: readonly HistoryEntry<ListEvent>[], endedBeforeMs: number) {
    const rows = await readRows(entries);
    return prunableEntries(entries, rows, listsOf(entries, rows, prunedEntries(entries)), endedBeforeMs);
  }

  /** Rows before the entry that names them: what is cut short is found again by the entry. */
  async function forgetNamed(): Promise<void> {
    const entries = await history.read();
    const named = prunedEntries(entries);
    const goes = entries.filter(({ number, event }) => named.has(number) && event.kind !== 'forgotten');
    const stays = new Set(
      entries.flatMap(({ number, event }) => (event.kind === 'imported' && !named.has(number) ? [event.sha256] : [])),
    );
    for (const { event } of goes) {
      if (event.kind === 'imported' && !stays.has(event.sha256)) await store.remove(rowsKey(event.sha256));
    }
    if (goes.length > 0) await history.forget(goes);
  }

  const write = (act: Act, judge: (lists: ReadonlyMap<string, ListState>) => ListEvent) =>
    history.append(
      async (entries) => ({ by: act.by, why: act.why, event: judge(await stateOf(entries)) }),
      act.atMs,
      act.via,
    );

  const writeWithReason: typeof write = async (act, judge) => {
    demandReason(act);
    return write(act, judge);
  };

  return {
    history: () => history.read(),
    lists: async () => stateOf(await history.read()),
    async listsAt(entry) {
      const entries = await history.read();
      if (entry <= entries.length) return stateOf(entries.slice(0, entry), entries);
      throw new InputError(
        'LIST_ENTRY_UNKNOWN',
        `The history of lists has ${entries.length} entries, and not ${entry}`,
        'Give the folder or bucket that the lists are changed in',
      );
    },
    async standingFor({ entry, hash }) {
      for (const key of await store.list(`${LOSSES}/`)) {
        const bytes = await store.get(key);
        if (bytes === null) continue;
        const loss = JSON.parse(new TextDecoder().decode(bytes)) as AcceptedLoss;
        if (loss.lost.some((each) => each.entry === entry && each.hash === hash)) return loss.kept;
      }
      return null;
    },
    define: (definition, act) =>
      write(act, (lists) => {
        if (!NAME.test(definition.name)) {
          throw new InputError(
            'LIST_NAME_INVALID',
            `'${definition.name}' cannot name a list`,
            'Use letters, digits, _, -',
          );
        }
        if (lists.has(definition.name)) {
          throw new InputError('LIST_EXISTS', `There is a list @${definition.name}`, 'Lists keep what they are');
        }
        return { kind: 'defined', definition };
      }),
    add: (list, value, { source, untilMs }, act) =>
      writeWithReason(act, (lists) => {
        const { entries } = known(lists, list);
        if (value.trim() === '' || value.length > MAX_VALUE) {
          throw new InputError('LIST_VALUE_INVALID', `A value has ${value.length} characters`, `1 to ${MAX_VALUE} fit`);
        }
        if (untilMs !== null && untilMs <= act.atMs) {
          throw new InputError('UNTIL_INVALID', 'The end is in the past', 'Choose a later one');
        }
        if (entries.length >= MAX_ENTRIES) throw full(list);
        return { kind: 'added', list, value: value.trim(), source, untilMs };
      }),
    remove: (list, value, act, also = []) =>
      writeWithReason(act, (lists) => {
        const { entries } = known(lists, list);
        const there = entries.some(
          (each) => each.value === value && (each.untilMs === null || each.untilMs > act.atMs),
        );
        if (!there)
          throw new InputError('LIST_VALUE_UNKNOWN', `'${value}' is not on @${list}`, 'See centinela lists show');
        return { kind: 'removed', list, value, ...(also.length > 0 && { also }) };
      }),
    async importRows({ list, source, replaces, rows, file }, act) {
      const kept = importedRows(rows, act);
      const salt = act.via?.salt;
      const text = JSON.stringify(salt === undefined ? kept : ({ salt, rows: kept } satisfies SaltedRows));
      const hash = sha256(text);
      await store.putNew(rowsKey(hash), new TextEncoder().encode(text));
      return writeWithReason(act, (lists) => {
        const state = known(lists, list);
        if (state.entries.length + kept.length > MAX_ENTRIES) throw full(list);
        const effect = effectOf(state, { source, replaces, rows: kept }, act.atMs);
        const what = { kind: 'imported', list, source, sha256: hash, rows: kept.length, replaces, effect } as const;
        return file === null ? what : { ...what, file };
      });
    },
    prunable: async (endedBeforeMs) => prunable(await history.read(), endedBeforeMs),
    async prune(endedBeforeMs, act) {
      await forgetNamed();
      let [count, isMore] = [0, false];
      for (const list of (await prunable(await history.read(), endedBeforeMs)).keys()) {
        const via = act.via === undefined ? undefined : { ...act.via, request: `${act.via.request}/${list}` };
        const { event } = await history.append(
          async (entries) => {
            const all = (await prunable(entries, endedBeforeMs)).get(list) ?? [];
            isMore ||= all.length > MOST_FORGOTTEN;
            const forgotten = all.slice(0, MOST_FORGOTTEN);
            return { by: act.by, why: act.why, event: { kind: 'pruned', list, forgotten } };
          },
          act.atMs,
          via,
        );
        if (event.kind === 'pruned') count += event.forgotten.length;
      }
      await forgetNamed();
      return { entries: count, isMore };
    },
  };
}

/** As they are kept: a row that says nothing is there for the reason of the import. */
export function importedRows(rows: readonly ListRow[], { why }: Pick<Act, 'why'>): ImportedRow[] {
  const reason = why.trim();
  return rows.map(({ value, reason: own, fromMs, untilMs }) => ({ value, reason: own ?? reason, fromMs, untilMs }));
}

function known(lists: ReadonlyMap<string, ListState>, list: string): ListState {
  const found = lists.get(list);
  if (found !== undefined) return found;
  const names = [...lists.keys()].map((name) => `@${name}`).join(', ');
  throw new InputError('LIST_UNKNOWN', `There is no list @${list}`, `There are ${names}; make one with lists define`);
}

function full(list: string): InputError {
  return new InputError('LIST_FULL', `@${list} would have more than ${MAX_ENTRIES} entries`, 'Begin another list');
}

/** Once or again. */
export async function keepLoss(store: ObjectStore, loss: AcceptedLoss): Promise<void> {
  const text = JSON.stringify(loss);
  await store.put(`${LOSSES}/${sha256(text)}.json`, new TextEncoder().encode(text));
}
