// Evidence made by `centinela worker`, a process of its own beside the service: kept by the service's follower, made again by
// `audit replay` over the same database, objects and master keys.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { packKeys } from '../../src/jobs/evidence/evidence-store.ts';
import type { Evidence } from '../../src/pipeline/evidence/evidence.ts';
import { topicNames } from '../../src/pipeline/stream/topics.ts';
import { newestHead } from '../../src/records/audit/heads.ts';
import { keyInUse } from '../../src/records/audit/keys.ts';
import { sealedByMasterKeys } from '../../src/records/audit/master-key-sealing.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { startEvidence } from '../../src/roles/service/evidence.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { centinelaHere, jsonOf, type TemporaryFolder, temporaryFolder } from '../command-line/run-program.ts';
import { openTestServer, type TestServer, withPostgres } from '../records/with-postgres.ts';

const TOPICS = topicNames();

describe.runIf(withPostgres)('evidence of a worker of its own', () => {
  let folder: TemporaryFolder;
  let server: TestServer;
  let database: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    server = await openTestServer();
    database = await server.create();
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    folder?.remove();
  });

  const worker = (...more: string[]) =>
    centinelaHere('worker', '--log', folder.path('log'), '--checkpoints', folder.path('checkpoints'), ...more);
  const sealing = () => ['--database', database, '--master-keys', folder.path('master.key')];

  /** As the service signs it. */
  async function signAudit() {
    const masters = await openKeyFile(folder.path('master.key'), { mayCreate: true });
    const records = await openRecordStore(await openPostgres({ url: database, maxConnections: 2 }));
    await keyInUse(records, { sealing: sealedByMasterKeys(masters), nowMs: Date.now, randomBytes })();
    const head = await newestHead(records.db);
    await records.close();
    return head;
  }

  /** What the worker wrote, and keeps it as the service does. */
  async function keptPacks(count: number): Promise<Evidence[]> {
    const objects = createFolderObjectStore(folder.path('objects'));
    const log = await openFileLog({ folder: folder.path('log'), onRecovery: () => {}, onMaintenanceError: () => {} });
    const logger = createLogger('error', () => undefined);
    const following = startEvidence({ log, topic: TOPICS.evidence, objects, logger });
    while ((await packKeys(objects)).length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    await following.close();
    const records = await log.read({ topic: TOPICS.evidence, partition: 0, offset: 0 }, 10_000, 0);
    await log.close();
    return records.map(({ value }) => JSON.parse(Buffer.from(value!).toString('utf8')) as Evidence);
  }

  it('is made again to the bit, and names the signed head of the audit', async () => {
    const head = await signAudit();
    const file = folder.path('bank.csv');
    await centinelaHere('simulate', '--customers', '20', '--days', '2', '--seed', '5', '--out', file);
    const options = ['--objects', folder.path('objects'), '--evidence', 'all', '--ops-port', '0', '--from', file];
    const worked = await worker(...sealing(), ...options);
    expect(worked.exitCode, worked.errors).toBe(0);
    const rows = Number(/"rows":(\d+)/.exec(worked.errors)?.[1]);
    expect(rows).toBeGreaterThan(20);

    const packs = await keptPacks(rows);
    expect(packs).toHaveLength(rows);
    for (const { auditHead, transaction } of packs) {
      expect([auditHead, transaction.form]).toEqual([head, 'sealed']);
    }
    const registry = ['--registry', folder.path('registry')];
    const replayed = await jsonOf(
      centinelaHere,
      ...['audit', 'replay', '--all', ...sealing(), '--objects', folder.path('objects'), ...registry],
    );
    expect(replayed).toEqual({ packs: rows, same: rows, other: [] });
  }, 120_000);

  it('is not begun without what it needs', async () => {
    const asked = async (...options: string[]) => {
      const { exitCode, errors } = await worker(...options);
      expect(exitCode).toBe(2);
      return errors;
    };
    expect(await asked('--evidence', 'alerts')).toContain('--objects PLACE');
    expect(await asked('--objects', folder.path('objects'))).toContain('--database URL and --master-keys PLACES');
  }, 60_000);
});
