// Keys, holds and erasures in the database of records, on both databases.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import type { MasterKeys } from '../../src/ports.ts';
import { DataKeys } from '../../src/privacy/data-keys.ts';
import type { Erasure } from '../../src/privacy/erasure.ts';
import { combineMasterKeys } from '../../src/privacy/master-keys.ts';
import { openPepper } from '../../src/privacy/pepper.ts';
import { TransactionCodec } from '../../src/privacy/sealed-transaction.ts';
import { Tokens } from '../../src/privacy/tokens.ts';
import { createDataKeyTable } from '../../src/records/keys/data-key-table.ts';
import {
  approveErasure,
  erasuresOf,
  executeErasure,
  findErasure,
  listErasures,
  refuseErasure,
  requestErasure,
  sweepErased,
} from '../../src/records/keys/erasures.ts';
import {
  heldSubjects,
  holdsInForce,
  liftLegalHold,
  listLegalHolds,
  placeLegalHold,
} from '../../src/records/keys/legal-holds.ts';
import { masterKeyUses, noteMasterKeys, retireMasterKey, rewrapBatch } from '../../src/records/keys/master-rotation.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';

const NOW_MS = 1_790_000_000_000;
const DAY_MS = 86_400_000;
const local = (): MasterKeys => new LocalMasterKeys('file', [randomBytes(32)]);
const names = (count: number) => Array.from({ length: count }, (_, index) => `cli_${String(index).padStart(5, '0')}`);
const draft = (id: string, subject: string) => ({
  ...{ id, subject, customerId: null, identifiers: [], reason: 'solicitud 12', by: 'u1', nowMs: NOW_MS },
});
const holdDraft = (id: string, subject: string, untilMs: number | null = null) => ({
  ...{ id, subject, authority: 'Juzgado', actNumber: 'R-1', reason: 'proceso abierto', placedBy: 'u1' },
  ...{ placedMs: NOW_MS, untilMs },
});

async function approved(store: RecordStore, id: string, subject: string): Promise<Erasure> {
  const { version } = await store.transact((tx) => requestErasure(tx, draft(id, subject)));
  return store.transact((tx) => approveErasure(tx, { id, version, by: 'u2', nowMs: NOW_MS + 1 }));
}

const execute = (store: RecordStore, { id, version }: Erasure, nowMs = NOW_MS + 2, keptUntilMs: number | null = null) =>
  store.transact((tx) => executeErasure(tx, { id, version, by: 'u3', nowMs, keptUntilMs }));

describeOnEachEngine('keys', (open) => {
  it('are kept wrapped, found again by another process, and the newest of a subject seals', async () => {
    const store = await open();
    const table = createDataKeyTable(store);
    const masters = local();
    const keys = new DataKeys({ table, masters, settings: { sealsForMs: 10 * DAY_MS } });
    const made = await keys.keysToSeal(names(1200), NOW_MS);
    const later = await keys.keysToSeal(['cli_00001'], NOW_MS + 20 * DAY_MS);
    const other = new DataKeys({ table, masters });
    expect((await other.keysToSeal(['cli_00001'], NOW_MS)).get('cli_00001')!.id).toBe(later.get('cli_00001')!.id);
    expect((await other.keysToSeal(['cli_00002'], NOW_MS)).get('cli_00002')!.id).toBe(made.get('cli_00002')!.id);
    const ids = [...made.values()].map(({ id }) => id);
    const found = await new DataKeys({ table, masters }).keysToOpen(ids);
    for (const [subject, key] of made) {
      const opened = found.get(key.id)!;
      expect(opened !== 'erased' && opened.key.equals(key.key), subject).toBe(true);
    }
    expect(await table.find(['f'.repeat(32)])).toEqual([]);
  });

  it('have one pepper, whoever starts first', async () => {
    const store = await open();
    const table = createDataKeyTable(store);
    const masters = local();
    const [one, two] = await Promise.all([1, 2].map(() => openPepper(table, masters, NOW_MS)));
    expect(Buffer.from(one)).toEqual(Buffer.from(two));
    expect(Buffer.from(await openPepper(table, masters, NOW_MS + 1))).toEqual(Buffer.from(one));
  });

  it('are wrapped anew in batches by the next master, go on after a stop, and leave the old one to be retired', async () => {
    const store = await open();
    const table = createDataKeyTable(store);
    const [first, second] = [local(), local()];
    await noteMasterKeys(store, first, NOW_MS);
    const pepper = Buffer.from(await openPepper(table, first, NOW_MS));
    const made = await new DataKeys({ table, masters: first }).keysToSeal(names(250), NOW_MS);
    await store.transact((tx) => requestErasure(tx, draft('e1', 'cli_00007')));
    const both = combineMasterKeys(second, [first]);
    await expect(noteMasterKeys(store, second, NOW_MS)).rejects.toMatchObject({ code: 'MASTER_KEY_MISSING' });
    await Promise.all([noteMasterKeys(store, both, NOW_MS + 5), noteMasterKeys(store, both, NOW_MS + 5)]);
    const retire = (nowMs: number, lettersKeptMs: number | null = 90 * DAY_MS) =>
      store.transact((tx) => retireMasterKey(tx, { id: first.currentId, nowMs, lettersKeptMs }));
    await expect(retire(NOW_MS + 400 * DAY_MS)).rejects.toMatchObject({ code: 'MASTER_KEY_NEEDED' });

    let isDown = false;
    const shaky: MasterKeys = {
      ...{ currentId: both.currentId, opens: both.opens, unwrap: both.unwrap },
      wrap: (requests) => (isDown ? Promise.reject(new Error('down')) : both.wrap(requests)),
    };
    expect(await rewrapBatch(store, shaky, 100)).toEqual({ rewrapped: 101, isMore: true });
    isDown = true;
    await expect(rewrapBatch(store, shaky, 100)).rejects.toThrow('down');
    isDown = false;
    // Two at once.
    const rewrapAll = async () => {
      while ((await rewrapBatch(store, shaky, 20)).isMore);
    };
    await Promise.all([rewrapAll(), rewrapAll()]);
    expect(await rewrapBatch(store, shaky, 100)).toEqual({ rewrapped: 0, isMore: false });
    expect((await masterKeyUses(store)).map(({ id, dataKeys, secrets }) => [id, dataKeys, secrets])).toEqual([
      [first.currentId, 0, 0],
      [second.currentId, 250, 1],
    ]);

    const alone = new DataKeys({ table, masters: second });
    const found = await alone.keysToOpen([...made.values()].map(({ id }) => id));
    for (const key of made.values()) {
      const opened = found.get(key.id)!;
      expect(opened !== 'erased' && opened.key.equals(key.key)).toBe(true);
    }
    expect(Buffer.from(await openPepper(table, second, NOW_MS))).toEqual(pepper);

    await expect(retire(NOW_MS + 89 * DAY_MS)).rejects.toThrow('dead letters');
    await expect(retire(NOW_MS + 400 * DAY_MS, null)).rejects.toThrow('for ever');
    await retire(NOW_MS + 91 * DAY_MS);
    const back = combineMasterKeys(first, [second]);
    await expect(noteMasterKeys(store, back, NOW_MS + 92 * DAY_MS)).rejects.toMatchObject({
      code: 'MASTER_KEY_RETIRED',
    });
    await noteMasterKeys(store, second, NOW_MS + 93 * DAY_MS);
    await expect(
      store.transact((tx) => retireMasterKey(tx, { id: second.currentId, nowMs: 9e15, lettersKeptMs: 0 })),
    ).rejects.toThrow('current');
  });
});

describeOnEachEngine('erasures', (open) => {
  it('stay done though the keys are just being wrapped anew', async () => {
    const store = await open();
    const table = createDataKeyTable(store);
    const [first, second] = [local(), local()];
    await noteMasterKeys(store, first, NOW_MS);
    await new DataKeys({ table, masters: first }).keysToSeal(['cli_1', 'cli_2'], NOW_MS);
    const now = await approved(store, 'e1', 'cli_1');
    const both = combineMasterKeys(second, [first]);
    await noteMasterKeys(store, both, NOW_MS);
    const late: MasterKeys = {
      ...{ currentId: both.currentId, opens: both.opens, unwrap: both.unwrap },
      async wrap(requests) {
        await execute(store, now);
        return both.wrap(requests);
      },
    };
    await rewrapBatch(store, late);
    const rows = await store.db.selectFrom('data_keys').select(['subject', 'wrapped']).orderBy('subject').execute();
    expect(rows.map(({ wrapped }) => wrapped === null)).toEqual([true, false]);
    expect(await rewrapBatch(store, both)).toEqual({ rewrapped: 0, isMore: false });
  });

  it('destroy all keys of the customer and of nobody else, and leave the rest of the transaction', async () => {
    const store = await open();
    const table = createDataKeyTable(store);
    const masters = local();
    const tokens = new Tokens(await openPepper(table, masters, NOW_MS));
    const keys = new DataKeys({ table, masters });
    const codec = new TransactionCodec(keys, tokens);
    const fields = { eventTimeMs: NOW_MS, amountMinor: 5000, currency: 'PEN', payerName: 'NOMBRE APELLIDO' };
    const [mine, other] = ['P1', 'P2'].map((payerId) => createTransaction({ ...fields, id: `T-${payerId}`, payerId }));
    const sealed = await codec.sealAll([mine, other], NOW_MS);
    // Another process made a second key at the same time.
    await table.add([{ ...(await storedKey(store)), id: 'a'.repeat(32), subject: tokens.subject('P1') }]);
    const subject = tokens.subject('P1');
    const done = await execute(store, await approved(store, 'e1', subject));
    expect(done).toMatchObject({ state: 'executed', destroyedKeys: 2, endedBy: 'u3', endedMs: NOW_MS + 2, subject });
    keys.forget(subject);
    const reader = new TransactionCodec(new DataKeys({ table, masters }), tokens);
    for (const each of [codec, reader]) {
      const [gone, kept] = await each.openAll(sealed);
      expect(kept).toEqual({ transaction: other, erased: false });
      expect(gone).toEqual({ transaction: { ...mine, payerName: null }, erased: true });
    }
    const next = createTransaction({ ...fields, id: 'T-3', payerId: 'P1' });
    const [again] = await codec.sealAll([next], NOW_MS + 3);
    expect(await reader.openAll([again, sealed[0]])).toMatchObject([{ transaction: next }, { erased: true }]);
    expect(await table.erasedSince(NOW_MS)).toEqual([{ subject, erasedMs: NOW_MS + 2 }]);
    expect(await erasuresOf(store.db, subject)).toEqual([done]);
    // No bytes of a wrapped key are left.
    const left = await store.db.selectFrom('data_keys').select(['wrapped']).where('subject', '=', subject).execute();
    expect(left.filter(({ wrapped }) => wrapped !== null)).toHaveLength(1);
  });

  it('sweep a key that was being made meanwhile, and no newer one', async () => {
    const store = await open();
    const table = createDataKeyTable(store);
    await new DataKeys({ table, masters: local() }).keysToSeal(['cli_1'], NOW_MS);
    const row = await storedKey(store);
    const done = await execute(store, await approved(store, 'e1', 'cli_1'));
    await table.add([
      { ...row, id: 'a'.repeat(32), subject: 'cli_1', createdMs: NOW_MS + 2 },
      { ...row, id: 'b'.repeat(32), subject: 'cli_1', createdMs: NOW_MS + 3 },
    ]);
    expect(await store.transact((tx) => sweepErased(tx, done))).toBe(1);
    const found = await table.find(['a'.repeat(32), 'b'.repeat(32)]);
    expect(found.map(({ id, wrapped }) => [id[0], wrapped === null]).sort()).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });

  it('take another person to approve, and each step its turn', async () => {
    const store = await open();
    const { version } = await store.transact((tx) => requestErasure(tx, draft('e1', 'cli_1')));
    const step = { id: 'e1', version, nowMs: NOW_MS };
    const by = (person: string) => ({ ...step, by: person });
    await expect(store.transact((tx) => approveErasure(tx, by('u1')))).rejects.toMatchObject({
      code: 'ERASURE_SAME_PERSON',
    });
    const run = { ...by('u3'), keptUntilMs: null };
    await expect(store.transact((tx) => executeErasure(tx, run))).rejects.toMatchObject({ code: 'ERASURE_STATE' });
    await expect(store.transact((tx) => requestErasure(tx, draft('e2', 'cli_1')))).rejects.toMatchObject({
      code: 'RECORD_CONFLICT',
    });
    const now = await store.transact((tx) => approveErasure(tx, by('u2')));
    await expect(execute(store, { ...now, version })).rejects.toMatchObject({ code: 'ERASURE_CHANGED' });
    await expect(execute(store, now, NOW_MS + 2, NOW_MS + 3)).rejects.toMatchObject({ code: 'ERASURE_TOO_EARLY' });
    const refused = await store.transact((tx) =>
      refuseErasure(tx, { ...now, by: 'u4', nowMs: NOW_MS + 9 }, 'plazo legal'),
    );
    expect(refused).toMatchObject({ state: 'refused', refusal: 'plazo legal', destroyedKeys: null });
    await expect(execute(store, refused)).rejects.toMatchObject({ code: 'ERASURE_STATE' });
    await expect(execute(store, { ...refused, id: 'none' })).rejects.toMatchObject({ code: 'ERASURE_NOT_FOUND' });
    expect(await findErasure(store.db, 'e1')).toEqual(refused);
    // Once it is refused, another may be asked for.
    await store.transact((tx) => requestErasure(tx, draft('e2', 'cli_1')));
  });

  it('are refused under a legal hold, until it is lifted or over', async () => {
    const store = await open();
    const now = await approved(store, 'e1', 'cli_1');
    const hold = await store.transact((tx) => placeLegalHold(tx, holdDraft('h1', 'cli_1', NOW_MS + DAY_MS)));
    await store.transact((tx) => placeLegalHold(tx, holdDraft('h2', 'cli_2')));
    await expect(execute(store, now)).rejects.toMatchObject({ code: 'ERASURE_HELD' });
    expect([...(await heldSubjects(store.db, NOW_MS))].sort()).toEqual(['cli_1', 'cli_2']);
    expect([...(await heldSubjects(store.db, NOW_MS + DAY_MS))]).toEqual(['cli_2']);
    const lift = { id: 'h1', version: hold.version, by: 'u2', reason: 'archivado', nowMs: NOW_MS + 1 };
    await expect(store.transact((tx) => liftLegalHold(tx, { ...lift, version: 9 }))).rejects.toMatchObject({
      code: 'HOLD_CHANGED',
    });
    const lifted = await store.transact((tx) => liftLegalHold(tx, lift));
    expect(lifted.lifted).toEqual({ by: 'u2', atMs: NOW_MS + 1, reason: 'archivado' });
    await expect(store.transact((tx) => liftLegalHold(tx, lift))).rejects.toMatchObject({ code: 'HOLD_LIFTED' });
    expect(await holdsInForce(store.db, 'cli_1', NOW_MS + 2)).toEqual([]);
    expect((await execute(store, now)).state).toBe('executed');
  });

  it('wait for a hold that is just being placed, and are refused then', async () => {
    const store = await open();
    const now = await approved(store, 'e1', 'cli_1');
    const placed = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const placing = store.transact(async (tx) => {
      await placeLegalHold(tx, holdDraft('h1', 'cli_1'));
      placed.resolve();
      await mayCommit.promise;
    });
    await placed.promise;
    const executing = execute(store, now).catch((error: unknown) => error);
    setTimeout(mayCommit.resolve, 100);
    await placing;
    expect(await executing).toMatchObject({ code: 'ERASURE_HELD' });
    expect((await findErasure(store.db, 'e1'))?.state).toBe('approved');
  });

  it('and holds are listed newest first, page by page', async () => {
    const store = await open();
    for (let i = 0; i < 25; i++) {
      const atMs = NOW_MS + Math.floor(i / 3);
      await store.transact(async (tx) => {
        await requestErasure(tx, { ...draft(`e${String(i).padStart(2, '0')}`, `cli_${i}`), nowMs: atMs });
        await placeLegalHold(tx, { ...holdDraft(`h${String(i).padStart(2, '0')}`, `cli_${i}`), placedMs: atMs });
      });
    }
    const wanted = Array.from({ length: 25 }, (_, i) => String(24 - i).padStart(2, '0'));
    const erasures: string[] = [];
    let page = await listErasures(store.db, null, 10);
    for (;;) {
      erasures.push(...page.erasures.map(({ id }) => id.slice(1)));
      if (page.before === null) break;
      page = await listErasures(store.db, page.before, 10);
    }
    const holds: string[] = [];
    let holdPage = await listLegalHolds(store.db, null, 10);
    for (;;) {
      holds.push(...holdPage.holds.map(({ id }) => id.slice(1)));
      if (holdPage.before === null) break;
      holdPage = await listLegalHolds(store.db, holdPage.before, 10);
    }
    expect([erasures, holds]).toEqual([wanted, wanted]);
  });

  it('refuse what says nothing', async () => {
    const store = await open();
    const erase = (reason: string) => store.transact((tx) => requestErasure(tx, { ...draft('e1', 'cli_1'), reason }));
    await expect(erase(' ')).rejects.toMatchObject({ code: 'ERASURE_INVALID' });
    await expect(erase('x'.repeat(2001))).rejects.toMatchObject({ code: 'ERASURE_INVALID' });
    const hold = (change: object) =>
      store.transact((tx) => placeLegalHold(tx, { ...holdDraft('h1', 'cli_1'), ...change }));
    for (const change of [{ authority: '' }, { actNumber: '' }, { reason: '\0' }, { untilMs: NOW_MS }]) {
      await expect(hold(change)).rejects.toMatchObject({ code: 'HOLD_INVALID' });
    }
  });
});

async function storedKey(store: RecordStore) {
  const row = await store.db.selectFrom('data_keys').selectAll().executeTakeFirstOrThrow();
  return {
    id: row.id,
    subject: row.subject,
    masterId: row.master_id,
    wrapped: row.wrapped!,
    createdMs: row.created_ms,
  };
}
