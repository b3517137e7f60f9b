// Work that finds its people: cases shared out by the running service, and escalation that ends when somebody takes an alert.
import { expect, it } from 'vitest';
import type { NotificationSettings } from '../../src/notify/settings.ts';
import { DEFAULT_ASSIGNMENT } from '../../src/roles/service/assignment.ts';
import { webhookSettings } from '../notify/settings-example.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { startTestService, type TestService } from './running-service.ts';

/** Nobody answers there: messages wait, and what is not acknowledged would be escalated. */
const NOTIFICATIONS: NotificationSettings = {
  ...{ baseUrl: null, allowedNetworks: ['127.0.0.0/8'] },
  channels: { bank: webhookSettings({ url: 'https://127.0.0.1:9/' } as object) },
  routes: [
    {
      ...{ name: 'all', match: {}, channels: ['bank'], groupBy: 'none', groupWindowMs: 1000, ladder: 'later' },
      continues: false,
    },
  ],
  ladders: [{ name: 'later', levels: [{ afterMs: 3_600_000, channels: ['bank'] }] }],
  retry: { attempts: 12, firstMs: 60_000, mostMs: 3_600_000 },
};

async function score(service: TestService, id: string, payerId: string): Promise<void> {
  const bank = await service.withKey(['transactions:score']);
  const body = {
    ...{ id, eventTimeMs: Date.now(), amountMinor: 250_000, currency: 'PEN', operation: 'transfer', channel: 'app' },
    ...{ payerId, payerName: 'Rosa Quispe Mamani', payerDocument: '12345678', status: 'approved', authFactors: [] },
    payeeAccount: '00219400234567810012',
  };
  const reply = await bank.ask('/v1/transactions', { method: 'POST', body });
  expect(reply.status, reply.text).toBe(200);
}

const WAIT = { timeout: 20_000 };

describeOnEachEngine('work that finds its people', (open) => {
  it('cases go to who is there and whose role works their queue, and it is in the audit', async () => {
    const assignment = { ...DEFAULT_ASSIGNMENT, method: 'least-loaded', everyMs: 200 } as const;
    const service = await startTestService(await open(), { assignment });
    try {
      await service.as('data-scientist');
      const reader = await service.as('auditor');
      await score(service, 'T1', 'C-77');
      const assigneeOf = async (id: string) => (await reader.ask(`/v1/alerts/${id}`)).json.alert?.assignee;
      await expect.poll(() => assigneeOf('T1'), WAIT).toBeNull();
      const analyst = await service.as('fraud-analyst');
      await expect.poll(() => assigneeOf('T1'), WAIT).toBe(analyst.userId);
      const given = (await reader.ask('/v1/audit?action=case.assigned')).json.rows;
      expect(given).toMatchObject([
        { actor: { kind: 'system' }, detail: { to: analyst.userId, method: 'least-loaded' } },
      ]);
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('an alert, or a case, that is taken or decided is told no further', async () => {
    const service = await startTestService(await open(), {
      notifications: { settings: NOTIFICATIONS, secret: () => 'a secret of sixteen bytes and more' },
    });
    try {
      const analyst = await service.as('fraud-analyst');
      const notified = async (id: string) => {
        const { rows } = (await analyst.ask('/v1/notifications')).json;
        return (rows as { id: string; acknowledgedBy: string | null }[]).find((row) => row.id === `alert:${id}`);
      };
      for (const [id, payer] of [
        ['T1', 'C-1'],
        ['T2', 'C-2'],
        ['T3', 'C-3'],
      ]) {
        await score(service, id, payer);
        await expect.poll(() => notified(id), WAIT).toMatchObject({ acknowledgedBy: null });
      }
      const take = { method: 'PUT', body: { assignee: analyst.userId } };
      expect((await analyst.ask('/v1/alerts/T1/assignee', take)).status).toBe(204);
      expect(await notified('T1')).toMatchObject({ acknowledgedBy: analyst.userId });
      expect(await notified('T2')).toMatchObject({ acknowledgedBy: null });
      const { caseId } = (await analyst.ask('/v1/alerts/T2')).json.alert;
      const { etag } = (await analyst.ask(`/v1/cases/${caseId}`)).headers;
      const taken = await analyst.ask(`/v1/cases/${caseId}/assignee`, {
        ...take,
        headers: { 'if-match': String(etag) },
      });
      expect(taken.status, taken.text).toBe(204);
      expect(await notified('T2')).toMatchObject({ acknowledgedBy: analyst.userId });
      const body = { outcome: 'genuine', reason: 'el cliente lo confirma por teléfono' };
      const decided = await analyst.ask('/v1/alerts/T3/decision', { method: 'POST', body });
      expect(decided.status, decided.text).toBe(204);
      expect(await notified('T3')).toMatchObject({ acknowledgedBy: analyst.userId });
      const waiting = await service.records.db
        .selectFrom('notifications')
        .select('id')
        .where('escalate_at_ms', 'is not', null)
        .execute();
      expect(waiting).toEqual([]);
    } finally {
      await service.stop();
    }
  }, 120_000);
});
