// `kill -9` of the service under load: what was acknowledged is there, nothing is decided twice, and the audit is whole.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeScoringKey, startServiceProcess } from '../../bench/api/service-process.ts';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { listPublicKeys } from '../../src/records/audit/keys.ts';
import { storeAuditSource } from '../../src/records/audit/store-source.ts';
import { openRecordStore } from '../../src/records/record-store.ts';

const KILLS = 50;
const CALLERS = 16;
const LONGEST_MS = 1500;
const READ_RECORDS = 10_000;

interface Asked {
  readonly url: string;
  readonly authority: string;
  readonly key: string;
}

/** Asks for one decision. @returns whether one was acknowledged */
function decide({ url, authority, key }: Asked, agent: Agent, id: string): Promise<boolean> {
  const body = JSON.stringify({
    ...{ id, eventTimeMs: Date.now(), amountMinor: 12_300, currency: 'PEN', operation: 'transfer', channel: 'app' },
    ...{
      payerId: `C${id.length}-${id.slice(-2)}`,
      payerName: 'Rosa Quispe Mamani',
      payeeAccount: '00219400234567810012',
    },
  });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const outgoing = request(
      `${url}/v1/transactions`,
      { method: 'POST', ca: readFileSync(authority), agent, headers },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.on('end', () => resolve(incoming.statusCode === 200 && text.includes('"kind":"decided"')));
        incoming.on('error', () => resolve(false));
      },
    );
    outgoing.on('error', () => resolve(false));
    outgoing.end(body);
  });
}

it.runIf(process.env.CENTINELA_LONG_TESTS === '1')(
  `${KILLS} times under load: nothing acknowledged is lost, no decision is made twice, the audit verifies`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'centinela-killed-'));
    const data = join(folder, 'data');
    const random = createPrng(20_261_126);
    const acknowledged: string[] = [];
    let key = '';
    let next = 0;
    try {
      for (let kill = 0; kill <= KILLS; kill++) {
        const service = await startServiceProcess(data, null);
        if (kill === 0) key = await makeScoringKey(service, service.setupToken ?? '');
        const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
        const untilMs = performance.now() + 200 + random.nextBelow(LONGEST_MS);
        const call = async () => {
          while (performance.now() < untilMs) {
            const id = `K${next++}`;
            if (await decide({ ...service, key }, agent, id)) acknowledged.push(id);
          }
        };
        const calls = Array.from({ length: CALLERS }, call);
        if (kill < KILLS)
          setTimeout(() => void service.kill(), Math.max(1, untilMs - performance.now() - random.nextBelow(200)));
        await Promise.all(calls);
        await (kill < KILLS ? service.kill() : service.stop());
        agent.destroy();
      }
      expect(acknowledged.length).toBeGreaterThan(KILLS * 10);

      const log = await openFileLog({ folder: join(data, 'log'), onRecovery: () => undefined });
      const decided = new Map<string, number>();
      for (let offset = 0; ; ) {
        const records = await log.read({ topic: 'decisions', partition: 0, offset }, READ_RECORDS, 0);
        for (const { key: id } of records) {
          const text = new TextDecoder().decode(id ?? undefined);
          decided.set(text, (decided.get(text) ?? 0) + 1);
        }
        if (records.length === 0) break;
        offset = records[records.length - 1].offset + 1;
      }
      await log.close();
      expect(acknowledged.filter((id) => !decided.has(id))).toEqual([]);
      expect([...decided].filter(([, times]) => times > 1)).toEqual([]);

      const told: string[] = [];
      const records = await openRecordStore(
        await openPglite({ folder: join(data, 'records'), onRecovery: (text) => told.push(text) }),
      );
      const publicKeys = (await listPublicKeys(records.db)).map(({ publicKey }) => publicKey);
      const { breaks, entries } = await verifyAudit(storeAuditSource(records.db), { publicKeys });
      const alerts = await records.db
        .selectFrom('alerts')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      await records.close();
      expect(breaks).toEqual([]);
      expect(entries).toBeGreaterThan(0);
      expect(Number(alerts.count)).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  1_200_000,
);
