// Migrations on both databases: once, in order, by one program at a time, and never altered.
import { expect, it } from 'vitest';
import { applyMigrations, type RecordMigration } from '../../src/records/migrate.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { describeOnEachDatabase } from './record-stores.ts';

const first: RecordMigration = { id: '0001-a', statements: ['CREATE TABLE a (id text PRIMARY KEY)'] };
const second: RecordMigration = {
  id: '0002-b',
  statements: ["INSERT INTO a VALUES ('from the second')", 'CREATE INDEX a_by_id ON a (id)'],
};
const third: RecordMigration = { id: '0003-c', statements: ['ALTER TABLE a ADD COLUMN n bigint NOT NULL DEFAULT 0'] };

describeOnEachDatabase('migrations', (open) => {
  it('are applied in the order of their ids, and once', async () => {
    const database = await open();
    expect(await applyMigrations(database, [second, first])).toEqual(['0001-a', '0002-b']);
    expect(await applyMigrations(database, [first, second])).toEqual([]);
    expect(await applyMigrations(database, [first, third, second])).toEqual(['0003-c']);
    expect((await database.run({ text: 'SELECT * FROM a', parameters: [] })).rows).toEqual([
      { id: 'from the second', n: 0 },
    ]);
  });

  it('of areas that are built side by side may come after later ones', async () => {
    const database = await open();
    await applyMigrations(database, [first, third]);
    expect(await applyMigrations(database, [first, second, third])).toEqual(['0002-b']);
  });

  it('are applied all or none', async () => {
    const database = await open();
    const broken = { id: '0002-broken', statements: ['CREATE TABLE b ()', 'CREATE TABLE a ()'] };
    await expect(applyMigrations(database, [first, broken])).rejects.toThrow(/"a" already exists/);
    expect(await applyMigrations(database, [first])).toEqual(['0001-a']);
  });

  it('are applied by one of several programs that start at once', async () => {
    const database = await open();
    const applied = await Promise.all(Array.from({ length: 4 }, () => applyMigrations(database, [first, second])));
    expect(applied.flat()).toEqual(['0001-a', '0002-b']);
  });

  it('that were altered, or come from a newer version, stop the start', async () => {
    const database = await open();
    await applyMigrations(database, [first, second]);
    const altered = { ...second, statements: [...second.statements, 'DROP INDEX a_by_id'] };
    await expect(openRecordStore(database, [first, altered])).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' });
    await expect(openRecordStore(database, [first])).rejects.toMatchObject({
      code: 'MIGRATION_UNKNOWN',
      message: expect.stringContaining('0002-b'),
    });
  });
});
