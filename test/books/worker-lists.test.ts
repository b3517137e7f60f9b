// Lists that the service keeps sealed, asked and followed by `centinela worker`, a process of its own beside it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { topicNames } from '../../src/pipeline/stream/topics.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { listBookOf } from '../../src/roles/service/sealed-lists.ts';
import { openSealing, ownSealing, type Sealing } from '../../src/roles/service/sealing.ts';
import { centinelaHere, type TemporaryFolder, temporaryFolder } from '../command-line/run-program.ts';
import { openTestServer, type TestServer, withPostgres } from '../records/with-postgres.ts';

const TOPICS = topicNames();
const RULE = `rules:
  - id: blocked-payee
    version: 1
    name: { es: Beneficiario bloqueado, en: Blocked payee }
    action: decline
    when: payeeId in @bloqueados
    reason: BENEFICIARIO_NUEVO
    owner: fraud
    severity: high
`;

describe.runIf(withPostgres)('lists of the service in a worker of its own', () => {
  let folder: TemporaryFolder;
  let server: TestServer;
  let database: string;
  let records: RecordStore;
  let sealing: Sealing;

  beforeAll(async () => {
    folder = temporaryFolder();
    server = await openTestServer();
    database = await server.create();
    records = await openRecordStore(await openPostgres({ url: database, maxConnections: 2 }));
    const masters = await openKeyFile(folder.path('master.key'), { mayCreate: true });
    sealing = await openSealing({ records, masters, nowMs: Date.now, onTrouble: () => undefined });
    mkdirSync(folder.path('rules'));
    writeFileSync(folder.path('rules', 'blocked.yaml'), RULE);
  }, 120_000);
  afterAll(async () => {
    sealing?.close();
    await records?.close();
    await server?.stop();
    folder?.remove();
  });

  const openLog = () =>
    openFileLog({ folder: folder.path('log'), onRecovery: () => undefined, onMaintenanceError: () => undefined });

  async function pays(id: string, payeeId: string): Promise<void> {
    const line = { id, eventTimeMs: Date.UTC(2026, 0, 13), amountMinor: 5000, currency: 'PEN', operation: 'transfer' };
    writeFileSync(folder.path('one.ndjson'), `${JSON.stringify({ ...line, payerId: 'C-1', payeeId })}\n`);
    const worked = await centinelaHere(
      ...['worker', '--log', folder.path('log'), '--checkpoints', folder.path('checkpoints'), '--ops-port', '0'],
      ...['--database', database, '--master-keys', folder.path('master.key'), '--registry', folder.path('registry')],
      ...['--rules', folder.path('rules'), '--from', folder.path('one.ndjson')],
    );
    expect(worked.exitCode, worked.errors).toBe(0);
  }

  async function valuesOf(topic: string): Promise<Record<string, unknown>[]> {
    const log = await openLog();
    const read = await log.read({ topic, partition: 0, offset: 0 }, 1000, 0);
    await log.close();
    return read.map(({ value }) => JSON.parse(Buffer.from(value!).toString('utf8')));
  }

  it('are asked as they are when it starts, and as they become', async () => {
    const store = createFolderObjectStore(folder.path('registry'));
    const book = listBookOf({ store }, ownSealing(sealing, Date.now), false);
    const act = { by: 'ana', why: 'denuncia', atMs: Date.UTC(2026, 0, 1) };
    const details = { source: 'fraude', untilMs: null };
    await book.add('bloqueados', 'M-1', details, act);
    await pays('T-1', 'M-1');
    await pays('T-2', 'M-2');
    const { number: entry, hash } = await book.add('bloqueados', 'M-2', details, act);
    const log = await openLog();
    const control = Buffer.from(JSON.stringify({ lists: { entry, hash } }));
    await log.append([
      { topic: TOPICS.control, partition: 0, key: null, value: control, headers: [], timestampMs: null },
    ]);
    await log.close();
    await pays('T-3', 'M-2');
    const actions = (await valuesOf(TOPICS.decisions)).map(({ id, action }) => [id, action]);
    expect(actions).toEqual([
      ['T-1', 'decline'],
      ['T-2', 'approve'],
      ['T-3', 'decline'],
    ]);
    expect(await valuesOf(TOPICS['dead-letters'])).toEqual([]);
  }, 120_000);
});
