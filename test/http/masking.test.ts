// Personal data in answers: every GET route of the contract × every role, on a service in which somebody's numbers stand wherever
// they may come in. Who may not read them does not see them; who may is in the audit for having looked.
import { expect, it } from 'vitest';
import { ENDPOINTS, type EndpointName, type EndpointSpec } from '../../src/http/contract.ts';
import { PERMISSIONS_OF, type Permission, ROLES, type Role } from '../../src/identity/permissions.ts';
import { openCase } from '../alerts/acts.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Caller, eventually, type Reply, startTestService, type TestService } from './running-service.ts';

const NAME = 'Nicanor Ñahuí Peñaloza';
const [DOCUMENT, PHONE, ACCOUNT, CARD] = ['10117410', '987654321', '00299900000000000118', '9604000000000019'];
const [MAIL, IP, LATITUDE] = ['nicanor.nahui@example.com', '190.235.77.14', -12.046_374];
/** As somebody writes it. Names are left out: a text's scrubber does not know them (docs/privacy.md). */
const WRITTEN = `Llamé al ${PHONE}, DNI ${DOCUMENT}, tarjeta ${CARD}, cuenta ${ACCOUNT}, ${MAIL}: es su compra`;
const NEEDLES = [NAME, DOCUMENT, PHONE, ACCOUNT, CARD, MAIL, IP, String(LATITUDE)];
const NUMBERS = /987654321|10117410/;

const gets = (Object.entries(ENDPOINTS) as [EndpointName, EndpointSpec][]).filter(([, { method }]) => method === 'GET');

/** What this service has none of: they answer that there is nothing, and are looked at all the same. */
const EMPTY: ReadonlySet<string> = new Set([
  ...['challengePage', 'beginProviderLogIn', 'finishProviderLogIn', 'getModel', 'getModelChange', 'getReplay'],
]);

const post = async (caller: Caller, path: string, body: object, headers: Record<string, string> = {}) => {
  const reply = await caller.ask(path, { method: 'POST', body, headers });
  expect(reply.status, `${path}: ${reply.text}`).toBeLessThan(300);
  return reply;
};

/** Somebody's numbers wherever they may come in. @returns what fills the paths */
async function plant(service: TestService): Promise<Readonly<Record<string, string>>> {
  const bank = await service.withKey(['transactions:score']);
  const [analyst, manager] = [await service.as('fraud-analyst'), await service.as('operations-manager')];
  const officer = await service.as('compliance-officer');
  const { json } = await post(bank, '/v1/transactions', {
    ...{ id: 'M-1', eventTimeMs: Date.now(), amountMinor: 250_000, currency: 'PEN', operation: 'transfer' },
    ...{ channel: 'app', payerId: DOCUMENT, payerName: NAME, payerDocument: DOCUMENT, payerAccount: ACCOUNT },
    // The CCI is none, so that it is looked at by somebody.
    ...{ cardId: CARD, payeeAccount: '00219400234567810012', concept: WRITTEN, ipAddress: IP, latitude: LATITUDE },
    ...{ longitude: -77.042_793, status: 'approved', authFactors: [] },
  });
  const { partition, offset } = json.decision.at;
  const alert = await eventually(async () => {
    const reply = await analyst.ask('/v1/alerts/M-1');
    return reply.status === 200 ? reply.json.alert : null;
  });
  const { caseId, customerId } = alert as { caseId: string; customerId: string };
  await eventually(async () => ((await analyst.ask('/v1/decisions/M-1')).status === 200 ? true : null));
  await eventually(async () => ((await analyst.ask('/v1/decisions/M-1/evidence')).status === 200 ? true : null));
  const at = `/v1/cases/${caseId}`;
  await post(analyst, `${at}/comments`, { body: WRITTEN });
  await post(officer, `${at}/comments`, { body: WRITTEN, isConfidential: true });
  const { caseId: other } = await openCase(service.records);
  await post(analyst, `${at}/relations`, { toId: other, kind: 'related', note: WRITTEN });
  const attached = await analyst.ask(`${at}/attachments?name=${encodeURIComponent(`DNI ${DOCUMENT}.pdf`)}`, {
    ...{ method: 'POST', raw: `%PDF-1.7\n${WRITTEN}\n%%EOF`, headers: { 'content-type': 'application/octet-stream' } },
  });
  expect(attached.status, attached.text).toBe(201);
  const scope = { entity: 'customer', entityId: customerId, typology: 'F01', untilMs: Date.now() + 86_400_000 };
  await post(analyst, '/v1/suppressions', { ...scope, reason: WRITTEN });
  await post(analyst, '/v1/labels', { labels: [{ transactionId: 'M-1', outcome: 'fraud', note: WRITTEN }] });
  await post(analyst, `${at}/referral`, { reason: WRITTEN });
  const { etag } = (await analyst.ask(at)).headers;
  const close = { step: 'close-fraud', typology: 'F01', reason: WRITTEN };
  await post(analyst, `${at}/steps`, close, { 'if-match': String(etag) });
  for (const value of [DOCUMENT, ACCOUNT, CARD, PHONE, MAIL, NAME]) {
    await post(manager, '/v1/lists/bloqueados/entries', { value, source: WRITTEN, reason: WRITTEN });
  }
  await post(manager, '/v1/lists/pep/entries', { value: NAME, reason: WRITTEN });
  const ruleId = 'planted';
  const text = JSON.stringify({
    rules: [
      {
        ...{ id: ruleId, version: 1, owner: 'fraude', severity: 'high', reason: 'HORA_INUSUAL', action: 'review' },
        ...{ name: { es: 'Monto exacto', en: 'Exact amount' }, when: 'amount = 12' },
      },
    ],
  });
  const { sha256 } = (await post(analyst, '/v1/rules', { text, reason: WRITTEN })).json;
  const changed = async (path: string, body: object) => {
    const { etag } = (await manager.ask(`/v1/rules/${ruleId}`)).headers;
    await post(manager, `/v1/rules/${ruleId}/${path}`, body, { 'if-match': String(etag) });
  };
  await changed('versions/1/approval', { sha256, reason: WRITTEN });
  const override = { field: 'payerId', value: DOCUMENT, untilMs: Date.now() + 3_600_000, reason: WRITTEN };
  await changed('overrides', override);
  const hold = { customerId: DOCUMENT, authority: 'Fiscalía', actNumber: '1-2026', reason: WRITTEN };
  await post(officer, '/v1/legal-holds', hold);
  await post(officer, '/v1/erasures', { customerId: DOCUMENT, identifiers: [ACCOUNT], reason: WRITTEN });
  await post(officer, '/v1/customers:export', { customerId: DOCUMENT, reason: WRITTEN });
  return {
    ...{
      transactionId: 'M-1',
      alertId: 'M-1',
      caseId,
      list: 'bloqueados',
      ruleId,
      version: '1',
      attachmentId: attached.json.id,
    },
    ...{ userId: analyst.userId, query: `partition=${partition}&offset=${offset}` },
  };
}

/** @param fill of the path's parameters; those that are not in it are nobody's */
function pathOf({ path, query }: EndpointSpec, fill: Readonly<Record<string, string>>): string {
  const filled = path
    .replaceAll('::', '\u0000')
    .replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(fill[name] ?? 'nada'))
    .replaceAll('\u0000', ':');
  return query !== undefined && 'partition' in query.properties ? `${filled}?${fill.query}` : filled;
}

function needlesIn({ text, headers }: Reply): readonly string[] {
  const all = `${text}\n${decodeURIComponent(JSON.stringify(headers))}`;
  return NEEDLES.filter((needle) => all.includes(needle));
}

async function viewsOf({ records }: TestService, userId: string): Promise<number> {
  const { count } = await records.db
    .selectFrom('audit_entries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('action', '=', 'personal-data.viewed')
    .where('actor_id', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

describeOnEachEngine('answers', (open) => {
  it('show personal data to who may read it, who is in the audit for each, and to nobody else: every GET route × every role', async () => {
    const service = await startTestService(await open());
    try {
      const fill = await plant(service);
      const [wrong, answered, seen]: [string[], Set<string>, Set<string>] = [[], new Set(), new Set()];
      const look = async (role: Role) => {
        const { ask, userId } = await service.as(role);
        const mayRead = (PERMISSIONS_OF[role] as readonly Permission[]).includes('personal-data:read');
        for (const [name, spec] of gets) {
          const before = await viewsOf(service, userId);
          const reply = await ask(pathOf(spec, fill));
          if (reply.status >= 500 && name !== 'readiness') wrong.push(`${role} ${name}: ${reply.status}`);
          if (reply.status === 200) answered.add(name);
          const needles = needlesIn(reply);
          if (needles.length === 0) continue;
          seen.add(name);
          if (!mayRead) wrong.push(`${role} ${name}: shows ${needles.join(', ')}`);
          else if ((await viewsOf(service, userId)) === before) wrong.push(`${role} ${name}: is not in the audit`);
        }
      };
      for (const role of ROLES) await look(role);
      expect(wrong).toEqual([]);
      // A route that was never answered was not looked at, and one of those that show nothing may have been planted badly.
      expect(gets.map(([name]) => name).filter((name) => answered.has(name) === EMPTY.has(name))).toEqual([]);
      expect([...seen].sort()).toEqual(
        ['getAttachment', 'listAttachments', 'listComments', 'viewListEntries', 'viewTransaction'].sort(),
      );
      const audit = await service.records.db.selectFrom('audit_entries').select('text').execute();
      const told = audit.map(({ text }) => text).join('\n');
      expect(NEEDLES.filter((needle) => told.includes(needle))).toEqual([]);
    } finally {
      await service.stop();
    }
  }, 180_000);

  it('that hold what people wrote are one view of personal data for each request, scrubbed or not, and none where nothing is written', async () => {
    const service = await startTestService(await open());
    try {
      const { caseId } = await openCase(service.records);
      const at = `/v1/cases/${caseId}`;
      const [analyst, reader] = [await service.as('fraud-analyst'), await service.as('data-analyst')];
      expect((await analyst.ask(`${at}/comments`)).json.rows).toEqual([]);
      expect(await viewsOf(service, analyst.userId)).toBe(0);
      for (const body of ['uno', 'dos', 'tres']) await post(analyst, `${at}/comments`, { body });
      for (const { ask, userId } of [analyst, reader]) {
        expect((await ask(`${at}/comments`)).json.rows).toHaveLength(3);
        expect(await viewsOf(service, userId)).toBe(1);
      }
      const rows = await service.records.db
        .selectFrom('audit_entries')
        .select('text')
        .where('action', '=', 'personal-data.viewed')
        .execute();
      expect(rows.map(({ text }) => JSON.parse(text))).toMatchObject([
        { actor: { id: analyst.userId }, subject: { kind: 'case', id: caseId }, detail: { fields: ['body'] } },
        { actor: { id: reader.userId }, subject: { kind: 'case', id: caseId }, detail: { fields: ['body'] } },
      ]);
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('scrub what people wrote of customers, for who does not hold personal-data:read', async () => {
    const service = await startTestService(await open());
    try {
      const { caseId, customer } = await openCase(service.records);
      const analyst = await service.as('fraud-analyst');
      const at = `/v1/cases/${caseId}`;
      await post(analyst, `${at}/comments`, { body: WRITTEN });
      const scope = { entity: 'customer', entityId: customer, typology: 'F01', untilMs: Date.now() + 86_400_000 };
      await post(analyst, '/v1/suppressions', { ...scope, reason: WRITTEN });
      const { etag } = (await analyst.ask(at)).headers;
      const close = { step: 'close-fraud', typology: 'F01', reason: WRITTEN };
      await post(analyst, `${at}/steps`, close, { 'if-match': String(etag) });
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
