// Checks of drafts over HTTP go on beside the decisions, one at a time: who finds the line full is asked to come again.
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { startTestService } from './running-service.ts';

const MANY = 40;

const draft = (when: string) => ({
  text: JSON.stringify({
    rules: [
      {
        ...{ id: 'many-amounts', version: 1, owner: 'fraude', severity: 'high', reason: 'HORA_INUSUAL' },
        ...{ name: { es: 'Montos', en: 'Amounts' }, action: 'decline', when },
      },
    ],
  }),
});

describeOnEachEngine('checks of drafts', (open) => {
  it('many at once are refused in words, decisions go on, and later checks are answered', async () => {
    const service = await startTestService(await open());
    try {
      const ana = await service.as('operations-manager');
      const bank = await service.withKey(['transactions:score']);
      const check = (when: string) => ana.ask('/v1/rules:check', { method: 'POST', body: draft(when) });
      const long = Array.from({ length: 700 }, (_, n) => `amount = ${n}`).join(' or ');
      const asked = Array.from({ length: MANY }, () => check(long));
      const body = {
        ...{ id: 'X1', eventTimeMs: Date.now(), amountMinor: 1_200, currency: 'PEN', operation: 'transfer' },
        ...{ channel: 'app', payerId: 'C-1', payeeId: 'P-1', status: 'approved', authFactors: [] },
      };
      const decided = await bank.ask('/v1/transactions', { method: 'POST', body });
      expect([decided.status, decided.json.kind], decided.text).toEqual([200, 'decided']);
      const replies = await Promise.all(asked);
      const told = replies.map(({ status, json }) => (status === 200 ? json.rules[0] : json.code));
      expect(new Set(told)).toEqual(new Set(['many-amounts@1', 'RULE_CHECKS_FULL']));
      const full = replies.find(({ status }) => status !== 200)!;
      expect([full.status, full.headers['retry-after']], full.text).toEqual([503, '5']);
      expect(full.json.detail).toContain('Try again');
      expect((await check('amount = 12')).json.problems).toEqual([]);
    } finally {
      await service.stop();
    }
  });
});
