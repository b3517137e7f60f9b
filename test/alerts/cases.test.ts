import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_ALERT_SETTINGS as SETTINGS } from '../../src/alerts/settings.ts';
import { assignCase } from '../../src/records/alerts/assign.ts';
import { decideAlert, decideRequest, stepCase, withdrawRequest } from '../../src/records/alerts/case-steps.ts';
import { referCase, stepFile } from '../../src/records/alerts/compliance.ts';
import { labelsOfTransaction } from '../../src/records/alerts/labels.ts';
import { countAlerts, getAlert, listAlerts } from '../../src/records/alerts/list-alerts.ts';
import { countCases, filesDue, listCases, listFiles, listWaiting } from '../../src/records/alerts/list-cases.ts';
import {
  caseAlerts,
  caseAttachments,
  caseComments,
  caseHistory,
  caseRelations,
  getAttachment,
  getCase,
} from '../../src/records/alerts/read-case.ts';
import { addSuppression, endSuppression, listSuppressions } from '../../src/records/alerts/suppressions.ts';
import { addAttachment, addComment, inspectFile, relateCases, setCaseTags } from '../../src/records/alerts/work.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { analyst, auditor, doIt, manager, officer, openCase, otherOfficer, take } from './acts.ts';
import { type AlertFields, alertRecord, DAY, HOUR, MINUTE, T0 } from './alert-records.ts';

const WHY = 'El cliente lo confirmó por teléfono';
const step = (
  what: 'start' | 'close-fraud' | 'close-genuine' | 'close-error' | 'reopen',
  typology: string | null = null,
) => ({
  ...{ step: what, reason: WHY, typology, version: null },
});

describeOnEachEngine('alerts and cases', (open) => {
  let store: RecordStore;
  const oneCase = (fields: Partial<AlertFields> = {}) => openCase(store, fields);
  beforeEach(async () => {
    store = await open();
  });

  /** That the kept counts are what a count would find. */
  async function demandCounts() {
    const alerts = await sql`SELECT queue, state, severity, count(*)::integer AS count FROM alerts
      WHERE state <> 'joined' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`.execute(store.db);
    expect(await countAlerts(store.db)).toEqual(alerts.rows);
    const cases = await sql`SELECT queue, state, count(*)::integer AS count FROM cases
      WHERE state <> 'merged' GROUP BY 1, 2 ORDER BY 1, 2`.execute(store.db);
    expect(await countCases(store.db)).toEqual(cases.rows);
  }

  describe('taking alerts in', () => {
    it('keeps each record once, findable, with what joined it', async () => {
      const records = [0, 10, 20].map((minutes) =>
        alertRecord({ id: `J-${minutes}`, customer: 'joiner', atMs: T0 + minutes * MINUTE, payee: 'P-9' }),
      );
      expect(await take(store, records)).toMatchObject({ joined: 2, repeated: 0 });
      expect(await take(store, records)).toMatchObject({ opened: [], joined: 0, repeated: 3 });
      const { alert, joined } = await getAlert(store.db, 'J-0');
      expect(alert).toMatchObject({
        state: 'new',
        transactions: 3,
        total_soles_minor: 30_000,
        evidence: 'evidence/J-0',
      });
      expect(alert).toMatchObject({
        reasons: records[0].reasons,
        versions: { model: 'fraud@1' },
        tags: [],
        is_open: true,
      });
      expect(joined.map(({ id }) => id)).toEqual(['J-20', 'J-10']);
      const { rows } = await listAlerts(store.db, { text: 'J-20' }, 'newest', null, 10);
      expect(rows.map(({ id }) => id)).toEqual(['J-0']);
      expect((await listCases(store.db, { customer: 'joiner' }, 'newest', null, 10)).rows).toHaveLength(1);
      await demandCounts();
    });

    it('merges cases of a ring under the older id, which the younger redirects to with its history', async () => {
      const at = (minutes: number) => T0 + minutes * MINUTE;
      await take(store, [alertRecord({ id: 'R-1', customer: 'ring-a', device: 'RD', atMs: at(0) })]);
      const [b] = (await take(store, [alertRecord({ id: 'R-2', customer: 'ring-b', atMs: at(40) })])).opened;
      await doIt(store, (tx) => assignCase(tx, b.caseId!, 'ana', null, analyst()));
      await doIt(store, (tx) => stepCase(tx, b.caseId!, step('start'), SETTINGS, analyst()));
      await doIt(store, (tx) =>
        addComment(tx, b.caseId!, { kind: 'comment', body: 'Llamé', isConfidential: false }, analyst()),
      );
      await doIt(store, (tx) => setCaseTags(tx, b.caseId!, ['Mula'], null, analyst()));
      const taken = await take(store, [alertRecord({ id: 'R-3', customer: 'ring-b', device: 'RD', atMs: at(80) })]);
      expect(taken.merges).toEqual([{ from: b.caseId, into: taken.opened[0].caseId, because: 'device' }]);
      const view = await getCase(store.db, b.caseId!, auditor().permissions);
      expect(view).toMatchObject({ redirectedFrom: b.caseId, tookIn: [b.caseId], comments: 1 });
      expect(view.row).toMatchObject({
        alerts: 3,
        customers: ['ring-a', 'ring-b'],
        state: 'in-progress',
        assignee: 'ana',
        tags: ['mula'],
      });
      expect((await caseAlerts(store.db, view.row.id, 10)).map(({ id }) => id)).toEqual(['R-1', 'R-2', 'R-3']);
      const { rows } = await caseHistory(store.db, view.row.id, auditor().permissions, null, 50);
      expect(rows.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['assignee', 'state', 'tags', 'merged', 'took-in']),
      );
      await expect(doIt(store, (tx) => stepCase(tx, b.caseId!, step('start'), SETTINGS, analyst()))).rejects.toThrow(
        /is part of/,
      );
      expect((await listCases(store.db, { text: b.caseId! }, 'newest', null, 10)).rows.map(({ id }) => id)).toEqual([
        view.row.id,
      ]);
      await demandCounts();
    });

    it('keeps suppressed alerts apart, counted, until the suppression ends', async () => {
      const scope = { entity: 'customer', entityId: 'calm', typology: 'F12', ruleId: null } as const;
      const id = await doIt(store, (tx) =>
        addSuppression(tx, scope, T0 + DAY, 'Cuota fija de una cooperativa', analyst(T0)),
      );
      const alerted = (name: string, atMs: number) =>
        alertRecord({ id: name, customer: 'calm', reason: 'MONTO_REPETIDO', atMs });
      expect(await take(store, [alerted('S-1', T0 + 1)])).toMatchObject({ suppressed: 1, opened: [] });
      const { rows } = await listAlerts(store.db, { state: 'suppressed' }, 'newest', null, 10);
      expect(rows[0]).toMatchObject({ id: 'S-1', suppression_id: id, case_id: null });
      expect((await listSuppressions(store.db, T0 + 2, null, 10)).rows[0]).toMatchObject({ id, suppressed: 1 });
      await demandCounts();
      await doIt(store, (tx) => endSuppression(tx, id, 'Ya no es socio de ella', analyst(T0 + HOUR)));
      expect((await take(store, [alerted('S-2', T0 + 2 * HOUR)])).opened).toHaveLength(1);
      expect((await listSuppressions(store.db, T0 + 2 * HOUR, null, 10)).rows).toEqual([]);
    });
  });

  describe('the life of a case', () => {
    it('ends with labels of all its transactions, also of those that joined', async () => {
      const { caseId, alertId, customer } = await oneCase({ reason: 'CAMBIO_SIM' });
      await take(store, [alertRecord({ id: `${alertId}-j`, customer, reason: 'CAMBIO_SIM', atMs: T0 + MINUTE })]);
      const { result, audit } = await store.transact((tx) =>
        stepCase(tx, caseId, step('close-fraud'), SETTINGS, analyst(T0 + HOUR)),
      );
      expect(result).toEqual({ kind: 'done' });
      expect(audit).toMatchObject([{ action: 'case.closed', detail: { to: 'closed-fraud', alerts: 1, labels: 2 } }]);
      for (const id of [alertId, `${alertId}-j`]) {
        const { current } = await labelsOfTransaction(store.db, id);
        expect(current).toMatchObject({ outcome: 'fraud', typology: 'F02', source: 'analyst', weight: 1 });
      }
      expect((await getAlert(store.db, alertId)).alert).toMatchObject({ state: 'closed-fraud', decided_ms: T0 + HOUR });
      const again = await oneCase({ customer, reason: 'CAMBIO_SIM' });
      expect(again.caseId).not.toBe(caseId);
      await doIt(store, (tx) => stepCase(tx, caseId, step('reopen'), SETTINGS, analyst(T0 + 2 * HOUR)));
      expect((await getAlert(store.db, alertId)).alert).toMatchObject({ state: 'in-progress', decided_ms: null });
      await demandCounts();
    });

    it('is closed as genuine above the amount by two people, of whom the second saw what there was', async () => {
      const { caseId, customer } = await oneCase({ amountMinor: 600_000 });
      const close = (act = analyst()) =>
        doIt(store, (tx) => stepCase(tx, caseId, step('close-genuine'), SETTINGS, act));
      const waits = await close();
      if (waits.kind !== 'waits') throw new Error('It does not wait');
      await expect(close()).rejects.toMatchObject({ code: 'CASE_WAITS' });
      const decide = (yes: boolean, comment: string, act = manager()) =>
        doIt(store, (tx) => decideRequest(tx, waits.requestId, yes, comment, SETTINGS, act));
      await expect(decide(true, '', analyst())).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await take(store, [alertRecord({ id: `${caseId}-late`, customer, atMs: T0 + HOUR })]);
      await expect(decide(true, '')).rejects.toMatchObject({ code: 'CASE_CHANGED' });
      await expect(decide(false, 'no')).rejects.toMatchObject({ code: 'REASON_MISSING' });
      await decide(false, 'Falta ver la operación nueva');
      await expect(decide(true, '')).rejects.toMatchObject({ code: 'REQUEST_DECIDED' });
      const own = await close(manager());
      if (own.kind !== 'waits') throw new Error('It does not wait');
      await expect(
        doIt(store, (tx) => decideRequest(tx, own.requestId, true, '', SETTINGS, manager())),
      ).rejects.toMatchObject({
        code: 'SECOND_PERSON_NEEDED',
      });
      expect((await getCase(store.db, caseId, auditor().permissions)).isWaiting).toBe(true);
      await doIt(store, (tx) => withdrawRequest(tx, own.requestId, manager()));
      const last = await close();
      if (last.kind !== 'waits') throw new Error('It does not wait');
      await doIt(store, (tx) => decideRequest(tx, last.requestId, true, '', SETTINGS, manager(T0 + DAY)));
      expect((await getCase(store.db, caseId, auditor().permissions)).row).toMatchObject({
        state: 'closed-genuine',
        closed_ms: T0 + DAY,
      });
      await demandCounts();
    });

    it('decides one alert by itself, but no large sum piece by piece', async () => {
      const { caseId, customer, alertId } = await oneCase({ amountMinor: 300_000, reason: 'CAMBIO_SIM' });
      const other = `${alertId}-2`;
      await take(store, [alertRecord({ id: other, customer, amountMinor: 300_000, reason: 'DISPOSITIVO_NUEVO' })]);
      const genuine = { outcome: 'genuine', typology: null, reason: WHY } as const;
      await doIt(store, (tx) => decideAlert(tx, alertId, genuine, SETTINGS, analyst()));
      await expect(doIt(store, (tx) => decideAlert(tx, other, genuine, SETTINGS, analyst()))).rejects.toMatchObject({
        code: 'SECOND_PERSON_NEEDED',
      });
      await doIt(store, (tx) =>
        decideAlert(tx, other, { ...genuine, outcome: 'fraud', typology: 'F03' }, SETTINGS, analyst()),
      );
      await expect(doIt(store, (tx) => decideAlert(tx, other, genuine, SETTINGS, analyst()))).rejects.toMatchObject({
        code: 'ALERT_STATE_CONFLICT',
      });
      await doIt(store, (tx) => stepCase(tx, caseId, step('close-fraud'), SETTINGS, analyst()));
      expect((await labelsOfTransaction(store.db, alertId)).current).toMatchObject({ outcome: 'genuine' });
      await demandCounts();
    });

    it('refuses a version that was changed meanwhile', async () => {
      const { caseId } = await oneCase();
      const first = { ...step('start'), version: 1 };
      await doIt(store, (tx) => stepCase(tx, caseId, first, SETTINGS, analyst()));
      await expect(doIt(store, (tx) => assignCase(tx, caseId, 'ana', 1, analyst()))).rejects.toMatchObject({
        code: 'VERSION_CONFLICT',
      });
    });
  });

  describe('what compliance alone knows', () => {
    it('goes by two people from unusual to reported within 24 hours of the qualification, and nobody else notices', async () => {
      const { caseId } = await oneCase({ reason: 'FRACCIONAMIENTO' });
      const other = await oneCase();
      const seen = async (act = analyst()) => {
        const { permissions } = act;
        return {
          ...{ view: await getCase(store.db, caseId, permissions), counts: await countCases(store.db) },
          history: await caseHistory(store.db, caseId, permissions, null, 50),
          comments: await caseComments(store.db, caseId, permissions),
          attachments: await caseAttachments(store.db, caseId, permissions),
          ...{
            relations: await caseRelations(store.db, caseId, permissions),
            waiting: await listWaiting(store.db, permissions, null, 50),
          },
          ...{ open: await listCases(store.db, {}, 'newest', null, 200), closedCounts: await countAlerts(store.db) },
        };
      };
      const before = { analyst: await seen(), manager: await seen(manager()), auditor: await seen(auditor()) };
      await doIt(store, (tx) => referCase(tx, caseId, 'Depósitos bajo el umbral', analyst()));
      await doIt(store, (tx) => referCase(tx, caseId, 'Depósitos bajo el umbral', analyst()));
      const [refer] = (await listWaiting(store.db, officer().permissions, null, 50)).rows.filter(
        (row) => row.is_confidential,
      );
      await expect(
        doIt(store, (tx) => decideRequest(tx, refer.id, true, '', SETTINGS, manager())),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const second = (requestId: string, act = otherOfficer()) =>
        doIt(store, (tx) => decideRequest(tx, requestId, true, '', SETTINGS, act));
      await second(refer.id, officer());
      const [file] = (await getCase(store.db, caseId, officer().permissions)).files;
      expect(file.state).toBe('unusual');
      await expect(
        doIt(store, (tx) => stepFile(tx, file.id, { step: 'qualify', reason: WHY, rosNumber: null }, manager())),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const asked = await doIt(store, (tx) =>
        stepFile(tx, file.id, { step: 'qualify', reason: WHY, rosNumber: null }, officer()),
      );
      await expect(second(asked, officer())).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
      await second(asked, otherOfficer(T0 + HOUR));
      expect((await filesDue(store.db, T0 + 25 * HOUR + 1, 10, officer())).map(({ id }) => id)).toContain(file.id);
      expect((await filesDue(store.db, T0 + 25 * HOUR, 10, officer())).map(({ id }) => id)).not.toContain(file.id);
      const confidential = { kind: 'note', body: 'Perfil sin sustento', isConfidential: true } as const;
      await doIt(store, (tx) => addComment(tx, caseId, confidential, officer()));
      await expect(doIt(store, (tx) => addComment(tx, caseId, confidential, analyst()))).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      const pdf = {
        ...inspectFile('sustento.pdf', new TextEncoder().encode('%PDF-1.7')),
        objectKey: 'o/1',
        isConfidential: true,
      };
      const attachment = await doIt(store, (tx) => addAttachment(tx, caseId, pdf, officer()));
      await expect(getAttachment(store.db, attachment, manager().permissions)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      const relation = { toId: other.caseId, kind: 'related', note: null, isConfidential: true } as const;
      await doIt(store, (tx) => relateCases(tx, caseId, relation, officer()));
      const report = { step: 'report', reason: WHY, rosNumber: 'ROS-2026-001' } as const;
      await expect(
        doIt(store, (tx) => stepFile(tx, file.id, { ...report, rosNumber: null }, officer())),
      ).rejects.toMatchObject({ code: 'ROS_NUMBER_INVALID' });
      await second(await doIt(store, (tx) => stepFile(tx, file.id, report, officer())));
      const known = await getCase(store.db, caseId, officer().permissions);
      expect(known).toMatchObject({ stateSeen: 'reported', comments: 1, attachments: 1 });
      expect(known.files[0]).toMatchObject({ ros_number: 'ROS-2026-001', ros_due_ms: T0 + 25 * HOUR });
      await expect(listFiles(store.db, null, null, 10, auditor())).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect((await listFiles(store.db, 'reported', null, 10, officer())).rows).toHaveLength(1);
      expect((await caseHistory(store.db, caseId, officer().permissions, null, 50)).rows.length).toBeGreaterThan(5);
      const after = { analyst: await seen(), manager: await seen(manager()), auditor: await seen(auditor()) };
      expect(after).toEqual(before);
    });
  });
});
