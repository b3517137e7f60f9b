// Masters in use, and the way from one to the next: what an older master wrapped is wrapped anew in batches, data untouched.
// What is left to do is what an older master's id stands beside, so it goes on where it was stopped, and two that do it at
// once share the work. A master that nothing needs any more can then be retired, and taken away where it is kept.
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { InputError } from '../../lib/errors.ts';
import type { MasterKeys } from '../../ports.ts';
import { dataKeyContext } from '../../privacy/data-keys.ts';
import { secretContext } from '../../privacy/pepper.ts';
import { masterOfSealed } from '../audit/master-key-sealing.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';

export interface MasterKeyUse {
  readonly id: string;
  readonly firstUsedMs: number;
  /** null: it is the current one. */
  readonly replacedMs: number | null;
  readonly retiredMs: number | null;
  /** What it wrapped and is not wrapped anew. */
  readonly dataKeys: number;
  readonly secrets: number;
  /** Whether the audit's signing key is sealed under it. */
  readonly sealsAuditKey: boolean;
}

const DEFAULT_BATCH = 500;

/**
 * At start, before anything is wrapped: the current master is noted, the one before it is replaced from now on.
 *
 * @throws InputError MASTER_KEY_RETIRED where the current one was retired; MASTER_KEY_MISSING where one that is needed is
 *   not at hand
 */
export async function noteMasterKeys(store: RecordStore, masters: MasterKeys, nowMs: number): Promise<void> {
  await store.transact(async (tx) => {
    const { currentId } = masters;
    const uses = await usesOf(tx);
    const missing = uses.find(({ id, dataKeys, secrets }) => dataKeys + secrets > 0 && !masters.opens(id));
    if (missing !== undefined) throw notAtHand(missing);
    const known = uses.find(({ id }) => id === currentId);
    if (known === undefined) {
      const row = { id: currentId, first_used_ms: nowMs, replaced_ms: null, retired_ms: null, version: 1 };
      // Another process may be starting with it, too: this one is done again then.
      const insert = tx.insertInto('master_keys').values(row);
      await insert.onConflict((conflict) => conflict.column('id').doNothing()).execute();
    } else if (known.retiredMs !== null) {
      throw new InputError('MASTER_KEY_RETIRED', `The master key ${currentId} was retired`, 'Use a newer one');
    } else if (known.replacedMs !== null) {
      // Somebody went back to it.
      await mark(tx, currentId, null);
    }
    for (const { id, replacedMs } of uses) if (id !== currentId && replacedMs === null) await mark(tx, id, nowMs);
  });
}

function mark(tx: Kysely<Database>, id: string, replacedMs: number | null): Promise<unknown> {
  return tx
    .updateTable('master_keys')
    .set(({ eb }) => ({ replaced_ms: replacedMs, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

function notAtHand({ id, dataKeys }: MasterKeyUse): InputError {
  return new InputError(
    'MASTER_KEY_MISSING',
    `The master key ${id} is not at hand, and ${dataKeys} keys of customers are wrapped with it`,
    'Give it as an older master; without it their data cannot be read',
  );
}

export async function masterKeyUses(store: RecordStore): Promise<readonly MasterKeyUse[]> {
  return usesOf(store.db);
}

export interface RewrapProgress {
  readonly rewrapped: number;
  /** More are left. */
  readonly isMore: boolean;
}

/**
 * One batch. Call it until nothing is left; with a pause in between it does not disturb.
 *
 * @throws what the master keys throw; what was done before is kept
 */
export async function rewrapBatch(
  store: RecordStore,
  masters: MasterKeys,
  mostKeys = DEFAULT_BATCH,
): Promise<RewrapProgress> {
  const secrets = await rewrapSecrets(store, masters);
  const { currentId } = masters;
  const rows = await store.db
    .selectFrom('data_keys')
    .select(['id', 'master_id', 'wrapped'])
    .where('wrapped', 'is not', null)
    .where('master_id', '=', sql<string>`ANY(${await olderIds(store, currentId)}::text[])`)
    .orderBy('master_id')
    .orderBy('id')
    .limit(mostKeys)
    .execute();
  const wrapped = await rewrap(
    masters,
    rows.map((row) => ({ masterId: row.master_id, bytes: row.wrapped!, context: dataKeyContext(row.id) })),
  );
  if (rows.length > 0) {
    await store.transact(async (tx) => {
      // A key that was destroyed meanwhile stays destroyed, and one that another has wrapped anew stays so.
      await sql`
        UPDATE data_keys SET master_id = ${currentId}, wrapped = new.wrapped
        FROM unnest(${rows.map(({ id }) => id)}::text[], ${rows.map((row) => row.master_id)}::text[],
          ${wrapped}::bytea[]) AS new (id, master_id, wrapped)
        WHERE data_keys.id = new.id AND data_keys.master_id = new.master_id AND data_keys.wrapped IS NOT NULL`.execute(
        tx,
      );
    });
  }
  return { rewrapped: rows.length + secrets, isMore: rows.length === mostKeys };
}

export interface Retirement {
  readonly id: string;
  readonly nowMs: number;
  /** Dead letters carry their keys with them: how long they are kept at most; null: for ever. */
  readonly lettersKeptMs: number | null;
}

/** @throws InputError MASTER_KEY_UNKNOWN, MASTER_KEY_NEEDED */
export async function retireMasterKey(tx: Kysely<Database>, { id, nowMs, lettersKeptMs }: Retirement): Promise<void> {
  const use = (await usesOf(tx)).find((each) => each.id === id);
  if (use === undefined) throw new InputError('MASTER_KEY_UNKNOWN', `No master key ${id} was used`, 'Look at the list');
  const { replacedMs, retiredMs, dataKeys, secrets, sealsAuditKey } = use;
  if (retiredMs !== null)
    throw new InputError('MASTER_KEY_RETIRED', `${id} is retired already`, 'Nothing is to be done');
  if (replacedMs === null) throw needed(id, 'it is the current one', 'Make another one current first');
  if (dataKeys + secrets > 0) {
    const what = `${dataKeys} keys of customers and ${secrets} secrets are wrapped with it`;
    throw needed(id, what, 'Run centinela keys rewrap --master-keys NEW,OLD');
  }
  if (sealsAuditKey) {
    const how = 'Run centinela audit keys --rotate --master-keys NEW,OLD';
    throw needed(id, "the audit's signing key is sealed under it", how);
  }
  if (lettersKeptMs === null || nowMs < replacedMs + lettersKeptMs) {
    const until = lettersKeptMs === null ? 'for ever' : new Date(replacedMs + lettersKeptMs).toISOString();
    throw needed(id, `dead letters that it opens are kept until ${until}`.replace('until for', 'for'), 'Wait');
  }
  await tx
    .updateTable('master_keys')
    .set(({ eb }) => ({ retired_ms: nowMs, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('retired_ms', 'is', null)
    .execute();
}

async function rewrapSecrets(store: RecordStore, masters: MasterKeys): Promise<number> {
  const { currentId } = masters;
  const rows = await store.db.selectFrom('wrapped_secrets').selectAll().where('master_id', '<>', currentId).execute();
  const wrapped = await rewrap(
    masters,
    rows.map((row) => ({ masterId: row.master_id, bytes: row.wrapped, context: secretContext(row.name) })),
  );
  for (const [index, { name, master_id }] of rows.entries()) {
    await store.transact((tx) =>
      tx
        .updateTable('wrapped_secrets')
        .set({ master_id: currentId, wrapped: wrapped[index] })
        .where('name', '=', name)
        .where('master_id', '=', master_id)
        .execute(),
    );
  }
  return rows.length;
}

interface Rewrapping {
  readonly masterId: string;
  readonly bytes: Uint8Array;
  readonly context: string;
}

async function rewrap(masters: MasterKeys, requests: readonly Rewrapping[]): Promise<readonly Uint8Array[]> {
  const plain = new Map<Rewrapping, Uint8Array>();
  for (const [masterId, group] of Map.groupBy(requests, (request) => request.masterId)) {
    const opened = await masters.unwrap(masterId, group);
    group.forEach((request, index) => {
      plain.set(request, opened[index]);
    });
  }
  if (requests.length === 0) return [];
  const wrapped = await masters.wrap(requests.map((each) => ({ bytes: plain.get(each)!, context: each.context })));
  for (const bytes of plain.values()) bytes.fill(0);
  return wrapped;
}

async function olderIds({ db }: RecordStore, currentId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('master_keys')
    .select('id')
    .where('id', '<>', currentId)
    .where('retired_ms', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

async function usesOf(db: Kysely<Database>): Promise<MasterKeyUse[]> {
  const rows = await db
    .selectFrom('master_keys')
    .selectAll()
    .select(({ selectFrom }) => [
      selectFrom('data_keys')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('data_keys.master_id', '=', 'master_keys.id')
        .where('wrapped', 'is not', null)
        .as('data_keys'),
      selectFrom('wrapped_secrets')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('wrapped_secrets.master_id', '=', 'master_keys.id')
        .as('secrets'),
    ])
    .orderBy('first_used_ms')
    .orderBy('id')
    .execute();
  const sealed = await db.selectFrom('audit_keys').select('sealed').execute();
  const auditMasters = new Set(sealed.map((row) => masterOfSealed(row.sealed)));
  return rows.map((row) => ({
    ...{ id: row.id, firstUsedMs: row.first_used_ms, replacedMs: row.replaced_ms, retiredMs: row.retired_ms },
    ...{ dataKeys: Number(row.data_keys), secrets: Number(row.secrets), sealsAuditKey: auditMasters.has(row.id) },
  }));
}

function needed(id: string, because: string, how: string): InputError {
  return new InputError('MASTER_KEY_NEEDED', `The master key ${id} is still needed: ${because}`, how);
}
