// Days that are older than they have to be kept, and that nobody holds, go.
//
// Ten years by default: what Peru's banks keep of their operations against money laundering (docs/archive.md names the
// rules). A legal hold keeps days beyond that, as long as it stands.
import { MS_PER_DAY } from '../../domain/calendar.ts';
import { InputError } from '../../lib/errors.ts';
import type { ObjectStore } from '../../ports.ts';
import { boundsOfDay, folderOf, namesByDay, newestManifest, readPartName } from './day-files.ts';
import type { ArchivedTable } from './table.ts';

export interface RetentionPolicy {
  /** Days after the end of the day; default 3653, ten years. */
  readonly keepDays: number;
  /** `2026-01-31`: whether somebody needs the day, whatever its age. */
  readonly isHeld: (day: string) => boolean;
}

/** Days, both included, that are kept until the entry is taken out. */
export interface LegalHold {
  readonly fromDay: string;
  readonly untilDay: string;
  readonly reason: string;
}

export const DEFAULT_KEEP_DAYS = 3653;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** @returns the days that went */
export async function removeExpired(
  store: ObjectStore,
  table: ArchivedTable,
  { keepDays, isHeld }: RetentionPolicy,
  nowMs: number,
): Promise<string[]> {
  const removed: string[] = [];
  const days = namesByDay(table.name, await store.list(`${table.name}/`));
  for (const day of [...days.keys()].sort()) {
    if (nowMs - boundsOfDay(day).untilMs < keepDays * MS_PER_DAY || isHeld(day)) continue;
    await removeDay(store, table, day, days.get(day)!);
    removed.push(day);
  }
  return removed;
}

/**
 * In an order in which a crash brings nothing back: first parts, which without the manifest would count again, then the
 * manifests, then files that only they name, and indexes. What is left is a day without rows, and goes the next time.
 */
async function removeDay(
  store: ObjectStore,
  table: ArchivedTable,
  day: string,
  names: readonly string[],
): Promise<void> {
  const newest = newestManifest(names);
  const rank = (name: string) => {
    if (readPartName(name).length > 0) return 0;
    if (!name.startsWith('manifest-')) return 3;
    // An older manifest would count again without the newest.
    return Number(name.slice('manifest-'.length, -'.json'.length)) === newest ? 2 : 1;
  };
  for (const name of names.toSorted((a, b) => rank(a) - rank(b)))
    await store.remove(`${folderOf(table.name, day)}${name}`);
}

function holdsKey(table: ArchivedTable): string {
  return `${table.name}/holds.json`;
}

/**
 * The archive's own list of legal holds, `decisions/holds.json`: `[{"fromDay":"2025-01-01","untilDay":"2025-03-31","reason":"…"}]`.
 *
 * @returns none where there is no such list
 * @throws InputError HOLDS_UNREADABLE: then nothing may be removed
 */
export async function readHolds(store: ObjectStore, table: ArchivedTable): Promise<LegalHold[]> {
  const bytes = await store.get(holdsKey(table));
  if (bytes === null) return [];
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (Array.isArray(read) && read.every(isHold)) return read;
  } catch {
    // Told below.
  }
  throw new InputError(
    'HOLDS_UNREADABLE',
    `${holdsKey(table)} is no list of legal holds, so no day is removed`,
    'Write it as [{"fromDay":"2025-01-01","untilDay":"2025-03-31","reason":"…"}]',
  );
}

export function heldBy(holds: readonly LegalHold[]): RetentionPolicy['isHeld'] {
  return (day) => holds.some(({ fromDay, untilDay }) => fromDay <= day && day <= untilDay);
}

function isHold(value: unknown): value is LegalHold {
  if (typeof value !== 'object' || value === null) return false;
  const { fromDay, untilDay, reason } = value as Record<string, unknown>;
  return [fromDay, untilDay].every((day) => typeof day === 'string' && DAY.test(day)) && typeof reason === 'string';
}
