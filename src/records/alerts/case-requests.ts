// What waits for a second person: it is written down with who asked, for what and why, and decided in case-steps.ts.
import { type Act, byColumns, keepText, type Tx, writeHistory } from './act.ts';
import type { CaseRequestTable } from './tables.ts';

type Asked = Pick<
  CaseRequestTable,
  'case_id' | 'file_id' | 'step' | 'to_state' | 'reason' | 'detail' | 'seen_transactions' | 'is_confidential'
>;

/** @returns the request's id */
export async function ask(tx: Tx, act: Act, asked: Asked): Promise<string> {
  const id = act.newId();
  const open = { status: 'waiting', decided_by: null, decided_name: null, decided_ms: null, comment: null } as const;
  const { case_id: caseId, step, reason, is_confidential: isConfidential } = asked;
  const row = { id, ...asked, requested_ms: act.atMs, ...byColumns(act), ...open };
  await tx
    .insertInto('case_requests')
    .values({ ...row, reason: keepText(act, reason, 'case_requests.reason', id) })
    .execute();
  const to = { step, requestId: id };
  await writeHistory(tx, act, [{ caseId, what: 'asked', from: null, to, reason, isConfidential }]);
  return id;
}
