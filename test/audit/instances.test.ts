// Several programs on one PostgreSQL: one chain, no fork, nobody turned away.
import { afterAll, describe, expect, it } from 'vitest';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { appendAudit, lockAudit } from '../../src/records/audit/append.ts';
import { storeAuditSource } from '../../src/records/audit/store-source.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { openTestServer, type TestServer, withPostgres } from '../records/with-postgres.ts';
import { draftNumber } from './memory-audit.ts';

const PROGRAMS = 3;
const AT_ONCE = 6;

describe.runIf(withPostgres)('several programs on one database', () => {
  let server: TestServer;
  afterAll(() => server?.stop());

  it.each([
    ['with the lock first, all at once', true, 25],
    ['without it, a few at a time', false, 5],
  ])('write one chain %s', async (_, isLockedFirst, rounds) => {
    server ??= await openTestServer();
    const url = await server.create();
    const stores: RecordStore[] = [];
    for (let i = 0; i < PROGRAMS; i++)
      stores.push(await openRecordStore(await openPostgres({ url, maxConnections: 8 })));
    const change = (store: RecordStore, number: number) =>
      store.transact(async (tx) => {
        if (isLockedFirst) await lockAudit(tx);
        // Something is read before the audit is written, so that the transaction has its view of the data.
        await tx.selectFrom('audit_heads').select('sequence').execute();
        await appendAudit(tx, [draftNumber(number), draftNumber(number + 1)]);
      });
    const running = stores.flatMap((store, program) =>
      Array.from({ length: isLockedFirst ? AT_ONCE : 1 }, async (_, hand) => {
        for (let round = 0; round < rounds; round++) await change(store, program * 1000 + hand * 100 + round);
      }),
    );
    await Promise.all(running);
    const report = await verifyAudit(storeAuditSource(stores[0].db), { publicKeys: [] });
    expect(report).toMatchObject({ breaks: [], entries: 2 * running.length * rounds });
    for (const store of stores) await store.close();
  });
});
