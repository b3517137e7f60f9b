// Finding a case to change it, and changing its state with all that goes with it: its alerts, counts, labels and history.
import { sql, type Updateable } from 'kysely';
import { type CaseState, isOpenCase } from '../../alerts/case-life.ts';
import { outcomeOfState } from '../../alerts/label.ts';
import { dueOf, type ServiceLevels } from '../../alerts/service-levels.ts';
import { familyOf, OTHER_TYPOLOGY } from '../../alerts/typology.ts';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, type Change, type Done, demandChanged, notFound, type Tx, writeHistory } from './act.ts';
import { CountChanges } from './counts.ts';
import { type NewLabel, writeLabels } from './labels.ts';
import type { AlertTable, CaseTable } from './tables.ts';

export type CaseRow = CaseTable & { readonly is_open: boolean; readonly tags: string[] };
export type AlertRow = AlertTable & { readonly is_open: boolean; readonly tags: string[] };

/**
 * The case, locked until the transaction ends.
 *
 * @param version the one that the caller saw; null where it does not matter
 * @throws InputError NOT_FOUND, CASE_MERGED, VERSION_CONFLICT
 */
export async function lockCase(tx: Tx, id: string, version: number | null = null): Promise<CaseRow> {
  const row = await tx.selectFrom('cases').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) throw notFound('case', id);
  if (row.merged_into !== null) {
    throw new InputError('CASE_MERGED', `The case '${id}' is part of '${row.merged_into}'`, 'Work on that one');
  }
  demandChanged(version === null || version === row.version ? 1n : 0n, 'case', id);
  return row as CaseRow;
}

export async function lockAlert(tx: Tx, id: string): Promise<AlertRow> {
  const row = await tx.selectFrom('alerts').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) throw notFound('alert', id);
  return row as AlertRow;
}

export type CaseChange = Omit<Updateable<CaseTable>, 'is_open' | 'version'>;

/** Writes columns of a case and raises its version. */
export async function updateCase(tx: Tx, row: CaseRow, columns: CaseChange): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('cases')
    .set({ ...columns, version: row.version + 1 })
    .where('id', '=', row.id)
    .where('version', '=', row.version)
    .executeTakeFirst();
  demandChanged(numUpdatedRows, 'case', row.id);
}

export interface StateChange {
  readonly to: CaseState;
  readonly reason: string;
  /** What it turned out to be; null for what the alerts said. */
  readonly typology: string | null;
  /** Who asked for it, where two people decided. */
  readonly requestedBy: string | null;
}

export async function changeState(
  tx: Tx,
  row: CaseRow,
  { to, reason, typology, requestedBy }: StateChange,
  levels: ServiceLevels,
  act: Act,
): Promise<Done<null>> {
  const counts = new CountChanges();
  const isReopened = !isOpenCase(row.state) && isOpenCase(to);
  await updateCase(tx, row, {
    ...{ state: to, closed_ms: isOpenCase(to) ? null : act.atMs },
    first_look_ms: row.first_look_ms ?? act.atMs,
    ...(typology !== null && { typology, family: familyOf(typology) }),
    ...(isReopened && { decision_due_ms: dueOf(row.severity, act.atMs, levels).decisionDueMs }),
  });
  counts.case(row, -1);
  counts.case({ queue: row.queue, state: to }, 1);
  const alerts = await alertsToChange(tx, row, to);
  await changeAlerts(tx, alerts, to, act, counts);
  await counts.write(tx);
  const labels = await labelsOf(tx, alerts, to, { typology, caseId: row.id, note: reason });
  await writeLabels(tx, labels, act);
  const change: Change = { caseId: row.id, what: 'state', from: row.state, to, reason };
  await writeHistory(tx, act, [change]);
  const action = isOpenCase(to) ? (isReopened ? 'case.reopened' : 'case.started') : 'case.closed';
  const detail = { from: row.state, to, alerts: alerts.length, labels: labels.length, requestedBy };
  return { result: null, audit: [auditDraft(act, action, { kind: 'case', id: row.id }, detail)] };
}

/** Closing takes what is open; reopening, what was closed with the case; starting, what is new. */
async function alertsToChange(tx: Tx, row: CaseRow, to: CaseState): Promise<readonly AlertRow[]> {
  let query = tx.selectFrom('alerts').selectAll().where('case_id', '=', row.id);
  if (!isOpenCase(to)) query = query.where('is_open', '=', true);
  else if (isOpenCase(row.state)) query = query.where('state', '=', 'new');
  else query = query.where('state', '=', row.state as AlertTable['state']).where('decided_ms', '=', row.closed_ms);
  return (await query.orderBy('id').forUpdate().execute()) as AlertRow[];
}

export async function changeAlerts(
  tx: Tx,
  alerts: readonly AlertRow[],
  to: CaseState,
  act: Act,
  counts: CountChanges,
): Promise<void> {
  if (alerts.length === 0) return;
  const ids = alerts.map(({ id }) => id);
  const decidedMs = isOpenCase(to) ? null : act.atMs;
  await sql`
    UPDATE alerts SET state = ${to}, decided_ms = ${decidedMs}::bigint,
      first_look_ms = coalesce(first_look_ms, ${act.atMs}::bigint), version = version + 1
    WHERE id = ANY(${ids}::text[])`.execute(tx);
  for (const { queue, state, severity } of alerts) {
    counts.alert({ queue, state, severity }, -1);
    counts.alert({ queue, state: to, severity }, 1);
  }
}

/** Of the alerts' transactions and of those that joined them. */
export async function labelsOf(
  tx: Tx,
  alerts: readonly Pick<AlertRow, 'id' | 'typology'>[],
  to: CaseState,
  about: { readonly typology: string | null; readonly caseId: string | null; readonly note: string },
): Promise<readonly NewLabel[]> {
  const outcome = outcomeOfState(to);
  if (outcome === null || alerts.length === 0) return [];
  const ids = alerts.map(({ id }) => id);
  const joined = await tx
    .selectFrom('alerts')
    .select(['id', 'typology'])
    .where('joined_to', 'in', ids)
    .orderBy('id')
    .execute();
  const { caseId, note } = about;
  return [...alerts, ...joined].map(({ id, typology }) => {
    const kind = outcome === 'genuine' ? null : (about.typology ?? likely(typology, outcome));
    return { transactionId: id, outcome, typology: kind, source: 'analyst', caseId, note };
  });
}

/** What an alert was suspected of is no kind of error where it was an error, nor the other way round. */
function likely(typology: string, outcome: 'fraud' | 'error'): string | null {
  if (typology === OTHER_TYPOLOGY) return null;
  return (familyOf(typology) === 'error') === (outcome === 'error') ? typology : null;
}
