// What is open and may be touched by a batch of alerts: ids that are known, open alerts and cases of the same customers, cases
// that a device, payee or address leads to, suppressions. Each by an index, none larger than what the batch may touch.
import { sql } from 'kysely';
import type { AlertRecord } from '../../alerts/alert-record.ts';
import { linkKeysOf } from '../../alerts/grouping.ts';
import type { CaseLink, IntakeState, OpenAlert, OpenCase } from '../../alerts/intake-state.ts';
import type { GroupingSettings } from '../../alerts/settings.ts';
import { type Suppression, suppressionKeys } from '../../alerts/suppression.ts';
import { FAMILIES, familyOf } from '../../alerts/typology.ts';
import type { Tx } from './act.ts';
import type { AlertTable, CaseTable } from './tables.ts';

/** What the plan needs of them: reasons and the like are many times as much. */
const OPEN_ALERT_COLUMNS = [
  ...(['id', 'state', 'customer_id', 'typology', 'first_ms', 'last_ms', 'created_ms', 'transactions'] as const),
  ...(['total_soles_minor', 'unknown_amounts', 'loss_minor', 'most_risk', 'severity', 'queue', 'priority'] as const),
  ...(['case_id', 'first_look_due_ms', 'decision_due_ms'] as const),
];
type OpenAlertRow = Pick<AlertTable, (typeof OPEN_ALERT_COLUMNS)[number]>;

export interface LoadedIntake extends IntakeState {
  /** Assignees of cases, which a merge hands on. */
  readonly assignees: ReadonlyMap<string, string | null>;
  readonly states: ReadonlyMap<string, AlertTable['state'] | CaseTable['state']>;
}

export async function loadIntake(
  tx: Tx,
  records: readonly AlertRecord[],
  typologyOf: (record: AlertRecord) => string,
  grouping: GroupingSettings,
): Promise<LoadedIntake> {
  const ids = records.map(({ transactionId }) => transactionId);
  const knownRows = await sql<{ id: string }>`SELECT id FROM alerts WHERE id = ANY(${ids}::text[])`.execute(tx);
  const known = new Set(knownRows.rows.map(({ id }) => id));
  const fresh = records.filter(({ transactionId }) => !known.has(transactionId));
  const links = await loadLinks(tx, fresh, typologyOf, grouping);
  const alertRows = await loadAlerts(tx, fresh, typologyOf);
  const caseIds = new Set([...links.map(({ caseId }) => caseId), ...alertRows.map(({ case_id }) => case_id!)]);
  const caseRows = await loadCases(tx, [...caseIds]);
  const open = new Set(caseRows.map(({ id }) => id));
  const alerts = alertRows.filter(({ case_id }) => open.has(case_id!));
  return {
    ...{
      known,
      suppressions: await loadSuppressions(tx, fresh),
      links: links.filter(({ caseId }) => open.has(caseId)),
    },
    ...{ alerts: alerts.map(openAlert), cases: caseRows.map(openCase) },
    assignees: new Map(caseRows.map(({ id, assignee }) => [id, assignee])),
    states: new Map([...alerts, ...caseRows].map(({ id, state }) => [id, state])),
  };
}

async function loadLinks(
  tx: Tx,
  records: readonly AlertRecord[],
  typologyOf: (record: AlertRecord) => string,
  grouping: GroupingSettings,
): Promise<readonly CaseLink[]> {
  const keysOf = (record: AlertRecord) => linkKeysOf(record, familyOf(typologyOf(record)), grouping);
  const keys = [...new Set(records.flatMap(keysOf).map(({ key }) => key))];
  if (keys.length === 0) return [];
  const since = Math.min(...records.map(({ eventTimeMs }) => eventTimeMs)) - grouping.windowMs;
  const { rows } = await sql<CaseLink>`
    SELECT link.key, link.customer_id AS "customerId", coalesce(own.merged_into, own.id) AS "caseId",
      link.first_ms AS "firstMs", link.last_ms AS "lastMs"
    FROM case_keys AS link JOIN cases AS own ON own.id = link.case_id
    WHERE link.key = ANY(${keys}::text[]) AND link.last_ms >= ${since}`.execute(tx);
  return rows;
}

async function loadAlerts(tx: Tx, records: readonly AlertRecord[], typologyOf: (record: AlertRecord) => string) {
  const pairs = new Map<string, readonly [string, string]>();
  for (const record of records) {
    const [customer, typology] = [record.customerId, typologyOf(record)];
    if (customer !== null) pairs.set(JSON.stringify([customer, typology]), [customer, typology]);
  }
  if (pairs.size === 0) return [];
  const customers = [...pairs.values()].map(([customer]) => customer);
  const typologies = [...pairs.values()].map(([, typology]) => typology);
  // The newest of each pair alone is asked for: a customer may have thousands of open ones.
  const columns = sql.join(OPEN_ALERT_COLUMNS.map((name) => sql.ref(name)));
  const { rows } = await sql<OpenAlertRow>`
    SELECT alert.* FROM unnest(${customers}::text[], ${typologies}::text[]) AS pair (customer_id, typology)
    CROSS JOIN LATERAL (
      SELECT ${columns} FROM alerts WHERE is_open AND alerts.customer_id = pair.customer_id AND alerts.typology = pair.typology
      ORDER BY last_ms DESC, id DESC LIMIT 1
    ) AS alert`.execute(tx);
  return rows;
}

/** Locked, so that nobody closes one of them while it takes an alert. */
async function loadCases(tx: Tx, ids: readonly string[]): Promise<CaseTable[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<CaseTable>`
    SELECT * FROM cases WHERE id = ANY(${ids}::text[]) AND is_open ORDER BY id FOR UPDATE`.execute(tx);
  return rows;
}

async function loadSuppressions(tx: Tx, records: readonly AlertRecord[]): Promise<readonly Suppression[]> {
  const keys = [...new Set(records.flatMap(suppressionKeys))];
  if (keys.length === 0) return [];
  const ids = keys.map((key) => key.slice(key.indexOf(':') + 1));
  const least = Math.min(...records.map(({ eventTimeMs }) => eventTimeMs));
  const { rows } = await sql<Suppression>`
    SELECT id, entity, entity_id AS "entityId", typology, rule_id AS "ruleId", from_ms AS "fromMs",
      least(until_ms, coalesce(ended_ms, until_ms)) AS "untilMs"
    FROM alert_suppressions
    WHERE entity_id = ANY(${ids}::text[]) AND least(until_ms, coalesce(ended_ms, until_ms)) > ${least}`.execute(tx);
  return rows;
}

function openAlert(row: OpenAlertRow): OpenAlert {
  return {
    ...{ id: row.id, customerId: row.customer_id, typology: row.typology, firstMs: row.first_ms, lastMs: row.last_ms },
    ...{ createdMs: row.created_ms, transactions: row.transactions, solesMinor: row.total_soles_minor },
    ...{ unknownAmounts: row.unknown_amounts, lossMinor: row.loss_minor, risk: row.most_risk, severity: row.severity },
    ...{ queue: row.queue, priority: row.priority, caseId: row.case_id! },
    ...{ firstLookDueMs: row.first_look_due_ms, decisionDueMs: row.decision_due_ms },
  };
}

function openCase(row: CaseTable): OpenCase {
  return {
    ...{ id: row.id, typology: row.typology, family: FAMILIES.find((each) => each === row.family) ?? 'other' },
    ...{ firstMs: row.first_ms, lastMs: row.last_ms, openedMs: row.opened_ms, alerts: row.alerts },
    ...{ transactions: row.transactions, customers: row.customers, solesMinor: row.soles_minor },
    ...{ unknownAmounts: row.unknown_amounts, lossMinor: row.loss_minor, risk: row.risk, severity: row.severity },
    ...{ queue: row.queue, priority: row.priority },
    ...{ firstLookDueMs: row.first_look_due_ms, decisionDueMs: row.decision_due_ms },
  };
}
