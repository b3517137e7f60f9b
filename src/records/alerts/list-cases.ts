// Cases as people look for them: pages by urgency or by time, with filters, and counts. What compliance alone knows is no filter,
// no count and no column here; its own list is `listFiles`.
import { type SelectQueryBuilder, sql } from 'kysely';
import { type CaseState, type ComplianceState, demandPermission, seesConfidential } from '../../alerts/case-life.ts';
import { clockState } from '../../alerts/service-levels.ts';
import type { Severity } from '../../alerts/severity.ts';
import type { Database } from '../database.ts';
import { type Act, doerOf, type Tx } from './act.ts';
import type { CaseRow } from './case-rows.ts';
import { MOST_PAGE, type Page, pageOf, readCursor } from './paging.ts';
import type { CaseFileTable, CaseRequestTable } from './tables.ts';

export interface CaseFilter {
  readonly state?: Exclude<CaseState, 'merged'> | 'open';
  readonly severity?: Severity;
  readonly typology?: string;
  readonly queue?: string;
  /** null: nobody's. */
  readonly assignee?: string | null;
  /** One of whose alerts is in the case. */
  readonly customer?: string;
  readonly tag?: string;
  readonly claimId?: string;
  readonly leastSolesMinor?: number;
  readonly mostSolesMinor?: number;
  /** When it was opened: from, and before. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Open ones whose decision was due before. */
  readonly dueBeforeMs?: number;
  /** Id of a case (also one that was merged), customer, transaction, claim, or a tag. */
  readonly text?: string;
}

const MOST_FOUND = 1_000;

type CaseQuery = SelectQueryBuilder<Database, 'cases', CaseRow>;

export async function listCases(
  db: Tx,
  filter: CaseFilter,
  order: 'urgency' | 'newest',
  cursor: string | null,
  limit: number,
): Promise<Page<CaseRow>> {
  const size = Math.min(Math.max(1, limit), MOST_PAGE);
  const key = order === 'urgency' ? 'priority' : 'opened_ms';
  let query = filtered(db.selectFrom('cases').selectAll() as CaseQuery, filter, order === 'urgency');
  if (cursor !== null) {
    const [value, id] = readCursor(cursor, `cases-${order}`);
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple(key, 'id'), '<', tuple(value, id)));
  }
  const rows = await query
    .orderBy(key, 'desc')
    .orderBy('id', 'desc')
    .limit(size + 1)
    .execute();
  return pageOf(rows, size, `cases-${order}`, (row) => [row[key], row.id]);
}

function filtered(start: CaseQuery, filter: CaseFilter, isByUrgency: boolean): CaseQuery {
  let query = start;
  const { state, assignee, text, tag } = filter;
  const isOpen = state === 'open' || state === 'new' || state === 'in-progress' || isByUrgency;
  if (isOpen || filter.dueBeforeMs !== undefined) query = query.where(sql<boolean>`is_open`);
  else query = query.where(sql<boolean>`state <> 'merged'`);
  if (state !== undefined && state !== 'open') query = query.where('state', '=', state);
  if (filter.severity !== undefined) query = query.where('severity', '=', filter.severity);
  if (filter.typology !== undefined) query = query.where('typology', '=', filter.typology);
  if (filter.queue !== undefined) query = query.where('queue', '=', filter.queue);
  if (assignee === null) query = query.where('assignee', 'is', null);
  else if (assignee !== undefined) query = query.where('assignee', '=', assignee);
  if (filter.customer !== undefined) query = query.where(sql<boolean>`id IN (${casesOfCustomer(filter.customer)})`);
  if (tag !== undefined) query = query.where(sql<boolean>`tags <> '{}' AND tags @> ARRAY[${tag}]::text[]`);
  if (filter.claimId !== undefined) query = query.where('claim_id', '=', filter.claimId);
  if (filter.leastSolesMinor !== undefined) query = query.where('soles_minor', '>=', filter.leastSolesMinor);
  if (filter.mostSolesMinor !== undefined) query = query.where('soles_minor', '<=', filter.mostSolesMinor);
  if (filter.fromMs !== undefined) query = query.where('opened_ms', '>=', filter.fromMs);
  if (filter.untilMs !== undefined) query = query.where('opened_ms', '<', filter.untilMs);
  if (filter.dueBeforeMs !== undefined) query = query.where('decision_due_ms', '<', filter.dueBeforeMs);
  return text === undefined ? query : query.where(foundBy(text));
}

function casesOfCustomer(customer: string) {
  return sql`SELECT case_id FROM (SELECT case_id FROM alerts WHERE customer_id = ${customer}
    ORDER BY created_ms DESC, id DESC LIMIT ${sql.lit(MOST_FOUND)}) AS own WHERE case_id IS NOT NULL`;
}

function foundBy(text: string) {
  const upper = `${text}\u{10ffff}`;
  const most = sql.lit(MOST_FOUND);
  return sql<boolean>`id IN (
    WITH found AS MATERIALIZED (
      (SELECT coalesce(merged_into, id) AS id FROM cases WHERE id >= ${text} AND id < ${upper} ORDER BY cases.id LIMIT ${most})
      UNION (${casesOfCustomer(text)})
      UNION (SELECT case_id FROM alerts WHERE id = ${text} AND case_id IS NOT NULL)
      UNION (SELECT id FROM cases WHERE claim_id = ${text} LIMIT ${most})
      UNION (SELECT id FROM cases WHERE tags <> '{}' AND tags @> ARRAY[${text}]::text[] LIMIT ${most})
    ) SELECT id FROM found)`;
}

/** By queue and state, as everybody may know them. */
export function countCases(db: Tx) {
  return db
    .selectFrom('case_counts')
    .selectAll()
    .where('count', '>', 0)
    .where('state', '<>', 'merged')
    .orderBy('queue')
    .orderBy('state')
    .execute();
}

interface Clocked {
  readonly first_look_due_ms: number;
  readonly decision_due_ms: number;
  readonly first_look_ms: number | null;
}

/** What the clocks of an alert or a case say. @param startMs when they began @param stoppedMs when it was decided */
export function clocksOf(row: Clocked, startMs: number, stoppedMs: number | null, nowMs: number, nearShare: number) {
  const look = { startMs, dueMs: row.first_look_due_ms, stoppedMs: row.first_look_ms ?? stoppedMs };
  const decision = { startMs, dueMs: row.decision_due_ms, stoppedMs };
  return { firstLook: clockState(look, nowMs, nearShare), decision: clockState(decision, nowMs, nearShare) };
}

/** Compliance's own list, newest first. @throws InputError FORBIDDEN */
export async function listFiles(
  db: Tx,
  state: ComplianceState | null,
  cursor: string | null,
  limit: number,
  act: Pick<Act, 'by' | 'permissions'>,
): Promise<Page<CaseFileTable>> {
  demandPermission(doerOf(act as Act), ['cases:confidential']);
  const size = Math.min(Math.max(1, limit), MOST_PAGE);
  let query = db.selectFrom('case_files').selectAll();
  if (state !== null) query = query.where('state', '=', state);
  if (cursor !== null) {
    const [value, id] = readCursor(cursor, 'files');
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('referred_ms', 'id'), '<', tuple(value, id)));
  }
  const rows = await query
    .orderBy('referred_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(size + 1)
    .execute();
  return pageOf(rows, size, 'files', ({ referred_ms, id }) => [referred_ms, id]);
}

/** Files that are suspicious and must be reported before a time, the most pressing first. @throws InputError FORBIDDEN */
export function filesDue(db: Tx, beforeMs: number, limit: number, act: Pick<Act, 'by' | 'permissions'>) {
  demandPermission(doerOf(act as Act), ['cases:confidential']);
  return db
    .selectFrom('case_files')
    .selectAll()
    .where(sql<boolean>`state = 'suspicious'`)
    .where('ros_due_ms', '<', beforeMs)
    .orderBy('ros_due_ms')
    .limit(Math.min(limit, MOST_PAGE))
    .execute();
}

/** What waits for a second person, oldest first; of compliance's for those alone who may know. */
export async function listWaiting(
  db: Tx,
  permissions: ReadonlySet<string>,
  cursor: string | null,
  limit: number,
): Promise<Page<CaseRequestTable>> {
  const size = Math.min(Math.max(1, limit), MOST_PAGE);
  let query = db.selectFrom('case_requests').selectAll().where(sql<boolean>`status = 'waiting'`);
  if (!seesConfidential(permissions)) query = query.where('is_confidential', '=', false);
  if (cursor !== null) {
    const [value, id] = readCursor(cursor, 'waiting');
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('requested_ms', 'id'), '>', tuple(value, id)));
  }
  const rows = await query
    .orderBy('requested_ms')
    .orderBy('id')
    .limit(size + 1)
    .execute();
  return pageOf(rows, size, 'waiting', ({ requested_ms, id }) => [requested_ms, id]);
}
