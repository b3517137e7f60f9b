// Backup and restore of the records, for both databases: a logical copy that either can read (backup-format.ts).
//
// A backup sees one state of the data. The embedded database does nothing else while one is made; a server goes on.
import { InputError } from '../lib/errors.ts';
import type { SqlDatabase, SqlRun } from '../ports.ts';
import {
  type BackupColumn,
  type BackupHeader,
  type BackupItem,
  type BackupRow,
  type BackupSums,
  type BackupTable,
  readBackupFile,
  writeBackupFile,
} from './backup-format.ts';
import {
  appliedMigrations,
  beginRestore,
  endRestore,
  hashOfMigration,
  MIGRATIONS_TABLE,
  type RecordMigration,
} from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';

const ROWS_PER_FETCH = 500;
/** Of one statement of a restore, and of one transaction of it. */
const ROWS_PER_INSERT = 500;
const BYTES_PER_INSERT = 1_048_576;
const BYTES_PER_COMMIT = 8 * 1_048_576;

/** Writes all records into a file, whole or not at all. */
export async function backupRecords(database: SqlDatabase, path: string, nowMs: number): Promise<BackupSums> {
  return database.transact((run) => writeBackupFile(path, itemsOf(run, database.engine, nowMs)));
}

async function* itemsOf(run: SqlRun, engine: string, atMs: number): AsyncGenerator<BackupItem> {
  yield { kind: 'header', header: { engine, atMs, migrations: await appliedMigrations(run) } };
  for (const table of await tablesOf(run)) {
    yield { kind: 'table', table };
    let rows = 0;
    for await (const row of rowsOf(run, table)) {
      rows++;
      yield { kind: 'row', row };
    }
    yield { kind: 'table-end', rows };
  }
}

/** Those of the program, sorted; columns that are computed from others are left out. */
async function tablesOf(run: SqlRun): Promise<BackupTable[]> {
  const { rows } = await run({
    text: `SELECT c.relname::text AS "table", a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> $1
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      ORDER BY c.relname, a.attnum`,
    parameters: [MIGRATIONS_TABLE],
  });
  const tables = new Map<string, BackupColumn[]>();
  for (const { table, name, type } of rows as { table: string; name: string; type: string }[]) {
    tables.set(table, [...(tables.get(table) ?? []), { name, type }]);
  }
  return [...tables].map(([table, columns]) => ({ table, columns }));
}

async function* rowsOf(run: SqlRun, { table, columns }: BackupTable): AsyncGenerator<BackupRow> {
  const texts = columns.map(({ name }, index) => `${quoted(name)}::text AS c${index}`);
  await run({
    text: `DECLARE backup NO SCROLL CURSOR FOR SELECT ${texts.join(', ')} FROM ${quoted(table)}`,
    parameters: [],
  });
  for (;;) {
    const { rows } = await run({ text: `FETCH ${ROWS_PER_FETCH} FROM backup`, parameters: [] });
    if (rows.length === 0) break;
    for (const row of rows) yield columns.map((_, index) => row[`c${index}`] as string | null);
  }
  await run({ text: 'CLOSE backup', parameters: [] });
}

/**
 * Restores into a database that has no tables yet. Migrations that the backup does not have are applied when the store is
 * opened, as for every older database.
 *
 * @throws InputError BACKUP_DAMAGED before anything is written, RESTORE_NOT_EMPTY, MIGRATION_UNKNOWN
 */
export async function restoreRecords(
  database: SqlDatabase,
  path: string,
  migrations: readonly RecordMigration[] = MIGRATIONS,
): Promise<BackupSums> {
  const header = await checkBackup(path);
  const toApply = migrationsOf(path, header, migrations);
  await refuseUnlessEmpty(database);
  const foreignKeys = await database.transact(async (run) => {
    await beginRestore(run);
    for (const { statements } of toApply) for (const text of statements) await run({ text, parameters: [] });
    // Rows that migrations insert are in the backup, as they are now.
    for (const { table } of await tablesOf(run)) await run({ text: `DELETE FROM ${quoted(table)}`, parameters: [] });
    return dropForeignKeys(run);
  });
  const sums = await insertAll(database, path);
  await database.transact(async (run) => {
    for (const { table, name, definition } of foreignKeys) {
      const text = `ALTER TABLE ${quoted(table)} ADD CONSTRAINT ${quoted(name)} ${definition}`;
      await run({ text, parameters: [] });
    }
    await endRestore(run, header.migrations);
  });
  return sums;
}

/** Reads all of it, so that nothing is written of a file that is not whole. */
async function checkBackup(path: string): Promise<BackupHeader> {
  let header: BackupHeader | null = null;
  for await (const item of readBackupFile(path)) if (item.kind === 'header') header = item.header;
  return header!;
}

function migrationsOf(path: string, header: BackupHeader, migrations: readonly RecordMigration[]): RecordMigration[] {
  return header.migrations.map(({ id, hash }) => {
    const migration = migrations.find((known) => known.id === id);
    if (migration !== undefined && hashOfMigration(migration) === hash) return migration;
    const what = migration === undefined ? 'does not know' : 'has with other statements';
    throw new InputError(
      'MIGRATION_UNKNOWN',
      `the backup ${path} was made with the migration ${id}, which this version of the program ${what}`,
      'Restore with the version that made the backup, or a newer one; nothing was restored',
    );
  });
}

async function refuseUnlessEmpty(database: SqlDatabase): Promise<void> {
  const { rows } = await database.run({
    text: "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LIMIT 1",
    parameters: [],
  });
  if (rows.length === 0) return;
  throw new InputError(
    'RESTORE_NOT_EMPTY',
    `the database already has tables (${rows[0]!.name}), and a backup is restored into an empty one only`,
    'Use a new folder, or make a new database on the server',
  );
}

interface ForeignKey {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

/** Rows come table by table and in no order: what points to what is checked once all are there. */
async function dropForeignKeys(run: SqlRun): Promise<readonly ForeignKey[]> {
  const { rows } = await run({
    text: `SELECT c.relname::text AS "table", k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
      WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2`,
    parameters: [],
  });
  const keys = rows as unknown as ForeignKey[];
  for (const { table, name } of keys) {
    await run({ text: `ALTER TABLE ${quoted(table)} DROP CONSTRAINT ${quoted(name)}`, parameters: [] });
  }
  return keys;
}

interface Insert {
  readonly table: BackupTable;
  readonly rows: readonly BackupRow[];
}

async function insertAll(database: SqlDatabase, path: string): Promise<BackupSums> {
  let sums: BackupSums = { tables: 0, rows: 0 };
  let waiting: Insert[] = [];
  let waitingBytes = 0;
  const commit = async () => {
    const inserts = waiting;
    waiting = [];
    waitingBytes = 0;
    if (inserts.length > 0)
      await database.transact(async (run) => {
        for (const insert of inserts) await insertRows(run, insert);
      });
  };
  let table: BackupTable | null = null;
  let rows: BackupRow[] = [];
  let bytes = 0;
  const finishRows = async () => {
    if (rows.length === 0) return;
    waiting.push({ table: table!, rows });
    waitingBytes += bytes;
    rows = [];
    bytes = 0;
    if (waitingBytes >= BYTES_PER_COMMIT) await commit();
  };
  for await (const item of readBackupFile(path)) {
    if (item.kind === 'table') table = item.table;
    else if (item.kind === 'row') {
      rows.push(item.row);
      for (const text of item.row) bytes += text?.length ?? 0;
      if (rows.length >= ROWS_PER_INSERT || bytes >= BYTES_PER_INSERT) await finishRows();
    } else if (item.kind === 'table-end') {
      await finishRows();
      sums = { tables: sums.tables + 1, rows: sums.rows + item.rows };
    }
  }
  await commit();
  return sums;
}

async function insertRows(run: SqlRun, { table, rows }: Insert): Promise<void> {
  const { columns } = table;
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const values = columns.map(({ type }, index) => `u.c${index}::${type}`).join(', ');
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(', ');
  const aliases = columns.map((_, index) => `c${index}`).join(', ');
  await run({
    text: `INSERT INTO ${quoted(table.table)} (${names}) SELECT ${values} FROM unnest(${arrays}) AS u(${aliases})`,
    parameters: columns.map((_, index) => rows.map((row) => row[index]!)),
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
