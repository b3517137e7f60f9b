// What must not get in, and what must not bring the service down: each answer is a refusal, and none is our mistake (5xx).
import { connect } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { ENDPOINTS, type EndpointSpec } from '../../src/http/contract.ts';
import { ROLES } from '../../src/identity/permissions.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { type Caller, startTestService, type TestService } from './running-service.ts';

let records: RecordStore;
let service: TestService;
const QUICK_RUNS = 3;
const LONG_RUNS = 200;
const runs = process.env.CENTINELA_LONG_TESTS === '1' ? LONG_RUNS : QUICK_RUNS;

beforeAll(async () => {
  records = await openRecordStore(await openPglite({ folder: null, onRecovery: () => undefined }));
  service = await startTestService(records);
  for (const role of ROLES) await service.as(role);
}, 60_000);

afterAll(async () => {
  await service?.stop();
  await records?.close();
});

/** Bytes as they are over the line. @returns the first line of the answer, or how it ended */
function speak(text: string, afterMs = 0): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: service.port, ca: service.authority }, () => {
      if (afterMs === 0) socket.write(text);
      else for (const [index, letter] of [...text].entries()) setTimeout(() => socket.write(letter), index * afterMs);
    });
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (got.includes('\r\n')) socket.end();
    });
    socket.on('close', () => resolve(got.split('\r\n')[0] || 'closed'));
    socket.on('error', () => resolve('closed'));
    setTimeout(() => socket.destroy(), 5000);
  });
}

const WORDS = [
  "' OR 1=1 --",
  '"; DROP TABLE alerts; --',
  '../../../etc/passwd',
  '%00',
  '<script>alert(1)</script>',
  '#{7*7}',
  '\u202e',
  '𝔘',
  '-1',
  '1e309',
  'null',
  '[object Object]',
  'a'.repeat(3000),
  '$where',
  '{{7*7}}',
  '\u0000',
];

describe('fuzzed from the contract', () => {
  const endpoints = (Object.entries(ENDPOINTS) as [string, EndpointSpec][]).filter(
    ([name]) =>
      ![
        'logOut',
        'changePassword',
        'disableTotp',
        'endSession',
        'endUserSessions',
        'changeUser',
        'revokeApiKey',
        'logIn',
        'setUp',
        'watch',
      ].includes(name),
  );
  const word = fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'binary', maxLength: 60 }));

  it.each(endpoints)(
    '%s never answers with a mistake of ours',
    async (_, spec) => {
      const people: Caller[] = [
        await service.as('fraud-analyst'),
        await service.as('operations-manager'),
        await service.as('compliance-officer'),
        await service.as('administrator'),
      ];
      const value = fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.constantFrom(...WORDS));
      const body = fc.oneof(bodyLike(spec.body), value);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...people),
          fc.array(word, { minLength: 4, maxLength: 4 }),
          queryLike(spec.query, word),
          body,
          async (caller, words, query, content) => {
            let next = 0;
            const path = spec.path
              .replaceAll('::', '\u0001')
              .replace(/:[A-Za-z]+/g, () => encodeURIComponent(wellFormed(words[next++ % words.length])))
              .replaceAll('\u0001', ':');
            const raw = spec.body === undefined && spec.bodyKind === undefined ? undefined : JSON.stringify(content);
            const type =
              spec.bodyKind === 'ndjson'
                ? 'application/x-ndjson'
                : spec.bodyKind === 'file'
                  ? 'application/octet-stream'
                  : 'application/json';
            const headers: Record<string, string> = {
              ...(raw !== undefined && { 'content-type': type }),
              'if-match': '"1"',
            };
            const reply = await caller.ask(`${path}${query}`, {
              method: spec.method,
              headers,
              ...(raw !== undefined && { raw }),
            });
            expect(
              reply.status,
              `${spec.method} ${path}${query} ${raw?.slice(0, 300)}: ${reply.text.slice(0, 300)}`,
            ).toBeLessThan(500);
          },
        ),
        { numRuns: runs, endOnFailure: true },
      );
    },
    120_000,
  );
});

/** Objects with the contract's names and values of all kinds. */
function bodyLike(schema: EndpointSpec['body']): fc.Arbitrary<unknown> {
  const { properties } = (schema ?? {}) as { properties?: Record<string, unknown> };
  if (properties === undefined) return fc.constant({});
  const value = fc.oneof(
    fc.constantFrom<unknown>(...WORDS, 0, -1, 2 ** 53, 1.5, null, true, [], {}),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc.record(Object.fromEntries(Object.keys(properties).map((name) => [name, value])), { requiredKeys: [] });
}

function queryLike(schema: EndpointSpec['query'], word: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const names = Object.keys(schema?.properties ?? {});
  if (names.length === 0) return fc.constantFrom('', '?x=1');
  return fc
    .array(
      fc.tuple(
        fc.constantFrom(...names),
        fc.oneof(word, fc.constantFrom('1', '50', 'true', 'open', 'urgency', '1700000000000')),
      ),
      { maxLength: 3 },
    )
    .map((pairs) =>
      pairs.length === 0
        ? ''
        : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value))}`).join('&')}`,
    );
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}

describe('what is not HTTP, too large or too slow', () => {
  it('is refused, and others are still answered', async () => {
    expect(await speak('GARBAGE\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    expect(await speak(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
    expect(
      await speak(
        'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1.1 400/);
    expect(await speak('GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 404/);
    expect((await service.stranger.ask('/healthz')).status).toBe(200);
  });

  it('bodies beyond the limit are not read to their end', async () => {
    const bank = await service.withKey(['transactions:score']);
    const large = await bank.ask('/v1/transactions', { method: 'POST', raw: `{"id":"${'x'.repeat(100_000)}"}` });
    expect([large.status, large.json.code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  it('another type, no body, and a body where there is none are told', async () => {
    const bank = await service.withKey(['transactions:score']);
    const headers = { 'content-type': 'text/xml' };
    expect((await bank.ask('/v1/transactions', { method: 'POST', raw: '<a/>', headers })).status).toBe(415);
    expect((await bank.ask('/v1/transactions', { method: 'POST' })).status).toBe(400);
    expect((await bank.ask('/v1/transactions', { method: 'POST', raw: '{"id":' })).json.code).toBe('VALUE_NOT_JSON');
  });
});

describe('who is not who they say', () => {
  it.each([
    ['a key that is none', { authorization: 'Bearer cnt_0123456789abcdef_' }],
    ['a key with a foreign secret', { authorization: `Bearer cnt_0123456789abcdef_${'A'.repeat(43)}` }],
    ['another scheme', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
    ['a token of nobody', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.' }],
    ['a session of nobody', { cookie: `__Host-centinela=${'A'.repeat(43)}` }],
  ])('%s is a stranger', async (_, headers) => {
    const reply = await service.stranger.ask('/v1/session', { headers: headers as unknown as Record<string, string> });
    expect([reply.status, reply.json.code]).toEqual([401, 'NOT_KNOWN']);
  });

  it("another site's script, which has the cookie and not the token, changes nothing", async () => {
    const analyst = await service.as('fraud-analyst');
    const reply = await analyst.ask('/v1/suppressions', {
      method: 'POST',
      body: {},
      headers: { 'x-csrf-token': 'foreign' },
    });
    expect([reply.status, reply.json.code]).toEqual([403, 'CSRF_TOKEN']);
  });

  it('guessing a password is slowed down, and says nothing of whether the login exists', async () => {
    const tries = [];
    for (let n = 0; n < 12; n++) {
      tries.push(
        await service.stranger.ask('/v1/session', {
          method: 'POST',
          body: { login: 'nadie', password: `intento numero ${n}` },
        }),
      );
    }
    const codes = tries.map(({ json }) => json.code);
    expect(codes[0]).toBe('LOGIN_REFUSED');
    expect(codes).toContain('LOCKED_UNTIL');
    expect(tries.at(-1)?.headers['retry-after']).toMatch(/^\d+$/);
  }, 30_000);
});
