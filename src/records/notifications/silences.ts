// Silences: what is not told for a while, by whom it was asked for and why. They end by themselves.
import type { Kysely } from 'kysely';
import { InputError } from '../../lib/errors.ts';
import { demandSilence, type Silence } from '../../notify/routing.ts';
import type { Database } from '../database.ts';

type Tx = Kysely<Database>;

/** At the same time; each planned notification is held against all of them. */
export const MOST_SILENCES = 500;

/** @throws InputError where it has no reason or no near end, or there are too many */
export async function addSilence(tx: Tx, silence: Silence): Promise<void> {
  demandSilence(silence);
  const { id, match, subjectId, includesCritical, fromMs, untilMs, by, why } = silence;
  const active = await activeSilences(tx, fromMs);
  if (active.length >= MOST_SILENCES) {
    throw new InputError('SILENCES_TOO_MANY', `${active.length} silences are in force`, 'End some of them first');
  }
  await tx
    .insertInto('notification_silences')
    .values({
      ...{ id, match: JSON.stringify(match), subject_id: subjectId, includes_critical: includesCritical },
      ...{ from_ms: fromMs, until_ms: untilMs, created_by: by, why, version: 1 },
    })
    .execute();
}

/** Notifications are told again from now on. @throws InputError where it is not in force */
export async function endSilence(tx: Tx, id: string, atMs: number): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('notification_silences')
    .set((row) => ({ until_ms: atMs, version: row('version', '+', 1) }))
    .where('id', '=', id)
    .where('until_ms', '>', atMs)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) {
    throw new InputError('SILENCE_UNKNOWN', `No silence ${id} is in force`, 'See the list of silences');
  }
}

/** In force at the time, or to come. */
export async function activeSilences(db: Tx, nowMs: number): Promise<readonly Silence[]> {
  const rows = await db
    .selectFrom('notification_silences')
    .selectAll()
    .where('until_ms', '>', nowMs)
    .orderBy('until_ms')
    .orderBy('id')
    .limit(MOST_SILENCES)
    .execute();
  return rows.map((row) => ({
    ...{ id: row.id, match: row.match, subjectId: row.subject_id, includesCritical: row.includes_critical },
    ...{ fromMs: row.from_ms, untilMs: row.until_ms, by: row.created_by, why: row.why },
  }));
}
