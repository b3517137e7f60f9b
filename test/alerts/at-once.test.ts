// Several at work at the same time, many changes in any order, and forgetting: what must hold afterwards.
import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { DEFAULT_ALERT_SETTINGS as SETTINGS } from '../../src/alerts/settings.ts';
import type { Act, Done, Tx } from '../../src/records/alerts/act.ts';
import { assignCase } from '../../src/records/alerts/assign.ts';
import { decideAlert, decideRequest, stepCase } from '../../src/records/alerts/case-steps.ts';
import { referCase } from '../../src/records/alerts/compliance.ts';
import { labelFeed } from '../../src/records/alerts/labels.ts';
import { countAlerts } from '../../src/records/alerts/list-alerts.ts';
import { countCases, listCases, listWaiting } from '../../src/records/alerts/list-cases.ts';
import {
  type Pruned,
  type PrunedUpTo,
  pruneCases,
  pruneLinks,
  pruneSuppressed,
} from '../../src/records/alerts/retention.ts';
import { addSuppression } from '../../src/records/alerts/suppressions.ts';
import { addAttachment, addComment, inspectFile } from '../../src/records/alerts/work.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { analyst, doIt, manager, officer, system, take } from './acts.ts';
import { alertRecord, DAY, HOUR, MINUTE, T0 } from './alert-records.ts';

const WHY = 'El cliente lo confirmó por teléfono';

/** The kept figures are those of the rows. */
async function demandFigures({ db }: RecordStore): Promise<void> {
  const alerts = await sql`SELECT queue, state, severity, count(*)::integer AS count FROM alerts
    WHERE state <> 'joined' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`.execute(db);
  expect(await countAlerts(db)).toEqual(alerts.rows);
  const cases = await sql`SELECT queue, state, count(*)::integer AS count FROM cases
    WHERE state <> 'merged' GROUP BY 1, 2 ORDER BY 1, 2`.execute(db);
  expect(await countCases(db)).toEqual(cases.rows);
  const wrong = await sql`
    SELECT cases.id FROM cases LEFT JOIN alerts ON alerts.case_id = cases.id WHERE cases.state <> 'merged'
    GROUP BY cases.id HAVING count(alerts.id) <> cases.transactions OR sum(alerts.soles_minor) <> cases.soles_minor
      OR count(alerts.id) FILTER (WHERE joined_to IS NULL) <> cases.alerts
      OR (NOT cases.is_open AND count(alerts.id) FILTER (WHERE alerts.is_open) > 0)`.execute(db);
  expect(wrong.rows).toEqual([]);
  const heads = await sql`
    SELECT head.id FROM alerts AS head LEFT JOIN alerts AS part ON part.joined_to = head.id WHERE head.joined_to IS NULL
    GROUP BY head.id HAVING head.transactions <> 1 + count(part.id)
      OR head.total_soles_minor <> coalesce(head.soles_minor, 0) + coalesce(sum(part.soles_minor), 0)`.execute(db);
  expect(heads.rows).toEqual([]);
}

describeOnEachEngine('alerts and cases at once', (open) => {
  it('takes the same alerts in by several, and closes meanwhile, with nothing lost or counted twice', async () => {
    const store = await open();
    const batch = (from: number) =>
      Array.from({ length: 30 }, (_, at) => {
        const n = from + at;
        return alertRecord({ id: `T-${n}`, customer: `K-${n % 7}`, device: `D-${n % 11}`, atMs: T0 + n * 10 * MINUTE });
      });
    const takes = [0, 10, 20, 30, 0, 40].map((from) => take(store, batch(from)));
    const closes = [0, 1, 2, 3].map(async () => {
      for (const { id } of (await listCases(store.db, { state: 'open' }, 'urgency', null, 3)).rows) {
        const close = { step: 'close-fraud', reason: WHY, typology: null, version: null } as const;
        await doIt(store, (tx) => stepCase(tx, id, close, SETTINGS, analyst())).catch((error: { code?: string }) => {
          expect(['CASE_STATE_CONFLICT', 'CASE_MERGED']).toContain(error.code);
        });
      }
    });
    await Promise.all([...takes, ...closes]);
    const { rows } = await sql<{ count: number }>`SELECT count(*)::integer AS count FROM alerts`.execute(store.db);
    expect(rows[0].count).toBe(70);
    await demandFigures(store);
    const feeds = (await labelFeed(store.db, 0, 1000)).map(({ feed }) => feed);
    expect(new Set(feeds).size).toBe(feeds.length);
  });

  it('keeps its figures right whatever is done in whatever order', async () => {
    const store = await open();
    let n = 0;
    const anyCase = async (at: number) => {
      const { rows } = await listCases(store.db, {}, 'newest', null, 500);
      return rows[at % Math.max(1, rows.length)]?.id ?? 'none';
    };
    const tried = (work: (tx: Tx) => Promise<Done<unknown>>) =>
      store.transact(work).then(
        () => undefined,
        (error: { code?: string }) => expect(error.code).toMatch(/^(NOT_FOUND|CASE_|ALERT_|SECOND_PERSON)/),
      );
    const step =
      (at: number, name: 'start' | 'close-fraud' | 'close-genuine' | 'close-error' | 'reopen', act: Act) =>
      async () => {
        const id = await anyCase(at);
        await tried((tx) =>
          stepCase(tx, id, { step: name, reason: WHY, typology: null, version: null }, SETTINGS, act),
        );
      };
    const arrives = fc.record({
      customer: fc.constantFrom('A', 'B', 'C'),
      device: fc.constantFrom(null, 'X', 'Y'),
      reason: fc.constantFrom('CAMBIO_SIM', 'DUPLICADO', 'PASO_RAPIDO'),
      minutes: fc.integer({ min: 0, max: 6000 }),
      action: fc.constantFrom('review', 'decline'),
    });
    const deed = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.array(arrives, { minLength: 1, maxLength: 6 }).map((rows) => async () => {
          await take(
            store,
            rows.map(({ minutes, ...row }) => alertRecord({ id: `T-${n++}`, atMs: T0 + minutes * MINUTE, ...row })),
          );
        }),
      },
      fc
        .record({
          at: fc.nat(50),
          name: fc.constantFrom('start', 'close-fraud', 'close-genuine', 'close-error', 'reopen'),
        })
        .map(({ at, name }) => step(at, name as 'start', manager(T0 + at))),
      fc.nat(200).map((at) => async () => {
        const decision = { outcome: 'genuine', typology: null, reason: WHY } as const;
        await tried((tx) => decideAlert(tx, `T-${at % Math.max(1, n)}`, decision, SETTINGS, analyst()));
      }),
      fc.nat(50).map((at) => async () => {
        const id = await anyCase(at);
        await tried((tx) => assignCase(tx, id, 'ana', null, manager()));
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 15 }), async (deeds) => {
        for (const act of deeds) await act();
        await demandFigures(store);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  it('forgets what is old enough, in small steps, but nothing that is held or that compliance keeps', async () => {
    const store = await open();
    const caseOf = new Map<string, string>();
    for (const customer of ['old', 'held', 'known', 'young']) {
      const { opened } = await take(store, [alertRecord({ id: `T-${customer}`, customer })]);
      caseOf.set(customer, opened[0].caseId!);
    }
    const pdf = {
      ...inspectFile('a.pdf', new TextEncoder().encode('%PDF-1.7')),
      objectKey: 'o/1',
      isConfidential: false,
    };
    await doIt(store, (tx) => addAttachment(tx, caseOf.get('old')!, pdf, analyst()));
    const comment = { kind: 'comment', body: 'hola', isConfidential: false } as const;
    await doIt(store, (tx) => addComment(tx, caseOf.get('old')!, comment, analyst()));
    await doIt(store, (tx) => referCase(tx, caseOf.get('known')!, 'Depósitos bajo el umbral', analyst()));
    const [{ id: requestId }] = (await listWaiting(store.db, officer().permissions, null, 10)).rows;
    await doIt(store, (tx) => decideRequest(tx, requestId, true, '', SETTINGS, officer()));
    const close = { step: 'close-fraud', reason: WHY, typology: null, version: null } as const;
    for (const [customer, id] of caseOf) {
      const atMs = customer === 'young' ? T0 + 100 * DAY : T0;
      await doIt(store, (tx) => stepCase(tx, id, close, SETTINGS, analyst(atMs)));
    }
    const scope = { entity: 'customer', entityId: 'calm', typology: 'other', ruleId: null } as const;
    await doIt(store, (tx) => addSuppression(tx, scope, T0 + HOUR, 'Cuota fija de una junta', analyst()));
    await take(store, [alertRecord({ id: 'T-calm', customer: 'calm' })]);
    let after: PrunedUpTo | null = null;
    const [objectKeys, totals] = [[] as string[], { cases: 0, held: 0, alerts: 0 }];
    do {
      const pruning = { closedBeforeMs: T0 + 50 * DAY, confidentialClosedBeforeMs: T0 - DAY, most: 1, after };
      const isHeld = (customer: string) => customer === 'held';
      const pruned: Pruned = await doIt(store, (tx) => pruneCases(tx, { ...pruning, isHeld }, system(T0 + 400 * DAY)));
      objectKeys.push(...pruned.objectKeys);
      totals.cases += pruned.cases;
      totals.held += pruned.held;
      totals.alerts += pruned.alerts;
      after = pruned.next;
    } while (after !== null);
    expect(totals).toEqual({ cases: 1, held: 1, alerts: 1 });
    expect(objectKeys).toEqual(['o/1']);
    const left = (await listCases(store.db, {}, 'newest', null, 10)).rows.map(({ id }) => id);
    expect([...left].sort()).toEqual(['held', 'known', 'young'].map((customer) => caseOf.get(customer)!).sort());
    for (const table of ['case_comments', 'case_attachments']) {
      expect((await sql`SELECT id FROM ${sql.table(table)}`.execute(store.db)).rows).toEqual([]);
    }
    expect(await store.transact((tx) => pruneSuppressed(tx, T0 + DAY, () => true, '', 10))).toEqual({
      removed: 0,
      next: null,
    });
    expect(await store.transact((tx) => pruneSuppressed(tx, T0 + DAY, () => false, '', 10))).toEqual({
      removed: 1,
      next: null,
    });
    expect(await store.transact((tx) => pruneLinks(tx, T0 + DAY, T0 + DAY, 100))).toBe(5);
    await demandFigures(store);
  });
});
