// Alerts as people look for them: pages by urgency or by time, with filters; one alert with what joined it; counts.
//
// Each combination of filters begins at an index (docs/decisions/0030-cases.md). A text is looked for in ids and tags: what it
// finds is bounded before anything is sorted.
import { type SelectQueryBuilder, sql } from 'kysely';
import type { Severity } from '../../alerts/severity.ts';
import type { Database } from '../database.ts';
import { notFound, type Tx } from './act.ts';
import type { AlertRow } from './case-rows.ts';
import { MOST_PAGE, type Page, pageOf, readCursor } from './paging.ts';
import type { AlertState } from './tables.ts';

export interface AlertFilter {
  /** `open`: new and in progress. */
  readonly state?: Exclude<AlertState, 'joined'> | 'open';
  readonly severity?: Severity;
  readonly typology?: string;
  readonly queue?: string;
  /** null: nobody's. */
  readonly assignee?: string | null;
  readonly customer?: string;
  readonly caseId?: string;
  readonly tag?: string;
  /** Céntimos of soles of all its transactions, both ends included. */
  readonly leastSolesMinor?: number;
  readonly mostSolesMinor?: number;
  /** When it came in: from, and before. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Open ones whose decision was due before. */
  readonly dueBeforeMs?: number;
  /** Id of a transaction (or how it begins), customer, payee, card, device, case, or a tag. */
  readonly text?: string;
}

/** `urgency` is of open alerts alone. */
export type AlertOrder = 'urgency' | 'newest';

/** Of each kind of what a text may be; a text that finds more is no search. */
const MOST_FOUND = 1_000;

type AlertQuery = SelectQueryBuilder<Database, 'alerts', AlertRow>;

export async function listAlerts(
  db: Tx,
  filter: AlertFilter,
  order: AlertOrder,
  cursor: string | null,
  limit: number,
): Promise<Page<AlertRow>> {
  const size = Math.min(Math.max(1, limit), MOST_PAGE);
  const key = order === 'urgency' ? 'priority' : 'created_ms';
  let query = filtered(db.selectFrom('alerts').selectAll() as AlertQuery, filter, order);
  if (cursor !== null) {
    const [value, id] = readCursor(cursor, order);
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple(key, 'id'), '<', tuple(value, id)));
  }
  const rows = await query
    .orderBy(key, 'desc')
    .orderBy('id', 'desc')
    .limit(size + 1)
    .execute();
  return pageOf(rows, size, order, (row) => [row[key], row.id]);
}

function filtered(start: AlertQuery, filter: AlertFilter, order: AlertOrder): AlertQuery {
  let query = start;
  const { state, assignee, text, tag } = filter;
  // As literals: an index of some rows is used only where the query says the same as the index does.
  const isOpen = state === 'open' || state === 'new' || state === 'in-progress' || order === 'urgency';
  if (isOpen || filter.dueBeforeMs !== undefined) query = query.where(sql<boolean>`is_open`);
  else query = query.where(sql<boolean>`state <> 'joined'`);
  if (state !== undefined && state !== 'open') query = query.where('state', '=', state);
  if (filter.severity !== undefined) query = query.where('severity', '=', filter.severity);
  if (filter.typology !== undefined) query = query.where('typology', '=', filter.typology);
  if (filter.queue !== undefined) query = query.where('queue', '=', filter.queue);
  if (assignee === null) query = query.where('assignee', 'is', null);
  else if (assignee !== undefined) query = query.where('assignee', '=', assignee);
  if (filter.customer !== undefined) query = query.where('customer_id', '=', filter.customer);
  if (filter.caseId !== undefined) query = query.where('case_id', '=', filter.caseId);
  if (tag !== undefined) query = query.where(sql<boolean>`tags <> '{}' AND tags @> ARRAY[${tag}]::text[]`);
  if (filter.leastSolesMinor !== undefined) query = query.where('total_soles_minor', '>=', filter.leastSolesMinor);
  if (filter.mostSolesMinor !== undefined) query = query.where('total_soles_minor', '<=', filter.mostSolesMinor);
  if (filter.fromMs !== undefined) query = query.where('created_ms', '>=', filter.fromMs);
  if (filter.untilMs !== undefined) query = query.where('created_ms', '<', filter.untilMs);
  if (filter.dueBeforeMs !== undefined) {
    // The first look is due no later than the decision, and the index begins with it.
    query = query.where('decision_due_ms', '<', filter.dueBeforeMs).where('first_look_due_ms', '<', filter.dueBeforeMs);
  }
  return text === undefined ? query : query.where(foundBy(text));
}

/** Ids that a text finds, each kind by its own index; an alert that joined another one finds that one. */
function foundBy(text: string) {
  const newest = sql`ORDER BY created_ms DESC, id DESC LIMIT ${sql.lit(MOST_FOUND)}`;
  const upper = `${text}\u{10ffff}`;
  return sql<boolean>`id IN (
    WITH found AS MATERIALIZED (
      (SELECT id, joined_to FROM alerts WHERE id >= ${text} AND id < ${upper} ORDER BY id LIMIT ${sql.lit(MOST_FOUND)})
      UNION (SELECT id, joined_to FROM alerts WHERE customer_id = ${text} ${newest})
      UNION (SELECT id, joined_to FROM alerts WHERE payee_id = ${text} ${newest})
      UNION (SELECT id, joined_to FROM alerts WHERE card_id = ${text} ${newest})
      UNION (SELECT id, joined_to FROM alerts WHERE device_id = ${text} ${newest})
      UNION (SELECT id, joined_to FROM alerts WHERE case_id = ${text} LIMIT ${sql.lit(MOST_FOUND)})
      UNION (SELECT id, joined_to FROM alerts WHERE tags <> '{}' AND tags @> ARRAY[${text}]::text[] LIMIT ${sql.lit(MOST_FOUND)})
    ) SELECT coalesce(joined_to, id) FROM found)`;
}

export interface AlertWithJoined {
  readonly alert: AlertRow;
  /** Transactions that joined it, newest first; at most so many as an alert takes. */
  readonly joined: readonly AlertRow[];
}

/** @throws InputError NOT_FOUND */
/** Ids of a case's alerts that nobody has decided. @param most oldest first */
export async function openAlertIds(db: Tx, caseId: string, most: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM alerts WHERE case_id = ${caseId} AND is_open ORDER BY id LIMIT ${most}`.execute(db);
  return rows.map(({ id }) => id);
}

export async function getAlert(db: Tx, id: string): Promise<AlertWithJoined> {
  const alert = await db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
  if (alert === undefined) throw notFound('alert', id);
  const joined = await db
    .selectFrom('alerts')
    .selectAll()
    .where('joined_to', '=', id)
    .orderBy('event_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(1_000)
    .execute();
  return { alert: alert as AlertRow, joined: joined as AlertRow[] };
}

/** By queue, state and severity; suppressed ones are a state. */
export function countAlerts(db: Tx) {
  return db
    .selectFrom('alert_counts')
    .selectAll()
    .where('count', '>', 0)
    .orderBy('queue')
    .orderBy('state')
    .orderBy('severity')
    .execute();
}

/** Open alerts whose first look or decision is overdue, by queue. */
export async function countOverdueAlerts(db: Tx, nowMs: number) {
  const { rows } = await sql<{ queue: string; first_look: number; decision: number }>`
    SELECT queue, count(*) FILTER (WHERE first_look_ms IS NULL AND first_look_due_ms < ${nowMs})::integer AS first_look,
      count(*) FILTER (WHERE decision_due_ms < ${nowMs})::integer AS decision
    FROM alerts WHERE is_open AND first_look_due_ms < ${nowMs} GROUP BY queue ORDER BY queue`.execute(db);
  return rows;
}
