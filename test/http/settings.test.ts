// Settings of alerts and cases over HTTP: seen with a version, changed as a whole, held by the alerts that come next, audited.
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { eventually } from './eventually.ts';
import { startTestService } from './running-service.ts';

const PATH = '/v1/settings/alerts';

describeOnEachEngine('settings', (open) => {
  it('are changed against their version, hold for the next alert without a restart, and the audit has before and after', async () => {
    const service = await startTestService(await open());
    try {
      const bank = await service.withKey(['transactions:score']);
      const manager = await service.as('operations-manager');
      const analyst = await service.as('fraud-analyst');
      const transaction = (id: string, payerId: string) => ({
        ...{
          id,
          eventTimeMs: Date.now(),
          amountMinor: 250_000,
          currency: 'PEN',
          operation: 'transfer',
          channel: 'app',
        },
        ...{ payerId, payeeAccount: '00219400234567810012', status: 'approved', authFactors: [] },
      });
      const alertOf = async (id: string, payerId: string) => {
        await bank.ask('/v1/transactions', { method: 'POST', body: transaction(id, payerId) });
        return await eventually(async () => {
          const reply = await analyst.ask(`/v1/alerts/${id}`);
          return reply.status === 200 ? reply.json.alert : null;
        });
      };

      const seen = await manager.ask(PATH);
      expect([seen.status, seen.headers.etag, seen.json.version, seen.json.changedBy]).toEqual([200, '"0"', 0, null]);
      const first = await alertOf('S1', 'C-1');
      expect(first.queue).not.toBe('all');

      const { settings } = seen.json;
      const wanted = structuredClone(settings);
      wanted.queues = [{ id: 'all', es: 'Todas', en: 'All', roles: ['fraud-analyst'] }];
      wanted.levels.bySeverity[first.severity] = { firstLookMs: 60_000, decisionMs: 120_000, hours: 'always' };
      const body = { settings: wanted, reason: 'Una sola bandeja' };
      const change = { method: 'PUT', body };
      expect((await analyst.ask(PATH, { ...change, headers: { 'if-match': '"0"' } })).status).toBe(403);
      expect((await manager.ask(PATH, change)).status).toBe(428);
      expect((await manager.ask(PATH, { ...change, headers: { 'if-match': '"7"' } })).status).toBe(412);
      const headers = { 'if-match': '"0"', 'idempotency-key': 'settings-change-1' };
      const done = await manager.ask(PATH, { ...change, headers });
      expect([done.status, done.headers.etag, done.json.version], done.text).toEqual([200, '"1"', 1]);
      const repeated = await manager.ask(PATH, { ...change, headers });
      expect([repeated.status, repeated.headers['idempotent-replay']]).toEqual([200, 'true']);
      expect((await manager.ask(PATH, { ...change, headers: { 'if-match': '"0"' } })).status).toBe(412);

      const second = await alertOf('S2', 'C-2');
      expect([second.queue, second.decisionDueMs - second.createdMs]).toEqual(['all', 120_000]);

      const audited = (await (await service.as('auditor')).ask('/v1/audit?action=settings.changed')).json.rows;
      expect(audited).toHaveLength(1);
      expect(audited[0].detail).toMatchObject({
        ...{ reason: 'Una sola bandeja', version: 1 },
        before: { [`levels.bySeverity.${first.severity}.decisionMs`]: expect.any(Number), queues: settings.queues },
        after: { [`levels.bySeverity.${first.severity}.decisionMs`]: 120_000, queues: wanted.queues },
      });
      expect(Object.keys(audited[0].detail.before)).not.toContain('grouping.cooldownMs');
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('are refused where they are out of bounds or do not fit each other, and stay as they were', async () => {
    const service = await startTestService(await open());
    try {
      const manager = await service.as('operations-manager');
      const { settings } = (await manager.ask(PATH)).json;
      const changed = async (alter: (draft: typeof settings) => void) => {
        const draft = structuredClone(settings);
        alter(draft);
        const body = { settings: draft, reason: 'prueba' };
        const { status, json } = await manager.ask(PATH, { method: 'PUT', body, headers: { 'if-match': '"0"' } });
        return [status, json.code];
      };
      const refusals = await Promise.all([
        changed((draft) => {
          draft.grouping.cooldownMs = -1;
        }),
        changed((draft) => {
          draft.grouping.unknown = 1;
        }),
        changed((draft) => {
          draft.grouping.cooldownMs = draft.grouping.mostCooldownMs + 1;
        }),
        changed((draft) => {
          draft.queues.pop();
        }),
        changed((draft) => {
          draft.levels.closesMinute = draft.levels.opensMinute;
        }),
      ]);
      const unfit = [422, 'SETTINGS_INVALID'];
      expect(refusals).toEqual([[422, 'BODY_INVALID'], [422, 'BODY_INVALID'], unfit, unfit, unfit]);
      expect((await manager.ask(PATH)).json).toMatchObject({ version: 0, settings });
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('of retention are changed by compliance, class by class, no lower than the law has it, and audited', async () => {
    const service = await startTestService(await open());
    try {
      const path = '/v1/settings/retention';
      const compliance = await service.as('compliance-officer');
      const seen = await compliance.ask(path);
      const monthsOf = (json: typeof seen.json) =>
        Object.fromEntries(json.classes.map(({ id, months }: { id: string; months: number }) => [id, months]));
      expect([seen.status, seen.headers.etag, seen.json.version]).toEqual([200, '"0"', 0]);
      expect(seen.json.classes.find(({ id }: { id: string }) => id === 'alerts')).toMatchObject({
        ...{ es: 'alertas', months: 120, usualMonths: 120, leastMonths: 60, from: 'closed', isHeld: true },
      });
      const change = (months: object, version: number) => ({
        ...{ method: 'PATCH', headers: { 'if-match': `"${version}"` }, body: { months, reason: 'Política nueva' } },
      });
      const administrator = await service.as('administrator');
      expect((await administrator.ask(path, change({ sessions: 2 }, 0))).status).toBe(403);
      expect((await administrator.ask(path)).status).toBe(200);
      const tooShort = await compliance.ask(path, change({ alerts: 59 }, 0));
      expect([tooShort.status, tooShort.json.code]).toEqual([422, 'RETENTION_INVALID']);
      expect((await compliance.ask(path, change({ unknown: 12 }, 0))).status).toBe(422);
      const done = await compliance.ask(path, change({ alerts: 84, sessions: 2 }, 0));
      expect([done.status, done.headers.etag], done.text).toEqual([200, '"1"']);
      expect(monthsOf(done.json)).toEqual({ ...monthsOf(seen.json), alerts: 84, sessions: 2 });
      expect((await compliance.ask(path, change({ alerts: 90 }, 0))).status).toBe(412);
      await compliance.ask(path, change({ sessions: 3 }, 1));
      expect(monthsOf((await compliance.ask(path)).json)).toMatchObject({ alerts: 84, sessions: 3 });

      const audited = (await (await service.as('auditor')).ask('/v1/audit?action=settings.changed')).json.rows;
      expect(audited.map(({ detail }: { detail: object }) => detail)).toEqual([
        expect.objectContaining({ before: { sessions: 2 }, after: { sessions: 3 } }),
        expect.objectContaining({ before: { alerts: 120, sessions: 1 }, after: { alerts: 84, sessions: 2 } }),
      ]);
    } finally {
      await service.stop();
    }
  }, 60_000);
});
