// Notifications on their way to become messages: written with what they tell of, planned in batches, escalated when nobody
// answers.
//
// Writing is one insert in the caller's transaction and waits for nobody. Planning folds what is new over the channels' plans;
// planners of several processes take turns at those rows, so a plan is never folded twice. What is done here is decided by
// src/notify; this file reads, asks, and writes.
import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { type Notification, type NotificationDraft, notificationOf } from '../../notify/notification.ts';
import { ChannelPlan, EMPTY_PLAN, type Placement, type PlanState } from '../../notify/plan.ts';
import {
  escalationOf,
  groupKeyOf,
  type Legs,
  legsOf,
  levelDueMs,
  type Silence,
  silenceOf,
} from '../../notify/routing.ts';
import type { NotificationSettings } from '../../notify/settings.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';
import { activeSilences } from './silences.ts';

type Tx = Kysely<Database>;

export interface Planned {
  readonly notifications: number;
  readonly silenced: number;
  readonly unrouted: number;
  /** By channel: messages that were begun, and notifications that joined one. */
  readonly begun: ReadonlyMap<string, number>;
  readonly joined: ReadonlyMap<string, number>;
}

interface Placed {
  readonly notification: Notification;
  readonly silence: Silence | null;
  readonly legs: Legs;
  readonly placements: readonly (Placement & { readonly channel: string })[];
}

/** Rows of one insert: a statement has at most 65,535 parameters. */
const ROWS_AT_ONCE = 1000;
const ESCALATION_BATCH = 200;

/**
 * Writes what is to be told; an id that is known already is left as it is.
 *
 * @returns how many were new
 * @throws InputError where a draft is not what it should be
 */
export async function enqueueNotifications(tx: Tx, drafts: readonly NotificationDraft[]): Promise<number> {
  const rows = drafts.map(notificationOf).map((body) => ({
    ...{ id: body.id, kind: body.kind, severity: body.severity, body: JSON.stringify(body) },
    ...{ subject_kind: body.subject?.kind ?? null, subject_id: body.subject?.id ?? null, at_ms: body.atMs },
    ...{ state: 'new' as const, silence_id: null, ladder: null, level: 0, escalate_at_ms: null },
    ...{ acknowledged_ms: null, acknowledged_by: null },
  }));
  let written = 0;
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const inserted = await tx
      .insertInto('notifications')
      .values(rows.slice(from, from + ROWS_AT_ONCE))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    written += Number(inserted.numInsertedOrUpdatedRows ?? 0);
  }
  return written;
}

/** Makes messages of what is new, oldest first. @param most notifications at once */
export function planNew(
  store: RecordStore,
  settings: NotificationSettings,
  nowMs: number,
  most: number,
): Promise<Planned> {
  return store.transact(async (tx) => {
    const found = await tx
      .selectFrom('notifications')
      .select('body')
      .where('state', '=', 'new')
      .orderBy('at_ms')
      .orderBy('id')
      .limit(most)
      .forUpdate()
      .skipLocked()
      .execute();
    const notifications = found.map(({ body }) => body);
    if (notifications.length === 0) return summaryOf([]);
    const states = await lockPlans(tx, Object.keys(settings.channels));
    const silences = await activeSilences(tx, nowMs);

    const gone = new Set<string>();
    for (;;) {
      const { placed, plans } = foldAll(notifications, settings, silences, states, gone, nowMs);
      const sent = await sentAlready(tx, placed);
      if (sent.length === 0) {
        await writePlanned(tx, settings, placed, plans, nowMs);
        return summaryOf(placed);
      }
      // Each turn takes at least one summary away, so this ends.
      for (const id of sent) gone.add(id);
    }
  });
}

/** Tells the next level of what nobody acknowledged in time. @returns how many were escalated */
export function escalateDue(store: RecordStore, settings: NotificationSettings, nowMs: number): Promise<number> {
  return store.transact(async (tx) => {
    const rows = await tx
      .selectFrom('notifications')
      .select(['id', 'body', 'ladder', 'level'])
      .where('escalate_at_ms', '<=', nowMs)
      .orderBy('escalate_at_ms')
      .orderBy('id')
      .limit(ESCALATION_BATCH)
      .forUpdate()
      .skipLocked()
      .execute();
    const drafts: NotificationDraft[] = [];
    for (const { id, body, ladder: name, level } of rows) {
      const ladder = settings.ladders.find((each) => each.name === name);
      // A ladder that was taken away, or became shorter, ends here.
      const isThere = ladder !== undefined && level < ladder.levels.length;
      if (isThere) drafts.push(escalationOf(body, ladder, level, nowMs));
      await tx
        .updateTable('notifications')
        .set({ level: level + 1, escalate_at_ms: isThere ? levelDueMs(ladder, level + 1, nowMs) : null })
        .where('id', '=', id)
        .execute();
    }
    await enqueueNotifications(tx, drafts);
    return drafts.length;
  });
}

/** One by its id (or that of an escalation of it), or all that tell of a thing, or of several of a kind. */
export type Acknowledged =
  | { readonly id: string }
  | { readonly subject: { readonly kind: string; readonly id: string } }
  | { readonly subjects: { readonly kind: string; readonly ids: readonly string[] } };

/** Nobody is told further of it. @returns ids of those that were open until now */
export async function acknowledge(tx: Tx, what: Acknowledged, by: string, atMs: number): Promise<readonly string[]> {
  const query = tx
    .updateTable('notifications')
    .set({ acknowledged_ms: atMs, acknowledged_by: by, escalate_at_ms: null })
    .where('acknowledged_ms', 'is', null);
  const ofSubjects = (kind: string, ids: readonly string[]) =>
    query.where('subject_kind', '=', kind).where('subject_id', '=', sql<string>`ANY(${ids}::text[])`);
  const chosen =
    'id' in what
      ? query.where('id', 'in', [what.id, what.id.replace(/~\d+$/, '')])
      : 'subject' in what
        ? ofSubjects(what.subject.kind, [what.subject.id])
        : ofSubjects(what.subjects.kind, what.subjects.ids);
  const rows = await chosen.returning('id').execute();
  return rows.map(({ id }) => id).sort();
}

/** Of a channel and what begins it: the same wherever and whenever it is computed. */
export function messageIdOf(channel: string, beginning: string): string {
  return `m-${createHash('sha256').update(`${channel}\0${beginning}`).digest('hex').slice(0, 32)}`;
}

/** The plans of the channels; nobody else plans until the transaction ends. */
async function lockPlans(tx: Tx, channels: readonly string[]): Promise<Map<string, PlanState>> {
  if (channels.length === 0) return new Map();
  const rows = channels.map((channel) => ({ channel, state: JSON.stringify(EMPTY_PLAN), version: 0 }));
  await tx
    .insertInto('notification_plans')
    .values(rows)
    .onConflict((conflict) => conflict.column('channel').doNothing())
    .execute();
  const plans = await tx
    .selectFrom('notification_plans')
    .select(['channel', 'state'])
    .where('channel', 'in', channels)
    .orderBy('channel')
    .forUpdate()
    .execute();
  return new Map(plans.map(({ channel, state }) => [channel, state]));
}

function foldAll(
  notifications: readonly Notification[],
  { routes, channels }: NotificationSettings,
  silences: readonly Silence[],
  states: ReadonlyMap<string, PlanState>,
  gone: ReadonlySet<string>,
  nowMs: number,
): { placed: Placed[]; plans: Map<string, ChannelPlan> } {
  const plans = new Map(
    Object.entries(channels).map(([name, channel]) => {
      return [name, new ChannelPlan(states.get(name) ?? EMPTY_PLAN, channel, nowMs, gone)];
    }),
  );
  const placed = notifications.map((notification) => {
    const silence = silenceOf(silences, notification, nowMs);
    const none: Legs = { legs: [], ladder: null };
    const legs = silence === null ? legsOf(routes, plans, notification, nowMs) : none;
    const placements = legs.legs.map((leg) => {
      const groupKey = groupKeyOf(leg, notification);
      const messageId = messageIdOf(leg.channel, notification.id);
      const { groupWindowMs } = leg.route;
      const request = { notification, groupKey, groupWindowMs, messageId };
      return { channel: leg.channel, ...plans.get(leg.channel)!.place(request) };
    });
    return { notification, silence, legs, placements };
  });
  return { placed, plans };
}

/** Summaries that were to be joined and have been sent, or are being sent; the others are held still. */
async function sentAlready(tx: Tx, placed: readonly Placed[]): Promise<string[]> {
  const placements = placed.flatMap((each) => each.placements);
  const begun = new Set(placements.filter(({ kind }) => kind !== 'joined').map(({ messageId }) => messageId));
  const joined = new Set(placements.map(({ messageId }) => messageId).filter((id) => !begun.has(id)));
  if (joined.size === 0) return [];
  const held = await tx
    .selectFrom('notification_messages')
    .select('id')
    .where('id', 'in', [...joined])
    .where('state', '=', 'pending')
    .where('attempts', '=', 0)
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const { id } of held) joined.delete(id);
  return [...joined];
}

async function writePlanned(
  tx: Tx,
  settings: NotificationSettings,
  placed: readonly Placed[],
  plans: ReadonlyMap<string, ChannelPlan>,
  nowMs: number,
): Promise<void> {
  const all = placed.flatMap(({ notification, placements }) => placements.map((each) => ({ notification, ...each })));
  const messages = all
    .filter(({ kind }) => kind !== 'joined')
    .map(({ messageId, channel, dueMs }) => ({
      ...{ id: messageId, channel, state: 'pending' as const, due_ms: dueMs, attempts: 0, created_ms: nowMs },
      ...{ ended_ms: null, last_problem: null, takes_over: null },
    }));
  const members = all.map(({ messageId, notification: { id, atMs } }) => {
    return { message_id: messageId, notification_id: id, at_ms: atMs };
  });
  for (let from = 0; from < all.length; from += ROWS_AT_ONCE) {
    const some = messages.slice(from, from + ROWS_AT_ONCE);
    if (some.length > 0) await tx.insertInto('notification_messages').values(some).execute();
    await tx
      .insertInto('notification_members')
      .values(members.slice(from, from + ROWS_AT_ONCE))
      .execute();
  }
  const channels = [...new Set(all.map(({ channel }) => channel))].sort();
  for (const channel of channels) {
    await tx
      .updateTable('notification_plans')
      .set((row) => ({ state: JSON.stringify(plans.get(channel)!.state()), version: row('version', '+', 1) }))
      .where('channel', '=', channel)
      .execute();
  }
  await writeStates(tx, settings, placed, nowMs);
}

async function writeStates(
  tx: Tx,
  { ladders }: NotificationSettings,
  placed: readonly Placed[],
  nowMs: number,
): Promise<void> {
  const ids = placed.map(({ notification }) => notification.id);
  const states = placed.map(({ silence, placements }) => {
    return silence !== null ? 'silenced' : placements.length === 0 ? 'unrouted' : 'planned';
  });
  const ladderOf = (name: string | null) => ladders.find((each) => each.name === name);
  const due = placed.map(({ legs }) => {
    const ladder = ladderOf(legs.ladder);
    return ladder === undefined ? null : levelDueMs(ladder, 0, nowMs);
  });
  // What was acknowledged before it was planned needs nobody any more.
  await sql`
    UPDATE notifications AS n
    SET state = p.state, silence_id = p.silence_id, ladder = p.ladder,
        escalate_at_ms = CASE WHEN n.acknowledged_ms IS NULL THEN p.due_ms END
    FROM UNNEST(
      ${ids}::text[], ${states}::text[], ${placed.map(({ silence }) => silence?.id ?? null)}::text[],
      ${placed.map(({ legs }) => legs.ladder)}::text[], ${due}::bigint[]
    ) AS p(id, state, silence_id, ladder, due_ms)
    WHERE n.id = p.id`.execute(tx);
}

function summaryOf(placed: readonly Placed[]): Planned {
  const begun = new Map<string, number>();
  const joined = new Map<string, number>();
  for (const { channel, kind } of placed.flatMap(({ placements }) => placements)) {
    const counts = kind === 'joined' ? joined : begun;
    counts.set(channel, (counts.get(channel) ?? 0) + 1);
  }
  const silenced = placed.filter(({ silence }) => silence !== null).length;
  const unrouted = placed.filter(({ silence, placements }) => silence === null && placements.length === 0).length;
  return { notifications: placed.length, silenced, unrouted, begun, joined };
}
