// One case with all that hangs on it. Every question takes the permissions of who asks: what is confidential is left out of rows
// and of counts alike. A case that was merged is read under its old id as what it has become.
import { type ExpressionBuilder, sql } from 'kysely';
import { type ComplianceState, seesConfidential, stateSeen } from '../../alerts/case-life.ts';
import type { Database } from '../database.ts';
import { notFound, type Tx } from './act.ts';
import type { AlertRow, CaseRow } from './case-rows.ts';
import { filesOfCase } from './compliance.ts';
import { MOST_PAGE, type Page, pageOf, readCursor } from './paging.ts';
import type { CaseAttachmentTable, CaseCommentTable, CaseFileTable, CaseHistoryTable } from './tables.ts';

export interface CaseView {
  readonly row: CaseRow;
  /** The case that was asked for, where it has become part of this one. */
  readonly redirectedFrom: string | null;
  /** What the list shows: compliance's for those who may know. */
  readonly stateSeen: CaseRow['state'] | ComplianceState;
  /** Ids of cases that became part of it. */
  readonly tookIn: readonly string[];
  readonly files: readonly CaseFileTable[];
  readonly comments: number;
  readonly attachments: number;
  /** Whether a second person's say is waited for. */
  readonly isWaiting: boolean;
}

type Permissions = ReadonlySet<string>;

/** @throws InputError NOT_FOUND */
export async function getCase(db: Tx, id: string, permissions: Permissions): Promise<CaseView> {
  const found = await db.selectFrom('cases').selectAll().where('id', '=', id).executeTakeFirst();
  if (found === undefined) throw notFound('case', id);
  const target = found.merged_into ?? id;
  const row =
    target === id ? found : await db.selectFrom('cases').selectAll().where('id', '=', target).executeTakeFirstOrThrow();
  const tookIn = await db.selectFrom('cases').select('id').where('merged_into', '=', target).orderBy('id').execute();
  const files = await filesOfCase(db, target, permissions);
  const counted = async (table: 'case_comments' | 'case_attachments' | 'case_requests') => {
    let query = db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where(ofCase(target));
    if (table === 'case_attachments') query = query.where(sql<boolean>`removed_ms IS NULL`);
    if (table === 'case_requests') query = query.where(sql<boolean>`status = 'waiting'`);
    if (!seesConfidential(permissions)) query = query.where('is_confidential', '=', false);
    return Number((await query.executeTakeFirstOrThrow()).count);
  };
  return {
    ...{ row: row as CaseRow, redirectedFrom: target === id ? null : id, tookIn: tookIn.map((each) => each.id), files },
    stateSeen: stateSeen(row.state, files.at(-1)?.state ?? null, permissions),
    ...{ comments: await counted('case_comments'), attachments: await counted('case_attachments') },
    isWaiting: (await counted('case_requests')) > 0,
  };
}

type Hanging = 'case_comments' | 'case_attachments' | 'case_requests' | 'case_history';

/** Rows of a case and of those that became part of it. */
function ofCase(id: string) {
  return ({ eb }: ExpressionBuilder<Database, Hanging>) =>
    eb('case_id', 'in', sql<string>`(SELECT id FROM cases WHERE id = ${id} OR merged_into = ${id})`);
}

/** Oldest first; a page costs the same wherever it is. */
export async function caseHistory(
  db: Tx,
  id: string,
  permissions: Permissions,
  cursor: string | null,
  limit: number,
): Promise<Page<CaseHistoryTable>> {
  const size = Math.min(Math.max(1, limit), MOST_PAGE);
  let query = db.selectFrom('case_history').selectAll().where(ofCase(id));
  if (!seesConfidential(permissions)) query = query.where('is_confidential', '=', false);
  if (cursor !== null) {
    const [atMs, last] = readCursor(cursor, 'history');
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('at_ms', 'id'), '>', tuple(atMs, last)));
  }
  const rows = await query
    .orderBy('at_ms')
    .orderBy('id')
    .limit(size + 1)
    .execute();
  return pageOf(rows, size, 'history', (row) => [row.at_ms, row.id]);
}

export interface CommentView extends CaseCommentTable {
  /** What it was before, oldest first. */
  readonly earlier: readonly { readonly version: number; readonly body: string; readonly until_ms: number }[];
}

export async function caseComments(db: Tx, id: string, permissions: Permissions): Promise<readonly CommentView[]> {
  let query = db.selectFrom('case_comments').selectAll().where(ofCase(id));
  if (!seesConfidential(permissions)) query = query.where('is_confidential', '=', false);
  const comments = await query.orderBy('at_ms').orderBy('id').execute();
  const edited = comments.filter(({ version }) => version > 1).map((comment) => comment.id);
  const versions =
    edited.length === 0
      ? []
      : await db
          .selectFrom('case_comment_versions')
          .selectAll()
          .where('comment_id', 'in', edited)
          .orderBy('version')
          .execute();
  return comments.map((comment) => ({
    ...comment,
    earlier: versions.filter(({ comment_id }) => comment_id === comment.id),
  }));
}

export async function caseAttachments(
  db: Tx,
  id: string,
  permissions: Permissions,
): Promise<readonly CaseAttachmentTable[]> {
  let query = db.selectFrom('case_attachments').selectAll().where(ofCase(id)).where('removed_ms', 'is', null);
  if (!seesConfidential(permissions)) query = query.where('is_confidential', '=', false);
  return query.orderBy('at_ms').orderBy('id').execute();
}

/** @throws InputError NOT_FOUND, also where it is not for who asks */
export async function getAttachment(
  db: Tx,
  attachmentId: string,
  permissions: Permissions,
): Promise<CaseAttachmentTable> {
  const row = await db
    .selectFrom('case_attachments')
    .selectAll()
    .where('id', '=', attachmentId)
    .where('removed_ms', 'is', null)
    .executeTakeFirst();
  if (row === undefined || (row.is_confidential && !seesConfidential(permissions)))
    throw notFound('attachment', attachmentId);
  return row;
}

/** Both ways: those that it names, and those that name it. */
export async function caseRelations(db: Tx, id: string, permissions: Permissions) {
  const own = sql<string>`(SELECT id FROM cases WHERE id = ${id} OR merged_into = ${id})`;
  let query = db
    .selectFrom('case_relations')
    .selectAll()
    .where(({ eb, or }) => or([eb('from_id', 'in', own), eb('to_id', 'in', own)]));
  if (!seesConfidential(permissions)) query = query.where('is_confidential', '=', false);
  return query.orderBy('at_ms').orderBy('from_id').orderBy('to_id').execute();
}

/** The case's alerts, oldest first, and of how many there are more. At most as many as a case takes. */
export async function caseAlerts(db: Tx, id: string, limit: number): Promise<readonly AlertRow[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('case_id', '=', id)
    .where('joined_to', 'is', null)
    .orderBy('event_ms')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows as AlertRow[];
}
