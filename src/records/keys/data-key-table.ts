// Wrapped data keys and secrets in the database of records.
import { type Kysely, sql } from 'kysely';
import type { DataKeyTable, ErasedDataKey, StoredDataKey } from '../../privacy/data-keys.ts';
import type { SecretTable, StoredSecret } from '../../privacy/pepper.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';

/** Subjects that were erased lately and are told at once. */
const MOST_ERASED = 10_000;
const KEY_COLUMNS = ['id', 'subject', 'master_id', 'wrapped', 'created_ms'] as const;

interface KeyRow {
  readonly id: string;
  readonly subject: string;
  readonly master_id: string;
  readonly wrapped: Uint8Array | null;
  readonly created_ms: number;
}

export function createDataKeyTable(store: RecordStore): DataKeyTable & SecretTable {
  const { db } = store;
  return {
    async newest(subjects, createdFromMs) {
      const rows = await db
        .selectFrom('data_keys')
        .select(KEY_COLUMNS)
        .distinctOn('subject')
        .where('subject', '=', sql<string>`ANY(${[...subjects]}::text[])`)
        .where('created_ms', '>=', createdFromMs)
        .where('wrapped', 'is not', null)
        .orderBy('subject')
        .orderBy('created_ms', 'desc')
        .orderBy('id')
        .execute();
      return rows.map(keyOf) as StoredDataKey[];
    },
    async find(ids) {
      const rows = await db
        .selectFrom('data_keys')
        .select(KEY_COLUMNS)
        .where('id', '=', sql<string>`ANY(${[...ids]}::text[])`)
        .execute();
      return rows.map(keyOf);
    },
    async add(keys) {
      await store.transact((tx) => insertKeys(tx, keys));
    },
    async erasedSince(fromMs) {
      const rows = await db
        .selectFrom('erasures')
        .select(['subject', 'ended_ms'])
        .where('state', '=', 'executed')
        .where('ended_ms', '>=', fromMs)
        .orderBy('ended_ms', 'desc')
        .limit(MOST_ERASED)
        .execute();
      return rows.map(({ subject, ended_ms }) => ({ subject, erasedMs: ended_ms! }));
    },
    async secret(name) {
      return secretOf(db, name);
    },
    async addSecret({ name, masterId, wrapped, createdMs }) {
      return store.transact(async (tx) => {
        await tx
          .insertInto('wrapped_secrets')
          .values({ name, master_id: masterId, wrapped, created_ms: createdMs })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute();
        return (await secretOf(tx, name))!;
      });
    },
  };
}

async function insertKeys(tx: Kysely<Database>, keys: readonly StoredDataKey[]): Promise<void> {
  await sql`
    INSERT INTO data_keys (id, subject, master_id, wrapped, created_ms)
    SELECT * FROM unnest(
      ${keys.map(({ id }) => id)}::text[], ${keys.map(({ subject }) => subject)}::text[],
      ${keys.map(({ masterId }) => masterId)}::text[], ${keys.map(({ wrapped }) => wrapped)}::bytea[],
      ${keys.map(({ createdMs }) => createdMs)}::bigint[]
    )`.execute(tx);
}

async function secretOf(db: Kysely<Database>, name: string): Promise<StoredSecret | null> {
  const row = await db.selectFrom('wrapped_secrets').selectAll().where('name', '=', name).executeTakeFirst();
  if (row === undefined) return null;
  return { name, masterId: row.master_id, wrapped: row.wrapped, createdMs: row.created_ms };
}

function keyOf({ id, subject, master_id, wrapped, created_ms }: KeyRow): StoredDataKey | ErasedDataKey {
  return wrapped === null
    ? { id, subject, wrapped }
    : { id, subject, masterId: master_id, wrapped, createdMs: created_ms };
}
