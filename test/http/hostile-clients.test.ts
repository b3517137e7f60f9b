// Clients that mean harm, or are broken in ways that do: slow ones, swollen bodies, keys that have ended, names of files that
// lead elsewhere, other sites' pages. Each gets a refusal in time, and everybody else is served meanwhile.
import { connect } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { type Caller, eventually, type Reply, startTestService, type TestService } from './running-service.ts';

let records: RecordStore;
let service: TestService;
const LIMITS = { headersMs: 600, requestMs: 1200, strangersPerMinute: 60 };
const DAY_MS = 86_400_000;

beforeAll(async () => {
  records = await openRecordStore(await openPglite({ folder: null, onRecovery: () => undefined }));
  service = await startTestService(records, { limits: LIMITS });
});

afterAll(async () => {
  await service?.stop();
  await records?.close();
});

interface Ended {
  readonly afterMs: number;
  readonly answer: string;
}

/** Sends the first at once and then a letter of the second each time, until it is cut off. */
function trickle(first: string, rest: string, everyMs: number): Promise<Ended> {
  const begunMs = performance.now();
  return new Promise((resolve) => {
    let answer = '';
    let next = 0;
    const socket = connect({ host: '127.0.0.1', port: service.port, ca: service.authority }, () => socket.write(first));
    const timer = setInterval(() => {
      if (next < rest.length && socket.writable) socket.write(rest[next++]);
    }, everyMs);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ afterMs: performance.now() - begunMs, answer: answer.split('\r\n')[0] });
    });
  });
}

describe('slow ones', () => {
  it('are cut off in time, headers and bodies, and keep nobody waiting', async () => {
    const { key } = await service.withKey(['transactions:score']);
    const post = `POST /v1/transactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
    const letters = 'x'.repeat(5000);
    const slow = [
      ...Array.from({ length: 40 }, () => trickle('GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ', letters, 50)),
      ...Array.from({ length: 40 }, () => trickle(`${post}content-length: 4000\r\n\r\n{"id":"`, letters, 50)),
      trickle('', '', 50),
    ];
    const times: number[] = [];
    for (let asked = 0; asked < 20; asked++) {
      const begunMs = performance.now();
      expect((await service.stranger.ask('/healthz')).status).toBe(200);
      times.push(performance.now() - begunMs);
    }
    const ended = await Promise.all(slow);
    for (const { afterMs, answer } of ended) {
      expect(afterMs).toBeLessThan(10_000);
      expect(answer).toMatch(/^(HTTP\/1\.1 40[08] .*)?$/);
    }
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(500);
  }, 60_000);
});

describe('swollen bodies', () => {
  const post = (caller: Caller, raw: string | Uint8Array, headers: Record<string, string> = {}) =>
    caller.ask('/v1/transactions', { method: 'POST', raw, headers });

  it('nested deeply, or repeated, are refused and break nothing', async () => {
    const bank = await service.withKey(['transactions:score']);
    for (const raw of [
      '['.repeat(60_000),
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      `{"id":${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}}`,
      `{${Array.from({ length: 6000 }, () => '"id":"x"').join(',')}}`,
      '{"id":"a","constructor":{"prototype":{"x":1}},"__proto__":{"x":1}}',
      `{"id":${'9'.repeat(50_000)}}`,
    ]) {
      const { status } = await post(bank, raw);
      expect([raw.slice(0, 20), status >= 400 && status < 500]).toEqual([raw.slice(0, 20), true]);
    }
    expect(({} as { x?: number }).x).toBeUndefined();
    const many = Array.from({ length: 1001 }, () => ({}));
    const batch = await bank.ask('/v1/transactions:batch', { method: 'POST', body: { transactions: many } });
    expect(batch.status).toBe(422);
    expect((await service.stranger.ask('/healthz')).status).toBe(200);
  });

  it('are never unpacked', async () => {
    const bank = await service.withKey(['transactions:score']);
    const bomb = gzipSync(Buffer.alloc(60_000_000, ' '));
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip']) {
      const reply = await post(bank, bomb.subarray(0, 60_000), { 'content-encoding': encoding });
      expect([encoding, reply.status, reply.json.code]).toEqual([encoding, 415, 'CONTENT_ENCODING']);
    }
    expect((await post(bank, bomb.subarray(0, 60_000))).status).toBe(400);
  });
});

describe('what was valid once', () => {
  const isStranger = ({ status, json }: Reply) => expect([status, json.code]).toEqual([401, 'NOT_KNOWN']);

  it('a key that has ended or was revoked, and a session that is over, open nothing', async () => {
    const administrator = await service.as('administrator');
    const make = (expiresMs: number) =>
      administrator.ask('/v1/api-keys', {
        method: 'POST',
        body: { name: 'corta', scopes: ['transactions:score'], expiresMs },
      });
    const by = (key: string) => service.stranger.ask('/v1/session', { headers: { authorization: `Bearer ${key}` } });
    const short = await make(Date.now() + 1500);
    expect(short.status, short.text).toBe(201);
    expect((await by(short.json.text)).status).toBe(200);
    const long = await make(Date.now() + DAY_MS);
    expect((await administrator.ask(`/v1/api-keys/${long.json.key.id}`, { method: 'DELETE' })).status).toBe(204);
    await eventually(async () => ((await by(long.json.text)).status === 401 ? true : null));
    await eventually(async () => ((await by(short.json.text)).status === 401 ? true : null));
    const analyst = await service.as('data-analyst', '.2');
    expect((await analyst.ask('/v1/session', { method: 'DELETE' })).status).toBe(204);
    isStranger(await analyst.ask('/v1/session'));
  });

  it('guessing keys is refused unread after so many times a minute, and who is known goes on', async () => {
    const bank = await service.withKey(['transactions:score']);
    const statuses = new Set<number>();
    for (let guess = 0; guess < LIMITS.strangersPerMinute + 60; guess++) {
      const headers = { authorization: `Bearer cnt_0123456789abcdef_${String(guess).padStart(43, 'A')}` };
      statuses.add((await service.stranger.ask('/v1/session', { headers })).status);
    }
    expect([...statuses].sort()).toEqual([401, 429]);
    expect((await bank.ask('/v1/session')).status).toBe(200);
  });

  it("who guesses a person's password locks the login, and the right one is refused, too, until it is unlocked", async () => {
    const auditor = await service.as('auditor', '.3');
    const logIn = (password: string) =>
      service.stranger.ask('/v1/session', { method: 'POST', body: { login: 'persona.auditor.3', password } });
    const codes: string[] = [];
    for (let guess = 0; guess < 12 && !codes.includes('LOCKED_UNTIL'); guess++) {
      codes.push((await logIn(`intento numero ${guess}`)).json.code);
    }
    expect(codes.at(-1)).toBe('LOCKED_UNTIL');
    expect((await logIn('cuatro palabras sin orden 7')).json.code).toBe('LOCKED_UNTIL');
    expect((await auditor.ask('/v1/session')).status).toBe(200);
  });
});

describe('the same change at the same time', () => {
  it('under one idempotency key is done once, however many ask', async () => {
    const analyst = await service.as('fraud-analyst');
    const body = {
      ...{ entity: 'customer', entityId: 'C-77', typology: 'F02', untilMs: Date.now() + DAY_MS },
      reason: 'el cliente viaja por trabajo',
    };
    const headers = { 'idempotency-key': 'una clave entre muchas'.replaceAll(' ', '-') };
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => analyst.ask('/v1/suppressions', { method: 'POST', body, headers })),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(replies.map(({ json }) => json.id)).size).toBe(1);
    expect(replies.filter((each) => each.headers['idempotent-replay'] === 'true')).toHaveLength(19);
    const kept = (await analyst.ask('/v1/suppressions')).json.rows as { entityId: string }[];
    expect(kept.filter(({ entityId }) => entityId === 'C-77')).toHaveLength(1);
    const key = await analyst.ask('/v1/suppressions', {
      method: 'POST',
      body,
      headers: { 'idempotency-key': 'corta' },
    });
    expect([key.status, key.json.code]).toEqual([400, 'IDEMPOTENCY_KEY']);
  });
});

describe('names of files', () => {
  it('lead nowhere, and break no header when they come back', async () => {
    const bank = await service.withKey(['transactions:score']);
    const transaction = {
      ...{ id: 'A1', payerId: 'C-88', eventTimeMs: Date.now(), amountMinor: 250_000, currency: 'PEN' },
      ...{ operation: 'transfer', channel: 'app', status: 'approved', payeeAccount: '00219400234567810012' },
    };
    await bank.ask('/v1/transactions', { method: 'POST', body: transaction });
    const analyst = await service.as('fraud-analyst');
    const { caseId } = await eventually(async () => (await analyst.ask('/v1/alerts/A1')).json?.alert ?? null);
    const raw = Buffer.from('%PDF-1.4\nvoucher\n%%EOF\n');
    const headers = { 'content-type': 'application/octet-stream' };
    for (const name of [
      ...['../../../etc/passwd.pdf', '..\\..\\windows\\system32\\x.pdf', 'C:\\x.pdf', '/etc/x.pdf', '....//x.pdf'],
      ...['x\r\nset-cookie: a=b\r\n.pdf', 'x".pdf; filename="y.exe', '\u202efdp.exe.pdf', '%2e%2e%2fx.pdf', '~/x.pdf'],
      ...['con.pdf', `${'ñ'.repeat(300)}.pdf`, "a'b*c.pdf"],
    ]) {
      const path = `/v1/cases/${caseId}/attachments?name=${encodeURIComponent(name)}`;
      const added = await analyst.ask(path, { method: 'POST', raw, headers });
      expect([name, [201, 422].includes(added.status)]).toEqual([name, true]);
      if (added.status !== 201) continue;
      expect(added.json.name).not.toMatch(/[/\\\r\n\u202e]/);
      const content = await analyst.ask(`/v1/case-attachments/${added.json.id}/content`);
      expect(content.status).toBe(200);
      expect(content.headers['set-cookie']).toBeUndefined();
      expect(content.headers['content-disposition']).toMatch(/^attachment; filename\*=UTF-8''[\w.!~*'()%-]+$/);
      expect([content.headers['content-type'], content.headers['x-content-type-options']]).toEqual([
        ...['application/octet-stream', 'nosniff'],
      ]);
    }
  });
});

describe("other sites' pages", () => {
  it('are told nothing that would let a browser read answers, and send nothing that counts', async () => {
    const analyst = await service.as('fraud-analyst');
    const { cookie } = analyst.credentials;
    const origin = 'https://otro.example';
    for (const method of ['GET', 'OPTIONS']) {
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-csrf-token',
      };
      const reply = await analyst.ask('/v1/suppressions', { method, headers });
      expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      if (method === 'OPTIONS') expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, POST']);
    }
    const body = JSON.stringify({ entity: 'customer', entityId: 'C-99', reason: 'x' });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json',
    ]) {
      const headers = { cookie, origin, 'content-type': type };
      const reply = await service.stranger.ask('/v1/suppressions', { method: 'POST', raw: body, headers });
      expect([type, reply.status, reply.json.code]).toEqual([type, 403, 'CSRF_TOKEN']);
    }
  });

  it('what is asked for never comes back as a header or as a page', async () => {
    const analyst = await service.as('fraud-analyst');
    const nasty = '%0d%0aset-cookie:%20a=b%0d%0a%0d%0a<script>alert(1)</script>';
    for (const path of [
      `/v1/alerts/${nasty}`,
      `/v1/alerts?customer=${nasty}`,
      `/v1/${nasty}`,
      `/docs?lang=${nasty}`,
      `/fuiste-tu/${nasty}`,
    ]) {
      const reply = await analyst.ask(path);
      expect([path, reply.status < 500]).toEqual([path, true]);
      expect(reply.headers['set-cookie']).toBeUndefined();
      const isPage = String(reply.headers['content-type']).startsWith('text/html');
      if (isPage) expect(reply.text).not.toContain('<script');
      expect(reply.headers['x-content-type-options']).toBe('nosniff');
    }
  });
});
