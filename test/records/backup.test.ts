// A backup of either database restores into either, row for row, and nothing is written of one that is damaged.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import type { SqlDatabase } from '../../src/ports.ts';
import { backupRecords, restoreRecords } from '../../src/records/backup.ts';
import { applyMigrations, type RecordMigration } from '../../src/records/migrate.ts';
import { MIGRATIONS } from '../../src/records/migrations/index.ts';
import { describeOnEachDatabase } from './record-stores.ts';

const migrations: readonly RecordMigration[] = [
  {
    id: '0001-parts',
    statements: [
      `CREATE TABLE parts (id text PRIMARY KEY, of text REFERENCES parts, n bigint, data jsonb, raw bytea, list text[],
        is_big boolean NOT NULL GENERATED ALWAYS AS (n > 10) STORED, share float8)`,
      'CREATE TABLE "Odd name" ("a ""b""" text)',
      "INSERT INTO parts (id, n) VALUES ('made by the migration', 0)",
    ],
  },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const rowsOf = async (database: SqlDatabase, text: string) => (await database.run({ text, parameters: [] })).rows;

async function fill(database: SqlDatabase): Promise<void> {
  await applyMigrations(database, migrations);
  await database.transact(async (run) => {
    await run({ text: "DELETE FROM parts WHERE id = 'made by the migration'", parameters: [] });
    await run({ text: `INSERT INTO "Odd name" VALUES ($1), (NULL)`, parameters: ['"\\ \n ñ'] });
    for (let n = 0; n < 1200; n++) {
      await run({
        text: 'INSERT INTO parts (id, of, n, data, raw, list, share) VALUES ($1, $2, $3, $4, $5, $6, $7)',
        parameters: [
          `part ${n}`,
          n === 0 ? null : `part ${Math.floor(n / 2)}`,
          n,
          { n, text: `"${n}"\t` },
          new Uint8Array([n & 255, 0]),
          ['', `{${n}}`, null],
          n / 3,
        ],
      });
    }
  });
}

describeOnEachDatabase('a backup', (open) => {
  it('restores into an embedded database what it was made of, and into its own kind', async () => {
    const database = await open();
    await fill(database);
    const path = join(folder, `${database.engine}.gz`);
    expect(await backupRecords(database, path, 1_790_000_000_000)).toEqual({ tables: 2, rows: 1202 });
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const embedded = await openPglite({ folder: null, onRecovery: () => undefined });
    for (const target of [embedded, await open()]) {
      expect(await restoreRecords(target, path, migrations)).toEqual({ tables: 2, rows: 1202 });
      for (const text of ['SELECT * FROM parts ORDER BY n', 'SELECT * FROM "Odd name" ORDER BY 1']) {
        expect(await rowsOf(target, text)).toEqual(await rowsOf(database, text));
      }
      expect(await applyMigrations(target, migrations)).toEqual([]);
      const dangling = target.transact((run) =>
        run({ text: "INSERT INTO parts (id, n, of) VALUES ('x', 1, 'nowhere')", parameters: [] }),
      );
      await expect(dangling).rejects.toMatchObject({ code: 'RECORD_CONFLICT' });
    }
    await embedded.close();
  });

  it('made by the other kind of database restores', async () => {
    // Both kinds leave their file here; the first of the two finds its own alone.
    const database = await open();
    for (const name of readdirSync(folder)) {
      if (name === `${database.engine}.gz`) continue;
      await restoreRecords(database, join(folder, name), migrations);
      expect(await rowsOf(database, 'SELECT count(*) AS n FROM parts')).toEqual([{ n: 1200 }]);
    }
  });

  it('of the program’s own tables restores, and later migrations are applied to it', async () => {
    const database = await open();
    const before = MIGRATIONS.slice(0, 2);
    await applyMigrations(database, before);
    const path = join(folder, 'own.backup');
    await backupRecords(database, path, 0);
    const target = await open();
    await restoreRecords(target, path);
    expect((await applyMigrations(target, MIGRATIONS)).length).toBe(MIGRATIONS.length - before.length);
    await rmSync(path);
  });

  it('restores into an empty database only, and one that is half restored does not open', async () => {
    const database = await open();
    await fill(database);
    const path = join(folder, 'again.backup');
    await backupRecords(database, path, 0);
    await expect(restoreRecords(database, path, migrations)).rejects.toMatchObject({ code: 'RESTORE_NOT_EMPTY' });
    const target = await open();
    const failing: SqlDatabase = {
      ...target,
      transact: (work) =>
        target.transact((run) =>
          work((statement) => {
            if (statement.text.startsWith('INSERT INTO "parts"')) throw new Error('the power went');
            return run(statement);
          }),
        ),
    };
    await expect(restoreRecords(failing, path, migrations)).rejects.toThrow('the power went');
    await expect(applyMigrations(target, migrations)).rejects.toMatchObject({ code: 'RESTORE_UNFINISHED' });
    rmSync(path);
  });

  it('that is damaged or cut short is refused before anything is written', async () => {
    const database = await open();
    await fill(database);
    const path = join(folder, 'damaged.backup');
    await backupRecords(database, path, 0);
    const whole = readFileSync(path);
    const lines = gunzipSync(whole).toString().split('\n');
    const changed = (edit: (lines: string[]) => string[]) => gzipSync(edit([...lines]).join('\n'));
    const bad = {
      'a value that was changed': changed((all) => all.map((line) => line.replace('part 77', 'part 78'))),
      'a row that is missing': changed((all) => all.toSpliced(20, 1)),
      'no end': changed((all) => all.slice(0, -2)),
      'a file cut short': whole.subarray(0, whole.length - 30),
      'no gzip': Buffer.from('{}'),
      'other JSON': gzipSync('{"a":1}\n'),
    };
    const target = await open();
    for (const [what, bytes] of Object.entries(bad)) {
      writeFileSync(path, bytes);
      await expect(restoreRecords(target, path, migrations), what).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    }
    rmSync(path);
    await expect(restoreRecords(target, path, migrations)).rejects.toMatchObject({ code: 'BACKUP_MISSING' });
    expect(await rowsOf(target, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });
});
