// A run of the service as an operator starts it, with people at work and personal data in every place where some may come
// in; then everything that it wrote is looked through: its folder, logs, metrics, messages, backup, audit's archive.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstAdministrator, type ServiceProcess, startServiceProcess } from '../../bench/api/service-process.ts';
import { ROOT } from '../../bench/kafka/prepared-model.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { withoutFigures } from '../http/prometheus-text.ts';
import { type Ask, eventually, exchange, type Reply } from '../http/running-service.ts';
import { type Receiver, startReceiver } from '../notify/receiver.ts';
import { type SmtpServer, startSmtpServer } from '../notify/smtp-server.ts';
import type { PersonalValue } from './needles.ts';
import { type ScanFinding, scanFolder } from './scan-disk.ts';

const PASSWORD = 'cuatro palabras sin orden 7';
const SECRET = 'un secreto de la app, de más de 32 bytes';
/** Synthetic: of no scheme, of nobody. */
const PANS = ['9604000000000019', '9604123456789016', '4111111111111111'];
const [DNI, RUC, PHONE, CCI] = ['40123457', '10101174102', '961347285', '00299900000000000118'];
const NAME = 'Nicanor Ñahuí Peñaloza';
const NOTE = `Llamé a ${NAME}, DNI ${DNI}, al ${PHONE}; su tarjeta ${PANS[0]} y su cuenta ${CCI}, RUC ${RUC}`;
const SIMULATED = 400;

const given: readonly PersonalValue[] = [
  ...PANS.map((text) => ({ kind: 'pan', text })),
  { kind: 'dni', text: DNI },
  { kind: 'ruc', text: RUC },
  { kind: 'phone', text: PHONE },
  { kind: 'cci', text: CCI },
  { kind: 'name', text: NAME },
];

interface Person {
  ask(path: string, ask?: Ask): Promise<Reply>;
}

const long = process.env.CENTINELA_LONG_TESTS === '1';

describe.runIf(long)('everything that a full run wrote', () => {
  let folder: string;
  let service: ServiceProcess & { readonly setupToken: string | null };
  let app: Receiver;
  let mail: SmtpServer;
  let agent: Agent;
  const log: string[] = [];
  const simulated = [...createSimulator({ customers: 60, days: 2, seed: 26 }).batches()].flat().slice(0, SIMULATED);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'centinela-run-'));
    for (const each of ['data', 'out', 'audit']) mkdirSync(join(folder, each));
    app = await startReceiver();
    mail = await startSmtpServer({ certificate: null, security: 'none' });
    const settings = join(folder, 'notifications.json');
    writeFileSync(settings, JSON.stringify(notifications()));
    service = await startServiceProcess(
      join(folder, 'data'),
      null,
      ['--notifications', settings, '--log-level', 'debug'],
      {
        variables: { CENTINELA_SECRET_APP_HOOK: SECRET },
        onLine: (line) => log.push(line),
      },
    );
    agent = new Agent({ keepAlive: true, ca: readFileSync(service.authority) });
    await work();
    await finish();
  }, 300_000);

  afterAll(async () => {
    agent?.destroy();
    await service?.stop();
    await app?.close();
    await mail?.close();
    if (process.env.CENTINELA_KEEP_RUN === undefined) rmSync(folder, { recursive: true, force: true });
  });

  function notifications(): object {
    const common = { language: 'es', quietHours: null, rate: { most: 10_000, perMs: 60_000 }, fallback: null };
    return {
      ...{ baseUrl: 'https://centinela.banco.example', allowedNetworks: ['127.0.0.0/8'], ladders: [] },
      channels: {
        app: { ...common, kind: 'webhook', url: `${app.url}/aviso`, secrets: ['app-hook'], timeoutMs: 5000 },
        mail: {
          ...{ ...common, kind: 'mail', host: '127.0.0.1', port: mail.port, security: 'none-on-loopback', user: null },
          ...{ password: null, from: 'avisos@banco.example', to: ['fraude@banco.example'], timeoutMs: 5000 },
        },
      },
      routes: [
        {
          ...{ name: 'all', match: {}, channels: ['app', 'mail'], groupBy: 'none', groupWindowMs: 1000 },
          ...{ ladder: null, continues: false },
        },
      ],
      retry: { attempts: 3, firstMs: 100, mostMs: 1000 },
    };
  }

  const personOf = (headers: Readonly<Record<string, string>>): Person => ({
    ask: (path, ask = {}) => {
      const { hostname: host, port } = new URL(service.url);
      return exchange({ agent, host, port, path }, { ...ask, headers: { ...headers, ...ask.headers } });
    },
  });

  async function invite(administrator: Person, login: string, role: string): Promise<Person> {
    const body = { login, displayName: `persona ${role}`, email: null, roles: [role] };
    const { json } = await administrator.ask('/v1/users', { method: 'POST', body });
    const nobody = personOf({});
    const accepted = { token: json.invitation.token, password: PASSWORD };
    await nobody.ask('/v1/invitations:accept', { method: 'POST', body: accepted });
    const session = await nobody.ask('/v1/session', { method: 'POST', body: { login, password: PASSWORD } });
    expect(session.status, session.text).toBe(201);
    const cookie = String(session.headers['set-cookie']?.[0]).split(';')[0];
    return personOf({ cookie, 'x-csrf-token': session.json.csrfToken });
  }

  async function work(): Promise<void> {
    const administrator = personOf(await firstAdministrator(service, service.setupToken!));
    const expiresMs = Date.now() + 86_400_000;
    const draft = { name: 'autorizador', scopes: ['transactions:score'], expiresMs };
    const key = (await administrator.ask('/v1/api-keys', { method: 'POST', body: draft })).json.text as string;
    const bank = personOf({ authorization: `Bearer ${key}` });
    const analyst = await invite(administrator, 'persona.analista', 'fraud-analyst');
    const manager = await invite(administrator, 'persona.jefatura', 'operations-manager');
    await sendTransactions(bank);
    await sendNonsense(bank);
    await workCases(analyst, manager);
  }

  async function sendTransactions(bank: Person): Promise<void> {
    for (let from = 0; from < simulated.length; from += 100) {
      const transactions = simulated.slice(from, from + 100).map(sendable);
      const reply = await bank.ask('/v1/transactions:batch', { method: 'POST', body: { transactions } });
      expect(reply.status, reply.text.slice(0, 500)).toBe(200);
    }
    for (const [index, transaction] of personalTransactions().entries()) {
      const reply = await bank.ask('/v1/transactions?deadlineMs=30000', { method: 'POST', body: transaction });
      expect([index, reply.json?.kind, reply.text.slice(0, 300)]).toEqual([index, 'decided', expect.anything()]);
      // An id that was decided is answered again, from what is kept.
      await bank.ask('/v1/transactions', { method: 'POST', body: transaction });
    }
    const lines = personalTransactions('U')
      .map((each) => JSON.stringify(each))
      .join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    await bank.ask('/v1/transactions:upload', { method: 'POST', raw: `${lines}\n{"payerName":"${NAME}"}\n`, headers });
  }

  /** What is wrong is told by field: what was given must not be in what is told, nor in what is logged. */
  async function sendNonsense(bank: Person): Promise<void> {
    const post = (raw: string, path = '/v1/transactions') => bank.ask(path, { method: 'POST', raw });
    await post(`{"id":"${PANS[0]}"`);
    await post(`{"${PANS[1]}":"${NAME}","id":"N1","amountMinor":"${DNI}"}`);
    await post(JSON.stringify({ id: 'N2', eventTimeMs: 1, amountMinor: 1, currency: NAME, cardId: PANS[2] }));
    await post(
      JSON.stringify({ transactions: [{ payerName: NAME, payerDocument: DNI, concept: NOTE }] }),
      '/v1/transactions:batch',
    );
    await post(NOTE, '/v1/session');
    for (const login of [DNI, NAME, PANS[0], PHONE]) {
      await bank.ask('/v1/session', { method: 'POST', body: { login, password: NOTE } });
    }
    const encoded = encodeURIComponent(NAME);
    for (const path of [
      `/v1/decisions/${DNI}`,
      `/v1/alerts?customer=${PHONE}`,
      `/v1/nada/${PANS[0]}/${encoded}`,
      `/fuiste-tu/${PANS[1]}`,
    ]) {
      await bank.ask(path, {
        headers: { 'user-agent': NOTE.normalize('NFD').replace(/[^\x20-\x7e]/g, ''), referer: `https://x/${DNI}` },
      });
    }
  }

  async function workCases(analyst: Person, manager: Person): Promise<void> {
    const change = (who: Person, method: string, path: string, body?: unknown, headers = {}) =>
      who.ask(path, { method, headers, ...(body !== undefined && { body }) });
    const alert = await eventually(async () => {
      const { status, json } = await analyst.ask('/v1/alerts/P0');
      return status === 200 ? json.alert : null;
    });
    const { caseId } = alert;
    const isDone = async (reply: Promise<Reply>) => {
      const { status, text } = await reply;
      expect(status, text.slice(0, 300)).toBeLessThan(300);
    };
    await isDone(change(analyst, 'POST', `/v1/cases/${caseId}/comments`, { body: NOTE }));
    await isDone(
      change(
        analyst,
        'POST',
        `/v1/cases/${caseId}/comments`,
        { body: NOTE, kind: 'note' },
        { 'idempotency-key': 'una-clave-de-prueba' },
      ),
    );
    const comments = (await analyst.ask(`/v1/cases/${caseId}/comments`)).json.rows as {
      id: string;
      version: number;
      body: string;
    }[];
    expect(comments.some(({ body }) => body.includes(NAME))).toBe(true);
    const [first] = comments;
    await isDone(
      change(
        analyst,
        'PATCH',
        `/v1/case-comments/${first.id}`,
        { body: `${NOTE}.` },
        { 'if-match': `"${first.version}"` },
      ),
    );
    await isDone(
      change(analyst, 'POST', '/v1/labels', {
        labels: [{ transactionId: 'P1', outcome: 'fraud', note: withoutName(NOTE) }],
      }),
    );
    const untilMs = Date.now() + 86_400_000;
    const suppression = {
      entity: 'customer',
      entityId: alert.customerId,
      typology: 'F02',
      untilMs,
      reason: withoutName(NOTE),
    };
    await isDone(change(analyst, 'POST', '/v1/suppressions', suppression));
    const raw = Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.from(`${NOTE}\n%%EOF\n`)]);
    const headers = { 'content-type': 'application/octet-stream' };
    const attached = await analyst.ask(`/v1/cases/${caseId}/attachments?name=voucher-${DNI}.pdf`, {
      method: 'POST',
      raw,
      headers,
    });
    expect(attached.status, attached.text).toBe(201);
    expect((await analyst.ask(`/v1/case-attachments/${attached.json.id}/content`)).text).toContain(NAME);
    const { partition, offset } =
      alert.at ?? alert.decision?.at ?? (await analyst.ask('/v1/decisions/P0')).json.decision.at;
    const clear = await analyst.ask(`/v1/transactions/P0/personal-data?partition=${partition}&offset=${offset}`);
    expect(clear.text).toContain(NAME);
    const { version } = (await analyst.ask(`/v1/cases/${caseId}`)).json.case;
    await isDone(
      change(
        analyst,
        'POST',
        `/v1/cases/${caseId}/steps`,
        { step: 'close-genuine', reason: withoutName(NOTE) },
        { 'if-match': `"${version}"` },
      ),
    );
    const [request] = (await manager.ask('/v1/case-requests')).json.rows;
    if (request !== undefined) {
      await isDone(
        change(manager, 'POST', `/v1/case-requests/${request.id}/decision`, {
          isApproved: false,
          comment: withoutName(NOTE),
        }),
      );
    }
    await change(analyst, 'POST', '/v1/alerts/P2/challenge');
    await eventually(async () => (app.received.length > 2 && mail.mails.length > 2 ? true : null));
  }

  async function finish(): Promise<void> {
    const out = (name: string, content: string) => writeFileSync(join(folder, 'out', name), content);
    const metrics = await (await fetch(`http://127.0.0.1:${service.opsPort}/metrics`)).text();
    out('metrics.txt', withoutFigures(metrics));
    await service.stop();
    out('service.log', log.join('\n'));
    out('webhooks.txt', app.received.map(({ body, headers }) => `${JSON.stringify(headers)}${body}`).join('\n'));
    out('mails.txt', mail.mails.map(({ data }) => data).join('\n'));
    const data = join(folder, 'data');
    run(['records', 'backup', join(folder, 'out', 'backup.ndjson.gz'), '--data', data]);
    const keys = ['--master-keys', join(data, 'keys', 'master.key')];
    run(['audit', 'export', '--archive', join(folder, 'audit'), '--data', data, '--older-than', '1', ...keys]);
  }

  function run(args: readonly string[]): void {
    const main = join(ROOT, 'src', 'main.ts');
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: ROOT, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  }

  it('holds no card, document, phone, account or name in clear, in whatever form', async () => {
    const values = [...given, ...simulated.flatMap(valuesOf)];
    expect(values.length).toBeGreaterThan(SIMULATED);
    const report = await scanFolder(folder, { values, skip: (path) => path.startsWith('planted') });
    expect(summaryOf(report.findings)).toEqual([]);
    // By pattern, too, where it is all text: a database's files have numbers of any length.
    const texts = await scanFolder(join(folder, 'out'), {
      values: [],
      patterns: ['pan', 'cci', 'ruc', 'dni', 'secret'],
    });
    expect(summaryOf(texts.findings)).toEqual([]);
    expect(report.files).toBeGreaterThan(20);
    expect(report.notScanned).toEqual([]);
    expect(log.length).toBeGreaterThan(5);
  }, 300_000);

  it('would have been found out: each value planted in each place is found', async () => {
    const planted = join(folder, 'planted');
    mkdirSync(planted);
    for (const [index, { text }] of given.entries()) {
      writeFileSync(join(planted, `plain-${index}`), `x${text}x`);
      writeFileSync(join(planted, `packed-${index}`), gzipSync(Buffer.from(text, 'utf16le')));
      writeFileSync(join(planted, `hex-${index}`), Buffer.from(Buffer.from(text).toString('hex')));
      writeFileSync(join(planted, `coded-${index}`), Buffer.from(`a${text}`).toString('base64'));
    }
    const { findings } = await scanFolder(planted, { values: given });
    expect(new Set(findings.map(({ path }) => path)).size).toBe(given.length * 4);
  });
});

/** Each kind of place once, so that what is wrong can be read. */
function summaryOf(findings: readonly ScanFinding[]): string[] {
  return [
    ...new Set(findings.map(({ path, within, kind, encoding }) => `${path}: ${kind} (${encoding}, ${within})`)),
  ].slice(0, 40);
}

/** A reason is in the audit for ever, so what proves itself a number is masked there; a name nobody can know (docs/privacy.md). */
function withoutName(text: string): string {
  return text.replace(NAME, 'el cliente');
}

function personalTransactions(prefix = 'P'): object[] {
  const common = {
    eventTimeMs: Date.now(),
    amountMinor: 250_000,
    currency: 'PEN',
    operation: 'transfer',
    channel: 'app',
  };
  const party = {
    payerName: NAME,
    payerDocument: DNI,
    payerAccount: CCI,
    payeeName: NAME,
    payeeDocument: RUC,
    concept: NOTE,
  };
  const ids = [
    { payerId: DNI, payeeId: PHONE, cardId: PANS[0], deviceId: PANS[1], externalId: PANS[0] },
    { payerId: PHONE, payeeId: RUC, cardId: PANS[1], merchantId: RUC, terminalId: CCI },
    { payerId: CCI, payeeId: DNI, cardId: '4111-1111-1111-1111' },
    { payerId: 'C-1', payeeAccount: CCI, ipAddress: '190.43.12.7', latitude: -12.0464, longitude: -77.0428 },
  ];
  return ids.map((each, index) => ({ id: `${prefix}${index}`, ...common, ...party, ...each, status: 'approved' }));
}

function sendable(transaction: Transaction): object {
  return Object.fromEntries(Object.entries(transaction).filter(([, value]) => value !== null));
}

function valuesOf(t: Transaction): PersonalValue[] {
  const all = [
    ...([
      ['name', t.payerName],
      ['name', t.payeeName],
      ['dni', t.payerDocument],
      ['dni', t.payeeDocument],
    ] as const),
    ...([
      ['account', t.payerAccount],
      ['account', t.payeeAccount],
    ] as const),
  ];
  return all.flatMap(([kind, text]) => (text === null || text.length < 8 ? [] : [{ kind, text }]));
}
