import type { lookup } from 'node:dns';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../src/adapters/webhook/delivery-outcome.ts';
import { createGuardedPost, demandPostUrl } from '../../src/adapters/webhook/guarded-post.ts';
import { createNetworkGuard } from '../../src/adapters/webhook/network-guard.ts';
import { makeServerCertificate, type ServerCertificate } from './certificates.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const body = new TextEncoder().encode('{}');
const guard = createNetworkGuard(['127.0.0.0/8']);
let folder: string;
let certificate: ServerCertificate;
const receivers: Receiver[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'centinela-notify-'));
  certificate = makeServerCertificate(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});

async function receiver(tls: boolean): Promise<Receiver> {
  const started = await startReceiver(tls ? certificate : null);
  receivers.push(started);
  return started;
}

/** Names are what the test says they are. */
function names(addresses: Readonly<Record<string, readonly string[]>>): { lookup: typeof lookup; asked: string[] } {
  const asked: string[] = [];
  const answer = (name: string, _options: unknown, done: (error: Error | null, found: unknown) => void) => {
    asked.push(name);
    const found = addresses[name]?.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (found === undefined) done(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
    else done(null, found);
  };
  return { lookup: answer as unknown as typeof lookup, asked };
}

describe('a guarded post', () => {
  it('reaches a server of a known authority over TLS, and not one of an unknown authority', async () => {
    const { url, received } = await receiver(true);
    const headers = { 'content-type': 'application/json', 'x-test': 'a' };
    const known = createGuardedPost({ guard, authorities: certificate.authority });
    const answer = await known({ url: `${url}/hook`, headers, body, timeoutMs: 5000 });
    expect(answer).toMatchObject({ kind: 'answered', status: 200 });
    expect(received[0]).toMatchObject({ path: '/hook', headers: { 'x-test': 'a', 'content-length': '2' } });
    const unknown = createGuardedPost({ guard });
    expect(await unknown({ url, headers, body, timeoutMs: 5000 })).toMatchObject({ kind: 'failed' });
    expect(received).toHaveLength(1);
  });

  it('connects to the address that was judged, having asked for it once', async () => {
    const { port, received } = await receiver(true);
    const { lookup, asked } = names({ 'hooks.example': ['127.0.0.1'] });
    const post = createGuardedPost({ guard, authorities: certificate.authority, lookup });
    const answer = await post({ url: `https://hooks.example:${port}/`, headers: {}, body, timeoutMs: 5000 });
    expect(answer).toMatchObject({ kind: 'answered', status: 200 });
    expect(asked).toEqual(['hooks.example']);
    expect(received[0].headers.host).toBe(`hooks.example:${port}`);
  });

  it('goes nowhere where any address of a name is not allowed, and nothing is sent', async () => {
    const { port, received } = await receiver(true);
    const { lookup } = names({
      ...{
        'inside.example': ['10.0.0.5'],
        'meta.example': ['169.254.169.254'],
        'mixed.example': ['127.0.0.1', '10.0.0.5'],
      },
      ...{ 'mapped.example': ['::ffff:10.0.0.5'], 'none.example': [] },
    });
    const post = createGuardedPost({ guard, authorities: certificate.authority, lookup });
    for (const name of ['inside', 'meta', 'mixed', 'mapped', 'none']) {
      const answer = await post({ url: `https://${name}.example:${port}/`, headers: {}, body, timeoutMs: 2000 });
      expect([name, answer]).toEqual([name, { kind: 'forbidden', reason: 'ADDRESS_FORBIDDEN' }]);
    }
    const closed = createGuardedPost({ guard: createNetworkGuard([]) });
    const inside = ['127.0.0.1', '[::1]', '[::ffff:7f00:1]', '10.0.0.1', '2130706433', '0x7f.1', '169.254.169.254'];
    for (const host of inside) {
      const answer = await closed({ url: `https://${host}:${port}/`, headers: {}, body, timeoutMs: 2000 });
      expect([host, answer]).toEqual([host, { kind: 'forbidden', reason: 'ADDRESS_FORBIDDEN' }]);
    }
    expect(received).toHaveLength(0);
    const missing = await post({ url: 'https://unknown.example/', headers: {}, body, timeoutMs: 2000 });
    expect(missing).toEqual({ kind: 'failed', reason: 'ENOTFOUND' });
  });

  it('speaks in clear with this machine alone, though a name says that it is here', async () => {
    const { port, url } = await receiver(false);
    const everything = createNetworkGuard(['127.0.0.0/8', '10.0.0.0/8']);
    const { lookup } = names({ localhost: ['10.0.0.5'] });
    const post = createGuardedPost({ guard: everything, lookup });
    expect(await post({ url, headers: {}, body, timeoutMs: 2000 })).toMatchObject({ kind: 'answered', status: 200 });
    const other = await post({ url: `http://localhost:${port}/`, headers: {}, body, timeoutMs: 2000 });
    expect(other).toEqual({ kind: 'forbidden', reason: 'ADDRESS_FORBIDDEN' });
    for (const bad of [
      'http://hooks.example/',
      'http://10.0.0.5/',
      'ftp://127.0.0.1/',
      'https://u:p@hooks.example/',
      'x',
    ]) {
      expect(() => demandPostUrl(bad)).toThrow('https');
      expect(await post({ url: bad, headers: {}, body, timeoutMs: 2000 })).toMatchObject({ kind: 'forbidden' });
    }
  });

  it('does not follow redirects', async () => {
    const [first, second] = [await receiver(false), await receiver(false)];
    first.answer = () => ({ status: 307, headers: { location: second.url } });
    const answer = await createGuardedPost({ guard })({ url: first.url, headers: {}, body, timeoutMs: 2000 });
    expect(outcomeOf(answer)).toEqual({ kind: 'refused', reason: 'HTTP 307' });
    expect(second.received).toHaveLength(0);
  });

  it('gives up at its deadline, also where the answer begins and does not end', async () => {
    const slow = await receiver(false);
    slow.answer = () => ({ status: 200, instead: 'hang' });
    const post = createGuardedPost({ guard });
    const startMs = performance.now();
    expect(await post({ url: slow.url, headers: {}, body, timeoutMs: 200 })).toEqual({
      kind: 'failed',
      reason: 'TIMEOUT',
    });
    slow.answer = () => ({ status: 200, headers: { 'content-length': '100' }, text: 'x' });
    expect(await post({ url: slow.url, headers: {}, body, timeoutMs: 200 })).toMatchObject({ kind: 'failed' });
    expect(performance.now() - startMs).toBeLessThan(2000);
    slow.answer = () => ({ status: 200, instead: 'drop' });
    expect(await post({ url: slow.url, headers: {}, body, timeoutMs: 2000 })).toMatchObject({ kind: 'failed' });
  });

  it('reads a beginning of the answer, however much comes, and sends no more than its limit', async () => {
    const much = await receiver(false);
    much.answer = () => ({ status: 200, text: 'x'.repeat(1_000_000) });
    const post = createGuardedPost({ guard });
    const answer = await post({ url: much.url, headers: {}, body, timeoutMs: 5000 });
    expect(answer).toMatchObject({ kind: 'answered', text: 'x'.repeat(4096) });
    const large = await post({ url: much.url, headers: {}, body: new Uint8Array(65_537), timeoutMs: 5000 });
    expect(large).toEqual({ kind: 'forbidden', reason: 'BODY_TOO_LARGE' });
  });

  it('tells what passes from what does not', async () => {
    const answers = await receiver(false);
    const post = createGuardedPost({ guard });
    const of = async (status: number, headers = {}) => {
      answers.answer = () => ({ status, headers });
      return outcomeOf(await post({ url: answers.url, headers: {}, body, timeoutMs: 2000 }));
    };
    expect(await of(204)).toEqual({ kind: 'delivered' });
    expect(await of(429, { 'retry-after': '7' })).toEqual({ kind: 'retry', reason: 'HTTP 429', afterMs: 7000 });
    expect(await of(503, { 'retry-after': '99999999' })).toMatchObject({ kind: 'retry', afterMs: 86_400_000 });
    expect(await of(401)).toMatchObject({ kind: 'retry', afterMs: null });
    expect(await of(400)).toEqual({ kind: 'refused', reason: 'HTTP 400' });
    expect(await of(410)).toMatchObject({ kind: 'refused' });
  });
});
