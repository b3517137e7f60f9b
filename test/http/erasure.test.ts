// Erasing a customer: off the bank's own lists, out of what people wrote, and not out of what is somebody else's.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { ERASED_TEXT } from '../../src/records/alerts/erase-texts.ts';
import { openCase, take } from '../alerts/acts.ts';
import { alertRecord } from '../alerts/alert-records.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Caller, eventually, type Reply, startTestService, type TestService } from './running-service.ts';

const NAME = 'Rosa Quispe Mamani';
const DOCUMENT = '10117410';
const ACCOUNT = '99900000000000000012';
const CARD = '9604 0000 0000 0019';
const PHONE = '987654321';
const WRITTEN = `Llamé a ${NAME}: reconoce la compra`;

const post = (caller: Caller, path: string, body: object, headers: Record<string, string> = {}): Promise<Reply> =>
  caller.ask(path, { method: 'POST', body, headers });

async function score(service: TestService, id: string, payer: object): Promise<void> {
  const bank = await service.withKey(['transactions:score']);
  const about = { eventTimeMs: Date.now(), amountMinor: 9_900, currency: 'PEN', operation: 'transfer', channel: 'app' };
  const reply = await post(bank, '/v1/transactions', { id, ...about, status: 'approved', authFactors: [], ...payer });
  expect(reply.status, reply.text).toBe(200);
}

/** Asked for by one, approved by another, executed. */
async function erase(service: TestService, customerId: string, identifiers: readonly string[] = []): Promise<Reply> {
  const [first, second] = [await service.as('compliance-officer'), await service.as('compliance-officer', '-2')];
  const asked = await post(first, '/v1/erasures', { customerId, identifiers, reason: 'lo pidió el titular' });
  expect(asked.status, asked.text).toBe(201);
  const at = `/v1/erasures/${asked.json.id}`;
  const approved = await second.ask(`${at}/approval`, { method: 'POST', headers: { 'if-match': '"1"' } });
  expect(approved.status, approved.text).toBe(200);
  return post(first, `${at}/execution`, { keptUntilMs: null }, { 'if-match': '"2"' });
}

async function audited(service: TestService, action: string): Promise<{ actor: { kind: string }; detail: object }[]> {
  const { db } = service.records;
  const rows = await db
    .selectFrom('audit_entries')
    .select('text')
    .where('action', '=', action)
    .orderBy('sequence')
    .execute();
  return rows.map(({ text }) => JSON.parse(text));
}

describeOnEachEngine('an erasure', (open) => {
  it("takes the customer off the bank's own lists, by all that the customer is known by, and says of how many values", async () => {
    const service = await startTestService(await open());
    try {
      const officer = await service.as('compliance-officer');
      await score(service, 'X-1', { payerId: 'C-12' });
      const known = { payerId: 'C-88', payerName: NAME, payerDocument: DOCUMENT, payerAccount: ACCOUNT, cardId: CARD };
      await score(service, 'X-2', known);
      // Its alert says where the transaction stands in the stream.
      await openCase(service.records, { customer: 'C-88' });
      const names = { name: 'cuidados', purpose: 'watch', match: 'name', reason: 'prueba' };
      expect((await post(officer, '/v1/lists', names)).status).toBe(201);
      const listed: Record<string, readonly string[]> = {
        bloqueados: [DOCUMENT, '9604000000000019', CARD, `+51 ${PHONE}`, 'C-88', 'C-99', '10117429'],
        cuidados: ['QUISPE MAMANI, ROSA', 'Rosa Quispe Huamán'],
        sanciones: [NAME],
      };
      for (const [list, values] of Object.entries(listed)) {
        for (const value of values) {
          const added = await post(officer, `/v1/lists/${list}/entries`, { value, reason: 'caso 7' });
          expect(added.status, added.text).toBe(201);
        }
      }
      const executed = await erase(service, 'C-88', [PHONE]);
      expect([executed.status, executed.json], executed.text).toMatchObject([
        200,
        { state: 'executed', listedEntries: 5, identifiers: 0 },
      ]);
      const left = async (list: string) => {
        const { rows } = (await officer.ask(`/v1/lists/${list}/entries:view`)).json;
        return rows.map(({ value }: { value: string }) => value);
      };
      expect(await left('bloqueados')).toEqual(['C-99', '10117429']);
      expect(await left('cuidados')).toEqual(['Rosa Quispe Huamán']);
      expect(await left('sanciones')).toEqual([NAME]);
      const removals = await audited(service, 'list.entry-removed');
      expect(removals.map(({ actor }) => actor.kind)).toEqual(Array(5).fill('system'));
      expect(await audited(service, 'erasure.taken-off-lists')).toMatchObject([{ detail: { entries: 5 } }]);
      expect(JSON.stringify([removals, await audited(service, 'erasure.executed')])).not.toMatch(
        /Rosa|10117410|987654321/,
      );
      // No token of an account or a document is left with the erasure.
      const { rows } = await sql<{ rest: string }>`SELECT coalesce(customer_id, '') || array_to_string(identifiers, ',')
        AS rest FROM erasures`.execute(service.records.db);
      expect(rows).toEqual([{ rest: '' }]);
      expect((await officer.ask('/v1/erasures')).json.rows).toMatchObject([{ listedEntries: 5, erasedTexts: 0 }]);
      const auditor = await service.as('auditor');
      for (const path of ['/v1/audit:verify', '/v1/list-history:verify']) {
        const { json } = await auditor.ask(path, { method: 'POST' });
        expect(json.breaks ?? json.problem ?? []).toEqual([]);
      }
    } finally {
      await service.stop();
    }
  }, 180_000);

  it('is finished at the next start where it was cut short before the lists', async () => {
    const store = await open();
    const registryFolder = mkdtempSync(join(tmpdir(), 'centinela-registry-'));
    const key = randomBytes(32);
    const masters = () => new LocalMasterKeys('file', [new Uint8Array(key)]);
    try {
      const first = await startTestService(store, { registryFolder, masters: masters() });
      expect((await erase(first, 'C-88')).json.listedEntries).toBe(0);
      const officer = await first.as('compliance-officer');
      await post(officer, '/v1/lists/bloqueados/entries', { value: 'C-88', reason: 'caso 7' });
      await first.stop();
      await store.transact((tx) => sql`UPDATE erasures SET lists_due = true`.execute(tx));
      const second = await startTestService(store, { registryFolder, masters: masters() });
      try {
        const told = await eventually(async () => {
          const entries = await audited(second, 'erasure.taken-off-lists');
          return entries.length === 2 ? entries : null;
        });
        expect(told.map(({ detail }) => detail)).toMatchObject([{ entries: 0 }, { entries: 1 }]);
        const found = await post(await second.as('compliance-officer', '-3'), '/v1/lists/bloqueados/entries:find', {
          value: 'C-88',
        });
        expect(found.json.isOn).toBe(false);
      } finally {
        await second.stop();
      }
    } finally {
      rmSync(registryFolder, { recursive: true, force: true });
    }
  }, 180_000);

  it('erases what was written in cases of the customer alone; it lay sealed until then', async () => {
    const service = await startTestService(await open());
    try {
      const { records } = service;
      const own = await openCase(records, { customer: 'C-88' });
      const other = await openCase(records, { customer: 'C-99' });
      const analyst = await service.as('fraud-analyst');
      for (const { caseId, alertId, customer } of [own, other]) {
        const at = `/v1/cases/${caseId}`;
        expect((await post(analyst, `${at}/comments`, { body: WRITTEN })).status).toBe(201);
        const scope = { entity: 'customer', entityId: customer, typology: 'F01', untilMs: Date.now() + 86_400_000 };
        expect((await post(analyst, '/v1/suppressions', { ...scope, reason: WRITTEN })).status).toBe(201);
        const label = { transactionId: alertId, outcome: 'fraud', note: WRITTEN };
        expect((await post(analyst, '/v1/labels', { labels: [label] })).status).toBe(200);
        const { etag } = (await analyst.ask(at)).headers;
        const close = { step: 'close-fraud', typology: 'F01', reason: WRITTEN };
        expect((await post(analyst, `${at}/steps`, close, { 'if-match': String(etag) })).status).toBe(200);
        const file = { raw: '%PDF-1.7\n%%EOF', headers: { 'content-type': 'application/octet-stream' } };
        const attached = await analyst.ask(`${at}/attachments?name=DNI%20Rosa.pdf`, { method: 'POST', ...file });
        expect(attached.status, attached.text).toBe(201);
      }
      const atRest = async () => {
        const tables = ['case_comments', 'case_history', 'labels', 'alert_suppressions', 'case_attachments'];
        const rows = tables.map((table) => sql<object>`SELECT * FROM ${sql.table(table)}`.execute(records.db));
        return JSON.stringify((await Promise.all(rows)).map((each) => each.rows));
      };
      expect(await atRest()).not.toContain('Rosa');
      const texts = async ({ caseId, alertId }: typeof own) => {
        const paths = [`/v1/cases/${caseId}/comments`, `/v1/cases/${caseId}/history`, `/v1/labels/${alertId}`];
        const answers = await Promise.all(paths.map((path) => analyst.ask(path)));
        return answers.map(({ text }) => [text.includes(WRITTEN), text.includes(ERASED_TEXT)]);
      };
      const [is, isNot] = [
        [true, false],
        [false, true],
      ];
      expect(await texts(own)).toEqual([is, is, is]);
      const executed = await erase(service, 'C-88');
      // A comment, a history's reason, two labels' notes (one of the closing), a suppression's reason, a file.
      expect([executed.status, executed.json.erasedTexts], executed.text).toEqual([200, 6]);
      expect(await texts(own)).toEqual([isNot, isNot, isNot]);
      expect(await texts(other)).toEqual([is, is, is]);
      const suppressions = (await analyst.ask('/v1/suppressions')).json.rows as { entityId: string; reason: string }[];
      const reasons = Object.fromEntries(suppressions.map(({ entityId, reason }) => [entityId, reason]));
      expect(reasons).toEqual({ 'C-88': ERASED_TEXT, 'C-99': WRITTEN });
      const files = async (caseId: string) => (await analyst.ask(`/v1/cases/${caseId}/attachments`)).json.rows;
      expect(await files(own.caseId)).toEqual([]);
      expect(await files(other.caseId)).toMatchObject([{ name: 'DNI Rosa.pdf' }]);
      // Their bytes go with the next round of retention, which may have been meanwhile.
      const waiting = await records.db.selectFrom('objects_to_remove').selectAll().execute();
      expect(waiting).toMatchObject([{ key: expect.stringMatching(/^attachments\//) }]);
    } finally {
      await service.stop();
    }
  }, 180_000);

  it('leaves the texts of a case that is of others, too', async () => {
    const service = await startTestService(await open());
    try {
      const ring = ['C-88', 'C-99'].map((customer, at) =>
        alertRecord({ id: `R-${at}`, customer, device: 'D-1', payee: 'P-1', reason: 'DISPOSITIVO_COMPARTIDO' }),
      );
      await take(service.records, ring);
      const { rows } = await sql<{ id: string }>`SELECT id FROM cases`.execute(service.records.db);
      await service.records.transact((tx) => sql`UPDATE alerts SET case_id = ${rows[0].id}`.execute(tx));
      const analyst = await service.as('fraud-analyst');
      const at = `/v1/cases/${rows[0].id}/comments`;
      expect((await post(analyst, at, { body: WRITTEN })).status).toBe(201);
      expect((await erase(service, 'C-88')).json.erasedTexts).toBe(0);
      expect((await analyst.ask(at)).json.rows).toMatchObject([{ body: WRITTEN }]);
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('what was written before texts were sealed is read as it is', async () => {
    const service = await startTestService(await open());
    try {
      const { caseId, alertId } = await openCase(service.records);
      const analyst = await service.as('fraud-analyst');
      const label = { transactionId: alertId, outcome: 'genuine', note: 'nota' };
      expect((await post(analyst, '/v1/labels', { labels: [label] })).status).toBe(200);
      await service.records.transact((tx) => sql`UPDATE labels SET note = ${'nota de antes'}`.execute(tx));
      expect((await analyst.ask(`/v1/labels/${alertId}`)).json.said).toMatchObject([{ note: 'nota de antes' }]);
      expect((await analyst.ask(`/v1/cases/${caseId}/history`)).status).toBe(200);
    } finally {
      await service.stop();
    }
  }, 120_000);
});
