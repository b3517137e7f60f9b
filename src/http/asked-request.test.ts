// What handlers see of a request, and that a request that was answered is let go of by the next small collection.
import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { AskedRequest } from './asked-request.ts';
import type { Known } from './guard.ts';

const REQUESTS = 20_000;
const PAYLOAD = 100;

function framework(headers: Record<string, string> = {}) {
  const raw = new EventEmitter();
  const request = {
    ...{ headers, ip: '10.0.0.1', id: 'r-1', known: null as Known | null },
    ...{ credentials: { sessionToken: 's-1' }, payload: Array.from({ length: PAYLOAD }, (_, index) => ({ index })) },
  };
  return { raw, request: request as unknown as FastifyRequest, reply: { raw } as unknown as FastifyReply };
}

const GIVEN = { params: undefined, query: undefined, body: undefined };

describe('a request as handlers see it', () => {
  it('tells who asked, from where and with which headers, also where a handler takes them out of it', () => {
    const { request, reply } = framework({ 'if-match': '"7"', 'idempotency-key': 'k' });
    const { principal, sessionToken, address, requestId, ifMatch, nowMs, header } = new AskedRequest(
      ...[request, reply, 5, GIVEN],
    );
    expect({ principal, sessionToken, address, requestId, ifMatch, nowMs }).toEqual({
      ...{ principal: null, sessionToken: 's-1', address: '10.0.0.1', requestId: 'r-1', ifMatch: 7, nowMs: 5 },
    });
    expect([header('idempotency-key'), header('x-none')]).toEqual(['k', null]);
  });

  it('says that the caller has gone once the connection closes', () => {
    const { raw, request, reply } = framework();
    const { aborted } = new AskedRequest(request, reply, 0, GIVEN);
    expect(aborted.aborted).toBe(false);
    raw.emit('close');
    expect(aborted.aborted).toBe(true);
  });

  it('refuses an If-Match that is no ETag of ours', () => {
    const { request, reply } = framework({ 'if-match': '*' });
    expect(() => new AskedRequest(request, reply, 0, GIVEN)).toThrow('If-Match is not an ETag of ours');
  });

  it('is garbage for a small collection once it is answered', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (how: { readonly type: 'minor' | 'major' }) => void;
    const handle = () => {
      const { request, reply } = framework();
      return new AskedRequest(request, reply, 0, GIVEN).nowMs;
    };
    for (let i = 0; i < 1000; i++) handle();
    collect({ type: 'major' });
    const beforeBytes = process.memoryUsage().heapUsed;
    for (let i = 0; i < REQUESTS; i++) handle();
    for (let i = 0; i < 3; i++) collect({ type: 'minor' });
    const keptBytes = process.memoryUsage().heapUsed - beforeBytes;
    expect(keptBytes / REQUESTS).toBeLessThan(100);
  });
});
