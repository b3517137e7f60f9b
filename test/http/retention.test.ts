// What need not be kept goes, by the service itself and by hand; what is held, open or young stays; each run is in the audit.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import type { AuditEntryDraft } from '../../src/audit/entry.ts';
import { planRetention, type RetentionParts, runRetention } from '../../src/jobs/retention/retention-round.ts';
import { endedBefore, retentionMonths } from '../../src/privacy/retention.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { endTurn, takeTurn } from '../../src/records/retention/turn.ts';
import { openCase, system } from '../alerts/acts.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { startTestService } from './running-service.ts';

const MONTHS = retentionMonths();
const DAY_MS = 86_400_000;
const WAIT = { timeout: 20_000 };

/** A case that was closed then, with an attachment that is there and one that was taken out long ago. */
async function closedCase(store: RecordStore, closedMs: number, key: string) {
  const { caseId, alertId, customer } = await openCase(store);
  await store.transact(async (tx) => {
    await sql`UPDATE cases SET state = 'closed-genuine', closed_ms = ${closedMs} WHERE id = ${caseId}`.execute(tx);
    for (const [id, removedMs] of [
      [`${key}-kept`, null],
      [`${key}-removed`, closedMs],
    ] as const) {
      const row = {
        id,
        case_id: caseId,
        name: 'a.pdf',
        type: 'application/pdf',
        bytes: 1,
        sha256: '00',
        object_key: id,
      };
      const doer = { by_kind: 'user' as const, by_id: 'ana', by_name: 'ana', at_ms: closedMs };
      const removed = { removed_ms: removedMs, removed_by: removedMs === null ? null : 'ana', is_confidential: false };
      await tx
        .insertInto('case_attachments')
        .values({ ...row, ...doer, ...removed })
        .execute();
    }
  });
  return { caseId, alertId, customer };
}

/** What each run told the audit. */
async function runsOf({ db }: RecordStore): Promise<object[]> {
  const entries = db.selectFrom('audit_entries').select('text').where('action', '=', 'retention.run');
  const rows = await entries.orderBy('sequence').execute();
  return rows.map(({ text }) => JSON.parse(text).detail);
}

describeOnEachEngine('retention', (open) => {
  it('the service deletes at its start what is over, not what is held or young, and says so', async () => {
    const store = await open();
    const masters = () => new LocalMasterKeys('file', [new Uint8Array(key)]);
    const key = randomBytes(32);
    const first = await startTestService(store, { masters: masters() });
    await expect.poll(async () => (await runsOf(store)).length, WAIT).toBe(1);
    const before = endedBefore('cases', Date.now(), MONTHS);
    const [gone, held] = [await closedCase(store, before - DAY_MS, 'a'), await closedCase(store, before - 2, 'b')];
    const young = await closedCase(store, before + DAY_MS, 'c');
    const officer = await first.as('compliance-officer');
    const hold = {
      customerId: held.customer,
      authority: 'Fiscalía',
      actNumber: '1-2026',
      reason: 'investigación en curso',
    };
    expect((await officer.ask('/v1/legal-holds', { method: 'POST', body: hold })).status).toBe(201);
    await first.stop();
    const service = await startTestService(store, { masters: masters() });
    try {
      const { db } = store;
      // The first service had nothing to delete yet, and said that, too.
      await expect.poll(async () => (await runsOf(store)).length, WAIT).toBe(2);
      expect((await runsOf(store))[1]).toMatchObject({ cases: 1, alerts: 1, held: 2, isMore: false });
      const cases = await db.selectFrom('cases').select('id').orderBy('id').execute();
      expect(cases.map(({ id }) => id)).toEqual([held.caseId, young.caseId].sort());
      expect(await db.selectFrom('alerts').select('id').where('id', '=', gone.alertId).execute()).toEqual([]);
      expect(service.logged.filter((line) => line.includes('what need not be kept was deleted'))).toHaveLength(1);
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('removes the bytes of what is gone, once, after the rows, and does nothing of it in a dry run', async () => {
    const store = await open();
    const nowMs = Date.now();
    const before = endedBefore('cases', nowMs, MONTHS);
    for (const name of ['a', 'b', 'c']) await closedCase(store, before - DAY_MS, name);
    await closedCase(store, nowMs - 31 * DAY_MS, 'young');
    await closedCase(store, nowMs - DAY_MS, 'younger');
    const removed: string[] = [];
    const audit: AuditEntryDraft[] = [];
    let isAway = true;
    const parts: RetentionParts = {
      records: store,
      objects: {
        async remove(key) {
          if (isAway) throw new Error('the store does not answer');
          removed.push(key);
        },
      },
      ...{ months: MONTHS, linkWindowMs: 7 * DAY_MS, act: system, nowMs: () => nowMs, subjectOf: (id) => id },
      begin: async () => undefined,
      record: async (_, drafts) => audit.push(...drafts),
      limits: { batch: 2 },
    };
    const planned = await planRetention(parts);
    expect(planned).toMatchObject({ cases: 3, alerts: 3, held: 0, objects: 4, isMore: false });
    expect((await store.db.selectFrom('cases').select('id').execute()).length).toBe(5);
    // What is cut short after the rows are gone is made good by the next round.
    await expect(runRetention(parts)).rejects.toThrow('does not answer');
    isAway = false;
    expect(await runRetention(parts)).toMatchObject({ cases: 0, objects: 4 });
    expect(removed.sort()).toEqual(['a-kept', 'b-kept', 'c-kept', 'young-removed']);
    expect(await runRetention(parts)).toMatchObject({ cases: 0, objects: 0, isMore: false });
    expect(audit.filter(({ action }) => action === 'cases.pruned')).toHaveLength(2);
    expect(audit.filter(({ action }) => action === 'retention.run')).toHaveLength(2);
    const few = await runRetention({ ...parts, limits: { batch: 1, batches: 0 } });
    expect(few.isMore).toBe(true);
  }, 60_000);

  it('is one process at a time, and once a day', async () => {
    const store = await open();
    const turn = { nowMs: 1000, turnMs: 100, restMs: 0 };
    expect(await takeTurn(store, 'one', turn)).toBe(true);
    expect(await takeTurn(store, 'two', { ...turn, nowMs: 1050 })).toBe(false);
    // Who died lets others in after its time.
    expect(await takeTurn(store, 'two', { ...turn, nowMs: 1100 })).toBe(true);
    await endTurn(store, 'one', 1150, true);
    expect(await takeTurn(store, 'three', { ...turn, nowMs: 1150 })).toBe(false);
    await endTurn(store, 'two', 1160, true);
    expect(await takeTurn(store, 'three', { ...turn, nowMs: 1200, restMs: DAY_MS })).toBe(false);
    expect(await takeTurn(store, 'three', { ...turn, nowMs: 1160 + DAY_MS, restMs: DAY_MS })).toBe(true);
  });
});
