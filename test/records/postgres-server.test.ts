// What a server can do to us: restart, be full, want TLS, refuse.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres } from '../../scripts/postgres/server.ts';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { ownCertificate } from '../../src/adapters/tls/own-certificate.ts';
import { RecordsUnavailableError } from '../../src/lib/errors.ts';
import type { SqlDatabase } from '../../src/ports.ts';
import { openTestServer, type TestServer, withOwnPostgres } from './with-postgres.ts';

const ask = (database: SqlDatabase, text: string) => database.run({ text, parameters: [] });

describe.runIf(withOwnPostgres)('a PostgreSQL server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openTestServer();
  });
  afterAll(() => server?.stop());

  test('that restarts is told of, and used again', async () => {
    const database = await server.open();
    await database.transact((run) => run({ text: 'CREATE TABLE t (n bigint)', parameters: [] }));
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const cut = database.transact(async (run) => {
      await run({ text: 'INSERT INTO t VALUES (1)', parameters: [] });
      begun.resolve();
      await goOn.promise;
      await run({ text: 'INSERT INTO t VALUES (2)', parameters: [] });
    });
    cut.catch(() => undefined);
    await begun.promise;
    await server.restart();
    goOn.resolve();
    await expect(cut).rejects.toBeInstanceOf(RecordsUnavailableError);
    expect((await ask(database, 'SELECT * FROM t')).rows).toEqual([]);
  });

  test('gets statements with a limit of time, and a line in front of few connections', async () => {
    const url = await server.create();
    const limits = { statementMs: 300, queued: 3 };
    const database = await openPostgres({ url, maxConnections: 1, limits });
    const sleeps = Array.from({ length: 6 }, () =>
      ask(database, 'SELECT pg_sleep(0.1)').then(
        () => 'done',
        (error: Error) => error.message,
      ),
    );
    const said = (await Promise.all(sleeps)).map((text) => text.replace(/^\d+ requests wait.*/, 'refused'));
    expect([said.slice(0, 3), said.slice(-2)]).toEqual([
      ['done', 'done', 'done'],
      ['refused', 'refused'],
    ]);
    await expect(ask(database, 'SELECT pg_sleep(2)')).rejects.toThrow(/statement timeout.*57014/);
    await database.close();
    await expect(ask(database, 'SELECT 1')).rejects.toBeInstanceOf(RecordsUnavailableError);
  });

  test('that forgets what it acknowledged is not taken', async () => {
    const url = await server.create();
    const database = await openPostgres({ url, maxConnections: 1 });
    const name = new URL(url).pathname.slice(1);
    await database.transact((run) =>
      run({ text: `ALTER DATABASE ${name} SET synchronous_commit = off`, parameters: [] }),
    );
    await database.close();
    await expect(openPostgres({ url, maxConnections: 1 })).rejects.toMatchObject({ code: 'POSTGRES_NOT_DURABLE' });
  });

  test('that is not there, or does not know us, is told at once', async () => {
    const url = new URL(await server.create());
    const open = (change: (url: URL) => void) => {
      const changed = new URL(url);
      change(changed);
      return openPostgres({ url: changed.href, maxConnections: 2, limits: { connectMs: 2000 } });
    };
    await expect(open((at) => (at.port = '1'))).rejects.toThrow(/does not answer.*ECONNREFUSED/);
    await expect(open((at) => (at.pathname = '/nowhere'))).rejects.toThrow(/"nowhere" does not exist/);
    await expect(open((at) => (at.username = 'nobody'))).rejects.toBeInstanceOf(RecordsUnavailableError);
    await expect(open((at) => at.searchParams.set('sslmode', 'disable'))).rejects.toMatchObject({
      code: 'POSTGRES_ADDRESS',
    });
  });

  test('that has no TLS is refused where TLS is asked for', async () => {
    const url = await server.create();
    const tls = { certificateAuthority: null, clientCertificate: null };
    await expect(openPostgres({ url, tls, maxConnections: 1 })).rejects.toThrow(/does not support SSL/);
  });
});

describe.runIf(withOwnPostgres)('a PostgreSQL server with TLS', () => {
  test('is believed only with a certificate of the authority for its name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    const makeCertificate = (name: string) => ownCertificate(join(folder, name), ['127.0.0.1'], Date.now());
    const { cert, key } = await makeCertificate('one');
    const server = await startPostgres({ tls: { certificate: cert, privateKey: key } });
    try {
      const open = (certificateAuthority: string | null) =>
        openPostgres({ url: server.url, tls: { certificateAuthority, clientCertificate: null }, maxConnections: 1 });
      const database = await open(cert);
      const { rows } = await ask(database, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      expect(rows).toEqual([{ ssl: true }]);
      await database.close();
      await expect(open(null)).rejects.toThrow(/self-signed certificate/);
      await expect(open((await makeCertificate('another')).cert)).rejects.toBeInstanceOf(RecordsUnavailableError);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
