// From a transaction to its label, through everything in between, as a bank's system and its people go it.
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Caller, eventually, startTestService, type TestService } from './running-service.ts';

const NOW = Date.now();
const IP = '190.43.1.2';

function transaction(id: string, more: object = {}): object {
  return {
    ...{ id, eventTimeMs: NOW, amountMinor: 250_000, currency: 'PEN', operation: 'transfer', channel: 'app' },
    ...{
      payerId: 'C-77',
      payerName: 'Rosa Quispe Mamani',
      payerDocument: '12345678',
      status: 'approved',
      authFactors: [],
    },
    ...more,
  };
}

async function withService(
  open: () => ReturnType<Parameters<Parameters<typeof describeOnEachEngine>[1]>[0]>,
  run: (service: TestService) => Promise<void>,
) {
  const service = await startTestService(await open());
  try {
    await run(service);
  } finally {
    await service.stop();
  }
}

const alertOf = (analyst: Caller, id: string) =>
  eventually(async () => {
    const reply = await analyst.ask(`/v1/alerts/${id}`);
    return reply.status === 200 ? reply.json.alert : null;
  });

const evidenceOf = async (analyst: Caller, id: string) => {
  const reply = await analyst.ask(`/v1/decisions/${id}/evidence`);
  return reply.status === 200 ? reply.json : null;
};

/** On the topic of alerts, which is the same as in the records. */
async function addressesOf({ log, records }: TestService): Promise<(string | null)[]> {
  const told = await log.read({ topic: 'alerts', partition: 0, offset: 0 }, 100, 0);
  const texts = told.map(({ value }) => Buffer.from(value!).toString('utf8'));
  expect(texts.join()).not.toContain(IP);
  const kept = await records.db.selectFrom('alerts').select('ip_address').orderBy('id').execute();
  const addresses = kept.map(({ ip_address }) => ip_address);
  expect(texts.map((text) => JSON.parse(text).ipAddress ?? null)).toEqual(addresses);
  return addresses;
}

/** Passed on into the stream of transactions by the worker. */
async function labelOnStream({ log }: TestService) {
  const records = await log.read({ topic: 'transactions', partition: 0, offset: 0 }, 100, 0);
  const label = records.find(({ headers }) => headers.some(({ name }) => name === 'centinela-kind'));
  return label === undefined ? null : JSON.parse(Buffer.from(label.value!).toString('utf8'));
}

describeOnEachEngine('the service', (open) => {
  it('seals what somebody else wrote and nobody can read', () =>
    withService(open, async ({ log }) => {
      const value = Buffer.from('{"id":"X1","payerName":"Rosa Quispe Mamani","payerDocument":"12345678",');
      const record = { topic: 'transactions', partition: 0, key: Buffer.from('12345678'), headers: [] };
      await log.append([{ ...record, value, timestampMs: null }]);
      const [letter] = await eventually(async () => {
        const letters = await log.read({ topic: 'dead-letters', partition: 0, offset: 0 }, 1, 0);
        return letters.length === 0 ? null : letters;
      });
      expect([letter.key, letter.headers[0].name]).toEqual([null, 'centinela-sealed-by']);
      for (const clear of ['Rosa', '12345678'])
        expect(Buffer.from(letter.value!).toString('latin1')).not.toContain(clear);
    }));

  it(
    'decides, alerts, groups into a case, is closed by two people, and learns the label',
    () =>
      withService(open, async (service) => {
        const bank = await service.withKey(['transactions:score']);
        const scored = await bank.ask('/v1/transactions', {
          method: 'POST',
          body: transaction('T1', { payeeAccount: '00219400234567810012', authExemption: 'low-risk', ipAddress: IP }),
        });
        expect(scored.status, scored.text).toBe(200);
        expect(scored.json).toMatchObject({ id: 'T1', kind: 'decided', isEarlier: false });
        expect(scored.json.action).not.toBe('approve');
        expect(scored.json.decision.reasons.length).toBeGreaterThan(0);
        const again = await bank.ask('/v1/transactions', { method: 'POST', body: transaction('T1') });
        expect(again.json).toMatchObject({ isEarlier: true, decision: { at: scored.json.decision.at } });

        const analyst = await service.as('fraud-analyst');
        const alert = await alertOf(analyst, 'T1');
        expect(alert).toMatchObject({ customerId: 'C-77', state: 'new', clocks: { decision: 'running' } });
        expect(await addressesOf(service)).toEqual([expect.stringMatching(/^ip_[a-p]{32}$/)]);
        expect((await analyst.ask('/v1/alerts?customer=C-77')).json.rows).toHaveLength(1);
        const evidence = await eventually(() => evidenceOf(analyst, 'T1'));
        expect(evidence.sha256).toBe(scored.json.decision.evidence);
        expect(evidence.evidence).toMatchObject({ id: 'T1', transaction: { form: 'sealed' }, exemption: 'low-risk' });
        expect((await analyst.ask('/v1/decisions/nothing/evidence')).status).toBe(404);

        const kept = await analyst.ask(`/v1/cases/${alert.caseId}`);
        expect(kept.headers.etag).toBe(`"${kept.json.case.version}"`);

        const assignee = `/v1/cases/${alert.caseId}/assignee`;
        const take = { method: 'PUT', body: { assignee: analyst.userId } };
        expect((await analyst.ask(assignee, take)).status).toBe(428);
        expect((await analyst.ask(assignee, { ...take, headers: { 'if-match': '"99"' } })).status).toBe(412);
        expect(
          (await analyst.ask(assignee, { ...take, headers: { 'if-match': kept.headers.etag as string } })).status,
        ).toBe(204);

        const commented = await analyst.ask(`/v1/cases/${alert.caseId}/comments`, {
          method: 'POST',
          body: { body: 'Llamé al cliente' },
        });
        expect(commented.status).toBe(201);
        const { version } = (await analyst.ask(`/v1/cases/${alert.caseId}`)).json.case;
        const steps = `/v1/cases/${alert.caseId}/steps`;
        const close = { step: 'close-genuine', reason: 'El cliente lo confirma' };
        const asked = await analyst.ask(steps, {
          method: 'POST',
          body: close,
          headers: { 'if-match': `"${version}"` },
        });
        expect(asked.status, asked.text).toBe(200);
        if (asked.json.kind === 'waits') {
          const decision = { method: 'POST', body: { isApproved: true } };
          const path = `/v1/case-requests/${asked.json.requestId}/decision`;
          expect((await analyst.ask(path, decision)).status).toBe(403);
          expect((await (await service.as('operations-manager')).ask(path, decision)).status).toBe(204);
        }
        const labels = (await analyst.ask('/v1/labels/T1')).json;
        expect(labels.current).toMatchObject({ outcome: 'genuine', source: 'analyst' });
        // It comes onto the stream, sealed as its transaction is, and the worker takes it there.
        const told = await eventually(() => labelOnStream(service));
        expect(told.isFraud).toBe(false);
        for (const clear of ['Rosa', '12345678']) expect(JSON.stringify(told)).not.toContain(clear);
        expect(await service.log.read({ topic: 'dead-letters', partition: 0, offset: 0 }, 1, 0)).toEqual([]);

        const trail = (await (await service.as('auditor')).ask('/v1/audit?action=case.')).json.rows;
        expect(trail.map(({ action }: { action: string }) => action)).toContain('case.assigned');
        const verified = (await (await service.as('auditor')).ask('/v1/audit:verify', { method: 'POST' })).json;
        expect(verified).toMatchObject({ breaks: [], moreBreaks: 0 });
      }),
    60_000,
  );

  it(
    'a change under an idempotency key is done once, and the key is for one request',
    () =>
      withService(open, async (service) => {
        const analyst = await service.as('fraud-analyst');
        const body = {
          entity: 'customer',
          entityId: 'C-1',
          typology: 'F02',
          untilMs: Date.now() + 86_400_000,
          reason: 'el cliente viaja por trabajo',
        };
        const headers = { 'idempotency-key': 'clave-de-prueba-1' };
        const both = await Promise.all(
          [1, 2].map(() => analyst.ask('/v1/suppressions', { method: 'POST', body, headers })),
        );
        expect(
          both.map(({ status }) => status),
          both[0].text,
        ).toEqual([201, 201]);
        expect(both[0].json.id).toBe(both[1].json.id);
        expect((await analyst.ask('/v1/suppressions')).json.rows).toHaveLength(1);
        const other = await analyst.ask('/v1/suppressions', {
          method: 'POST',
          body: { ...body, entityId: 'C-2' },
          headers,
        });
        expect([other.status, other.json.code]).toEqual([422, 'IDEMPOTENCY_KEY_USED']);
        const manager = await service.as('operations-manager');
        expect(
          (await manager.ask('/v1/suppressions', { method: 'POST', body: { ...body, entityId: 'C-3' }, headers }))
            .status,
        ).toBe(201);
      }),
    60_000,
  );

  it(
    'batches are decided in their order, and one that is wrong refuses all of them with its place',
    () =>
      withService(open, async (service) => {
        const bank = await service.withKey(['transactions:score']);
        const transactions = Array.from({ length: 50 }, (_, n) => transaction(`B${n}`));
        const batch = await bank.ask('/v1/transactions:batch', { method: 'POST', body: { transactions } });
        expect(batch.json.answers.map(({ id }: { id: string }) => id)).toEqual(
          transactions.map((each) => (each as { id: string }).id),
        );
        const wrong = await bank.ask('/v1/transactions:batch', {
          method: 'POST',
          body: { transactions: [transaction('B60'), { id: 'B61' }] },
        });
        expect([wrong.status, wrong.json.detail]).toEqual([422, expect.stringContaining('transactions[1]')]);
        const raw = `${JSON.stringify(transaction('N1'))}\n{"id":"N2"}\n${JSON.stringify(transaction('N3'))}`;
        const upload = await bank.ask('/v1/transactions:upload', {
          method: 'POST',
          raw,
          headers: { 'content-type': 'application/x-ndjson' },
        });
        const lines = upload.text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(lines.map(({ id, kind }) => [id, kind])).toEqual([
          ['N1', 'decided'],
          ['', 'refused'],
          ['N3', 'decided'],
        ]);
      }),
    60_000,
  );

  it(
    'a file is attached, sealed at rest, downloaded, and its view is in the audit',
    () =>
      withService(open, async (service) => {
        const bank = await service.withKey(['transactions:score']);
        await bank.ask('/v1/transactions', {
          method: 'POST',
          body: transaction('T9', { payeeAccount: '00219400234567810012' }),
        });
        const analyst = await service.as('fraud-analyst');
        const { caseId } = await alertOf(analyst, 'T9');
        const raw = Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.from('voucher de prueba\n%%EOF\n')]);
        const headers = { 'content-type': 'application/octet-stream' };
        const path = `/v1/cases/${caseId}/attachments`;
        const added = await analyst.ask(`${path}?name=..%2F..%2Fvoucher.pdf`, { method: 'POST', raw, headers });
        expect(added.status, added.text).toBe(201);
        expect(added.json.name).not.toContain('/');
        const content = await analyst.ask(`/v1/case-attachments/${added.json.id}/content`);
        expect([content.status, content.text]).toEqual([200, raw.toString()]);
        const refused = await analyst.ask(`${path}?name=x.exe`, {
          method: 'POST',
          raw: Buffer.from('MZ\u0090\u0000'),
          headers,
        });
        expect(refused.status).toBe(422);
        const viewed = (await (await service.as('auditor')).ask('/v1/audit?action=personal-data.')).json.rows;
        expect(viewed).toHaveLength(1);
      }),
    60_000,
  );
});
