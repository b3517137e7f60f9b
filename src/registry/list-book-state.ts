// What the history of lists comes to: each list with all that was ever on it and the time it was in force, so that one list
// answers for any day of the past. A pure function of the entries.
import type { ListFormat } from '../domain/list-formats.ts';
import type { ListDefinition, ListEntry } from '../lists/kept-list.ts';
import { STANDARD_LISTS } from '../lists/standard-lists.ts';
import type { HistoryEntry } from './history.ts';

export type ListEvent =
  | { readonly kind: 'defined'; readonly definition: ListDefinition }
  | {
      readonly kind: 'added';
      readonly list: string;
      readonly value: string;
      readonly source: string;
      readonly untilMs: number | null;
    }
  | {
      readonly kind: 'removed';
      readonly list: string;
      readonly value: string;
      /** The same, written otherwise. */
      readonly also?: readonly string[];
    }
  | {
      readonly kind: 'imported';
      readonly list: string;
      readonly source: string;
      /** Of the rows as they are kept. */
      readonly sha256: string;
      readonly rows: number;
      /** What the source listed before and does not list now is taken off. */
      readonly replaces: boolean;
      readonly effect?: ImportEffect;
      /** Where the rows came in one. */
      readonly file?: ImportedFile;
    }
  | {
      /** What ended so long ago that it need not be kept. */
      readonly kind: 'pruned';
      readonly list: string;
      readonly forgotten: readonly PrunedEntry[];
    }
  | { readonly kind: 'forgotten' };

/** An entry of the history that says nothing any more. */
export interface PrunedEntry {
  readonly number: number;
  readonly hash: string;
  /** So many entries it had put on the list: those after it keep their places. */
  readonly places: number;
}

export const FORGOTTEN: ListEvent = { kind: 'forgotten' };

/** By the number of the entry. */
export type PrunedEntries = ReadonlyMap<number, PrunedEntry & { readonly list: string }>;

/** @param entries all of the history */
export function prunedEntries(entries: readonly HistoryEntry<ListEvent>[]): PrunedEntries {
  return new Map(
    entries.flatMap(({ event }) =>
      event.kind === 'pruned' ? event.forgotten.map((each) => [each.number, { ...each, list: event.list }]) : [],
    ),
  );
}

/** Whether it stands for one that was pruned: it keeps the place, and is never in force. */
export function isPlaceholder({ value }: Pick<ListEntry, 'value'>): boolean {
  return value === '';
}

const PLACEHOLDER: ListEntry = { value: '', reason: '', source: '', fromMs: 0, untilMs: 0 };

/** What an import does to what its source has on the list. */
export interface ImportEffect {
  readonly added: number;
  /** With another reason, beginning or end. */
  readonly changed: number;
  readonly unchanged: number;
  /** Taken off: not listed any more, or listed with an end that is over. */
  readonly expired: number;
}

/** What is said of a file, and nothing of what was in it. */
export interface ImportedFile {
  readonly format: ListFormat;
  /** Rows that could not be used. */
  readonly rejected: number;
  /** The first of them. */
  readonly firstRejected: readonly { readonly line: number; readonly message: string }[];
  /** Names that were left out because their publisher calls them weak. */
  readonly weakNames: number;
}

const MOST_REJECTED_TOLD = 20;

export function importedFile(
  format: ListFormat,
  rejected: readonly { readonly line: number; readonly message: string }[],
  weakNames: number,
): ImportedFile {
  const firstRejected = rejected.slice(0, MOST_REJECTED_TOLD).map(({ line, message }) => ({ line, message }));
  return { format, rejected: rejected.length, firstRejected, weakNames };
}

/** A row of an import as it is kept. */
export type ImportedRow = Pick<ListEntry, 'value' | 'reason' | 'untilMs'> & { readonly fromMs: number | null };

export interface ListState {
  readonly definition: ListDefinition;
  readonly entries: readonly ListEntry[];
}

/**
 * @param rowsOf the rows of an import, by their hash
 * @param pruned of all of the history, of which these entries may be a part
 */
export function listsOf(
  entries: readonly HistoryEntry<ListEvent>[],
  rowsOf: ReadonlyMap<string, readonly ImportedRow[]>,
  pruned: PrunedEntries,
): ReadonlyMap<string, ListState> {
  const definitions = new Map(STANDARD_LISTS.map((definition) => [definition.name, definition]));
  const kept = new Map<string, ListEntry[]>();
  const entriesOf = (list: string): ListEntry[] => {
    const found = kept.get(list) ?? [];
    kept.set(list, found);
    return found;
  };
  for (const { number, atMs, why, event } of entries) {
    if (event.kind === 'pruned') continue;
    if (event.kind === 'forgotten') {
      const { list, places } = pruned.get(number)!;
      for (let place = 0; place < places; place++) entriesOf(list).push(PLACEHOLDER);
      continue;
    }
    if (event.kind === 'defined') {
      definitions.set(event.definition.name, event.definition);
      continue;
    }
    const own = entriesOf(event.list);
    if (event.kind === 'added') {
      const { value, source, untilMs } = event;
      own.push({ value, reason: why, source, fromMs: atMs, untilMs });
    } else if (event.kind === 'removed') {
      const values = new Set([event.value, ...(event.also ?? [])]);
      endFrom(own, atMs, ({ value }) => values.has(value));
    } else {
      const rows = rowsOf.get(event.sha256) ?? [];
      const listed = new Set(rows.map(({ value }) => value));
      const same = (entry: ListEntry) => entry.source === event.source;
      // What is listed again begins anew with its new reason and end.
      endFrom(own, atMs, (entry) => same(entry) && (event.replaces || listed.has(entry.value)));
      for (const { value, reason, fromMs, untilMs } of rows) {
        own.push({ value, reason, source: event.source, fromMs: Math.max(atMs, fromMs ?? atMs), untilMs });
      }
    }
  }
  return new Map([...definitions.values()].map((d) => [d.name, { definition: d, entries: kept.get(d.name) ?? [] }]));
}

/** As `listsOf` does it. */
export function effectOf(
  { entries }: ListState,
  {
    source,
    replaces,
    rows,
  }: { readonly source: string; readonly replaces: boolean; readonly rows: readonly ImportedRow[] },
  atMs: number,
): ImportEffect {
  const before = new Map<string, ListEntry>();
  for (const entry of entries) {
    if (entry.source === source && !isOver(entry, atMs)) before.set(entry.value, entry);
  }
  const effect = { added: 0, changed: 0, unchanged: 0, expired: 0 };
  const after = new Map(rows.map((row) => [row.value, row]));
  for (const [value, row] of after) {
    const known = before.get(value);
    if (isOver(row, atMs)) {
      if (known !== undefined) effect.expired++;
    } else if (known === undefined) effect.added++;
    else if (isSame(known, row, atMs)) effect.unchanged++;
    else effect.changed++;
  }
  if (replaces) for (const value of before.keys()) if (!after.has(value)) effect.expired++;
  return effect;
}

/** One that has begun has begun, whenever it was. */
function isSame(known: ListEntry, row: ImportedRow, atMs: number): boolean {
  const begins = Math.max(atMs, row.fromMs ?? atMs);
  return known.reason === row.reason && known.untilMs === row.untilMs && Math.max(atMs, known.fromMs) === begins;
}

function endFrom(own: ListEntry[], atMs: number, concerns: (entry: ListEntry) => boolean): void {
  own.forEach((entry, index) => {
    if (!isOver(entry, atMs) && concerns(entry)) own[index] = { ...entry, untilMs: atMs };
  });
}

function isOver({ untilMs }: Pick<ListEntry, 'untilMs'>, atMs: number): boolean {
  return untilMs !== null && untilMs <= atMs;
}
