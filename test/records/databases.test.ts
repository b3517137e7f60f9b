// What the port `SqlDatabase` promises, on both databases: values, transactions, conflicts, limits.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InputError, RecordConflictError } from '../../src/lib/errors.ts';
import type { SqlDatabase, SqlRows, SqlRun } from '../../src/ports.ts';
import { describeOnEachDatabase } from './record-stores.ts';

const write = (database: SqlDatabase, text: string, ...parameters: unknown[]): Promise<SqlRows> =>
  database.transact((run) => run({ text, parameters }));
const read = async (database: SqlDatabase, text: string, ...parameters: unknown[]) =>
  (await database.run({ text, parameters })).rows;
const statement = (run: SqlRun, text: string, ...parameters: unknown[]) => run({ text, parameters });

const noNul = (text: string) => !text.includes('\0');
const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' })).filter((text) => noNul(text) && text.isWellFormed());
const json = fc
  .dictionary(texts, fc.jsonValue())
  .filter((value) => !JSON.stringify(value).includes('\\u0000') && JSON.stringify(value).isWellFormed());
const bytes = fc.uint8Array({ maxLength: 40 });

describeOnEachDatabase('values', (open) => {
  it('come back as they were given, one by one and in arrays', async () => {
    const database = await open();
    const row = fc.record({
      t: fc.option(texts),
      n: fc.option(fc.maxSafeInteger()),
      d: fc.option(fc.oneof(fc.double({ noNaN: false }), fc.constant(-0))),
      b: fc.option(fc.boolean()),
      j: fc.option(json),
      y: fc.option(bytes),
      ta: fc.option(fc.array(fc.option(texts), { maxLength: 4 })),
      na: fc.option(fc.array(fc.option(fc.maxSafeInteger()), { maxLength: 4 })),
      ja: fc.option(fc.array(fc.option(json), { maxLength: 3 })),
      ya: fc.option(fc.array(fc.option(bytes), { maxLength: 3 })),
      ba: fc.option(fc.array(fc.option(fc.boolean()), { maxLength: 3 })),
    });
    const text = `SELECT $1::text AS t, $2::bigint AS n, $3::float8 AS d, $4::boolean AS b, $5::jsonb AS j, $6::bytea AS y,
      $7::text[] AS ta, $8::bigint[] AS na, $9::jsonb[] AS ja, $10::bytea[] AS ya, $11::boolean[] AS ba`;
    await fc.assert(
      fc.asyncProperty(row, async (given) => {
        const [got] = await read(database, text, ...Object.values(given));
        // As JSON leaves it: without −0.
        expect([got!.j, got!.ja]).toEqual(JSON.parse(JSON.stringify([given.j, given.ja])));
        expect({ ...got, j: null, ja: null, d: null }).toEqual({ ...given, j: null, ja: null, d: null });
        expect(got!.d).toBe(given.d);
      }),
      { numRuns: 150 },
    );
  });

  it('of several rows at once go through UNNEST and through rows of VALUES', async () => {
    const database = await open();
    await write(database, 'CREATE TABLE t (id bigint PRIMARY KEY, name text, data jsonb, raw bytea)');
    const { changed } = await write(
      database,
      'INSERT INTO t SELECT * FROM unnest($1::bigint[], $2::text[], $3::jsonb[], $4::bytea[])',
      [1, 2, 3],
      ['a', null, '{"x",}'],
      [{ a: [1, '"'] }, null, {}],
      [new Uint8Array([0, 255]), new Uint8Array(), null],
    );
    expect(changed).toBe(3);
    expect((await write(database, 'INSERT INTO t VALUES ($1, $2), ($3, $4)', 4, 'b', 5, 'c')).changed).toBe(2);
    expect(await read(database, 'SELECT * FROM t ORDER BY id')).toEqual([
      { id: 1, name: 'a', data: { a: [1, '"'] }, raw: new Uint8Array([0, 255]) },
      { id: 2, name: null, data: null, raw: new Uint8Array() },
      { id: 3, name: '{"x",}', data: {}, raw: null },
      { id: 4, name: 'b', data: null, raw: null },
      { id: 5, name: 'c', data: null, raw: null },
    ]);
    expect((await write(database, 'UPDATE t SET name = $1 WHERE id > $2', 'z', 3)).changed).toBe(2);
    expect((await write(database, 'DELETE FROM t WHERE id = 99')).changed).toBe(0);
  });

  it('that JavaScript cannot hold exactly are refused, not rounded', async () => {
    const database = await open();
    expect(await read(database, 'SELECT 9007199254740991 AS n, count(*) AS c, sum(2::bigint) AS s')).toEqual([
      { n: 9007199254740991, c: 1, s: 2 },
    ]);
    await expect(read(database, 'SELECT 9007199254740993 AS n')).rejects.toThrow(/beyond 2\^53/);
  });

  it('that have no text are refused where they are given', async () => {
    const database = await open();
    for (const value of [undefined, new Date(0), () => 1, Symbol('x'), 'a\0b', { a: '\0' }]) {
      await expect(read(database, 'SELECT $1::text', value)).rejects.toThrow();
    }
    expect(await read(database, 'SELECT $1::jsonb AS j', { a: '\\u0000' })).toEqual([{ j: { a: '\\u0000' } }]);
  });
});

describeOnEachDatabase('transactions', (open) => {
  async function withTable(): Promise<SqlDatabase> {
    const database = await open();
    await write(
      database,
      'CREATE TABLE t (id text PRIMARY KEY, n bigint NOT NULL CHECK (n >= 0), CONSTRAINT odd UNIQUE (n))',
    );
    return database;
  }

  it('write all or nothing', async () => {
    const database = await withTable();
    const failing = database.transact(async (run) => {
      await statement(run, 'INSERT INTO t VALUES ($1, $2)', 'a', 1);
      throw new Error('the work gave up');
    });
    await expect(failing).rejects.toThrow('the work gave up');
    expect(await read(database, 'SELECT * FROM t')).toEqual([]);
    const given = await database.transact(async (run) => {
      await statement(run, 'INSERT INTO t VALUES ($1, $2)', 'a', 1);
      return (await statement(run, 'SELECT count(*) AS n FROM t')).rows[0]!.n;
    });
    expect(given).toBe(1);
    expect(await read(database, 'SELECT * FROM t')).toEqual([{ id: 'a', n: 1 }]);
  });

  it('tell which constraint a row breaks', async () => {
    const database = await withTable();
    await write(database, "INSERT INTO t VALUES ('a', 1)");
    const errorOf = (text: string) =>
      write(database, text).then(
        () => expect.fail(text),
        (error: unknown) => error,
      );
    const twice = (await errorOf("INSERT INTO t VALUES ('a', 2)")) as RecordConflictError;
    expect(twice).toBeInstanceOf(InputError);
    expect(twice).toMatchObject({ code: 'RECORD_CONFLICT', constraint: 't_pkey', table: 't' });
    expect(await errorOf("INSERT INTO t VALUES ('b', 1)")).toMatchObject({ constraint: 'odd' });
    expect(await errorOf("INSERT INTO t VALUES ('b', -1)")).toMatchObject({ constraint: 't_n_check' });
    expect(await errorOf("INSERT INTO t VALUES ('b', NULL)")).toMatchObject({
      code: 'RECORD_CONFLICT',
      constraint: null,
    });
    expect(await read(database, 'SELECT * FROM t')).toEqual([{ id: 'a', n: 1 }]);
  });

  it('fail as a whole where a statement failed, even if the work went on', async () => {
    const database = await withTable();
    const swallowed = database.transact(async (run) => {
      await statement(run, "INSERT INTO t VALUES ('a', 1)");
      await statement(run, "INSERT INTO t VALUES ('b', 1)").catch(() => undefined);
    });
    await expect(swallowed).rejects.toBeInstanceOf(RecordConflictError);
    const translated = database.transact(async (run) => {
      await statement(run, "INSERT INTO t VALUES ('b', -1)").catch(() => {
        throw new Error('in words of the caller');
      });
    });
    await expect(translated).rejects.toThrow('in words of the caller');
    expect(await read(database, 'SELECT * FROM t')).toEqual([]);
  });

  it('leave the others alone when they are asked for at once and one fails', async () => {
    const database = await withTable();
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        write(database, 'INSERT INTO t VALUES ($1, $2)', `${index}`, index % 10 === 7 ? -1 : index),
      ),
    );
    const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
    expect(failed).toEqual([7, 17, 27, 37]);
    const rows = await read(database, 'SELECT id FROM t ORDER BY n');
    expect(rows.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: 40 }, (_, i) => i).filter((i) => i % 10 !== 7),
    );
  });

  it('count correctly however many change the same row at once', async () => {
    const database = await withTable();
    await write(database, "INSERT INTO t VALUES ('a', 0)");
    const addOne = () =>
      database.transact(async (run) => {
        const { rows } = await statement(run, "SELECT n FROM t WHERE id = 'a'");
        await new Promise((resolve) => setImmediate(resolve));
        await statement(run, "UPDATE t SET n = $1 WHERE id = 'a'", (rows[0]!.n as number) + 1);
      });
    await Promise.all(Array.from({ length: 25 }, addOne));
    expect(await read(database, 'SELECT n FROM t')).toEqual([{ n: 25 }]);
  });

  it('do not let a sum be broken that each of two keeps on its own', async () => {
    // Write skew: each sees the other's row unchanged. Serializable transactions do not do that.
    const database = await withTable();
    await write(database, "INSERT INTO t VALUES ('a', 60), ('b', 50)");
    const takeOut = (id: string) =>
      database.transact(async (run) => {
        const { rows } = await statement(run, 'SELECT sum(n) AS s FROM t');
        await new Promise((resolve) => setTimeout(resolve, 5));
        if ((rows[0]!.s as number) >= 100) await statement(run, 'UPDATE t SET n = n - 40 WHERE id = $1', id);
      });
    await Promise.all([takeOut('a'), takeOut('b')]);
    expect(await read(database, 'SELECT sum(n) AS s FROM t')).toEqual([{ s: 70 }]);
  });

  it('run statements that are asked for at once one after another', async () => {
    const database = await withTable();
    await database.transact((run) =>
      Promise.all(Array.from({ length: 10 }, (_, n) => statement(run, 'INSERT INTO t VALUES ($1, $2)', `${n}`, n))),
    );
    expect(await read(database, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 10 }]);
  });

  it('refuse statements after their end', async () => {
    const database = await withTable();
    const kept = await database.transact(async (run) => run);
    await expect(statement(kept, "INSERT INTO t VALUES ('a', 1)")).rejects.toThrow(/transaction is over/);
    expect(await read(database, 'SELECT * FROM t')).toEqual([]);
  });

  it('alone can write', async () => {
    const database = await withTable();
    await expect(read(database, "INSERT INTO t VALUES ('a', 1)")).rejects.toThrow(/through `transact`/);
    await expect(read(database, 'CREATE TABLE u ()')).rejects.toThrow(/through `transact`/);
    expect(await read(database, 'SELECT * FROM t')).toEqual([]);
  });

  it('take one statement at a time, and tell what is wrong with it', async () => {
    const database = await withTable();
    await expect(write(database, "INSERT INTO t VALUES ('a', 1); DELETE FROM t")).rejects.toThrow(/42601/);
    await expect(read(database, 'SELECT nothing')).rejects.toThrow(/"nothing".*42703/);
    await expect(read(database, 'SELECT $1::bigint', 'x')).rejects.toThrow(/22P02/);
  });

  it('check constraints that wait before anything is acknowledged', async () => {
    const database = await open();
    await write(database, 'CREATE TABLE p (id text PRIMARY KEY)');
    await write(database, 'CREATE TABLE c (p text REFERENCES p DEFERRABLE INITIALLY DEFERRED)');
    const results = await Promise.allSettled([
      write(database, "INSERT INTO p VALUES ('x')"),
      write(database, "INSERT INTO c VALUES ('nowhere')"),
      database.transact(async (run) => {
        await statement(run, "INSERT INTO c VALUES ('y')");
        await statement(run, "INSERT INTO p VALUES ('y')");
      }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await read(database, 'SELECT * FROM c')).toEqual([{ p: 'y' }]);
  });
});
