// What operators do to keys and to the time that things are kept, on the command line: refused in words where it may not be, and in
// the audit where it was done.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { combineMasterKeys } from '../../src/privacy/master-keys.ts';
import { endedBefore, retentionMonths } from '../../src/privacy/retention.ts';
import { openSigningKey } from '../../src/records/audit/keys.ts';
import { sealedByMasterKeys } from '../../src/records/audit/master-key-sealing.ts';
import { noteMasterKeys } from '../../src/records/keys/master-rotation.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { openSealing } from '../../src/roles/service/sealing.ts';
import { openCase } from '../alerts/acts.ts';
import { centinelaHere, jsonOf, temporaryFolder } from '../command-line/run-program.ts';
import { openTestServer, type TestServer, withPostgres } from '../records/with-postgres.ts';

/** Each command opens the records anew, which a server is quicker at than an embedded database. */
const folder = temporaryFolder();
let server: TestServer;
beforeAll(async () => {
  if (withPostgres) server = await openTestServer();
}, 120_000);
afterAll(async () => {
  folder.remove();
  await server?.stop();
}, 120_000);

async function withRecords<Result>(url: string, work: (records: RecordStore) => Promise<Result>): Promise<Result> {
  const records = await openRecordStore(await openPostgres({ url, maxConnections: 2 }));
  try {
    return await work(records);
  } finally {
    await records.close();
  }
}

const audited = (url: string, action: string) =>
  withRecords(url, async ({ db }) => {
    const rows = await db.selectFrom('audit_entries').select('text').where('action', '=', action).execute();
    return rows.map(({ text }) => JSON.parse(text));
  });

/** As `serve` leaves it: customers' keys, secrets, and the audit's key under the master. */
async function serveOnce(url: string, keyFile: string): Promise<string> {
  const masters = await openKeyFile(keyFile, { mayCreate: true });
  await withRecords(url, async (records) => {
    const sealing = await openSealing({ records, masters, nowMs: Date.now, onTrouble: () => undefined });
    await sealing.keys.keysToSeal(['cli_1', 'cli_2'], Date.now());
    sealing.close();
    const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
    await openSigningKey(records, { sealing: sealedByMasterKeys(masters), nowMs: Date.now, randomBytes });
  });
  return masters.currentId;
}

describe('keys retire', () => {
  it.runIf(withPostgres)(
    'takes back an old master key once nothing needs it, and says until then what does and what to do',
    async () => {
      const url = await server.create();
      const [old, fresh] = [folder.path('old.key'), folder.path('new.key')];
      const id = await serveOnce(url, old);
      const now = (await openKeyFile(fresh, { mayCreate: true })).currentId;
      const places = ['--database', url, '--master-keys', `${fresh},${old}`];
      const retire = (key: string, ...more: string[]) =>
        centinelaHere('keys', 'retire', key, '--database', url, '--by', 'Ana', '--reason', 'cambio anual', ...more);
      expect((await retire(id)).errors).toMatch(/it is the current one/);
      expect((await retire('nada')).errors).toMatch(/No master key nada was used/);
      expect((await centinelaHere('keys', 'retire', '--database', url, '--by', 'Ana')).errors).toMatch(/which key/);
      expect((await centinelaHere('keys', 'retire', id, '--database', url)).errors).toMatch(/--by NAME is missing/);
      // The new one is current from its first use on.
      await withRecords(url, async (records) => {
        const masters = await Promise.all([fresh, old].map((file) => openKeyFile(file, { mayCreate: false })));
        await noteMasterKeys(records, combineMasterKeys(masters[0], masters.slice(1)), Date.now());
      });
      const early = await retire(id);
      expect([early.exitCode, early.errors]).toEqual([
        1,
        expect.stringMatching(/2 keys of customers and 1 secrets .*keys rewrap/),
      ]);
      expect((await centinelaHere('keys', 'rewrap', ...places, '--by', 'Ana')).exitCode).toBe(0);
      expect(await audited(url, 'master-key.rewrap-begun')).toMatchObject([{ actor: { name: 'Ana' } }]);
      expect(await audited(url, 'master-key.rewrapped')).toMatchObject([
        { subject: { kind: 'master-key', id: now }, detail: { rewrapped: 3 } },
      ]);
      expect((await retire(id)).errors).toMatch(/the audit's signing key .*audit keys --rotate/);
      expect((await centinelaHere('audit', 'keys', '--rotate', ...places)).exitCode).toBe(0);
      expect((await retire(id)).errors).toMatch(/dead letters that it opens are kept until 20/);
      expect(await audited(url, 'master-key.retired')).toEqual([]);
      const done = await retire(id, '--letters-kept', '0');
      expect(done.exitCode, done.errors).toBe(0);
      expect(done.out).toContain(`${id} is retired`);
      expect(await audited(url, 'master-key.retired')).toMatchObject([
        {
          ...{ actor: { kind: 'system', id: 'command-line', name: 'Ana' }, subject: { kind: 'master-key', id } },
          detail: { reason: 'cambio anual' },
        },
      ]);
      expect((await retire(id)).errors).toMatch(/retired already/);
      const { masterKeys } = await jsonOf(centinelaHere, 'keys', 'list', '--database', url);
      expect(masterKeys).toMatchObject([
        { id, retiredMs: expect.any(Number), dataKeys: 0, secrets: 0, sealsAuditKey: false },
        { id: now, retiredMs: null, dataKeys: 2, secrets: 1, sealsAuditKey: true },
      ]);
    },
    120_000,
  );
});

describe('retention settings', () => {
  it.runIf(withPostgres)(
    'show the months of each class, are changed within what is allowed, and hold for the next round',
    async () => {
      const url = await server.create();
      const keyFile = folder.path('months.key');
      await serveOnce(url, keyFile);
      const settings = (...more: string[]) => centinelaHere('retention', 'settings', '--database', url, ...more);
      const usual = await settings();
      expect(usual.out).toMatch(/^cases +120 +120 +60 +closed +Res\. SBS/m);
      const by = ['--by', 'Ana', '--reason', 'política 12'];
      expect((await settings('--set', 'cases=12', ...by)).errors).toMatch(/cases cannot be kept for 12 months/);
      expect((await settings('--set', 'sesiones=12', ...by)).errors).toMatch(/no class of records sesiones/);
      expect((await settings('--set', 'cases', ...by)).errors).toMatch(/CLASS=MONTHS/);
      expect((await settings('--set', 'cases=60', '--by', 'Ana')).errors).toMatch(/--reason is missing/);
      expect((await settings('--set', 'cases=60')).errors).toMatch(/--by NAME is missing/);
      expect((await centinelaHere('retention', '--set', 'cases=60', '--objects', 'x')).errors).toMatch(
        /goes with settings/,
      );
      expect(await audited(url, 'settings.changed')).toEqual([]);

      const closedMs = endedBefore('cases', Date.now(), retentionMonths({ cases: 61 })) - 1;
      await withRecords(url, async (records) => {
        const { caseId } = await openCase(records);
        await records.transact((tx) =>
          tx
            .updateTable('cases')
            .set({ state: 'closed-genuine', closed_ms: closedMs })
            .where('id', '=', caseId)
            .execute(),
        );
      });
      const round = [
        'retention',
        '--database',
        url,
        '--objects',
        folder.path('objects'),
        '--master-keys',
        keyFile,
        '--dry-run',
      ];
      expect((await jsonOf(centinelaHere, ...round)).cases).toBe(0);
      const changed = await jsonOf(
        centinelaHere,
        'retention',
        'settings',
        '--database',
        url,
        '--set',
        'cases=60, labels=72',
        ...by,
      );
      expect(changed).toMatchObject({ months: { cases: 60, labels: 72, alerts: 120 }, version: 1, changedBy: 'Ana' });
      expect((await jsonOf(centinelaHere, ...round)).cases).toBe(1);
      expect((await settings('--set', 'labels=120', ...by)).exitCode).toBe(0);
      const entries = await audited(url, 'settings.changed');
      expect(entries.map(({ subject, detail }) => [subject.id, detail])).toEqual([
        [
          'retention',
          { reason: 'política 12', version: 1, before: { cases: 120, labels: 120 }, after: { cases: 60, labels: 72 } },
        ],
        ['retention', { reason: 'política 12', version: 2, before: { labels: 72 }, after: { labels: 120 } }],
      ]);
    },
    120_000,
  );
});
