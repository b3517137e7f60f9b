// Changes of the live model with four eyes: proposed by one, approved or refused by another person, sent to the stream.
//
// Whoever made a key and its key are one: neither approves what the other proposed.
import { cleanText } from '../../alerts/written-text.ts';
import type { ControlRecord } from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, byColumns, type Done, demandChanged, notFound, type Tx } from '../alerts/act.ts';
import { type Page, pageOf, readCursor } from '../alerts/paging.ts';
import type { ModelChangeState, ModelChangeTable } from './tables.ts';

const MOST_REASON = 2_000;

/** What is to decide. */
export interface ProposedChange {
  /** false: thresholds alone are changed, those of `model`. */
  readonly setsModel: boolean;
  readonly model: string | null;
  /** null: the model's own. */
  readonly thresholds: { readonly reviewAtRisk: number; readonly holdAtRisk: number } | null;
}

/** @returns its id @throws InputError MODEL_CHANGE_WAITS */
export async function proposeModelChange(
  tx: Tx,
  { setsModel, model, thresholds }: ProposedChange,
  reason: string,
  act: Act,
): Promise<Done<string>> {
  const waiting = await tx.selectFrom('model_changes').select('id').where('state', '=', 'proposed').executeTakeFirst();
  if (waiting !== undefined) {
    const what = `The change '${waiting.id}' waits for a second person`;
    throw new InputError('MODEL_CHANGE_WAITS', what, 'Have it decided or withdrawn first');
  }
  const id = act.newId();
  const open = { decided_ms: null, decided_by: null, decided_by_name: null, comment: null, sent_ms: null, version: 1 };
  await tx
    .insertInto('model_changes')
    .values({
      ...{ id, model, reason: cleanText(reason, MOST_REASON, 'reason'), state: 'proposed', created_ms: act.atMs },
      ...{ sets_model: setsModel, review_at_risk: thresholds?.reviewAtRisk ?? null },
      ...{ hold_at_risk: thresholds?.holdAtRisk ?? null, ...byColumns(act), ...open },
    })
    .execute();
  const detail = { setsModel, model, thresholds };
  return { result: id, audit: [auditDraft(act, 'model.change-proposed', { kind: 'model-change', id }, detail)] };
}

/** As it was proposed. */
export function changeAsked(row: ModelChangeTable): ProposedChange {
  const { model, sets_model: setsModel, review_at_risk: reviewAtRisk, hold_at_risk: holdAtRisk } = row;
  return {
    ...{ setsModel, model },
    thresholds: reviewAtRisk === null || holdAtRisk === null ? null : { reviewAtRisk, holdAtRisk },
  };
}

/** As the stream takes it. A model comes with what was approved for it: its own thresholds, or others. */
export function controlOf({ setsModel, model, thresholds }: ProposedChange): ControlRecord {
  const named = model === null || thresholds === null ? null : { model, ...thresholds };
  return { ...(setsModel && { model }), thresholds: named };
}

/** @throws InputError NOT_FOUND */
export async function getModelChange(db: Tx, id: string): Promise<ModelChangeTable> {
  const row = await db.selectFrom('model_changes').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('model change', id);
  return row;
}

/** Newest first. */
export async function listModelChanges(
  db: Tx,
  state: ModelChangeState | null,
  cursor: string | null,
  limit: number,
): Promise<Page<ModelChangeTable>> {
  let query = db.selectFrom('model_changes').selectAll().orderBy('created_ms', 'desc').orderBy('id', 'desc');
  if (state !== null) query = query.where('state', '=', state);
  if (cursor !== null) {
    const [createdMs, id] = readCursor(cursor, 'model-changes');
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_ms', 'id'), '<', tuple(createdMs, id)));
  }
  const rows = await query.limit(limit + 1).execute();
  return pageOf(rows, limit, 'model-changes', ({ created_ms, id }) => [created_ms, id]);
}

/**
 * The second person's say.
 *
 * @throws InputError SECOND_PERSON_NEEDED, REQUEST_DECIDED, VERSION_CONFLICT, NOT_FOUND; MODEL_CHANGE_ON_ITS_WAY for thresholds
 *   while an approved change is not sent, for it may be of the model
 */
export async function decideModelChange(
  tx: Tx,
  id: string,
  isApproved: boolean,
  comment: string,
  seen: number,
  act: Act,
): Promise<Done<ModelChangeTable>> {
  const row = await demandWaiting(tx, id);
  await demandSecondPerson(tx, row, act);
  if (isApproved && !row.sets_model) await demandNothingOnItsWay(tx);
  const state = isApproved ? ('approved' as const) : ('refused' as const);
  const said = isApproved && comment === '' ? null : cleanText(comment, MOST_REASON, 'comment');
  const decided = { state, decided_ms: act.atMs, decided_by: act.by.id, decided_by_name: act.by.name, comment: said };
  const result = await change(tx, row, decided, seen);
  const detail = { ...changeAsked(row), proposedBy: row.by_id };
  return { result, audit: [auditDraft(act, `model.change-${state}`, { kind: 'model-change', id }, detail)] };
}

/** By who made it. @throws InputError FORBIDDEN, REQUEST_DECIDED, VERSION_CONFLICT, NOT_FOUND */
export async function withdrawModelChange(tx: Tx, id: string, seen: number, act: Act): Promise<Done<ModelChangeTable>> {
  const row = await demandWaiting(tx, id);
  if (row.by_id !== act.by.id) {
    throw new InputError('FORBIDDEN', 'A proposal is withdrawn by who made it', 'Refuse it instead');
  }
  const result = await change(tx, row, { state: 'withdrawn', decided_ms: act.atMs }, seen);
  const subject = { kind: 'model-change', id };
  return { result, audit: [auditDraft(act, 'model.change-withdrawn', subject, { model: row.model })] };
}

/** Approved, and not yet on the stream; in the order of their approvals. */
export async function changesToSend(db: Tx, limit: number): Promise<readonly ModelChangeTable[]> {
  const query = db.selectFrom('model_changes').selectAll().where('state', '=', 'approved');
  return await query.orderBy('decided_ms').orderBy('id').limit(limit).execute();
}

/** Once it is on the stream. */
export async function markSent(tx: Tx, id: string, act: Act): Promise<Done<boolean>> {
  const { numUpdatedRows } = await tx
    .updateTable('model_changes')
    .set(({ eb }) => ({ state: 'sent' as const, sent_ms: act.atMs, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'approved')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return { result: false, audit: [] };
  return { result: true, audit: [auditDraft(act, 'model.change-sent', { kind: 'model-change', id })] };
}

async function demandWaiting(tx: Tx, id: string): Promise<ModelChangeTable> {
  const row = await getModelChange(tx, id);
  if (row.state === 'proposed') return row;
  throw new InputError('REQUEST_DECIDED', `The change '${id}' is ${row.state}`, 'Propose it anew');
}

async function demandNothingOnItsWay(tx: Tx): Promise<void> {
  const [approved] = await changesToSend(tx, 1);
  if (approved === undefined) return;
  const what = `The change '${approved.id}' was approved and is not sent yet`;
  throw new InputError('MODEL_CHANGE_ON_ITS_WAY', what, 'Approve again in a moment');
}

async function demandSecondPerson(tx: Tx, { by_kind, by_id }: ModelChangeTable, { by }: Act): Promise<void> {
  const key =
    by_kind !== 'api-key'
      ? undefined
      : await tx.selectFrom('api_keys').select('made_by').where('id', '=', by_id).executeTakeFirst();
  if (by.kind === 'user' && by.id !== by_id && by.id !== key?.made_by) return;
  const what = 'A change of the live model is decided by another person than who proposed it';
  throw new InputError('SECOND_PERSON_NEEDED', what, 'Ask a colleague');
}

async function change(
  tx: Tx,
  row: ModelChangeTable,
  changes: Partial<ModelChangeTable>,
  seen: number,
): Promise<ModelChangeTable> {
  const version = seen + 1;
  const { numUpdatedRows } = await tx
    .updateTable('model_changes')
    .set({ ...changes, version })
    .where('id', '=', row.id)
    .where('version', '=', seen)
    .where('state', '=', 'proposed')
    .executeTakeFirst();
  demandChanged(numUpdatedRows, 'model change', row.id);
  return { ...row, ...changes, version };
}
