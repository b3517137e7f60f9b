// Steps of the track that everybody sees, and the second person's say on both tracks. What waits is decided by somebody else, or
// taken back by who asked.
import {
  type CaseStep,
  demandPermission,
  isOpenCase,
  judgeCaseStep,
  judgeSecond,
  seesConfidential,
} from '../../alerts/case-life.ts';
import type { AlertSettings } from '../../alerts/settings.ts';
import { demandReason } from '../../alerts/suppression.ts';
import { isTypology } from '../../alerts/typology.ts';
import { cleanText } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import {
  type Act,
  auditDraft,
  type Done,
  demandChanged,
  doerOf,
  keepText,
  notFound,
  readText,
  type Tx,
  writeHistory,
} from './act.ts';
import { ask } from './case-requests.ts';
import { changeAlerts, changeState, labelsOf, lockAlert, lockCase } from './case-rows.ts';
import { applyFileStep } from './compliance.ts';
import { CountChanges } from './counts.ts';
import { writeLabels } from './labels.ts';
import type { CaseRequestTable } from './tables.ts';

type StepSettings = Pick<AlertSettings, 'levels' | 'fourEyesGenuineAboveMinor'>;

export interface CaseStepDraft {
  readonly step: CaseStep;
  readonly reason: string;
  /** What it turned out to be; null for what the alerts said. */
  readonly typology: string | null;
  /** The version that was seen; null where it does not matter. */
  readonly version: number | null;
}

/** `waits`: for a second person. */
export type StepResult = { readonly kind: 'done' } | { readonly kind: 'waits'; readonly requestId: string };

const MOST_REASON = 2_000;

/** @throws InputError FORBIDDEN, CASE_STATE_CONFLICT, CASE_WAITS, REASON_MISSING, VERSION_CONFLICT, NOT_FOUND, CASE_MERGED */
export async function stepCase(
  tx: Tx,
  caseId: string,
  draft: CaseStepDraft,
  settings: StepSettings,
  act: Act,
): Promise<Done<StepResult>> {
  const row = await lockCase(tx, caseId, draft.version);
  const subject = { state: row.state, solesMinor: row.soles_minor, unknownAmounts: row.unknown_amounts };
  const verdict = judgeCaseStep(subject, draft.step, doerOf(act), draft.reason, settings.fourEyesGenuineAboveMinor);
  const reason = draft.reason.trim() === '' ? '' : cleanText(draft.reason, MOST_REASON, 'reason');
  demandTypology(draft.typology);
  await demandNothingWaits(tx, caseId);
  if (verdict.kind === 'done') {
    const change = { to: verdict.to, reason, typology: draft.typology, requestedBy: null };
    const { audit } = await changeState(tx, row, change, settings.levels, act);
    return { result: { kind: 'done' }, audit };
  }
  const requestId = await ask(tx, act, {
    ...{ case_id: caseId, file_id: null, step: draft.step, to_state: verdict.to, reason, is_confidential: false },
    ...{ detail: { typology: draft.typology }, seen_transactions: row.transactions },
  });
  const detail = { step: draft.step, requestId, solesMinor: row.soles_minor };
  return {
    result: { kind: 'waits', requestId },
    audit: [auditDraft(act, 'case.close-requested', { kind: 'case', id: caseId }, detail)],
  };
}

async function demandNothingWaits(tx: Tx, caseId: string): Promise<void> {
  const waiting = await tx
    .selectFrom('case_requests')
    .select('id')
    .where('case_id', '=', caseId)
    .where('status', '=', 'waiting')
    .where('is_confidential', '=', false)
    .executeTakeFirst();
  if (waiting === undefined) return;
  const what = `The case '${caseId}' waits for a second person's say`;
  throw new InputError('CASE_WAITS', what, 'Decide the request, or take it back');
}

/**
 * The second person's say.
 *
 * @param comment compulsory where it is refused
 * @throws InputError SECOND_PERSON_NEEDED, CASE_CHANGED where transactions came meanwhile that nobody has looked at
 */
export async function decideRequest(
  tx: Tx,
  requestId: string,
  isApproved: boolean,
  comment: string,
  settings: StepSettings,
  act: Act,
): Promise<Done<null>> {
  const request = await lockRequest(tx, requestId, act);
  const waiting = { requestedBy: request.by_id, isConfidential: request.is_confidential };
  judgeSecond(waiting, doerOf(act), isApproved, comment);
  const clean = comment.trim() === '' ? null : cleanText(comment, MOST_REASON, 'comment');
  await settle(tx, request, isApproved ? 'approved' : 'refused', clean, act);
  const { audit: steps } = isApproved
    ? await applyRequest(tx, request, settings, act)
    : { audit: [] as Done<null>['audit'] };
  const { case_id: caseId, is_confidential: isConfidential, step } = request;
  const what = isApproved ? 'approved' : 'refused';
  const to = { step, requestId };
  const reason = clean === null ? {} : { reason: clean };
  await writeHistory(tx, act, [{ caseId, what, from: null, to, isConfidential, ...reason }]);
  const area = isConfidential ? 'compliance' : 'case';
  const subject = { kind: 'case-request', id: requestId };
  const about = { step, requestedBy: request.by_id, ...(!isConfidential && { caseId }) };
  const said = auditDraft(act, `${area}.step-${what}`, subject, about);
  return { result: null, audit: [said, ...steps] };
}

async function applyRequest(tx: Tx, request: CaseRequestTable, settings: StepSettings, act: Act): Promise<Done<null>> {
  if (request.is_confidential) return applyFileStep(tx, request, act);
  const row = await lockCase(tx, request.case_id);
  const more = row.transactions - request.seen_transactions;
  if (more !== 0) {
    const what = `${more} transactions came into the case '${row.id}' since it was asked for`;
    throw new InputError('CASE_CHANGED', what, 'Refuse it, look at them, and ask again');
  }
  if (!isOpenCase(row.state)) {
    throw new InputError('CASE_STATE_CONFLICT', `The case '${row.id}' is closed already`, 'Refuse the request');
  }
  const typology = typeof request.detail.typology === 'string' ? request.detail.typology : null;
  const change = { to: request.to_state as typeof row.state, reason: request.reason, typology };
  return changeState(tx, row, { ...change, requestedBy: request.by_id }, settings.levels, act);
}

/** Who asked takes it back. */
export async function withdrawRequest(tx: Tx, requestId: string, act: Act): Promise<Done<null>> {
  const request = await tx
    .selectFrom('case_requests')
    .selectAll()
    .where('id', '=', requestId)
    .where('by_id', '=', act.by.id)
    .forUpdate()
    .executeTakeFirst();
  if (request === undefined) throw notFound('request', requestId);
  demandWaiting(request);
  await settle(tx, request, 'withdrawn', null, act);
  const { case_id: caseId, is_confidential: isConfidential, step } = request;
  await writeHistory(tx, act, [{ caseId, what: 'withdrawn', from: null, to: { step, requestId }, isConfidential }]);
  const area = isConfidential ? 'compliance' : 'case';
  return { result: null, audit: [auditDraft(act, `${area}.step-withdrawn`, { kind: 'case-request', id: requestId })] };
}

/** What somebody may not know of is not there. */
async function lockRequest(tx: Tx, id: string, act: Act): Promise<CaseRequestTable> {
  const row = await tx.selectFrom('case_requests').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined || (row.is_confidential && !seesConfidential(act.permissions))) throw notFound('request', id);
  demandWaiting(row);
  return { ...row, reason: readText(act, row.reason, 'case_requests.reason', id) };
}

function demandWaiting({ id, status }: CaseRequestTable): void {
  if (status === 'waiting') return;
  throw new InputError('REQUEST_DECIDED', `The request '${id}' was ${status} already`, 'Nothing is left to decide');
}

async function settle(
  tx: Tx,
  { id }: CaseRequestTable,
  status: CaseRequestTable['status'],
  comment: string | null,
  act: Act,
): Promise<void> {
  const kept = comment === null ? null : keepText(act, comment, 'case_requests.comment', id);
  const decided = { status, comment: kept, decided_by: act.by.id, decided_name: act.by.name, decided_ms: act.atMs };
  const { numUpdatedRows } = await tx
    .updateTable('case_requests')
    .set(decided)
    .where('id', '=', id)
    .where('status', '=', 'waiting')
    .executeTakeFirst();
  demandChanged(numUpdatedRows, 'request', id);
}

export interface AlertDecision {
  readonly outcome: 'fraud' | 'genuine' | 'error';
  readonly typology: string | null;
  readonly reason: string;
}

/**
 * One alert of a case is decided by itself. What would take two people for the case takes them here too: alerts that are decided
 * as genuine one by one count together.
 */
export async function decideAlert(
  tx: Tx,
  alertId: string,
  { outcome, typology, reason }: AlertDecision,
  settings: StepSettings,
  act: Act,
): Promise<Done<null>> {
  demandPermission(doerOf(act), ['alerts:work']);
  demandReason(reason);
  demandTypology(typology);
  const alert = await lockAlert(tx, alertId);
  if (!alert.is_open || alert.case_id === null) {
    const hint = alert.joined_to === null ? 'Reopen its case' : `Decide '${alert.joined_to}'`;
    throw new InputError('ALERT_STATE_CONFLICT', `The alert '${alertId}' is ${alert.state}`, hint);
  }
  const row = await lockCase(tx, alert.case_id);
  await demandNothingWaits(tx, row.id);
  if (outcome === 'genuine') await demandSmall(tx, row.id, alert, settings.fourEyesGenuineAboveMinor);
  const to = `closed-${outcome}` as const;
  const counts = new CountChanges();
  await changeAlerts(tx, [alert], to, act, counts);
  await counts.write(tx);
  const note = cleanText(reason, MOST_REASON, 'reason');
  await writeLabels(tx, await labelsOf(tx, [alert], to, { typology, caseId: row.id, note }), act);
  const change = { caseId: row.id, alertId, what: 'alert-state', from: alert.state, to, reason: note };
  await writeHistory(tx, act, [change]);
  return {
    result: null,
    audit: [auditDraft(act, 'alert.decided', { kind: 'alert', id: alertId }, { outcome, caseId: row.id })],
  };
}

async function demandSmall(
  tx: Tx,
  caseId: string,
  alert: { readonly total_soles_minor: number; readonly unknown_amounts: number },
  mostMinor: number,
): Promise<void> {
  const { decided } = await tx
    .selectFrom('alerts')
    .select(({ fn }) => fn.sum<number | null>('total_soles_minor').as('decided'))
    .where('case_id', '=', caseId)
    .where('state', '=', 'closed-genuine')
    .executeTakeFirstOrThrow();
  const sum = Number(decided ?? 0) + alert.total_soles_minor;
  if (sum <= mostMinor && alert.unknown_amounts === 0) return;
  const what = 'So much money is called genuine by two people';
  throw new InputError('SECOND_PERSON_NEEDED', what, 'Ask for the whole case to be closed as genuine');
}

function demandTypology(typology: string | null): void {
  if (typology === null || isTypology(typology)) return;
  throw new InputError('TYPOLOGY_UNKNOWN', `There is no typology '${typology}'`, 'Use F01–F20 or E01–E15');
}
