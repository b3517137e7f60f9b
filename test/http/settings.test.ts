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
});
