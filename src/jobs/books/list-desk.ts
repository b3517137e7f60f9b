// Kept lists as people and programs work with them: who is on one, since when and why, and changes by request.
import { InputError } from '../../lib/errors.ts';
import {
  createKeptList,
  isListedAt,
  type KeptList,
  type ListDefinition,
  type ListEntry,
} from '../../lists/kept-list.ts';
import type { HistoryEntry } from '../../registry/history.ts';
import { entryOf } from '../../registry/history.ts';
import { importedRows, type ListBook, type ListImport } from '../../registry/list-book.ts';
import {
  effectOf,
  type ImportEffect,
  isPlaceholder,
  type ListEvent,
  type ListState,
} from '../../registry/list-book-state.ts';
import type { Act } from '../../registry/rule-book.ts';
import type { Canonical } from '../rules/rule-lists.ts';
import { listOf } from '../stream/live-lists.ts';

export type ListedEntry = HistoryEntry<ListEvent>;

export interface ShownList {
  readonly definition: ListDefinition;
  /** In force. */
  readonly entries: number;
  /** Number of the entry of the history that touched it last; 0 where there is none. */
  readonly touched: number;
}

/** An entry with its place on the list, which it keeps. */
export interface PlacedEntry extends ListEntry {
  readonly id: number;
}

export interface EntryPage {
  readonly rows: readonly PlacedEntry[];
  /** After which the next page begins; null where this is the last. */
  readonly next: number | null;
}

export interface FoundEntry {
  /** It counts as being on the list. */
  readonly isOn: boolean;
  readonly similarity: number;
  /** The one that is most like it; null where none is like it at all. */
  readonly entry: PlacedEntry | null;
}

interface States {
  /** Hash of the last entry of the history. */
  readonly head: string;
  readonly lists: ReadonlyMap<string, ListState>;
  readonly touched: ReadonlyMap<string, number>;
  readonly indexes: Map<string, KeptList>;
}

export class ListDesk {
  readonly #book: ListBook;
  readonly #canonical: Canonical;
  #states: States | null = null;

  /** @param canonical one way to write a value: how exact lists compare */
  constructor(book: ListBook, canonical: Canonical) {
    this.#book = book;
    this.#canonical = canonical;
  }

  history(): Promise<readonly ListedEntry[]> {
    return this.#book.history();
  }

  async definitions(): Promise<ListDefinition[]> {
    return [...(await this.#read()).lists.values()].map(({ definition }) => definition);
  }

  /** By name. */
  async lists(nowMs: number): Promise<ShownList[]> {
    const { lists, touched } = await this.#read();
    return [...lists.values()]
      .map(({ definition, entries }) => ({
        ...{ definition, touched: touched.get(definition.name) ?? 0 },
        entries: entries.reduce((count, entry) => count + (isListedAt(entry, nowMs) ? 1 : 0), 0),
      }))
      .sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
  }

  /** @throws InputError LIST_UNKNOWN */
  async list(name: string): Promise<Pick<ShownList, 'definition' | 'touched'>> {
    const states = await this.#read();
    return { definition: stateOf(states, name).definition, touched: states.touched.get(name) ?? 0 };
  }

  /** In the order in which they were put on. @param inForceAtMs null: also those that are over */
  async entries(name: string, inForceAtMs: number | null, after: number, limit: number): Promise<EntryPage> {
    const { entries } = stateOf(await this.#read(), name);
    const rows: PlacedEntry[] = [];
    for (let id = after + 1; id < entries.length; id++) {
      if (isPlaceholder(entries[id]) || (inForceAtMs !== null && !isListedAt(entries[id], inForceAtMs))) continue;
      if (rows.length === limit) return { rows, next: rows[limit - 1].id };
      rows.push({ ...entries[id], id });
    }
    return { rows, next: null };
  }

  /** What a rule would find now. */
  async find(name: string, value: string, nowMs: number): Promise<FoundEntry> {
    const states = await this.#read();
    const { definition, entries } = stateOf(states, name);
    const written = this.#writtenAs(definition);
    let index = states.indexes.get(name);
    if (index === undefined) {
      index = createKeptList(
        definition,
        entries.map((entry) => ({ ...entry, value: written(entry.value) })),
      );
      states.indexes.set(name, index);
    }
    const match = index.find(written(value), nowMs);
    if (match === null) return { isOn: false, similarity: 0, entry: null };
    const { index: id, similarity } = match;
    return { isOn: similarity >= definition.threshold, similarity, entry: { ...entries[id], id } };
  }

  async define(definition: ListDefinition, act: Act): Promise<ListedEntry> {
    return this.#once(act, () => this.#book.define(definition, act));
  }

  async add(
    name: string,
    value: string,
    details: { readonly source: string; readonly untilMs: number | null },
    act: Act,
  ): Promise<ListedEntry> {
    return this.#once(act, () => this.#book.add(name, value, details, act));
  }

  /** @param which the place of an entry, or a value however it is written */
  async remove(
    name: string,
    which: { readonly id: number } | { readonly value: string },
    act: Act,
  ): Promise<ListedEntry> {
    return this.#once(act, async () => {
      const { definition, entries } = stateOf(await this.#read(), name);
      const written = this.#writtenAs(definition);
      const isMeant =
        'id' in which
          ? (_: ListEntry, id: number) => id === which.id
          : ({ value }: ListEntry) => written(value) === written(which.value.trim());
      const found = entries.find((entry, id) => isListedAt(entry, act.atMs) && isMeant(entry, id));
      if (found === undefined) {
        throw new InputError('LIST_VALUE_UNKNOWN', `That is not on @${name} now`, 'Look for it on the list');
      }
      const same = entries.filter(
        (entry) => isListedAt(entry, act.atMs) && written(entry.value) === written(found.value),
      );
      const also = new Set(same.map(({ value }) => value).filter((value) => value !== found.value));
      return this.#book.remove(name, found.value, act, [...also]);
    });
  }

  async importRows(what: ListImport, act: Act): Promise<ListedEntry> {
    return this.#once(act, () => this.#book.importRows(what, act));
  }

  /** What an import would do now, of the list as it was touched last. */
  async previewImport(
    { list, source, replaces, rows }: ListImport,
    act: Pick<Act, 'why' | 'atMs'>,
  ): Promise<{ readonly effect: ImportEffect; readonly touched: number }> {
    const states = await this.#read();
    const effect = effectOf(stateOf(states, list), { source, replaces, rows: importedRows(rows, act) }, act.atMs);
    return { effect, touched: states.touched.get(list) ?? 0 };
  }

  /** @throws InputError VERSION_CONFLICT where the list was touched since */
  async demandUntouched(name: string, seen: number, request: string): Promise<void> {
    if (entryOf(await this.history(), request) !== undefined || (await this.list(name)).touched === seen) return;
    throw new InputError('VERSION_CONFLICT', `The list @${name} was changed meanwhile`, 'Look at it again and repeat');
  }

  /** What is asked for again was done: then its entry is there before anything is judged. */
  async #once(act: Act, change: () => Promise<ListedEntry>): Promise<ListedEntry> {
    return entryOf(await this.history(), act.via?.request ?? '') ?? (await change());
  }

  #writtenAs({ match }: ListDefinition): Canonical {
    return match === 'exact' ? this.#canonical : (value) => value;
  }

  async #read(): Promise<States> {
    const entries = await this.#book.history();
    const head = entries.at(-1)?.hash ?? '';
    if (this.#states?.head === head) return this.#states;
    const before = this.#states;
    const touched = new Map(entries.map(({ number, event }) => [listOf(event), number]));
    const lists = await this.#book.listsAt(entries.length);
    const indexes = new Map(
      [...(before?.indexes ?? [])].filter(([name]) => before?.touched.get(name) === touched.get(name)),
    );
    this.#states = { head, lists, touched, indexes };
    return this.#states;
  }
}

function stateOf({ lists }: States, name: string): ListState {
  const found = lists.get(name);
  if (found !== undefined) return found;
  throw new InputError('LIST_UNKNOWN', `There is no list @${name}`, `There are ${[...lists.keys()].join(', ')}`);
}
