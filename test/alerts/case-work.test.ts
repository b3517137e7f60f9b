import { beforeEach, describe, expect, it } from 'vitest';
import { assignAlert, assignAutomatically, assignCase } from '../../src/records/alerts/assign.ts';
import { addChallengeAnswer, addLabels, labelFeed, labelsOfTransaction } from '../../src/records/alerts/labels.ts';
import { countAlerts, countOverdueAlerts, getAlert, listAlerts } from '../../src/records/alerts/list-alerts.ts';
import { clocksOf, listCases } from '../../src/records/alerts/list-cases.ts';
import { caseAttachments, caseComments, caseRelations } from '../../src/records/alerts/read-case.ts';
import {
  addAttachment,
  addComment,
  editComment,
  inspectFile,
  relateCases,
  removeAttachment,
  setAlertTags,
  setCaseTags,
  setClaim,
} from '../../src/records/alerts/work.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { analyst, auditor, doIt, manager, openCase, otherAnalyst } from './acts.ts';
import { type AlertFields, HOUR, T0 } from './alert-records.ts';

const WHY = 'El cliente lo confirmó por teléfono';
describeOnEachEngine('work on alerts and cases', (open) => {
  let store: RecordStore;
  const oneCase = (fields: Partial<AlertFields> = {}) => openCase(store, fields);
  beforeEach(async () => {
    store = await open();
  });

  describe('assignment', () => {
    it('lets people take and give back, and managers alone give', async () => {
      const { caseId, alertId } = await oneCase();
      await expect(doIt(store, (tx) => assignCase(tx, caseId, 'beto', null, analyst()))).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await doIt(store, (tx) => assignCase(tx, caseId, 'ana', null, analyst()));
      await expect(doIt(store, (tx) => assignCase(tx, caseId, 'beto', null, otherAnalyst()))).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await doIt(store, (tx) => assignCase(tx, caseId, 'beto', null, manager()));
      expect((await getAlert(store.db, alertId)).alert.assignee).toBe('beto');
      await doIt(store, (tx) => assignCase(tx, caseId, null, null, otherAnalyst()));
      await doIt(store, (tx) => assignAlert(tx, alertId, 'ana', analyst()));
      expect(
        (await listAlerts(store.db, { assignee: 'ana', state: 'open' }, 'urgency', null, 10)).rows.map(({ id }) => id),
      ).toContain(alertId);
    });

    it('shares out what nobody has taken, most urgent first, in turn', async () => {
      const queues = [{ id: 'errors', es: 'Errores', en: 'Errors', roles: ['fraud-analyst'] }];
      const made: string[] = [];
      for (const amountMinor of [100, 100_000_00, 1_000_00])
        made.push((await oneCase({ reason: 'DUPLICADO', amountMinor })).caseId);
      const analysts = ['eva', 'leo'].map((id) => ({ id, roles: ['fraud-analyst'], isPresent: true, mostOpen: 2 }));
      const share = (most: number, atMs: number) =>
        doIt(store, (tx) => assignAutomatically(tx, { analysts, queues, method: 'round-robin', most }, manager(atMs)));
      const first = await share(2, T0);
      expect(first.map(({ assignee }) => assignee)).toEqual(['eva', 'leo']);
      expect(first.map(({ id }) => id)).toEqual([made[1], made[2]]);
      expect(await share(10, T0 + 5)).toEqual([{ id: made[0], assignee: 'eva' }]);
    });
  });

  describe('work on a case', () => {
    it("keeps a comment's history and masks cards; nobody edits another's", async () => {
      const { caseId } = await oneCase();
      const body = 'Tarjeta 4111 1111 1111 1111 bloqueada';
      const id = await doIt(store, (tx) =>
        addComment(tx, caseId, { kind: 'comment', body, isConfidential: false }, analyst()),
      );
      await expect(doIt(store, (tx) => editComment(tx, id, 'otro', 1, otherAnalyst()))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      await doIt(store, (tx) => editComment(tx, id, 'Tarjeta bloqueada', 1, analyst(T0 + HOUR)));
      await expect(doIt(store, (tx) => editComment(tx, id, 'x', 1, analyst()))).rejects.toMatchObject({
        code: 'VERSION_CONFLICT',
      });
      const [comment] = await caseComments(store.db, caseId, analyst().permissions);
      expect(comment).toMatchObject({ body: 'Tarjeta bloqueada', version: 2, edited_ms: T0 + HOUR });
      expect(comment.earlier.map((version) => version.body)).toEqual(['Tarjeta 411111******1111 bloqueada']);
    });

    it('hangs tags, relations, files and a claim onto it, and finds it by them', async () => {
      const { caseId, alertId } = await oneCase();
      const other = await oneCase();
      await doIt(store, (tx) => setCaseTags(tx, caseId, ['Toma de Cuenta', 'vip'], null, analyst()));
      await doIt(store, (tx) => setAlertTags(tx, alertId, ['llamar'], analyst()));
      expect((await listAlerts(store.db, { tag: 'llamar' }, 'newest', null, 10)).rows.map(({ id }) => id)).toEqual([
        alertId,
      ]);
      expect((await listCases(store.db, { tag: 'vip' }, 'newest', null, 10)).rows.map(({ id }) => id)).toEqual([
        caseId,
      ]);
      const relation = { toId: other.caseId, kind: 'follow-up', note: 'Mismo celular', isConfidential: false } as const;
      await doIt(store, (tx) => relateCases(tx, caseId, relation, analyst()));
      expect(await caseRelations(store.db, other.caseId, analyst().permissions)).toMatchObject([
        { from_id: caseId, kind: 'follow-up' },
      ]);
      const file = inspectFile('../captura.exe', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10));
      expect(file).toMatchObject({ name: 'captura.png', type: 'image/png', bytes: 8 });
      const id = await doIt(store, (tx) =>
        addAttachment(tx, caseId, { ...file, objectKey: 'o/2', isConfidential: false }, analyst()),
      );
      await expect(doIt(store, (tx) => removeAttachment(tx, id, WHY, otherAnalyst()))).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(await doIt(store, (tx) => removeAttachment(tx, id, WHY, analyst()))).toBe('o/2');
      expect(await caseAttachments(store.db, caseId, analyst().permissions)).toEqual([]);
      const due = await doIt(store, (tx) => setClaim(tx, caseId, 'R-2026-77', T0, analyst()));
      expect((await listCases(store.db, { claimId: 'R-2026-77' }, 'newest', null, 10)).rows[0]).toMatchObject({
        id: caseId,
        claim_due_ms: due,
      });
    });
  });

  describe('labels', () => {
    const label = (transactionId: string, outcome: 'fraud' | 'genuine', source: 'rule' | 'claim' | 'analyst') => ({
      ...{ transactionId, outcome, source, typology: null, caseId: null, note: null },
    });

    it('keep all that was said, count whose word weighs more, and feed changes in order', async () => {
      const start = (await labelFeed(store.db, 0, 10_000)).at(-1)?.feed ?? 0;
      const say = (labels: ReturnType<typeof label>[], atMs: number) =>
        doIt(store, (tx) => addLabels(tx, labels, analyst(atMs)));
      await say([label('L-1', 'fraud', 'rule'), label('L-2', 'fraud', 'analyst')], T0);
      await doIt(store, (tx) =>
        addChallengeAnswer(tx, 'L-1', 'it-was-me', { ...analyst(T0 + 1), permissions: new Set() }),
      );
      expect(
        (await labelFeed(store.db, start, 10)).map(({ transaction_id, outcome }) => [transaction_id, outcome]),
      ).toEqual([
        ['L-2', 'fraud'],
        ['L-1', 'genuine'],
      ]);
      const feed = (await labelFeed(store.db, start, 10)).at(-1)!.feed;
      expect(await say([label('L-2', 'genuine', 'claim')], T0 + 2)).toEqual([]);
      expect(await labelFeed(store.db, feed, 10)).toEqual([]);
      await say([label('L-2', 'genuine', 'analyst')], T0 + 3);
      expect(await labelFeed(store.db, feed, 10)).toMatchObject([
        { transaction_id: 'L-2', outcome: 'genuine', source: 'analyst' },
      ]);
      const { said, current } = await labelsOfTransaction(store.db, 'L-2');
      expect(said.map(({ outcome, source }) => `${source} ${outcome}`)).toEqual([
        'analyst fraud',
        'claim genuine',
        'analyst genuine',
      ]);
      expect(current?.label_id).toBe(said[2].id);
      await expect(
        doIt(store, (tx) => addLabels(tx, [label('L-3', 'fraud', 'rule')], auditor())),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    });
  });

  describe('lists', () => {
    it('page through every alert once, by urgency and by time, while more come', async () => {
      for (let n = 0; n < 10; n++) await oneCase({ amountMinor: 10_000 * n });
      for (const order of ['urgency', 'newest'] as const) {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await listAlerts(store.db, order === 'urgency' ? { state: 'open' } : {}, order, cursor, 3);
          seen.push(...page.rows.map(({ id }) => id));
          cursor = page.next;
          if (seen.length === 6) await oneCase();
        } while (cursor !== null);
        expect(new Set(seen).size).toBe(seen.length);
        const total = (await countAlerts(store.db)).filter(
          ({ state }) => order === 'newest' || /new|progress/.test(state),
        );
        const sum = total.reduce((all, { count }) => all + count, 0);
        expect(seen.length).toBeGreaterThanOrEqual(sum - 1);
      }
      await expect(listAlerts(store.db, {}, 'newest', 'e30', 3)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    });

    it('filter by everything that is asked for, and tell what is overdue', async () => {
      const { alertId, customer, caseId } = await oneCase({ reason: 'LEXICO_EXTORSION', amountMinor: 777_700 });
      const ids = async (filter: Parameters<typeof listAlerts>[1]) =>
        (await listAlerts(store.db, filter, 'newest', null, 500)).rows.map(({ id }) => id);
      const { alert } = await getAlert(store.db, alertId);
      const exact = {
        typology: 'F12',
        queue: 'laundering',
        severity: alert.severity,
        customer,
        caseId,
        state: 'new',
      } as const;
      expect(await ids(exact)).toEqual([alertId]);
      expect(await ids({ leastSolesMinor: 777_700, mostSolesMinor: 777_700 })).toEqual([alertId]);
      expect(await ids({ ...exact, assignee: null, fromMs: T0, untilMs: T0 + 1 })).toEqual([alertId]);
      expect(await ids({ ...exact, untilMs: T0 })).toEqual([]);
      expect(await ids({ text: customer })).toEqual([alertId]);
      expect(await ids({ ...exact, dueBeforeMs: alert.decision_due_ms })).toEqual([]);
      expect(await ids({ ...exact, dueBeforeMs: alert.decision_due_ms + 1 })).toEqual([alertId]);
      const nowMs = alert.decision_due_ms + 1;
      const overdue = (await countOverdueAlerts(store.db, nowMs)).find(({ queue }) => queue === 'laundering');
      expect(overdue?.decision).toBe((await ids({ queue: 'laundering', dueBeforeMs: nowMs })).length);
      expect(overdue?.decision).toBeGreaterThan(0);
      const clocks = clocksOf(alert, alert.created_ms, alert.decided_ms, alert.first_look_due_ms + 1, 0.2);
      expect(clocks).toEqual({ firstLook: 'breached', decision: 'running' });
    });
  });
});
