// Texts that people wrote, as those see them who may not read personal data.
import { expect, it } from 'vitest';
import { openCase } from '../alerts/acts.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { startTestService } from './running-service.ts';

const WRITTEN = 'Llamé al 987654321, DNI 40000001: es su compra';
const NUMBERS = /987654321|40000001/;

describeOnEachEngine('answers', (open) => {
  it('scrub what people wrote of customers, for who does not hold personal-data:read', async () => {
    const service = await startTestService(await open());
    try {
      const { caseId, customer } = await openCase(service.records);
      const analyst = await service.as('fraud-analyst');
      const at = `/v1/cases/${caseId}`;
      const comment = { method: 'POST', body: { body: WRITTEN } };
      expect((await analyst.ask(`${at}/comments`, comment)).status).toBe(201);
      const scope = { entity: 'customer', entityId: customer, typology: 'F01', untilMs: Date.now() + 86_400_000 };
      const suppression = { method: 'POST', body: { ...scope, reason: WRITTEN } };
      expect((await analyst.ask('/v1/suppressions', suppression)).status).toBe(201);
      const close = { step: 'close-fraud', typology: 'F01', reason: WRITTEN };
      const { etag } = (await analyst.ask(at)).headers;
      const closed = await analyst.ask(`${at}/steps`, {
        ...{ method: 'POST', body: close, headers: { 'if-match': String(etag) } },
      });
      expect(closed.status, closed.text).toBe(200);
      // Of reasons nobody sees numbers: they are masked before they are kept.
      expect((await analyst.ask(`${at}/comments`)).text).toMatch(NUMBERS);
      const reader = await service.as('data-analyst');
      for (const path of [`${at}/comments`, '/v1/suppressions', `${at}/history`]) {
        const masked = await reader.ask(path);
        expect(masked.status).toBe(200);
        expect(masked.text, path).not.toMatch(NUMBERS);
        expect(masked.text, path).toContain('es su compra');
      }
    } finally {
      await service.stop();
    }
  }, 120_000);
});
