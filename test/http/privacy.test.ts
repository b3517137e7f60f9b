// A customer's data: sealed on the stream, seen by who may and audited, erased by two people, held for an authority.
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { startTestService, type TestService } from './running-service.ts';

const NAME = 'Rosa Quispe Mamani';
const TRANSACTION = {
  ...{
    eventTimeMs: Date.now(),
    amountMinor: 9_900,
    currency: 'PEN',
    operation: 'transfer',
    channel: 'app',
    status: 'approved',
  },
  ...{
    payerId: 'C-77',
    payerName: NAME,
    payerDocument: '10117410',
    payeeAccount: '99900000000000000012',
    concept: 'para Rosa',
    cardId: '9604 0000 0000 0019',
    authFactors: [],
  },
};

async function scored(service: TestService, id: string): Promise<string> {
  const bank = await service.withKey(['transactions:score']);
  const reply = await bank.ask('/v1/transactions', { method: 'POST', body: { id, ...TRANSACTION } });
  const { partition, offset } = reply.json.decision.at;
  return `/v1/transactions/${id}/personal-data?partition=${partition}&offset=${offset}`;
}

describeOnEachEngine('personal data', (open) => {
  it('lies sealed on the stream, is opened for who may see it, and not any more once it is erased', async () => {
    const service = await startTestService(await open());
    try {
      const path = await scored(service, 'P1');
      const [record] = await service.log.read({ topic: 'transactions', partition: 0, offset: 0 }, 1, 0);
      const atRest = new TextDecoder().decode(record.value ?? undefined);
      for (const value of [NAME, '10117410', '99900000000000000012', 'para Rosa']) expect(atRest).not.toContain(value);
      // Of a card the token under the pepper, which nobody else can make.
      expect(atRest).toMatch(/"cardId":"pan_[a-p]{32}_0019"/);
      const analyst = await service.as('fraud-analyst');
      expect((await analyst.ask(path)).json).toMatchObject({
        transaction: { payerName: NAME, concept: 'para Rosa' },
        erased: false,
      });
      expect((await (await service.as('data-analyst')).ask(path)).status).toBe(403);

      const [first, second] = [await service.as('compliance-officer'), await service.as('compliance-officer', '-2')];
      const body = { customerId: 'C-77', reason: 'lo pidió el titular' };
      const requested = await first.ask('/v1/erasures', { method: 'POST', body });
      expect(requested.status, requested.text).toBe(201);
      const at = `/v1/erasures/${requested.json.id}`;
      const step = (version: number) => ({ method: 'POST', headers: { 'if-match': `"${version}"` } });
      expect((await first.ask(`${at}/approval`, step(1))).json.code).toBe('ERASURE_SAME_PERSON');
      expect((await first.ask(`${at}/execution`, { ...step(1), body: { keptUntilMs: null } })).status).toBe(409);
      expect((await second.ask(`${at}/approval`, step(1))).status).toBe(200);

      const hold = {
        customerId: 'C-77',
        authority: 'Fiscalía',
        actNumber: '12-2026',
        reason: 'investigación en curso',
      };
      const placed = await first.ask('/v1/legal-holds', { method: 'POST', body: hold });
      const execute = { ...step(2), body: { keptUntilMs: null } };
      expect((await first.ask(`${at}/execution`, execute)).json.code).toBe('ERASURE_HELD');
      const lift = { method: 'POST', headers: { 'if-match': '"1"' }, body: { reason: 'se archivó el caso' } };
      expect((await first.ask(`/v1/legal-holds/${placed.json.id}/lift`, lift)).status).toBe(200);
      const executed = await first.ask(`${at}/execution`, execute);
      expect([executed.status, executed.json.state, executed.json.destroyedKeys]).toEqual([200, 'executed', 1]);

      const gone = (await analyst.ask(path)).json;
      expect(gone).toMatchObject({
        transaction: { id: 'P1', amountMinor: 9_900, payerName: null, concept: null },
        erased: true,
      });
      expect((await (await service.as('auditor')).ask('/v1/audit:verify', { method: 'POST' })).json.breaks).toEqual([]);
      const again = await scored(service, 'P2');
      expect((await analyst.ask(again)).json).toMatchObject({ transaction: { payerName: NAME }, erased: false });
      expect(service.logged.join('')).not.toContain(NAME);
    } finally {
      await service.stop();
    }
  }, 180_000);
});
