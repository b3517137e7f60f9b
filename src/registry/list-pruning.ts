// Which entries of the history of lists need not be kept: those all of whose values ended long ago, and removals of such values.
// What an entry ended stays ended: one that ended something that stays is kept, too. A pure function of the history.
import type { HistoryEntry } from './history.ts';
import {
  type ImportedRow,
  type ListEvent,
  type ListState,
  type PrunedEntry,
  prunedEntries,
} from './list-book-state.ts';

type Entry = HistoryEntry<ListEvent>;

/**
 * @param entries of the whole history, oldest first
 * @param lists as they are by now
 * @param endedBeforeMs what was in force then, or after, stays
 * @returns by list, in the order of the history; lists of which nothing goes are left out
 */
export function prunableEntries(
  entries: readonly Entry[],
  rowsOf: ReadonlyMap<string, readonly ImportedRow[]>,
  lists: ReadonlyMap<string, ListState>,
  endedBeforeMs: number,
): ReadonlyMap<string, readonly PrunedEntry[]> {
  const byList = new Map<string, PrunedEntry[]>();
  const walks = new Map<string, { place: number; readonly staysEnded: Set<number> }>();
  const pruned = prunedEntries(entries);
  for (const { number, hash, atMs, event } of entries) {
    if (event.kind === 'defined' || event.kind === 'pruned') continue;
    const list = event.kind === 'forgotten' ? pruned.get(number)!.list : event.list;
    const walk = walks.get(list) ?? { place: 0, staysEnded: new Set<number>() };
    walks.set(list, walk);
    const places = event.kind === 'forgotten' ? pruned.get(number)!.places : placesOf(event, rowsOf);
    const own = (lists.get(list)?.entries ?? []).slice(walk.place, walk.place + places);
    walk.place += places;
    if (event.kind === 'forgotten') continue;
    const isOver = own.every(({ untilMs }) => untilMs !== null && untilMs < endedBeforeMs);
    if (isOver && atMs < endedBeforeMs && !walk.staysEnded.has(atMs)) {
      const found = byList.get(list) ?? [];
      byList.set(list, found);
      found.push({ number, hash, places });
    } else {
      for (const { untilMs } of own) if (untilMs !== null) walk.staysEnded.add(untilMs);
    }
  }
  return byList;
}

function placesOf(event: ListEvent, rowsOf: ReadonlyMap<string, readonly ImportedRow[]>): number {
  if (event.kind === 'added') return 1;
  return event.kind === 'imported' ? (rowsOf.get(event.sha256)?.length ?? 0) : 0;
}
