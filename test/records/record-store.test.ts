// The store on top of the databases: Kysely, and what it refuses.
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { describeOnEachEngine } from './record-stores.ts';

/** Tables of the tests alone. */
interface Tables {
  things: { id: string; n: number; data: unknown; version: number };
}

const migrations = [
  {
    id: '0001-things',
    statements: ['CREATE TABLE things (id text PRIMARY KEY, n bigint NOT NULL, data jsonb, version integer NOT NULL)'],
  },
];

describeOnEachEngine('a store', (open) => {
  // Typed as if these were all tables there are.
  const openThings = async () => {
    const store = await open({ migrations });
    const typed = (db: unknown) => db as import('kysely').Kysely<Tables>;
    return {
      db: typed(store.db),
      transact: <T>(work: (tx: import('kysely').Kysely<Tables>) => Promise<T>) =>
        store.transact((tx) => work(typed(tx))),
    };
  };
  const thing = { id: 'a', n: 5, data: { x: [1, null] }, version: 1 };

  it('reads and writes through Kysely', async () => {
    const { db, transact } = await openThings();
    await transact((tx) => tx.insertInto('things').values(thing).execute());
    expect(await db.selectFrom('things').selectAll().execute()).toEqual([thing]);
    const changed = await transact((tx) =>
      tx.updateTable('things').set({ n: sql`n + 1` }).where('id', '=', 'a').returning('n').executeTakeFirst(),
    );
    expect(changed).toEqual({ n: 6 });
    const deleted = await transact((tx) => tx.deleteFrom('things').where('id', 'in', ['a', 'b']).executeTakeFirst());
    expect(deleted.numDeletedRows).toBe(1n);
  });

  it('tells a miss of an optimistic change', async () => {
    const { transact } = await openThings();
    await transact((tx) => tx.insertInto('things').values(thing).execute());
    const update = (version: number) =>
      transact((tx) =>
        tx
          .updateTable('things')
          .set({ version: version + 1 })
          .where('id', '=', 'a')
          .where('version', '=', version)
          .executeTakeFirst(),
      );
    expect((await update(1)).numUpdatedRows).toBe(1n);
    expect((await update(1)).numUpdatedRows).toBe(0n);
  });

  it('refuses its own reading and writing inside a transaction, which would wait for ever', async () => {
    const { db, transact } = await openThings();
    const message = /inside `transact`/;
    await expect(transact(() => db.selectFrom('things').selectAll().execute())).rejects.toThrow(message);
    await expect(transact(() => transact(async () => 1))).rejects.toThrow(message);
    // Once it is over, what it started may go on.
    const later = Promise.withResolvers<void>();
    const begun = await transact(async () => ({
      rows: later.promise.then(() => db.selectFrom('things').selectAll().execute()),
    }));
    later.resolve();
    expect(await begun.rows).toEqual([]);
  });

  it('begins no transactions of Kysely', async () => {
    const { db } = await openThings();
    await expect(db.transaction().execute(async () => 1)).rejects.toThrow(/RecordStore.transact/);
  });
});

describeOnEachEngine('the tables of the program', (open) => {
  it('are there, and empty again for each test (1)', async () => {
    const store = await open();
    await store.transact((tx) =>
      tx
        .insertInto('idempotency_keys')
        .values({ id: 'a', request_hash: 'h', status: null, version: null, body: null, expires_ms: 1 })
        .execute(),
    );
    expect(await store.db.selectFrom('idempotency_keys').select('expires_ms').execute()).toEqual([{ expires_ms: 1 }]);
  });

  it('are there, and empty again for each test (2)', async () => {
    const store = await open();
    expect(await store.db.selectFrom('idempotency_keys').select('id').execute()).toEqual([]);
  });
});
