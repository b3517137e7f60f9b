// What was told: lists for people, and what is forgotten after its time.
import { type Kysely, sql } from 'kysely';
import type { Notification, Severity } from '../../notify/notification.ts';
import type { Database } from '../database.ts';
import type { Cursor } from './messages.ts';
import { RECEIPT_KEPT_MS } from './webhook-receipts.ts';

type Tx = Kysely<Database>;

export interface NotificationRow {
  readonly notification: Notification;
  readonly state: 'new' | 'planned' | 'silenced' | 'unrouted';
  readonly silenceId: string | null;
  /** Levels of the ladder that were told. */
  readonly level: number;
  readonly escalateAtMs: number | null;
  readonly acknowledgedMs: number | null;
  readonly acknowledgedBy: string | null;
}

export interface NotificationFilter {
  readonly severities?: readonly Severity[];
  readonly subject?: { readonly kind: string; readonly id: string };
}

/** Newest first. */
export async function listNotifications(
  db: Tx,
  { severities, subject }: NotificationFilter,
  after: Cursor,
  most: number,
): Promise<NotificationRow[]> {
  let query = db.selectFrom('notifications').selectAll();
  if (severities !== undefined) query = query.where('severity', 'in', severities);
  if (subject !== undefined)
    query = query.where('subject_kind', '=', subject.kind).where('subject_id', '=', subject.id);
  if (after !== null) query = query.where(sql<boolean>`(at_ms, id) < (${after.timeMs}::bigint, ${after.id})`);
  const rows = await query.orderBy('at_ms', 'desc').orderBy('id', 'desc').limit(most).execute();
  return rows.map((row) => ({
    ...{ notification: row.body, state: row.state, silenceId: row.silence_id, level: row.level },
    ...{ escalateAtMs: row.escalate_at_ms, acknowledgedMs: row.acknowledged_ms, acknowledgedBy: row.acknowledged_by },
  }));
}

/**
 * Forgets what ended before the time, some at once; what is still to be sent stays, however old.
 *
 * @returns how many rows went; call again while it is more than nothing
 */
export async function forgetNotifications(tx: Tx, beforeMs: number, nowMs: number, most: number): Promise<number> {
  const messages = await tx
    .selectFrom('notification_messages')
    .select('id')
    .where('ended_ms', '<', beforeMs)
    .orderBy('ended_ms')
    .orderBy('id')
    .limit(most)
    .execute();
  const ids = messages.map(({ id }) => id);
  if (ids.length > 0) {
    await tx.deleteFrom('notification_members').where('message_id', 'in', ids).execute();
    await tx.deleteFrom('notification_messages').where('id', 'in', ids).execute();
  }
  const { rows: notifications } = await sql<{ id: string }>`
    DELETE FROM notifications WHERE id IN (
      SELECT id FROM notifications AS n
      WHERE at_ms < ${beforeMs}::bigint AND state <> 'new' AND escalate_at_ms IS NULL
        AND NOT EXISTS (SELECT FROM notification_members AS m WHERE m.notification_id = n.id)
      ORDER BY at_ms, id LIMIT ${most}
    ) RETURNING id`.execute(tx);
  const { rows: challenges } = await sql<{ id: string }>`
    DELETE FROM challenges WHERE id IN (
      SELECT id FROM challenges WHERE ended_ms < ${beforeMs}::bigint ORDER BY ended_ms, id LIMIT ${most}
    ) RETURNING id`.execute(tx);
  const { rows: silences } = await sql<{ id: string }>`
    DELETE FROM notification_silences WHERE id IN (
      SELECT id FROM notification_silences WHERE until_ms < ${beforeMs}::bigint ORDER BY until_ms, id LIMIT ${most}
    ) RETURNING id`.execute(tx);
  const { rows: receipts } = await sql<{ id: string }>`
    DELETE FROM webhook_receipts WHERE (source, id) IN (
      SELECT source, id FROM webhook_receipts WHERE at_ms < ${nowMs - RECEIPT_KEPT_MS}::bigint
      ORDER BY at_ms, source, id LIMIT ${most}
    ) RETURNING id`.execute(tx);
  return ids.length + notifications.length + challenges.length + silences.length + receipts.length;
}
