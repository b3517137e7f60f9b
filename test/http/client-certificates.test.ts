// Programs that show a certificate to the running service instead of a key.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { readIdentityFile } from '../../src/identity/settings.ts';
import { DAY_MS, issue, type Pair } from '../identity/issued-certificates.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { startTestService, type TestService } from './running-service.ts';

const SWITCH = 'CN=switch, O=Banco';
const identity = readIdentityFile({
  certificates: [
    {
      ...{ id: 'switch', name: 'Switch de pagos', permissions: ['transactions:score', 'labels:write', 'alerts:work'] },
      match: { subject: { CN: 'switch', O: 'Banco' } },
    },
  ],
});
const TRANSACTION = {
  ...{ eventTimeMs: Date.now(), amountMinor: 9_900, currency: 'PEN', operation: 'transfer', channel: 'app' },
  ...{ status: 'approved', payerId: 'C-77', authFactors: [] },
};

describeOnEachEngine('certificates of programs, over TLS', (open) => {
  async function withService(work: (service: TestService, authority: Pair) => Promise<void>): Promise<void> {
    const authority = await issue('CN=Autoridad', null);
    const { provider: _, ...settings } = identity;
    const service = await startTestService(await open(), { identity: settings, clientAuthorities: authority.cert });
    try {
      await work(service, authority);
    } finally {
      await service.stop();
    }
  }

  const score = (id: string, headers: Record<string, string> = {}) => ({
    ...{ method: 'POST', body: { id: `${id}-${randomBytes(4).toString('hex')}`, ...TRANSACTION }, headers },
  });

  it(
    'are known by what their entry names, may do what it gives, and are in the audit as it calls them',
    () =>
      withService(async (service, authority) => {
        const program = service.withCertificate(await issue(SWITCH, authority));
        const scored = await program.ask('/v1/transactions', score('T'));
        expect(scored.status, scored.text).toBe(200);
        expect((await program.ask('/v1/session')).json.principal).toEqual({
          ...{ kind: 'api-key', id: 'certificate:switch', name: 'Switch de pagos' },
        });
        expect((await program.ask('/v1/users')).json.code).toBe('NOT_ALLOWED');
        const body = {
          entity: 'customer',
          entityId: 'C-1',
          typology: 'F01',
          untilMs: Date.now() + DAY_MS,
          reason: 'lo conoce el banco',
        };
        const suppressed = await program.ask('/v1/suppressions', { method: 'POST', body });
        expect(suppressed.status, suppressed.text).toBe(201);
        const mine = await (await service.as('auditor')).ask('/v1/audit?actorId=certificate:switch');
        expect(mine.json.rows).toHaveLength(1);
      }),
    60_000,
  );

  it(
    'of another authority, expired, not yet registered or of a browser are nobody',
    () =>
      withService(async (service, authority) => {
        const foreign = await issue('CN=Autoridad', null);
        for (const [what, pair] of [
          ['foreign', await issue(SWITCH, foreign)],
          ['of itself', await issue(SWITCH, null)],
          ['expired', await issue(SWITCH, authority, [], Date.now() - DAY_MS)],
          ['unregistered', await issue('CN=otro, O=Banco', authority)],
        ] as const) {
          const reply = await service.withCertificate(pair).ask('/v1/transactions', score(what));
          expect([reply.status, reply.json.code], what).toEqual([401, 'NOT_KNOWN']);
        }
        const program = service.withCertificate(await issue(SWITCH, authority));
        for (const headers of [{ origin: 'https://x.example' }, { 'sec-fetch-site': 'cross-site' }]) {
          expect((await program.ask('/v1/transactions', score('B', headers))).status).toBe(401);
        }
        // A key that is not valid is not made good by a certificate.
        const wrong = { authorization: 'Bearer cnt_nada' };
        expect((await program.ask('/v1/transactions', score('K', wrong))).status).toBe(401);
      }),
    60_000,
  );

  it(
    'stop counting when they run out, on a connection that was opened before',
    () =>
      withService(async (service, authority) => {
        const program = service.withCertificate(await issue(SWITCH, authority, [], Date.now() + 3000));
        expect((await program.ask('/v1/session')).status).toBe(200);
        await expect.poll(async () => (await program.ask('/v1/session')).status, { timeout: 15_000 }).toBe(401);
      }),
    60_000,
  );
});
