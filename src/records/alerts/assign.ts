// Who works on what: taking, giving, giving back, and sharing out what nobody has taken. A case's open alerts go with it.
import { sql } from 'kysely';
import { type AssignmentMethod, type Candidate, shareOut } from '../../alerts/assignment.ts';
import { demandPermission, isOpenCase } from '../../alerts/case-life.ts';
import type { Queue } from '../../alerts/queues.ts';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, type Done, doerOf, type Tx, writeHistory } from './act.ts';
import { type CaseRow, lockAlert, lockCase, updateCase } from './case-rows.ts';

/**
 * Gives a case to somebody, or to nobody. Taking a free one, and giving back one's own, is any analyst's; others' cases are
 * managed.
 *
 * @param assignee id of a user, whom the caller knows; null for nobody
 * @param version the one that was seen; null where it does not matter
 */
export async function assignCase(
  tx: Tx,
  caseId: string,
  assignee: string | null,
  version: number | null,
  act: Act,
): Promise<Done<null>> {
  const row = await lockCase(tx, caseId, version);
  demandMayAssign(row.assignee, assignee, 'cases', act);
  if (!isOpenCase(row.state)) {
    throw new InputError('CASE_STATE_CONFLICT', `The case '${caseId}' is closed`, 'Reopen it first');
  }
  if (row.assignee === assignee) return { result: null, audit: [] };
  await give(tx, row, assignee, act);
  const detail = { from: row.assignee, to: assignee };
  const action = assignee === null ? 'case.unassigned' : 'case.assigned';
  return { result: null, audit: [auditDraft(act, action, { kind: 'case', id: caseId }, detail)] };
}

/** One alert alone; its case stays with whom it was. */
export async function assignAlert(tx: Tx, alertId: string, assignee: string | null, act: Act): Promise<Done<null>> {
  const row = await lockAlert(tx, alertId);
  demandMayAssign(row.assignee, assignee, 'alerts', act);
  if (!row.is_open)
    throw new InputError('ALERT_STATE_CONFLICT', `The alert '${alertId}' is ${row.state}`, 'Choose an open one');
  if (row.assignee === assignee) return { result: null, audit: [] };
  await tx
    .updateTable('alerts')
    .set({ assignee, version: row.version + 1 })
    .where('id', '=', alertId)
    .execute();
  const detail = { from: row.assignee, to: assignee };
  const change = { caseId: row.case_id ?? alertId, alertId, what: 'alert-assignee', ...detail };
  await writeHistory(tx, act, [change]);
  return { result: null, audit: [auditDraft(act, 'alert.assigned', { kind: 'alert', id: alertId }, detail)] };
}

function demandMayAssign(before: string | null, after: string | null, what: 'alerts' | 'cases', act: Act): void {
  const isOwn = (before === null && after === act.by.id) || (before === act.by.id && after === null);
  demandPermission(doerOf(act), [isOwn ? `${what}:work` : 'cases:manage']);
}

async function give(tx: Tx, row: CaseRow, assignee: string | null, act: Act): Promise<void> {
  await updateCase(tx, row, { assignee });
  await sql`UPDATE alerts SET assignee = ${assignee}, version = version + 1
    WHERE case_id = ${row.id} AND is_open AND assignee IS NOT DISTINCT FROM ${row.assignee}`.execute(tx);
  if (assignee !== null) {
    await sql`INSERT INTO case_assignees AS kept (id, last_assigned_ms) VALUES (${assignee}, ${act.atMs})
      ON CONFLICT (id) DO UPDATE SET last_assigned_ms = greatest(kept.last_assigned_ms, excluded.last_assigned_ms)`.execute(
      tx,
    );
  }
  await writeHistory(tx, act, [{ caseId: row.id, what: 'assignee', from: row.assignee, to: assignee }]);
}

export type Analyst = Omit<Candidate, 'open' | 'lastAssignedMs'>;

export interface SharingOut {
  readonly analysts: readonly Analyst[];
  readonly queues: readonly Queue[];
  readonly method: AssignmentMethod;
  /** At most so many cases at once, the most urgent first. */
  readonly most: number;
}

/** Whether there is a case that nobody has taken. */
export async function isAnyFree(db: Tx): Promise<boolean> {
  const { rows } = await sql`SELECT 1 FROM cases WHERE is_open AND assignee IS NULL LIMIT 1`.execute(db);
  return rows.length > 0;
}

/** Shares out what nobody has taken. */
export async function assignAutomatically(
  tx: Tx,
  { analysts, queues, method, most }: SharingOut,
  act: Act,
): Promise<Done<ReturnType<typeof shareOut>>> {
  const roles = new Map(queues.map((queue) => [queue.id, queue.roles]));
  const free = await tx
    .selectFrom('cases')
    .selectAll()
    .where('is_open', '=', sql<boolean>`true`)
    .where('assignee', 'is', null)
    .where('queue', 'in', queues.length === 0 ? [''] : queues.map(({ id }) => id))
    .orderBy('priority', 'desc')
    .orderBy('id', 'desc')
    .limit(most)
    .forUpdate()
    .execute();
  const rows = new Map(free.map((row) => [row.id, row as CaseRow]));
  const cases = free.map(({ id, queue }) => ({ id, rolesOfQueue: roles.get(queue) ?? [] }));
  const given = shareOut(cases, await candidates(tx, analysts), method, act.atMs);
  for (const [at, { id, assignee }] of given.entries()) {
    // The order of giving is kept, so that the next round goes on where this one ended.
    await give(tx, rows.get(id)!, assignee, { ...act, atMs: act.atMs + at });
  }
  const audit = given.map(({ id, assignee }) =>
    auditDraft(act, 'case.assigned', { kind: 'case', id }, { from: null, to: assignee, method }),
  );
  return { result: given, audit };
}

async function candidates(tx: Tx, analysts: readonly Analyst[]): Promise<readonly Candidate[]> {
  const ids = analysts.map(({ id }) => id);
  const { rows } = await sql<{ id: string; open: number; last: number | null }>`
    SELECT person.id, (SELECT last_assigned_ms FROM case_assignees WHERE case_assignees.id = person.id) AS last,
      (SELECT count(*)::integer FROM cases WHERE is_open AND assignee = person.id) AS open
    FROM unnest(${ids}::text[]) AS person (id)`.execute(tx);
  const known = new Map(rows.map((row) => [row.id, row]));
  return analysts.map((analyst) => {
    const { open, last } = known.get(analyst.id)!;
    return { ...analyst, open, lastAssignedMs: last };
  });
}
