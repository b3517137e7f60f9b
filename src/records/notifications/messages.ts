// Messages that wait to be sent: taken for a while by a sender, tried again, given up, sent anew.
//
// A sender takes what is due by moving its time on: should the sender die, the message is due again after the lease, with the
// same id (at least once). Whoever finishes says which attempt it was, so a late answer of an earlier one changes nothing.
import { type Kysely, sql } from 'kysely';
import { InputError } from '../../lib/errors.ts';
import { MOST_ITEMS } from '../../notify/message.ts';
import type { Notification } from '../../notify/notification.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';
import { messageIdOf } from './outbox.ts';

type Tx = Kysely<Database>;

export interface Lease {
  readonly id: string;
  readonly channel: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
}

export interface LeaseRequest {
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly most: number;
  /** Channels that have enough to do. */
  readonly busy: readonly string[];
}

/** Takes what is due, oldest first; nobody else has it until the lease ends. */
export function leaseDue(store: RecordStore, { nowMs, leaseMs, most, busy }: LeaseRequest): Promise<readonly Lease[]> {
  return store.transact(async (tx) => {
    const { rows } = await sql<{ id: string; channel: string; attempts: number }>`
      UPDATE notification_messages SET due_ms = ${nowMs + leaseMs}::bigint, attempts = attempts + 1
      WHERE id IN (
        SELECT id FROM notification_messages
        WHERE state = 'pending' AND due_ms <= ${nowMs}::bigint AND channel <> ALL(${busy}::text[])
        ORDER BY due_ms, id
        LIMIT ${most}
        FOR UPDATE SKIP LOCKED
      )
      RETURNING id, channel, attempts`.execute(tx);
    return rows.map(({ id, channel, attempts }) => ({ id, channel, attempt: attempts }));
  });
}

/** Whether anything is due: asked often, and cheaper than taking. */
export async function nextDueMs(db: Tx): Promise<number | null> {
  const row = await db
    .selectFrom('notification_messages')
    .select('due_ms')
    .where('state', '=', 'pending')
    .orderBy('due_ms')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row?.due_ms ?? null;
}

/** What a message tells of, oldest first, at most `MOST_ITEMS`, and of how many in all. */
export async function membersOf(
  db: Tx,
  messageId: string,
): Promise<{ readonly members: readonly Notification[]; readonly total: number }> {
  const rows = await db
    .selectFrom('notification_members as m')
    .innerJoin('notifications as n', 'n.id', 'm.notification_id')
    .select('n.body')
    .where('m.message_id', '=', messageId)
    .orderBy('m.at_ms')
    .orderBy('m.notification_id')
    .limit(MOST_ITEMS)
    .execute();
  const members = rows.map(({ body }) => body);
  if (members.length < MOST_ITEMS) return { members, total: members.length };
  const { total } = await db
    .selectFrom('notification_members')
    .select((row) => row.fn.countAll<number>().as('total'))
    .where('message_id', '=', messageId)
    .executeTakeFirstOrThrow();
  return { members, total: Number(total) };
}

export type Ending =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'again'; readonly dueMs: number; readonly problem: string }
  /** `fallback`: the channel that takes over; null: it can be sent again by hand. */
  | { readonly kind: 'dead'; readonly problem: string; readonly fallback: string | null };

const MOST_PROBLEM = 200;

/** @returns false where somebody else has taken the message meanwhile */
export async function finishMessage(tx: Tx, { id, attempt }: Lease, ending: Ending, nowMs: number): Promise<boolean> {
  const problem = ending.kind === 'delivered' ? null : ending.problem.slice(0, MOST_PROBLEM);
  const { numUpdatedRows } = await tx
    .updateTable('notification_messages')
    .set(
      ending.kind === 'again'
        ? { due_ms: ending.dueMs, last_problem: problem }
        : { state: ending.kind, ended_ms: nowMs, last_problem: problem },
    )
    .where('id', '=', id)
    .where('attempts', '=', attempt)
    .where('state', '=', 'pending')
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return false;
  if (ending.kind === 'dead' && ending.fallback !== null) await takeOver(tx, id, ending.fallback, nowMs);
  return true;
}

/** Tries a message that was given up from the beginning, at once. @throws InputError where it was not given up */
export async function resendMessage(tx: Tx, id: string, nowMs: number): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('notification_messages')
    .set({ state: 'pending', due_ms: nowMs, attempts: 0, ended_ms: null })
    .where('id', '=', id)
    .where('state', '=', 'dead')
    .executeTakeFirst();
  if (Number(numUpdatedRows) > 0) return;
  throw new InputError('MESSAGE_NOT_DEAD', `No message ${id} was given up`, 'See the list of messages that were');
}

async function takeOver(tx: Tx, id: string, channel: string, nowMs: number): Promise<void> {
  const other = messageIdOf(channel, id);
  const inserted = await tx
    .insertInto('notification_messages')
    .values({
      ...{ id: other, channel, state: 'pending', due_ms: nowMs, attempts: 0, created_ms: nowMs },
      ...{ ended_ms: null, last_problem: null, takes_over: id },
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  // Sent anew and given up again: it has been taken over before.
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) return;
  await sql`
    INSERT INTO notification_members (message_id, notification_id, at_ms)
    SELECT ${other}::text, notification_id, at_ms FROM notification_members WHERE message_id = ${id}`.execute(tx);
}

export interface MessageRow {
  readonly id: string;
  readonly channel: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly dueMs: number;
  readonly attempts: number;
  readonly createdMs: number;
  readonly endedMs: number | null;
  readonly lastProblem: string | null;
  readonly takesOver: string | null;
}

/** The row after which a page begins; null: the newest. */
export type Cursor = { readonly timeMs: number; readonly id: string } | null;

/** Newest first. @param onlyDead those that were given up */
export async function listMessages(db: Tx, onlyDead: boolean, after: Cursor, most: number): Promise<MessageRow[]> {
  let query = db.selectFrom('notification_messages').selectAll();
  if (onlyDead) query = query.where(sql<boolean>`state = 'dead'`);
  if (after !== null) query = query.where(sql<boolean>`(created_ms, id) < (${after.timeMs}::bigint, ${after.id})`);
  const rows = await query.orderBy('created_ms', 'desc').orderBy('id', 'desc').limit(most).execute();
  return rows.map((row) => ({
    ...{ id: row.id, channel: row.channel, state: row.state, dueMs: row.due_ms, attempts: row.attempts },
    ...{ createdMs: row.created_ms, endedMs: row.ended_ms, lastProblem: row.last_problem, takesOver: row.takes_over },
  }));
}

/** What became of a notification: the messages that tell it. */
export async function messagesOf(db: Tx, notificationId: string): Promise<MessageRow[]> {
  const rows = await db
    .selectFrom('notification_messages as d')
    .innerJoin('notification_members as m', 'm.message_id', 'd.id')
    .selectAll('d')
    .where('m.notification_id', '=', notificationId)
    .orderBy('d.created_ms')
    .orderBy('d.id')
    .execute();
  return rows.map((row) => ({
    ...{ id: row.id, channel: row.channel, state: row.state, dueMs: row.due_ms, attempts: row.attempts },
    ...{ createdMs: row.created_ms, endedMs: row.ended_ms, lastProblem: row.last_problem, takesOver: row.takes_over },
  }));
}
