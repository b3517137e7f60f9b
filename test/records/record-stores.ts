// The same tests on both databases: PGlite in memory, and a real PostgreSQL where one can be had.
//
//   describeOnEachEngine('alerts', (open) => {
//     it('…', async () => { const store = await open(); … });
//   });
//
// Each call of `open` gives an empty store of its own with all migrations applied; it is closed after the test. A file
// has one database engine of each kind: PGlite's tables are emptied between tests, PostgreSQL makes a database for each.
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import type { SqlDatabase } from '../../src/ports.ts';
import { applyMigrations, type RecordMigration } from '../../src/records/migrate.ts';
import { MIGRATIONS } from '../../src/records/migrations/index.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { openTestServer, withPostgres } from './with-postgres.ts';

export interface OpenOptions {
  /** Those of the program where it is left out. */
  readonly migrations?: readonly RecordMigration[];
}

export type OpenStore = (options?: OpenOptions) => Promise<RecordStore>;

/** Empty databases, one after another; closing one is left to the test or to `release`. */
export interface TestDatabases {
  open(): Promise<SqlDatabase>;
  /** With all migrations of the program applied; quicker than to apply them each time. */
  openMigrated(): Promise<SqlDatabase>;
  /** Those that were opened are closed and emptied. */
  release(): Promise<void>;
  stop(): Promise<void>;
}

/** On PostgreSQL among the long tests: what differs between the two is the databases' own tests, which are always run on both. */
export function describeOnEachEngine(name: string, tests: (open: OpenStore) => void): void {
  const onStores = (databases: () => TestDatabases) =>
    tests(async ({ migrations } = {}) =>
      migrations === undefined
        ? openRecordStore(await databases().openMigrated())
        : openRecordStore(await databases().open(), migrations),
    );
  describeOnEach(name, onStores, process.env.CENTINELA_LONG_TESTS === '1');
}

/** The same for tests of the databases themselves. */
export function describeOnEachDatabase(name: string, tests: (open: () => Promise<SqlDatabase>) => void): void {
  describeOnEach(name, (databases) => tests(() => databases().open()), true);
}

function describeOnEach(name: string, tests: (databases: () => TestDatabases) => void, isOnServer: boolean): void {
  describe(`${name} in PGlite`, () => withDatabases(openMemoryDatabases, tests));
  describe.runIf(withPostgres && isOnServer)(`${name} in PostgreSQL`, () => withDatabases(openTestServer, tests));
}

function withDatabases(start: () => Promise<TestDatabases>, tests: (databases: () => TestDatabases) => void): void {
  let databases: TestDatabases | undefined;
  beforeAll(async () => {
    databases = await start();
  });
  afterEach(() => databases?.release());
  afterAll(() => databases?.stop());
  tests(() => databases!);
}

/** One thread with one PGlite; what is opened at the same time beside the first gets a thread of its own. */
async function openMemoryDatabases(): Promise<TestDatabases> {
  const start = () => openPglite({ folder: null, onRecovery: () => undefined });
  const kept = await start();
  let state: 'empty' | 'migrated' | 'dirty' = 'empty';
  let taken: 'no' | 'empty' | 'migrated' = 'no';
  const others: SqlDatabase[] = [];

  async function makeEmpty(): Promise<void> {
    if (state === 'empty') return;
    await kept.transact(async (run) => {
      await run({ text: 'DROP SCHEMA public CASCADE', parameters: [] });
      await run({ text: 'CREATE SCHEMA public', parameters: [] });
    });
    state = 'empty';
  }

  async function take(what: 'empty' | 'migrated'): Promise<SqlDatabase> {
    if (taken !== 'no') {
      const other = await start();
      others.push(other);
      return other;
    }
    if (what === 'empty' || state === 'dirty') await makeEmpty();
    if (what === 'migrated') await applyMigrations(kept, MIGRATIONS);
    taken = what;
    state = 'dirty';
    // The next test needs it: only `stop` closes it.
    return { ...kept, close: () => Promise.resolve() };
  }

  return {
    open: () => take('empty'),
    openMigrated: () => take('migrated'),
    async release() {
      for (const other of others.splice(0)) await other.close();
      if (taken === 'migrated' && (await emptyTables(kept))) state = 'migrated';
      taken = 'no';
    },
    stop: () => kept.close(),
  };
}

/**
 * Leaves what the migrations leave: empty tables, and the rows that migrations insert.
 *
 * @returns false where the tables are not those of the migrations any more
 */
async function emptyTables(database: SqlDatabase): Promise<boolean> {
  const { rows } = await database.run({
    text: "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'record_migrations'",
    parameters: [],
  });
  const statements = MIGRATIONS.flatMap(({ statements }) => statements);
  const created = statements.flatMap((text) => /^\s*CREATE TABLE (?:IF NOT EXISTS )?(\w+)/i.exec(text)?.[1] ?? []);
  const names = rows.map(({ name }) => String(name)).sort();
  const isAsMade = names.join() === created.sort().join();
  // One that alters rows can be had by applying all of them alone.
  if (!isAsMade || statements.some((text) => /^\s*(?:UPDATE|DELETE|MERGE|WITH)\b/i.test(text))) return false;
  await database.transact(async (run) => {
    if (names.length > 0)
      await run({ text: `TRUNCATE ${names.map((name) => `"${name}"`).join(', ')}`, parameters: [] });
    for (const text of statements) if (/^\s*INSERT\b/i.test(text)) await run({ text, parameters: [] });
  });
  return true;
}
