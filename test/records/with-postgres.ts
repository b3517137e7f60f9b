// Where tests get a real PostgreSQL: the binaries of a package, or POSTGRES_URL. Where there is none they say so and are
// skipped, except in long tests: there it is a failure.
import { startPostgres, whyNoPostgres } from '../../scripts/postgres/server.ts';
import { openPostgres, type PostgresOptions } from '../../src/adapters/postgres/open-postgres.ts';
import type { SqlDatabase } from '../../src/ports.ts';
import { applyMigrations } from '../../src/records/migrate.ts';
import { MIGRATIONS } from '../../src/records/migrations/index.ts';
import type { TestDatabases } from './record-stores.ts';

const why = whyNoPostgres();
if (why !== null) {
  if (process.env.CENTINELA_LONG_TESTS === '1') throw new Error(`no PostgreSQL for the tests: ${why}`);
  process.stderr.write(`Tests on a real PostgreSQL are skipped: ${why}\n`);
}

/** For `describe.runIf`. */
export const withPostgres = why === null;
/** The same for tests that restart the server or need one with TLS. */
export const withOwnPostgres = withPostgres && !process.env.POSTGRES_URL;

export interface TestServer extends TestDatabases {
  /** Address of a new, empty database. */
  create(): Promise<string>;
  restart(): Promise<void>;
}

let numbers = 0;

/** @param options of the databases that are opened */
export async function openTestServer(options: Partial<PostgresOptions> = {}): Promise<TestServer> {
  const server = await startPostgres();
  // Of a server that is not ours, others may use the same names.
  const prefix = `centinela_test_${process.pid}`;
  const created: string[] = [];
  const opened: SqlDatabase[] = [];
  let template: string | null = null;
  const connect = (url: string) => openPostgres({ url, maxConnections: 8, ...options });

  async function administer(text: string): Promise<void> {
    const { Client } = await import('pg');
    const client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  async function create(from = 'template0'): Promise<string> {
    const name = `${prefix}_${numbers++}`;
    await administer(`CREATE DATABASE ${name} TEMPLATE ${from}`);
    created.push(name);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  async function open(url: string): Promise<SqlDatabase> {
    const database = await connect(url);
    opened.push(database);
    return database;
  }

  async function drop(): Promise<void> {
    for (const database of opened.splice(0)) await database.close();
    for (const name of created.splice(0)) await administer(`DROP DATABASE ${name} WITH (FORCE)`);
  }

  async function makeTemplate(): Promise<string> {
    const url = await create();
    const database = await connect(url);
    await applyMigrations(database, MIGRATIONS);
    await database.close();
    return created.pop()!;
  }

  return {
    create: () => create(),
    restart: () => server.restart(),
    open: async () => open(await create()),
    async openMigrated() {
      template ??= await makeTemplate();
      return open(await create(template));
    },
    release: drop,
    async stop() {
      await drop();
      if (template !== null) await administer(`DROP DATABASE ${template} WITH (FORCE)`);
      await server.stop();
    },
  };
}
