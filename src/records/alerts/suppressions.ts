// Suppressions of known false alerts: made with a reason and an end, ended before it, and looked at.
import { demandPermission } from '../../alerts/case-life.ts';
import { checkSuppression, type SuppressionScope } from '../../alerts/suppression.ts';
import { cleanText } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, byColumns, type Done, doerOf, keepText, notFound, type Tx } from './act.ts';
import { type Page, pageOf, readCursor } from './paging.ts';
import type { AlertSuppressionTable } from './tables.ts';

const MOST_REASON = 2_000;
/** Of one entity: more would hide it altogether. */
const MOST_OF_ENTITY = 20;

/** @returns the suppression's id */
export async function addSuppression(
  tx: Tx,
  scope: SuppressionScope,
  untilMs: number,
  reason: string,
  act: Act,
): Promise<Done<string>> {
  demandPermission(doerOf(act), ['alerts:work']);
  checkSuppression(scope, untilMs, reason, act.atMs);
  const { entity, entityId, typology, ruleId } = scope;
  const { count } = await tx
    .selectFrom('alert_suppressions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('entity_id', '=', entityId)
    .where('entity', '=', entity)
    .where('until_ms', '>', act.atMs)
    .where('ended_ms', 'is', null)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST_OF_ENTITY) {
    const what = `There are ${MOST_OF_ENTITY} suppressions of this ${entity}`;
    throw new InputError('SUPPRESSIONS_TOO_MANY', what, 'End some of them');
  }
  const id = act.newId();
  const row = { id, entity, entity_id: entityId, typology, rule_id: ruleId, ...byColumns(act), version: 1 };
  const clean = cleanText(reason, MOST_REASON, 'reason');
  const times = {
    from_ms: act.atMs,
    until_ms: untilMs,
    ended_ms: null,
    ended_by: null,
    ended_reason: null,
    suppressed: 0,
    last_ms: null,
  };
  await tx
    .insertInto('alert_suppressions')
    .values({ ...row, ...times, reason: keepText(act, clean, 'alert_suppressions.reason', id) })
    .execute();
  const detail = { entity, entityId, typology, ruleId, untilMs };
  return { result: id, audit: [auditDraft(act, 'alert.suppression-added', { kind: 'suppression', id }, detail)] };
}

/** The alerts are alerts again from now on. */
export async function endSuppression(tx: Tx, id: string, reason: string, act: Act): Promise<Done<null>> {
  demandPermission(doerOf(act), ['alerts:work']);
  const clean = cleanText(reason, MOST_REASON, 'reason');
  const endedReason = keepText(act, clean, 'alert_suppressions.ended_reason', id);
  const ended = { ended_ms: act.atMs, ended_by: act.by.id, ended_reason: endedReason };
  const { numUpdatedRows } = await tx
    .updateTable('alert_suppressions')
    .set(({ eb }) => ({ ...ended, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('ended_ms', 'is', null)
    .where('until_ms', '>', act.atMs)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw notFound('suppression in force', id);
  const subject = { kind: 'suppression', id };
  return { result: null, audit: [auditDraft(act, 'alert.suppression-ended', subject)] };
}

/** Newest first. @param inForceAtMs those alone that count then; null for all */
export async function listSuppressions(
  db: Tx,
  inForceAtMs: number | null,
  cursor: string | null,
  limit: number,
): Promise<Page<AlertSuppressionTable>> {
  let query = db.selectFrom('alert_suppressions').selectAll().orderBy('from_ms', 'desc').orderBy('id', 'desc');
  if (inForceAtMs !== null) {
    query = query
      .where('until_ms', '>', inForceAtMs)
      .where(({ or, eb }) => or([eb('ended_ms', 'is', null), eb('ended_ms', '>', inForceAtMs)]));
  }
  if (cursor !== null) {
    const [fromMs, id] = readCursor(cursor, 'suppressions');
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('from_ms', 'id'), '<', tuple(fromMs, id)));
  }
  return pageOf(await query.limit(limit + 1).execute(), limit, 'suppressions', ({ from_ms, id }) => [from_ms, id]);
}
