// What need not be kept goes, by the service itself and by hand; what is held, open or young stays; each run is in the audit.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import type { AuditEntryDraft } from '../../src/audit/entry.ts';
import { findPack, keepPack } from '../../src/jobs/evidence/evidence-store.ts';
import { planRetention, type RetentionParts, runRetention } from '../../src/jobs/retention/retention-round.ts';
import { dataKey, sealBytes } from '../../src/privacy/envelope.ts';
import { endedBefore, retentionMonths } from '../../src/privacy/retention.ts';
import { writeLabels } from '../../src/records/alerts/labels.ts';
import { addAttachment } from '../../src/records/alerts/work.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { endTurn, takeTurn } from '../../src/records/retention/turn.ts';
import { openListBook } from '../../src/registry/list-book.ts';
import { analyst, openCase, system } from '../alerts/acts.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { createMemoryStore } from '../registry/memory-store.ts';
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

const LIFTED = { lifted_by: 'olga', lifted_ms: 1, lift_reason: 'archivado' };

function partsOf(store: RecordStore, objects: RetentionParts['objects'], nowMs: number): RetentionParts {
  return {
    ...{
      records: store,
      objects,
      lists: null,
      months: MONTHS,
      linkWindowMs: 7 * DAY_MS,
      act: system,
      nowMs: () => nowMs,
    },
    ...{ subjectOf: (id: string) => id, begin: async () => undefined, record: async () => undefined },
  };
}

async function placeHold(store: RecordStore, subject: string, placedMs: number, more: object = {}): Promise<void> {
  const lifted = 'lifted_ms' in more ? { lifted_by: 'olga', lift_reason: 'archivado' } : {};
  const nothing = { until_ms: null, lifted_by: null, lifted_ms: null, lift_reason: null };
  const row = { id: randomUUID(), subject, authority: 'Fiscalía', act_number: '1', reason: 'r', placed_by: 'olga' };
  await store.transact((tx) =>
    tx
      .insertInto('legal_holds')
      .values({ ...row, placed_ms: placedMs, ...nothing, version: 1, ...lifted, ...more })
      .execute(),
  );
}

async function closeCases(store: RecordStore, ids: readonly string[], closedMs: number): Promise<void> {
  await store.transact(async (tx) => {
    await sql`UPDATE cases SET state = 'closed-genuine', closed_ms = ${closedMs} WHERE id = ANY(${ids}::text[])`.execute(
      tx,
    );
    await sql`UPDATE alerts SET state = 'closed-genuine' WHERE case_id = ANY(${ids}::text[])`.execute(tx);
  });
}

async function label(store: RecordStore, transactionId: string, atMs: number): Promise<void> {
  const given = {
    transactionId,
    outcome: 'fraud',
    typology: null,
    source: 'analyst',
    caseId: null,
    note: null,
  } as const;
  await store.transact((tx) => writeLabels(tx, [given], analyst(atMs)));
}

async function attach(store: RecordStore, caseId: string, objectKey: string): Promise<void> {
  const file = { name: 'a.pdf', type: 'application/pdf', bytes: 1, sha256: '00', objectKey, isConfidential: false };
  await store.transact((tx) => addAttachment(tx, caseId, file, analyst()));
}

/** As the service makes one, of which retention sees the time and the key. */
async function packBy(store: RecordStore, decidedMs: number, subject: string): Promise<Uint8Array> {
  const key = dataKey(randomBytes(16).toString('hex'), new Uint8Array(randomBytes(32)), 0);
  const row = { id: key.id, subject, master_id: 'm', wrapped: Uint8Array.of(1), created_ms: 0, erased_ms: null };
  await store.transact((tx) => tx.insertInto('data_keys').values(row).execute());
  const sealed = sealBytes(key, Uint8Array.of(1), { table: 'evidence', row: 'x', field: 'transaction' });
  const transaction = { form: 'sealed', value: Buffer.from(sealed).toString('base64'), sha256: '' };
  return new TextEncoder().encode(JSON.stringify({ decidedMs, transaction }));
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
      ...{ records: store, lists: null },
      objects: {
        get: async () => null,
        list: async () => [],
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

  it('goes past what is held at the front, within the bounds of one round', async () => {
    const store = await open();
    const nowMs = Date.now();
    const before = endedBefore('cases', nowMs, MONTHS);
    for (const [at, key] of ['a', 'b', 'c'].entries()) {
      const { customer } = await closedCase(store, before - (10 - at) * DAY_MS, key);
      await placeHold(store, customer, nowMs - DAY_MS);
    }
    const gone = [await closedCase(store, before - DAY_MS, 'd'), await closedCase(store, before - DAY_MS + 1, 'e')];
    const objects = createMemoryStore();
    const parts = { ...partsOf(store, objects, nowMs), limits: { batch: 1, batches: 1 } };
    const held = 3;
    for (const { caseId } of gone) {
      expect(await planRetention(parts)).toMatchObject({ cases: 1 });
      expect(await runRetention(parts)).toMatchObject({ cases: 1 });
      expect(await store.db.selectFrom('cases').select('id').where('id', '=', caseId).execute()).toEqual([]);
    }
    expect(await store.db.selectFrom('cases').select('id').execute()).toHaveLength(held);
  }, 60_000);

  it('forgets labels of which nothing was said since, of nobody held and of no open alert, with what counts of them', async () => {
    const store = await open();
    const nowMs = Date.now();
    const before = endedBefore('labels', nowMs, MONTHS);
    const [over, held, working] = [await openCase(store), await openCase(store), await openCase(store)];
    await closeCases(store, [over.caseId, held.caseId], nowMs - DAY_MS);
    const said: [string, number][] = [
      [over.alertId, before - 2],
      [over.alertId, before - 1],
      [held.alertId, before - 1],
      [working.alertId, before - 1],
      ['said-again', before - 1],
      ['said-again', before],
      ['of-nobody-known', before - 1],
    ];
    for (const [transactionId, atMs] of said) await label(store, transactionId, atMs);
    const left = async () => {
      const rows = await store.db.selectFrom('labels').select('transaction_id').distinct().execute();
      const counts = await store.db.selectFrom('transaction_labels').select('transaction_id').execute();
      const names = (ids: readonly { transaction_id: string }[]) => ids.map((row) => row.transaction_id).sort();
      expect(names(counts)).toEqual(names(rows));
      return names(rows);
    };
    await placeHold(store, held.customer, nowMs);
    const parts = partsOf(store, createMemoryStore(), nowMs);
    expect(await planRetention(parts)).toMatchObject({ labels: 2, held: 2 });
    expect(await runRetention(parts)).toMatchObject({ labels: 2, held: 2, isMore: false });
    expect(await left()).toEqual([held.alertId, working.alertId, 'of-nobody-known', 'said-again'].sort());
    await store.transact((tx) => tx.updateTable('legal_holds').set(LIFTED).execute());
    expect(await runRetention({ ...parts, limits: { batch: 1 } })).toMatchObject({ labels: 2, held: 0, isMore: false });
    expect(await left()).toEqual([working.alertId, 'said-again'].sort());
  }, 60_000);

  it('forgets legal holds that ended, unless another is in force for the same customer', async () => {
    const store = await open();
    const nowMs = Date.now();
    const before = endedBefore('legal-holds', nowMs, MONTHS);
    await placeHold(store, 'lifted', before - DAY_MS, { lifted_ms: before - 1 });
    await placeHold(store, 'over', before - DAY_MS, { until_ms: before - 1 });
    await placeHold(store, 'young', before - DAY_MS, { until_ms: before });
    await placeHold(store, 'again', before - DAY_MS, { until_ms: before - 1 });
    await placeHold(store, 'again', nowMs - DAY_MS);
    await placeHold(store, 'for-ever', before - DAY_MS);
    const parts = { ...partsOf(store, createMemoryStore(), nowMs), limits: { batch: 1 } };
    expect(await planRetention(parts)).toMatchObject({ holds: 2, held: 1 });
    expect(await runRetention(parts)).toMatchObject({ holds: 2, held: 1, isMore: false });
    const rows = await store.db.selectFrom('legal_holds').select('subject').execute();
    expect(rows.map(({ subject }) => subject).sort()).toEqual(['again', 'again', 'for-ever', 'young']);
  }, 60_000);

  it('removes evidence by the time of its decision, unless its customer is held, and reads no folder in vain again', async () => {
    const store = await open();
    const nowMs = Date.now();
    const before = endedBefore('evidence', nowMs, MONTHS);
    const objects = createMemoryStore();
    const keep = async (id: string, decidedMs: number, subject: string) =>
      keepPack(objects, id, await packBy(store, decidedMs, subject));
    await keep('old', before - 1, 'K-1');
    await keep('held', before - 1, 'K-2');
    await keep('young', before, 'K-1');
    await keepPack(objects, 'broken', new TextEncoder().encode('{'));
    await placeHold(store, 'K-2', nowMs);
    const read: string[] = [];
    const counting = {
      ...objects,
      get: (key: string) => {
        read.push(key);
        return objects.get(key);
      },
    };
    const parts = partsOf(store, counting, nowMs);
    expect(await planRetention(parts)).toMatchObject({ evidence: 1, held: 1 });
    expect(objects.objects.size).toBe(4);
    // Bounds: one pack in a round, and the next round goes on there.
    const few = { ...parts, limits: { batch: 1, batches: 1 } };
    const rounds = [await runRetention(few), await runRetention(few), await runRetention(few), await runRetention(few)];
    expect(rounds.map(({ isMore }) => isMore)).toContain(true);
    expect(await runRetention(parts)).toMatchObject({ isMore: false });
    const sums = rounds.reduce((sum, { evidence }) => sum + evidence, 0);
    expect([sums, await findPack(objects, 'old')]).toEqual([1, null]);
    for (const id of ['held', 'young', 'broken']) expect(await findPack(objects, id)).not.toBeNull();
    await store.transact((tx) => tx.updateTable('legal_holds').set(LIFTED).execute());
    read.length = 0;
    // Of the folders the one alone that may have something to remove is read.
    expect(await runRetention(parts)).toMatchObject({ evidence: 1, held: 0, isMore: false });
    expect(read).toHaveLength(1);
    read.length = 0;
    expect(await runRetention(parts)).toMatchObject({ evidence: 0, isMore: false });
    expect(read).toEqual([]);
    const later = partsOf(store, counting, nowMs + 31 * DAY_MS);
    expect(await runRetention(later)).toMatchObject({ evidence: 1 });
    expect(await findPack(objects, 'young')).toBeNull();
  }, 60_000);

  it('removes attachments that no row names a day after it saw them first, and not while anybody is held', async () => {
    const store = await open();
    const nowMs = Date.now();
    const objects = createMemoryStore();
    const { caseId } = await openCase(store);
    await attach(store, caseId, 'attachments/named');
    for (const key of ['attachments/named', 'attachments/lost', 'attachments/late', 'evidence/rules/x.json']) {
      await objects.put(key, Uint8Array.of(1));
    }
    const at = (ms: number) => partsOf(store, objects, nowMs + ms);
    expect(await runRetention(at(0))).toMatchObject({ objects: 0, isMore: false });
    // Its row came after it was seen.
    await attach(store, caseId, 'attachments/late');
    await objects.put('attachments/new', Uint8Array.of(1));
    expect(await runRetention(at(DAY_MS))).toMatchObject({ objects: 0 });
    await placeHold(store, 'K-9', nowMs);
    expect(await runRetention(at(DAY_MS + 1))).toMatchObject({ objects: 0, held: 1 });
    await store.transact((tx) => tx.updateTable('legal_holds').set(LIFTED).execute());
    expect(await planRetention(at(DAY_MS + 1))).toMatchObject({ objects: 1 });
    expect([...objects.objects.keys()]).toHaveLength(5);
    expect(await runRetention(at(DAY_MS + 1))).toMatchObject({ objects: 1, held: 0, isMore: false });
    expect([...objects.objects.keys()].sort()).toEqual(
      ['attachments/late', 'attachments/named', 'attachments/new', 'evidence/rules/x.json'].sort(),
    );
  }, 60_000);

  it('forgets entries of lists that ended, not while anybody is held; the service does it, too, and the audit has it', async () => {
    const store = await open();
    const nowMs = Date.now();
    const before = endedBefore('lists', nowMs, MONTHS);
    const registryFolder = mkdtempSync(join(tmpdir(), 'centinela-registry-'));
    try {
      const book = openListBook(createFolderObjectStore(registryFolder));
      const act = { by: 'Ana', why: 'caso 7', atMs: before - 2 * DAY_MS };
      await book.add('bloqueados', 'ENDED-1', { source: 'x', untilMs: before - DAY_MS }, act);
      await book.add('bloqueados', 'STAYS-1', { source: 'x', untilMs: null }, act);
      const parts = { ...partsOf(store, createMemoryStore(), nowMs), lists: book };
      expect(await planRetention(parts)).toMatchObject({ lists: 1, held: 0 });
      await placeHold(store, 'K-1', nowMs);
      expect(await runRetention(parts)).toMatchObject({ lists: 0, held: 1 });
      await store.transact((tx) => tx.updateTable('legal_holds').set(LIFTED).execute());
      const service = await startTestService(store, { registryFolder });
      try {
        await expect.poll(async () => (await runsOf(store)).length, WAIT).toBe(1);
        expect((await runsOf(store))[0]).toMatchObject({ lists: 1, held: 0 });
        const pruned = store.db.selectFrom('audit_entries').select('text').where('action', '=', 'list.pruned');
        const told = (await pruned.execute()).map(({ text }) => JSON.parse(text));
        expect(told).toMatchObject([
          { actor: { kind: 'system' }, subject: { id: 'bloqueados' }, detail: { entries: 1 } },
        ]);
        const officer = await service.as('compliance-officer');
        const { rows } = (await officer.ask('/v1/lists/bloqueados/entries?inForce=false')).json;
        expect(rows).toMatchObject([{ id: 1, value: 'STAYS-1' }]);
        const history = (await officer.ask('/v1/list-history')).json.rows.map(({ kind }: { kind: string }) => kind);
        expect(history).toEqual(['pruned', 'added', 'forgotten']);
        const chain = await officer.ask('/v1/list-history:verify', { method: 'POST' });
        expect(chain.json).toMatchObject({ isWhole: true, entries: 3, problem: null });
        const files = readdirSync(registryFolder, { recursive: true, withFileTypes: true }).filter((each) =>
          each.isFile(),
        );
        const bytes = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('');
        expect(bytes).not.toContain('ENDED-1');
      } finally {
        await service.stop();
      }
    } finally {
      rmSync(registryFolder, { recursive: true, force: true });
    }
  }, 120_000);

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
