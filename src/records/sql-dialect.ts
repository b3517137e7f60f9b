// Kysely over the port `SqlDatabase`: PostgreSQL's query compiler, and a driver that hands statements to whoever runs them.
//
// Transactions are the port's (`transact`), because it tries again those that lost against another one; Kysely's own are
// refused.
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import { assert } from '../lib/assert.ts';
import type { SqlRun } from '../ports.ts';
import type { Database } from './database.ts';

export function kyselyOver(run: SqlRun): Kysely<Database> {
  return new Kysely<Database>({ dialect: dialectOver(run) });
}

function dialectOver(run: SqlRun): Dialect {
  return {
    createDriver: () => driverOver(run),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

function driverOver(run: SqlRun): Driver {
  const connection = connectionOver(run);
  const refuse = () => Promise.reject(new Error('transactions of records are begun by RecordStore.transact alone'));
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(connection),
    releaseConnection: () => Promise.resolve(),
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: () => Promise.resolve(),
  };
}

function connectionOver(run: SqlRun): DatabaseConnection {
  return {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, changed } = await run({ text: sql, parameters });
      return { rows: rows as R[], numAffectedRows: BigInt(changed) };
    },
    // biome-ignore lint/correctness/useYield: refused before there is anything to yield
    async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
      assert(false, 'rows are read page by page, not streamed');
    },
  };
}
