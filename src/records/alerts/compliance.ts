// The track of compliance: operación inusual → sospechosa → ROS, or descartada (Res. SBS 2660-2015). A file of its own for each
// case, which only those with `cases:confidential` read; the case, its version and what others see of it stay as they are.
//
// An analyst refers a case and gets the same answer whether compliance knows of it already or not.
import { sql } from 'kysely';
import {
  type ComplianceState,
  type ComplianceStep,
  judgeComplianceStep,
  seesConfidential,
} from '../../alerts/case-life.ts';
import { rosDueMs } from '../../alerts/service-levels.ts';
import { cleanText } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, type Done, demandChanged, doerOf, notFound, type Tx, writeHistory } from './act.ts';
import { ask } from './case-requests.ts';
import type { CaseFileTable, CaseRequestTable } from './tables.ts';

export interface FileStepDraft {
  readonly step: Exclude<ComplianceStep, 'refer'>;
  readonly reason: string;
  /** The UIF's number of the report; with `report` alone. */
  readonly rosNumber: string | null;
}

const MOST_REASON = 2_000;
const ROS_NUMBER = /^[A-Za-z0-9][A-Za-z0-9/.-]{0,39}$/;

/** Tells compliance of a case. What becomes of it is not told. */
export async function referCase(tx: Tx, caseId: string, reason: string, act: Act): Promise<Done<null>> {
  const { to } = judgeComplianceStep(null, 'refer', doerOf(act), reason);
  const row = await tx
    .selectFrom('cases')
    .select(['id', 'merged_into', 'transactions'])
    .where('id', '=', caseId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('case', caseId);
  const id = row.merged_into ?? row.id;
  if (await isKnown(tx, id)) {
    if (!seesConfidential(act.permissions)) return { result: null, audit: [] };
    throw new InputError('CASE_STATE_CONFLICT', `Compliance knows of '${id}' already`, "See the case's file");
  }
  const requestId = await ask(tx, act, {
    ...{ case_id: id, file_id: null, step: 'refer', to_state: to, detail: {}, is_confidential: true },
    ...{ reason: cleanText(reason, MOST_REASON, 'reason'), seen_transactions: row.transactions },
  });
  return {
    result: null,
    audit: [auditDraft(act, 'compliance.step-requested', { kind: 'case-request', id: requestId })],
  };
}

/** Also of what became part of the case before anybody had decided it. */
async function isKnown(tx: Tx, caseId: string): Promise<boolean> {
  if ((await fileOf(tx, caseId)) !== undefined) return true;
  const waiting = await tx
    .selectFrom('case_requests')
    .select('id')
    .where('case_id', 'in', sql<string>`(SELECT id FROM cases WHERE id = ${caseId} OR merged_into = ${caseId})`)
    .where('status', '=', 'waiting')
    .where('is_confidential', '=', true)
    .executeTakeFirst();
  return waiting !== undefined;
}

function fileOf(tx: Tx, caseId: string) {
  return tx.selectFrom('case_files').select('id').where('case_id', '=', caseId).executeTakeFirst();
}

/** @returns the request's id: each step waits for a second person */
export async function stepFile(tx: Tx, fileId: string, draft: FileStepDraft, act: Act): Promise<Done<string>> {
  const file = await lockFile(tx, fileId, act);
  const { to } = judgeComplianceStep(file.state, draft.step, doerOf(act), draft.reason);
  const { rosNumber } = draft;
  if ((draft.step === 'report') !== (rosNumber !== null) || (rosNumber !== null && !ROS_NUMBER.test(rosNumber))) {
    throw new InputError(
      'ROS_NUMBER_INVALID',
      'The number of the ROS is missing or none',
      "Give the UIF's number with 'report'",
    );
  }
  const waiting = await tx
    .selectFrom('case_requests')
    .select('id')
    .where('file_id', '=', fileId)
    .where('status', '=', 'waiting')
    .executeTakeFirst();
  if (waiting !== undefined) {
    const what = `The file '${fileId}' waits for a second person's say`;
    throw new InputError('CASE_WAITS', what, 'Decide the request, or take it back');
  }
  const result = await ask(tx, act, {
    ...{ case_id: file.case_id, file_id: fileId, step: draft.step, to_state: to, is_confidential: true },
    ...{ reason: cleanText(draft.reason, MOST_REASON, 'reason'), detail: { rosNumber }, seen_transactions: 0 },
  });
  return { result, audit: [auditDraft(act, 'compliance.step-requested', { kind: 'case-request', id: result })] };
}

/** What was asked for and approved. */
export async function applyFileStep(tx: Tx, request: CaseRequestTable, act: Act): Promise<Done<null>> {
  const to = request.to_state as ComplianceState;
  if (request.step === 'refer') return openFile(tx, request, act);
  const file = await lockFile(tx, request.file_id ?? '', act);
  const rosNumber = typeof request.detail.rosNumber === 'string' ? request.detail.rosNumber : null;
  const { numUpdatedRows } = await tx
    .updateTable('case_files')
    .set({ ...columnsOf(to, rosNumber, act.atMs), state: to, version: file.version + 1 })
    .where('id', '=', file.id)
    .where('version', '=', file.version)
    .executeTakeFirst();
  demandChanged(numUpdatedRows, 'file', file.id);
  await tellHistory(tx, file.case_id, file.state, to, request.reason, act);
  return { result: null, audit: [auditDraft(act, `compliance.${request.step}`, { kind: 'case-file', id: file.id })] };
}

/** The 24 hours of a ROS begin when the second person has said yes: then the operation is qualified as suspicious. */
function columnsOf(to: ComplianceState, rosNumber: string | null, atMs: number): Partial<CaseFileTable> {
  switch (to) {
    case 'unusual':
      return { qualified_ms: null, ros_due_ms: null, discarded_ms: null };
    case 'suspicious':
      return { qualified_ms: atMs, ros_due_ms: rosDueMs(atMs) };
    case 'reported':
      return { reported_ms: atMs, ros_number: rosNumber };
    case 'discarded':
      return { discarded_ms: atMs };
  }
}

async function openFile(tx: Tx, request: CaseRequestTable, act: Act): Promise<Done<null>> {
  // Merged meanwhile: the file is of the case that remains.
  const row = await tx
    .selectFrom('cases')
    .select(['id', 'merged_into'])
    .where('id', '=', request.case_id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('case', request.case_id);
  const [id, caseId] = [act.newId(), row.merged_into ?? row.id];
  const known = await fileOf(tx, caseId);
  if (known !== undefined)
    return { result: null, audit: [auditDraft(act, 'compliance.refer', { kind: 'case-file', id: known.id })] };
  const nothing = { qualified_ms: null, ros_due_ms: null, reported_ms: null, ros_number: null, discarded_ms: null };
  const file = { id, case_id: caseId, state: 'unusual', referred_ms: request.requested_ms, version: 1 } as const;
  await tx
    .insertInto('case_files')
    .values({ ...file, ...nothing })
    .execute();
  await tellHistory(tx, caseId, null, 'unusual', request.reason, act);
  return { result: null, audit: [auditDraft(act, 'compliance.refer', { kind: 'case-file', id })] };
}

function tellHistory(
  tx: Tx,
  caseId: string,
  from: ComplianceState | null,
  to: ComplianceState,
  reason: string,
  act: Act,
) {
  return writeHistory(tx, act, [{ caseId, what: 'compliance', from, to, reason, isConfidential: true }]);
}

async function lockFile(tx: Tx, id: string, act: Act): Promise<CaseFileTable> {
  if (!seesConfidential(act.permissions)) throw notFound('file', id);
  const file = await tx.selectFrom('case_files').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (file === undefined) throw notFound('file', id);
  return file;
}

/** A case's files; nothing to those who may not know of them. After a merge a case may have several. */
export async function filesOfCase(
  db: Tx,
  caseId: string,
  permissions: ReadonlySet<string>,
): Promise<readonly CaseFileTable[]> {
  if (!seesConfidential(permissions)) return [];
  return db
    .selectFrom('case_files')
    .selectAll()
    .where('case_id', '=', caseId)
    .orderBy('referred_ms')
    .orderBy('id')
    .execute();
}
