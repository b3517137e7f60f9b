// Who does what in tests of alerts and cases.

import type { AlertRecord } from '../../src/alerts/alert-record.ts';
import { DEFAULT_ALERT_SETTINGS } from '../../src/alerts/settings.ts';
import { permissionsOf, type Role } from '../../src/identity/permissions.ts';
import type { Act, Done, Tx } from '../../src/records/alerts/act.ts';
import { type Intake, type TakenIn, takeAlerts } from '../../src/records/alerts/take-alerts.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { type AlertFields, alertRecord, T0 } from './alert-records.ts';

let ids = 0;

export function actOf(id: string, roles: readonly Role[], atMs = T0): Act {
  const permissions = permissionsOf(roles);
  const newId = () => `x${String(ids++).padStart(8, '0')}`;
  return { by: { kind: 'user', id, name: id }, permissions, atMs, address: null, newId };
}

export const analyst = (atMs = T0) => actOf('ana', ['fraud-analyst'], atMs);
export const otherAnalyst = (atMs = T0) => actOf('beto', ['fraud-analyst'], atMs);
export const manager = (atMs = T0) => actOf('mario', ['operations-manager'], atMs);
export const officer = (atMs = T0) => actOf('olga', ['compliance-officer'], atMs);
export const otherOfficer = (atMs = T0) => actOf('oscar', ['compliance-officer'], atMs);
export const auditor = (atMs = T0) => actOf('aida', ['auditor'], atMs);
export const system = (atMs = T0): Act => ({
  ...actOf('system', [], atMs),
  by: { kind: 'system', id: 'system', name: 'Centinela' },
});

export const INTAKE: Intake = {
  context: { settings: DEFAULT_ALERT_SETTINGS, typologiesOfRule: () => [] },
  evidenceOf: ({ transactionId }) => `evidence/${transactionId}`,
};

export async function take(store: RecordStore, records: readonly AlertRecord[], atMs = T0): Promise<TakenIn> {
  return (await store.transact((tx) => takeAlerts(tx, records, INTAKE, system(atMs)))).result;
}

/** Does it in a transaction; the result alone. */
export async function doIt<Result>(store: RecordStore, work: (tx: Tx) => Promise<Done<Result>>): Promise<Result> {
  return (await store.transact(work)).result;
}

let customers = 0;

/** A case of one alert of a customer of its own. */
export async function openCase(store: RecordStore, fields: Partial<AlertFields> = {}) {
  const n = customers++;
  const record = alertRecord({ id: `T-${n}`, customer: `K-${n}`, ...fields });
  const { opened } = await take(store, [record]);
  return { alertId: record.transactionId, caseId: opened[0].caseId!, customer: record.customerId! };
}
