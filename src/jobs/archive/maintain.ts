// What an archive needs from time to time: compaction of days that are over, of parts that have become many, and retention.
import type { Compacted, CompactTools } from './compact.ts';
import { compactDay, tidyDay } from './compact.ts';
import type { ArchiveCounters } from './counters.ts';
import { boundsOfDay, countedFiles, namesByDay, readDay } from './day-files.ts';
import { DEFAULT_KEEP_DAYS, heldBy, type RetentionPolicy, readHolds, removeExpired } from './retention.ts';

export interface MaintenanceSettings {
  /** A day is compacted as a whole so long after its end, ms: late parts have come by then. */
  readonly settleMs: number;
  /** Parts of a day that is not over are put together when there are so many. */
  readonly mostParts: number;
  readonly keepDays: number;
}

export const DEFAULT_MAINTENANCE: MaintenanceSettings = {
  settleMs: 2 * 3_600_000,
  mostParts: 64,
  keepDays: DEFAULT_KEEP_DAYS,
};

export interface MaintenanceDone {
  readonly compacted: readonly Compacted[];
  readonly removedDays: readonly string[];
}

export interface MaintenanceWish {
  readonly settings?: Partial<MaintenanceSettings>;
  /** Besides the archive's own list of holds. */
  readonly isHeld?: RetentionPolicy['isHeld'];
  readonly counts?: ArchiveCounters;
  /** ms UTC */
  readonly nowMs: number;
}

/**
 * One round. Rounds of several processes at once do no harm.
 *
 * @param settled what an earlier round found in order: those days are not looked into again while their files are the same
 * @throws what failed first, when the rest is done; a later round goes on
 */
export async function maintainArchive(
  tools: CompactTools,
  wish: MaintenanceWish,
  settled: Map<string, string> = new Map(),
): Promise<MaintenanceDone> {
  const settings = { ...DEFAULT_MAINTENANCE, ...wish.settings };
  const { store, table } = tools;
  const compacted: Compacted[] = [];
  const failures: Error[] = [];
  const days = namesByDay(table.name, await store.list(`${table.name}/`));
  for (const day of settled.keys()) if (!days.has(day)) settled.delete(day);
  for (const [day, names] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const files = names.join();
    if (settled.get(day) === files) continue;
    try {
      const done = await compactWhereDue(tools, day, settings, wish.nowMs);
      if (done !== null) compacted.push(done);
      else if (isOver(day, settings, wish.nowMs)) settled.set(day, files);
    } catch (error) {
      // A day that cannot be compacted does not keep the others from it.
      failures.push(error as Error);
    }
  }
  const byList = heldBy(await readHolds(store, table));
  const isHeld = (day: string) => byList(day) || wish.isHeld?.(day) === true;
  const removedDays = await removeExpired(store, table, { keepDays: settings.keepDays, isHeld }, wish.nowMs);
  if (wish.counts !== undefined) {
    wish.counts.compactions += compacted.length;
    wish.counts.daysRemoved += removedDays.length;
  }
  if (failures.length > 0) throw failures[0];
  return { compacted, removedDays };
}

async function compactWhereDue(
  tools: CompactTools,
  day: string,
  { settleMs, mostParts }: MaintenanceSettings,
  nowMs: number,
): Promise<Compacted | null> {
  const { store, table } = tools;
  if (isOver(day, { settleMs }, nowMs)) {
    const done = await compactDay(tools, day, 'all');
    // What an earlier round left when it was cut short.
    if (done === null) await tidyDay(store, table, day);
    return done;
  }
  const state = await readDay(store, table.name, day);
  const parts = countedFiles(state).length - (state.manifest?.files.length ?? 0);
  return parts > mostParts ? await compactDay(tools, day, 'parts') : null;
}

function isOver(day: string, { settleMs }: Pick<MaintenanceSettings, 'settleMs'>, nowMs: number): boolean {
  return nowMs - boundsOfDay(day).untilMs >= settleMs;
}
