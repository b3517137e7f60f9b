// Where records are kept: alerts, cases, users, the audit. One SQL for the embedded database and a server, through Kysely.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely } from 'kysely';
import { assert } from '../lib/assert.ts';
import type { DatabaseLoad, SqlDatabase, SqlRun } from '../ports.ts';
import type { Database } from './database.ts';
import { applyMigrations, type RecordMigration } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { kyselyOver } from './sql-dialect.ts';

export interface RecordStore {
  readonly engine: 'pglite' | 'postgres';
  /** For reading; sees what was committed. Not to be used inside `transact`. */
  readonly db: Kysely<Database>;
  /**
   * All or nothing, durable when it resolves; all writing goes through it. `work` may be run again where another
   * transaction was first, so it does nothing but read and write through `tx`. A statement that fails fails the whole.
   *
   * @throws RecordConflictError (code `RECORD_CONFLICT`) where a constraint is broken
   * @throws RecordsUnavailableError where the database does not answer; what became of it is not known
   */
  transact<T>(work: (tx: Kysely<Database>) => Promise<T>): Promise<T>;
  load(): DatabaseLoad;
  close(): Promise<void>;
}

/**
 * Brings the tables up to date and opens the store; closing it closes the database.
 *
 * @throws InputError where the database was changed by a newer version of this program, or a migration was altered
 */
export async function openRecordStore(
  database: SqlDatabase,
  migrations: readonly RecordMigration[] = MIGRATIONS,
): Promise<RecordStore> {
  await applyMigrations(database, migrations);
  const inside = new AsyncLocalStorage<{ isOpen: boolean }>();
  const refuseInside = () =>
    // The embedded database has one connection: waiting for it in its own transaction would never end.
    assert(inside.getStore()?.isOpen !== true, 'inside `transact` all reading and writing goes through its `tx`');
  const read: SqlRun = async (statement) => {
    refuseInside();
    return database.run(statement);
  };
  return {
    engine: database.engine,
    db: kyselyOver(read),
    async transact(work) {
      refuseInside();
      return database.transact((run) => {
        const transaction = { isOpen: true };
        return inside
          .run(transaction, () => work(kyselyOver(run)))
          .finally(() => {
            transaction.isOpen = false;
          });
      });
    },
    load: () => database.load(),
    close: () => database.close(),
  };
}
