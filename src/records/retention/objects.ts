// Bytes whose rows are gone, or were removed by somebody: first written down in the transaction that lets go of them, then
// removed, so that a crash in between leaves none behind.
import { sql } from 'kysely';
import type { Tx } from '../alerts/act.ts';

/** Of the object store: the bytes of attachments, under names that tell nothing. */
export const ATTACHMENTS_FOLDER = 'attachments';
/** An object that no row names goes so long after it was seen first: its row may be just being written. */
const KEEP_ORPHANS_MS = 86_400_000;

export async function queueObjects(tx: Tx, keys: readonly string[], atMs: number): Promise<void> {
  await sql`INSERT INTO objects_to_remove (key, at_ms) SELECT key, ${atMs}::bigint FROM unnest(${keys}::text[]) AS gone (key)
    ON CONFLICT (key) DO NOTHING`.execute(tx);
}

export interface RemovedUpTo {
  readonly removedMs: number;
  readonly id: string;
}

/**
 * Attachments that somebody took out of a case before, and whose bytes are still there.
 *
 * @param isHeld customers of whom something is to be kept
 * @returns how many were queued, how many stay for a hold, and where to go on; null where nothing is left
 */
export async function queueRemovedAttachments(
  tx: Tx,
  {
    removedBeforeMs,
    isHeld,
    after,
    most,
    nowMs,
  }: {
    readonly removedBeforeMs: number;
    readonly isHeld: (customerId: string) => boolean;
    readonly after: RemovedUpTo | null;
    readonly most: number;
    readonly nowMs: number;
  },
): Promise<{ readonly queued: number; readonly held: number; readonly next: RemovedUpTo | null }> {
  const { rows } = await sql<{ id: string; key: string; removedMs: number; customers: string[]; others: string[] }>`
    SELECT id, object_key AS key, removed_ms AS "removedMs",
      coalesce((SELECT customers FROM cases WHERE cases.id = case_id), '[]') AS customers, ARRAY(
        SELECT DISTINCT customer_id FROM alerts
        WHERE alerts.case_id = case_attachments.case_id AND customer_id IS NOT NULL) AS others
    FROM case_attachments
    WHERE removed_ms IS NOT NULL AND removed_ms < ${removedBeforeMs}
      AND (removed_ms, id) > (${after?.removedMs ?? -1}::bigint, ${after?.id ?? ''})
      AND NOT EXISTS (SELECT 1 FROM objects_to_remove WHERE key = object_key)
    ORDER BY removed_ms, id LIMIT ${most}`.execute(tx);
  const free = rows.filter(({ customers, others }) => ![...customers, ...others].some(isHeld));
  await queueObjects(
    tx,
    free.map(({ key }) => key),
    nowMs,
  );
  const last = rows.at(-1);
  const next = rows.length < most || last === undefined ? null : { removedMs: last.removedMs, id: last.id };
  return { queued: free.length, held: rows.length - free.length, next };
}

export async function waitingObjects(db: Tx, most: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('objects_to_remove')
    .select('key')
    .where('gone_ms', 'is', null)
    .orderBy('at_ms')
    .orderBy('key')
    .limit(most)
    .execute();
  return rows.map(({ key }) => key);
}

/** They were removed. What no row names any more is forgotten. */
export async function objectsGone(tx: Tx, keys: readonly string[], nowMs: number): Promise<void> {
  await tx.updateTable('objects_to_remove').set({ gone_ms: nowMs }).where('key', 'in', keys).execute();
  await sql`DELETE FROM objects_to_remove WHERE key = ANY(${keys}::text[])
    AND NOT EXISTS (SELECT 1 FROM case_attachments WHERE object_key = key)`.execute(tx);
}

/**
 * Of these objects, those without a row: noted where they are seen for the first time, and queued a day later. Where a crash
 * came between an object and its row, or records were restored from an older copy, there are some.
 *
 * @param isAnyHeld whose they are nobody knows: they stay while anybody is under a hold
 */
export async function queueOrphans(
  tx: Tx,
  keys: readonly string[],
  { isAnyHeld, nowMs }: { readonly isAnyHeld: boolean; readonly nowMs: number },
): Promise<{ readonly queued: number; readonly held: number }> {
  const { rows } = await sql<{ key: string }>`SELECT key FROM unnest(${keys}::text[]) AS there (key)
    WHERE NOT EXISTS (SELECT 1 FROM case_attachments WHERE object_key = key)
      AND NOT EXISTS (SELECT 1 FROM objects_to_remove WHERE objects_to_remove.key = there.key)`.execute(tx);
  const orphans = rows.map(({ key }) => key);
  await sql`DELETE FROM orphaned_objects WHERE key = ANY(${keys}::text[]) AND key <> ALL(${orphans}::text[])`.execute(
    tx,
  );
  await sql`INSERT INTO orphaned_objects (key, seen_ms) SELECT key, ${nowMs}::bigint
    FROM unnest(${orphans}::text[]) AS there (key) ON CONFLICT (key) DO NOTHING`.execute(tx);
  const due = await sql<{ key: string }>`SELECT key FROM orphaned_objects
    WHERE key = ANY(${orphans}::text[]) AND seen_ms < ${nowMs - KEEP_ORPHANS_MS}`.execute(tx);
  const gone = due.rows.map(({ key }) => key);
  if (isAnyHeld) return { queued: 0, held: gone.length };
  await queueObjects(tx, gone, nowMs);
  await sql`DELETE FROM orphaned_objects WHERE key = ANY(${gone}::text[])`.execute(tx);
  return { queued: gone.length, held: 0 };
}
