// What the history of lists comes to: each list with all that was ever on it and the time it was in force, so that one list
// answers for any day of the past. A pure function of the entries.
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
    };

/** A row of an import as it is kept. */
export type ImportedRow = Pick<ListEntry, 'value' | 'reason' | 'untilMs'> & { readonly fromMs: number | null };

export interface ListState {
  readonly definition: ListDefinition;
  readonly entries: readonly ListEntry[];
}

/** @param rowsOf the rows of an import, by their hash */
export function listsOf(
  entries: readonly HistoryEntry<ListEvent>[],
  rowsOf: ReadonlyMap<string, readonly ImportedRow[]>,
): ReadonlyMap<string, ListState> {
  const definitions = new Map(STANDARD_LISTS.map((definition) => [definition.name, definition]));
  const kept = new Map<string, ListEntry[]>();
  const entriesOf = (list: string): ListEntry[] => {
    const found = kept.get(list) ?? [];
    kept.set(list, found);
    return found;
  };
  for (const { atMs, why, event } of entries) {
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

function endFrom(own: ListEntry[], atMs: number, concerns: (entry: ListEntry) => boolean): void {
  own.forEach((entry, index) => {
    if ((entry.untilMs === null || entry.untilMs > atMs) && concerns(entry)) own[index] = { ...entry, untilMs: atMs };
  });
}
