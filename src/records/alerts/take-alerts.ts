// Taking alerts in: what is open is loaded, a plan is made (src/alerts/intake.ts), and the plan is written with few statements.
// At-least-once delivery is enough: a record that was taken in before is left out.
import { sql } from 'kysely';
import type { AlertRecord } from '../../alerts/alert-record.ts';
import type { CaseState } from '../../alerts/case-life.ts';
import { type IntakeContext, planIntake } from '../../alerts/intake.ts';
import type { CaseLink, IntakePlan, OpenAlert, OpenCase, TakenAlert } from '../../alerts/intake-state.ts';
import { queueOf } from '../../alerts/queues.ts';
import { dueOf } from '../../alerts/service-levels.ts';
import { typologyOf } from '../../alerts/typology.ts';
import { type Act, auditDraft, type Done, type Tx } from './act.ts';
import { type BulkColumn, insertMany, updateMany } from './bulk.ts';
import { CountChanges } from './counts.ts';
import { type LoadedIntake, loadIntake } from './load-intake.ts';
import { writeMerges } from './merge-cases.ts';

export interface Intake {
  readonly context: Omit<IntakeContext, 'receivedMs'>;
  /** SHA-256 of the evidence of a decision; null where none is kept. */
  readonly evidenceOf: (record: AlertRecord) => string | null;
}

export interface TakenIn {
  /** Those that people are told of, with their cases. */
  readonly opened: readonly (TakenAlert & { readonly alert: OpenAlert })[];
  readonly joined: number;
  readonly suppressed: number;
  readonly repeated: number;
  readonly merges: IntakePlan['merges'];
}

/** At most some 10,000 records a transaction. @param act Centinela's own; `atMs` is when the records came in */
export async function takeAlerts(
  tx: Tx,
  records: readonly AlertRecord[],
  { context, evidenceOf }: Intake,
  act: Act,
): Promise<Done<TakenIn>> {
  // One at a time: whoever waits here sees what the one before has opened.
  await sql`UPDATE alert_intake SET batches = batches + 1 WHERE id = 1`.execute(tx);
  const typology = ({ reasons, rules }: AlertRecord) => typologyOf(reasons, rules, context.typologiesOfRule);
  const loaded = await loadIntake(tx, records, typology, context.settings.grouping);
  const plan = planIntake(loaded, records, { ...context, receivedMs: act.atMs });

  const states = statesOf(plan, loaded);
  await writeCases(tx, plan, states, act);
  await writeAlerts(tx, plan, loaded, { context, evidenceOf }, act.atMs);
  await writeLinks(tx, plan.links);
  await writeSuppressed(tx, plan.taken, act.atMs);
  await countsOf(plan, loaded, states, context).write(tx);
  return { result: resultOf(plan), audit: auditOf(plan, act) };
}

function resultOf({ taken, alerts, merges, repeated }: IntakePlan): TakenIn {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  const opened = taken.flatMap((each) =>
    each.state === 'new' ? [{ ...each, alert: byId.get(each.record.transactionId)! }] : [],
  );
  const count = (state: TakenAlert['state']) => taken.filter((each) => each.state === state).length;
  return { opened, joined: count('joined'), suppressed: count('suppressed'), repeated, merges };
}

/** States of the cases that are new or changed: a case that takes one in that somebody works on is worked on. */
function statesOf(
  { newCases, changedCases, merges }: IntakePlan,
  loaded: LoadedIntake,
): ReadonlyMap<string, CaseState> {
  const isWorked = (id: string) => loaded.states.get(id) === 'in-progress';
  const worked = new Set(merges.filter(({ from }) => isWorked(from)).map(({ into }) => into));
  return new Map(
    [...newCases, ...changedCases].map(({ id }) => [id, isWorked(id) || worked.has(id) ? 'in-progress' : 'new']),
  );
}

const CASE_FIGURES: readonly BulkColumn<OpenCase>[] = [
  ['id', 'text', ({ id }) => id],
  ['typology', 'text', ({ typology }) => typology],
  ['family', 'text', ({ family }) => family],
  ['severity', 'text', ({ severity }) => severity],
  ['queue', 'text', ({ queue }) => queue],
  ['priority', 'double precision', ({ priority }) => priority],
  ['customers', 'jsonb', ({ customers }) => JSON.stringify(customers)],
  ['alerts', 'integer', ({ alerts }) => alerts],
  ['transactions', 'integer', ({ transactions }) => transactions],
  ['soles_minor', 'bigint', ({ solesMinor }) => solesMinor],
  ['unknown_amounts', 'integer', ({ unknownAmounts }) => unknownAmounts],
  ['loss_minor', 'bigint', ({ lossMinor }) => lossMinor],
  ['risk', 'double precision', ({ risk }) => risk],
  ['first_ms', 'bigint', ({ firstMs }) => firstMs],
  ['last_ms', 'bigint', ({ lastMs }) => lastMs],
  ['opened_ms', 'bigint', ({ openedMs }) => openedMs],
  ['first_look_due_ms', 'bigint', ({ firstLookDueMs }) => firstLookDueMs],
  ['decision_due_ms', 'bigint', ({ decisionDueMs }) => decisionDueMs],
];

async function writeCases(tx: Tx, plan: IntakePlan, states: ReadonlyMap<string, CaseState>, act: Act): Promise<void> {
  const state: BulkColumn<OpenCase> = ['state', 'text', ({ id }) => states.get(id)];
  const columns = [...CASE_FIGURES, state];
  await insertMany(tx, 'cases', plan.newCases, [...columns, ['version', 'integer', () => 1]]);
  await updateMany(tx, 'cases', plan.changedCases, columns, sql`version = cases.version + 1`);
  await writeMerges(tx, plan.merges, act);
}

const ALERT_FIGURES: readonly BulkColumn<OpenAlert>[] = [
  ['id', 'text', ({ id }) => id],
  ['case_id', 'text', ({ caseId }) => caseId],
  ['severity', 'text', ({ severity }) => severity],
  ['queue', 'text', ({ queue }) => queue],
  ['transactions', 'integer', ({ transactions }) => transactions],
  ['total_soles_minor', 'bigint', ({ solesMinor }) => solesMinor],
  ['unknown_amounts', 'integer', ({ unknownAmounts }) => unknownAmounts],
  ['loss_minor', 'bigint', ({ lossMinor }) => lossMinor],
  ['most_risk', 'double precision', ({ risk }) => risk],
  ['priority', 'double precision', ({ priority }) => priority],
  ['first_ms', 'bigint', ({ firstMs }) => firstMs],
  ['last_ms', 'bigint', ({ lastMs }) => lastMs],
  ['first_look_due_ms', 'bigint', ({ firstLookDueMs }) => firstLookDueMs],
  ['decision_due_ms', 'bigint', ({ decisionDueMs }) => decisionDueMs],
];

interface AlertRow {
  readonly taken: TakenAlert;
  readonly record: AlertRecord;
  readonly figures: OpenAlert;
  readonly assignee: string | null;
  readonly evidence: string | null;
}

const ALERT_COLUMNS: readonly BulkColumn<AlertRow>[] = [
  ...ALERT_FIGURES.filter(([name]) => name !== 'case_id').map(
    ([name, type, value]): BulkColumn<AlertRow> => [name, type, ({ figures }) => value(figures)],
  ),
  ['case_id', 'text', ({ taken }) => taken.caseId],
  ['state', 'text', ({ taken }) => taken.state],
  ['joined_to', 'text', ({ taken }) => taken.joinedTo],
  ['suppression_id', 'text', ({ taken }) => taken.suppressionId],
  ['customer_id', 'text', ({ record }) => record.customerId],
  ['payee_id', 'text', ({ record }) => record.payeeId],
  ['card_id', 'text', ({ record }) => record.cardId],
  ['device_id', 'text', ({ record }) => record.deviceId],
  ['terminal_id', 'text', ({ record }) => record.terminalId],
  ['ip_address', 'text', ({ record }) => record.ipAddress],
  ['typology', 'text', ({ taken }) => taken.typology],
  ['assignee', 'text', ({ assignee }) => assignee],
  ['action', 'text', ({ record }) => record.action],
  ['intended', 'text', ({ record }) => record.intended],
  ['decided_by', 'text', ({ record }) => record.decidedBy],
  ['operation', 'text', ({ record }) => record.operation],
  ['risk', 'double precision', ({ record }) => record.risk],
  ['amount_minor', 'bigint', ({ record }) => record.amountMinor],
  ['currency', 'text', ({ record }) => record.currency],
  ['soles_minor', 'bigint', ({ record }) => record.solesMinor],
  ['event_ms', 'bigint', ({ record }) => record.eventTimeMs],
  ['created_ms', 'bigint', ({ figures }) => figures.createdMs],
  ['reasons', 'jsonb', ({ record }) => JSON.stringify(record.reasons)],
  ['rules', 'jsonb', ({ record }) => JSON.stringify(record.rules)],
  ['versions', 'jsonb', ({ record }) => JSON.stringify(record.versions)],
  ['evidence', 'text', ({ evidence }) => evidence],
  ['log_partition', 'integer', ({ record }) => record.logPartition],
  ['log_offset', 'bigint', ({ record }) => record.logOffset],
  ['version', 'integer', () => 1],
];

async function writeAlerts(
  tx: Tx,
  { taken, alerts }: IntakePlan,
  loaded: LoadedIntake,
  { context, evidenceOf }: Intake,
  atMs: number,
): Promise<void> {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  const rows = taken.map((each): AlertRow => {
    const { record, caseId, state } = each;
    const isNew = state === 'new';
    const figures = isNew ? byId.get(record.transactionId)! : ownFigures(each, context, atMs);
    const assignee = isNew ? (loaded.assignees.get(caseId!) ?? null) : null;
    return { taken: each, record, figures, assignee, evidence: evidenceOf(record) };
  });
  await insertMany(tx, 'alerts', rows, ALERT_COLUMNS);
  const born = new Set(taken.map(({ record }) => record.transactionId));
  const changed = alerts.filter(({ id }) => !born.has(id));
  await updateMany(tx, 'alerts', changed, ALERT_FIGURES, sql`version = alerts.version + 1`);
}

/** Of a transaction that joined another alert, or is suppressed: what it is by itself. */
function ownFigures(
  { record, typology, severity, caseId }: TakenAlert,
  context: Intake['context'],
  atMs: number,
): OpenAlert {
  const { transactionId: id, customerId, eventTimeMs, solesMinor, risk } = record;
  return {
    ...{ id, customerId, typology, severity, caseId: caseId ?? '', firstMs: eventTimeMs, lastMs: eventTimeMs },
    ...{ createdMs: atMs, transactions: 1, solesMinor: solesMinor ?? 0, unknownAmounts: solesMinor === null ? 1 : 0 },
    ...{ lossMinor: Math.max(0, record.expectedLossMinor ?? solesMinor ?? 0), risk, priority: 0 },
    queue: queueOf({ typology, severity, solesMinor }, context.settings.queues),
    ...dueOf(severity, atMs, context.settings.levels),
  };
}

async function writeLinks(tx: Tx, links: readonly CaseLink[]): Promise<void> {
  const columns: readonly BulkColumn<CaseLink>[] = [
    ['key', 'text', ({ key }) => key],
    ['customer_id', 'text', ({ customerId }) => customerId],
    ['case_id', 'text', ({ caseId }) => caseId],
    ['first_ms', 'bigint', ({ firstMs }) => firstMs],
    ['last_ms', 'bigint', ({ lastMs }) => lastMs],
  ];
  const wider = sql`first_ms = least(kept.first_ms, excluded.first_ms), last_ms = greatest(kept.last_ms, excluded.last_ms)`;
  const after = sql`ON CONFLICT (key, customer_id, case_id) DO UPDATE SET ${wider}`;
  await insertMany(tx, 'case_keys', links, columns, after);
}

async function writeSuppressed(tx: Tx, taken: readonly TakenAlert[], atMs: number): Promise<void> {
  const counts = new Map<string, number>();
  for (const { suppressionId: id } of taken) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [id, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await sql`UPDATE alert_suppressions SET suppressed = suppressed + ${count}, last_ms = ${atMs} WHERE id = ${id}`.execute(
      tx,
    );
  }
}

function countsOf(
  { taken, alerts, newCases, changedCases, merges }: IntakePlan,
  loaded: LoadedIntake,
  states: ReadonlyMap<string, CaseState>,
  context: Intake['context'],
): CountChanges {
  const changes = new CountChanges();
  const before = new Map(loaded.alerts.map((alert) => [alert.id, alert]));
  for (const alert of alerts) {
    const { queue, severity } = alert;
    const old = before.get(alert.id);
    const state = old === undefined ? 'new' : loaded.states.get(alert.id)!;
    if (old !== undefined) changes.alert({ queue: old.queue, state, severity: old.severity }, -1);
    changes.alert({ queue, state, severity }, 1);
  }
  for (const { state, typology, severity, record } of taken) {
    if (state !== 'suppressed') continue;
    const queue = queueOf({ typology, severity, solesMinor: record.solesMinor }, context.settings.queues);
    changes.alert({ queue, state, severity }, 1);
  }
  const oldCases = new Map(loaded.cases.map((each) => [each.id, each]));
  const old = (id: string) => ({ queue: oldCases.get(id)!.queue, state: loaded.states.get(id)! });
  for (const { id, queue } of newCases) changes.case({ queue, state: states.get(id)! }, 1);
  for (const { id, queue } of changedCases) {
    changes.case(old(id), -1);
    changes.case({ queue, state: states.get(id)! }, 1);
  }
  for (const { from } of merges) changes.case(old(from), -1);
  return changes;
}

function auditOf({ taken, newCases, merges, repeated }: IntakePlan, act: Act): Done<TakenIn>['audit'] {
  if (taken.length === 0) return [];
  const count = (state: TakenAlert['state']) => taken.filter((each) => each.state === state).length;
  const counts = { new: count('new'), joined: count('joined'), suppressed: count('suppressed'), repeated };
  const first = taken[0].record.transactionId;
  const batch = auditDraft(act, 'alerts.taken-in', { kind: 'alert', id: first }, { ...counts, cases: newCases.length });
  const merged = merges.map(({ from, into, because }) =>
    auditDraft(act, 'case.merged', { kind: 'case', id: from }, { into, because }),
  );
  return [batch, ...merged];
}
