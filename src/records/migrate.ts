// Migrations: each is applied once, in order, and never changed afterwards. What was applied is remembered with a hash of
// its statements, so that an altered one, or a database that a newer version of this program has changed, is noticed.
import { createHash } from 'node:crypto';
import { InputError } from '../lib/errors.ts';
import type { SqlDatabase, SqlRun } from '../ports.ts';

export interface RecordMigration {
  /** `0001-alerts`: they are applied in the order of their ids. */
  readonly id: string;
  /** Plain DDL of PostgreSQL, in order. */
  readonly statements: readonly string[];
}

interface Applied {
  readonly id: string;
  readonly hash: string;
}

/** Ids, sorted, with hashes: what a backup names and a restore checks. */
export type AppliedMigrations = readonly Applied[];

export const MIGRATIONS_TABLE = 'record_migrations';
const TABLE = MIGRATIONS_TABLE;
/** There while a backup is being restored: until then the database is half of one. */
const UNFINISHED = 'record_restore_unfinished';

export function hashOfMigration({ id, statements }: RecordMigration): string {
  return createHash('sha256')
    .update(JSON.stringify([id, statements]))
    .digest('hex');
}

/**
 * Applies those that are missing, all or none.
 *
 * @returns ids of those that were applied now
 * @throws InputError MIGRATION_UNKNOWN, MIGRATION_CHANGED
 */
export async function applyMigrations(
  database: SqlDatabase,
  migrations: readonly RecordMigration[],
): Promise<readonly string[]> {
  const ordered = inOrder(migrations);
  if (await isThere(database, UNFINISHED)) throw unfinishedRestore();
  if (!(await isThere(database, TABLE))) await createTable(database);
  if (missing(ordered, await appliedMigrations(database.run)).length === 0) return [];
  return database.transact(async (run) => {
    // One program at a time. A lock on the table is taken before the transaction's view of the data is, so that what
    // another one has just applied is seen; an advisory lock, asked for by a SELECT, would come too late.
    await run({ text: `LOCK TABLE ${TABLE} IN EXCLUSIVE MODE`, parameters: [] });
    const toApply = missing(ordered, await appliedMigrations(run));
    for (const migration of toApply) await apply(run, migration);
    return toApply.map(({ id }) => id);
  });
}

export async function appliedMigrations(run: SqlRun): Promise<AppliedMigrations> {
  const { rows } = await run({ text: `SELECT id, hash FROM ${TABLE} ORDER BY id`, parameters: [] });
  return rows as unknown as AppliedMigrations;
}

/** Marks the database as half restored, in the transaction that makes its first tables. */
export async function beginRestore(run: SqlRun): Promise<void> {
  await run({ text: `CREATE TABLE ${UNFINISHED} ()`, parameters: [] });
}

/** What was applied to the database that the backup was made of is applied to this one. */
export async function endRestore(run: SqlRun, applied: AppliedMigrations): Promise<void> {
  await run({ text: CREATE_TABLE, parameters: [] });
  for (const { id, hash } of applied) await remember(run, id, hash);
  await run({ text: `DROP TABLE ${UNFINISHED}`, parameters: [] });
}

async function isThere(database: SqlDatabase, table: string): Promise<boolean> {
  const { rows } = await database.run({ text: 'SELECT to_regclass($1) IS NOT NULL AS there', parameters: [table] });
  return rows[0]!.there === true;
}

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS ${TABLE} (id text PRIMARY KEY, hash text NOT NULL)`;

async function createTable(database: SqlDatabase): Promise<void> {
  try {
    await database.transact((run) => run({ text: CREATE_TABLE, parameters: [] }));
  } catch (error) {
    // Two at the same moment: PostgreSQL lets one of them fail, on its catalogue's unique index, on the type of the rows or on
    // the table, and the table is there.
    if (!(await isThere(database, TABLE))) throw error;
  }
}

async function apply(run: SqlRun, migration: RecordMigration): Promise<void> {
  for (const text of migration.statements) await run({ text, parameters: [] });
  await remember(run, migration.id, hashOfMigration(migration));
}

async function remember(run: SqlRun, id: string, hash: string): Promise<void> {
  await run({ text: `INSERT INTO ${TABLE} (id, hash) VALUES ($1, $2)`, parameters: [id, hash] });
}

function inOrder(migrations: readonly RecordMigration[]): readonly RecordMigration[] {
  const ordered = [...migrations].sort((a, b) => (a.id < b.id ? -1 : 1));
  const twice = ordered.find(({ id }, index) => id === ordered[index + 1]?.id);
  if (twice !== undefined) throw new Error(`two migrations have the id ${twice.id}`);
  return ordered;
}

function missing(migrations: readonly RecordMigration[], applied: AppliedMigrations): readonly RecordMigration[] {
  const known = new Map(migrations.map((migration) => [migration.id, migration]));
  for (const { id, hash } of applied) {
    const migration = known.get(id);
    if (migration === undefined) throw unknownMigration(id);
    if (hashOfMigration(migration) !== hash) throw changedMigration(id);
  }
  const there = new Set(applied.map(({ id }) => id));
  return migrations.filter(({ id }) => !there.has(id));
}

function unknownMigration(id: string): InputError {
  return new InputError(
    'MIGRATION_UNKNOWN',
    `the database of records has the migration ${id}, which this version of the program does not know`,
    'Start the version that made it, or a newer one; nothing was changed',
  );
}

function changedMigration(id: string): InputError {
  return new InputError(
    'MIGRATION_CHANGED',
    `the migration ${id} is not the one that the database of records was made with`,
    'A migration is never changed after it was applied: add another one, or restore a backup into a new database',
  );
}

function unfinishedRestore(): InputError {
  return new InputError(
    'RESTORE_UNFINISHED',
    'a backup was being restored into this database of records and was not finished',
    'Restore it again into a new folder or a new database, and remove this one',
  );
}
