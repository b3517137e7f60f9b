// The audit in the database: chains of several writers, heads, keys, lists, archive, and every byte of it changed.
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { archiveAuditSource } from '../../src/audit/archive-source.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { appendAudit } from '../../src/records/audit/append.ts';
import { exportAudit, pruneAudit } from '../../src/records/audit/archive.ts';
import { signNewest } from '../../src/records/audit/heads.ts';
import { keyInUse, listPublicKeys, openSigningKey, rotateSigningKey } from '../../src/records/audit/keys.ts';
import { type AuditFilter, listAudit } from '../../src/records/audit/list.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { createMemoryStore } from '../registry/memory-store.ts';
import { draftNumber, NOON_MS } from './memory-audit.ts';
import { append, drafts, makingOf, verified } from './stored-audit.ts';

const DAY_MS = 86_400_000;

/** Two keys, some heads, forty entries. */
async function filled(store: RecordStore, making = makingOf()): Promise<void> {
  const one = await openSigningKey(store, making);
  await append(store, 12);
  await signNewest(store, one, NOON_MS);
  await append(store, 12, 13);
  const two = await rotateSigningKey(store, making);
  await append(store, 14, 25);
  await signNewest(store, two, NOON_MS);
}

describeOnEachEngine('the audit', (open) => {
  it('is one chain, whoever appends at the same time and however much', async () => {
    const store = await open();
    await filled(store);
    await Promise.all(Array.from({ length: 12 }, (_, i) => append(store, 1 + (i % 4), 100 * (i + 1))));
    await append(store, 1200, 5000);
    const report = await verified(store);
    expect(report.breaks).toEqual([]);
    expect(report).toMatchObject({ entries: 40 + 30 + 1200, unsigned: 1230 });
    expect(report.keys.map(({ isTrusted }) => isTrusted)).toEqual([true, true]);
  });

  it('has no entry of what did not happen', async () => {
    const store = await open();
    await append(store, 3);
    const failing = store.transact(async (tx) => {
      await appendAudit(tx, drafts(5, 10));
      throw new Error('it did not happen');
    });
    await expect(failing).rejects.toThrow('it did not happen');
    await append(store, 1, 20);
    const { entries } = await listAudit(store.db, {}, null, 10);
    expect(entries.map(({ sequence }) => sequence)).toEqual([4, 3, 2, 1]);
    expect((await verified(store)).breaks).toEqual([]);
  });

  it('keeps texts that a database would not take, and refuses what says too much', async () => {
    const store = await open();
    const draft = { ...draftNumber(1), detail: { text: 'a\0b\ud800c', 'n\0': 'ñ 💳 "\\' } };
    await store.transact((tx) => appendAudit(tx, [draft]));
    const { entries } = await listAudit(store.db, {}, null, 1);
    expect(entries[0].detail).toEqual({ text: 'a\ufffdb\ufffdc', 'n\ufffd': 'ñ 💳 "\\' });
    expect((await verified(store)).breaks).toEqual([]);
    const large = { ...draft, detail: { text: 'x'.repeat(70_000) } };
    await expect(store.transact((tx) => appendAudit(tx, [large]))).rejects.toThrow('more than 65536 bytes');
    const unnamed = { ...draft, action: 'Something' };
    await expect(store.transact((tx) => appendAudit(tx, [unnamed]))).rejects.toThrow('cannot be written');
  });

  it('gives the same first key to programs that start together', async () => {
    const store = await open();
    const other = makingOf();
    other.randomBytes(64);
    const keys = await Promise.all([openSigningKey(store, makingOf()), openSigningKey(store, other)]);
    expect(keys[0].keyId).toBe(keys[1].keyId);
    expect(await listPublicKeys(store.db)).toHaveLength(1);
    expect((await verified(store)).breaks).toEqual([]);
  });

  it('destroys the private half of a key that another has followed', async () => {
    const store = await open();
    const making = makingOf();
    const one = await openSigningKey(store, making);
    const inUse = keyInUse(store, making);
    expect((await inUse()).keyId).toBe(one.keyId);
    const two = await rotateSigningKey(store, making);
    expect((await inUse()).keyId).toBe(two.keyId);
    const rows = await store.db.selectFrom('audit_keys').select(['key_id', 'sealed']).execute();
    expect(rows.find(({ key_id }) => key_id === one.keyId)!.sealed).toHaveLength(0);
    expect((await verified(store)).breaks).toEqual([]);
  });

  it('is listed by who, what, about what and when, in pages that miss nothing', async () => {
    const store = await open();
    await append(store, 60);
    const pages = async (filter: AuditFilter) => {
      const found: number[] = [];
      for (let before: number | null = null; ; ) {
        const page = await listAudit(store.db, filter, before, 7);
        found.push(...page.entries.map(({ sequence }) => sequence));
        if (page.before === null) return found;
        before = page.before;
      }
    };
    const all = Array.from({ length: 60 }, (_, i) => 60 - i);
    expect(await pages({})).toEqual(all);
    expect(await pages({ actorId: 'u-1' })).toEqual(all.filter((n) => n % 3 === 1));
    expect(await pages({ actionPrefix: 'alert.' })).toEqual(all.filter((n) => n % 2 === 0));
    expect(await pages({ actionPrefix: 'case.closed' })).toEqual(all.filter((n) => n % 2 === 1));
    expect(await pages({ actionPrefix: 'ca' })).toEqual(all.filter((n) => n % 2 === 1));
    expect(await pages({ actionPrefix: 'alert_' })).toEqual([]);
    expect(await pages({ subject: { kind: 'alert', id: 'a-7' } })).toEqual([7]);
    expect(await pages({ fromMs: NOON_MS + 10_000, untilMs: NOON_MS + 13_000 })).toEqual([12, 11, 10]);
  });

  it('finds any byte that is changed in any column of any table', { timeout: 240_000 }, async () => {
    const store = await open();
    await filled(store);
    const objects = createMemoryStore();
    const key = await openSigningKey(store, makingOf());
    await exportAudit(store, objects, { beforeMs: NOON_MS + 9000, nowMs: NOON_MS, key });
    const later = NOON_MS + 400 * DAY_MS;
    expect(await pruneAudit(store, objects, { nowMs: later })).toMatchObject({ kind: 'pruned', entries: 9 });
    await signNewest(store, key, later);
    expect((await verified(store)).breaks).toEqual([]);
    const prng = createPrng(5);
    const unnoticed: string[] = [];
    for (const [table, order] of TABLES) {
      const { rows } = await sql<Record<string, unknown>>`
        SELECT * FROM ${sql.table(table)} ORDER BY ${sql.ref(order)}`.execute(store.db);
      const row = rows[Math.floor(prng.nextFloat() * rows.length)];
      for (const [column, value] of Object.entries(row)) {
        for (const changed of changesOf(value, prng)) {
          if (!(await isFound(store, { table, order, at: row[order], column, value, changed }))) {
            unnoticed.push(`${table}.${column} ${JSON.stringify(value)} → ${JSON.stringify(changed)}`);
          }
        }
      }
    }
    expect(unnoticed).toEqual([]);
    expect((await verified(store)).breaks).toEqual([]);
  });

  it('finds any row that is gone', { timeout: 240_000 }, async () => {
    const store = await open();
    await filled(store);
    for (let sequence = 1; sequence <= 40; sequence++) {
      const row = await store.db
        .selectFrom('audit_entries')
        .selectAll()
        .where('sequence', '=', sequence)
        .executeTakeFirstOrThrow();
      await store.transact((tx) => tx.deleteFrom('audit_entries').where('sequence', '=', sequence).execute());
      const [first] = (await verified(store)).breaks;
      expect([first.kind, first.from]).toEqual([sequence === 40 ? 'truncated' : 'missing', sequence]);
      await store.transact((tx) => tx.insertInto('audit_entries').values(row).execute());
    }
    await store.transact((tx) => tx.deleteFrom('audit_end').execute());
    expect((await verified(store)).breaks.map(({ kind }) => kind)).toEqual(['end-differs']);
    await expect(append(store, 1)).rejects.toThrow('Where the audit ends');
  });

  it('goes to an archive, month by month, that verifies against the public key alone, and goes on after pruning', async () => {
    const store = await open();
    const key = await openSigningKey(store, makingOf());
    for (let day = 0; day < 90; day++) {
      await store.transact((tx) =>
        appendAudit(tx, [{ ...draftNumber(day), atMs: NOON_MS + day * DAY_MS }, draftNumber(day)]),
      );
      if (day % 10 === 9) await signNewest(store, key, NOON_MS + day * DAY_MS);
    }
    const objects = createMemoryStore();
    const at = (day: number) => NOON_MS + day * DAY_MS;
    const first = await exportAudit(store, objects, { beforeMs: at(40), nowMs: at(41), key });
    expect(first.map(({ statement: { month } }) => month)).toEqual(['2026-01', '2026-02']);
    await exportAudit(store, objects, { beforeMs: at(80), nowMs: at(81), key });
    const inArchive = () => verifyAudit(archiveAuditSource(objects), { publicKeys: [key.publicKey] });
    expect(await inArchive()).toMatchObject({ breaks: [], entries: 161, unsigned: 0, isTrustGiven: true });

    expect(await pruneAudit(store, objects, { nowMs: at(82) })).toMatchObject({ kind: 'pruned', entries: 0 });
    const pruned = await pruneAudit(store, objects, { nowMs: at(480) });
    expect(pruned).toMatchObject({ kind: 'pruned', entries: 161 });
    await append(store, 3);
    await signNewest(store, key, at(480));
    const left = await verified(store);
    expect(left.breaks).toEqual([]);
    expect(left.first).toBe(162);
    const next = await exportAudit(store, objects, { beforeMs: at(600), nowMs: at(600), key });
    expect(next[0].statement.firstSequence).toBe(162);
    expect(await inArchive()).toMatchObject({ breaks: [] });
    await expect(exportAudit(store, createMemoryStore(), { beforeMs: at(600), nowMs: at(600), key })).rejects.toThrow(
      'cannot be gone on with',
    );
    await expect(pruneAudit(store, objects, { nowMs: at(600), onlineDays: 5 })).rejects.toThrow('at least 92');
  });

  it('is not pruned where the archive was changed', async () => {
    const store = await open();
    const key = await openSigningKey(store, makingOf());
    await append(store, 30);
    const objects = createMemoryStore();
    await exportAudit(store, objects, { beforeMs: NOON_MS + DAY_MS, nowMs: NOON_MS, key });
    const file = [...objects.objects.keys()].find((each) => each.endsWith('1.ndjson.gz'))!;
    objects.objects.get(file)![20] ^= 1;
    const pruning = await pruneAudit(store, objects, { nowMs: NOON_MS + 900 * DAY_MS });
    expect(pruning.kind).toBe('refused');
    expect((await listAudit(store.db, {}, null, 500)).entries).toHaveLength(31);
  });
});

/** First the column, then what it is ordered by: rows are found again though another column was changed. */
const TABLES = [
  ['audit_entries', 'sequence'],
  ['audit_heads', 'sequence'],
  ['audit_keys', 'key_id'],
  ['audit_archives', 'last_sequence'],
  ['audit_end', 'id'],
] as const;

/** Some values that differ in one place; those that a constraint refuses are tried and refused. */
function changesOf(value: unknown, prng: ReturnType<typeof createPrng>): unknown[] {
  const place = (length: number) => Math.floor(prng.nextFloat() * length);
  if (typeof value === 'number') return [value ^ 1, value + 1024, -value - 1];
  if (value === null) return ['x'];
  if (typeof value === 'string') {
    return Array.from({ length: 2 }, () => {
      const at = place(value.length);
      return `${value.slice(0, at)}${String.fromCharCode(value.charCodeAt(at) ^ 1)}${value.slice(at + 1)}`;
    }).concat(value.slice(0, -1), `${value} `);
  }
  const bytes = value as Uint8Array;
  if (bytes.length === 0) return [Uint8Array.of(0)];
  return Array.from({ length: 2 }, () => {
    const changed = bytes.slice();
    changed[place(bytes.length)] ^= 1 << place(8);
    return changed;
  });
}

interface ColumnChange {
  readonly table: string;
  readonly order: string;
  readonly at: unknown;
  readonly column: string;
  readonly value: unknown;
  readonly changed: unknown;
}

/** Changes a column behind the program's back, verifies, and changes it back. */
async function isFound(store: RecordStore, { table, order, at, column, value, changed }: ColumnChange) {
  const set = (to: unknown, where: unknown) =>
    store.transact(
      async (tx) =>
        void (await sql`UPDATE ${sql.table(table)} SET ${sql.ref(column)} = ${to} WHERE ${sql.ref(order)} = ${where}`.execute(
          tx,
        )),
    );
  try {
    await set(changed, at);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'RECORD_CONFLICT') return true;
    throw error;
  }
  const { breaks } = await verified(store);
  await set(value, column === order ? changed : at);
  return breaks.length > 0;
}
