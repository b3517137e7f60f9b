// POSTs to addresses that an administrator wrote, without becoming a way into the bank's network.
//
// TLS only, but for this machine itself. Names are resolved here, every address that comes back must be allowed, and the
// connection goes to the address that was judged (a second look-up could answer otherwise: DNS rebinding). Redirects are not
// followed. One deadline covers resolving, connecting and the answer, of which only a beginning is read.
import { lookup as lookupAddresses } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { InputError } from '../../lib/errors.ts';
import { isLoopback, type NetworkGuard } from './network-guard.ts';

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `MOST_BODY_BYTES`. */
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

export type PostAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** `Retry-After`; null where it is missing or a date. */
      readonly retryAfterMs: number | null;
      /** Its beginning. */
      readonly text: string;
    }
  /** Nobody answered, or the connection broke: what became of it is not known. `reason` is a code. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It may not be asked, or is too large: trying again does not help. */
  | { readonly kind: 'forbidden'; readonly reason: string };

export type Post = (request: PostRequest) => Promise<PostAnswer>;

export interface PostOptions {
  readonly guard: NetworkGuard;
  /** PEM of authorities that are trusted instead of the system's; null: those. */
  readonly authorities?: string | null;
  /** How names are resolved; the system's way unless given. */
  readonly lookup?: typeof lookupAddresses;
}

export const MOST_BODY_BYTES = 64 * 1024;
const MOST_ANSWER_BYTES = 4096;
/** Asked to wait longer than this, we do not. */
const MOST_RETRY_AFTER_S = 86_400;
const FORBIDDEN = 'ADDRESS_FORBIDDEN';

class ForbiddenAddressError extends Error {
  readonly code = FORBIDDEN;
}

/** @throws InputError for what is no URL that may be posted to: told when settings are read, not at the first alert */
export function demandPostUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url?.protocol === 'http:';
  const isHere = url !== null && (url.hostname === 'localhost' || isLoopback(hostOf(url)));
  if (
    url === null ||
    url.username !== '' ||
    url.password !== '' ||
    !(url.protocol === 'https:' || (isPlain && isHere))
  ) {
    throw new InputError(
      'WEBHOOK_URL_INVALID',
      `The address of a webhook at '${url?.hostname ?? ''}' is not one of https without user and password`,
      'http is for this machine alone (127.0.0.1, ::1, localhost)',
    );
  }
  return url;
}

export function createGuardedPost({ guard, authorities = null, lookup = lookupAddresses }: PostOptions): Post {
  return ({ url: text, headers, body, timeoutMs }) => {
    let url: URL;
    try {
      url = demandPostUrl(text);
    } catch (error) {
      return Promise.resolve({ kind: 'forbidden', reason: (error as InputError).code });
    }
    if (body.length > MOST_BODY_BYTES) return Promise.resolve({ kind: 'forbidden', reason: 'BODY_TOO_LARGE' });
    const isPlain = url.protocol === 'http:';
    const mayReach = (address: string) => guard.isAllowed(address) && (!isPlain || isLoopback(address));
    const host = hostOf(url);
    // An address is not looked up, so it is judged here.
    if (isIP(host) !== 0 && !mayReach(host)) return Promise.resolve({ kind: 'forbidden', reason: FORBIDDEN });

    return new Promise<PostAnswer>((resolve) => {
      const request = (isPlain ? requestHttp : requestHttps)(url, {
        ...{ method: 'POST', lookup: guardedLookup(lookup, mayReach), agent: false, minVersion: 'TLSv1.2' },
        ...(authorities === null ? {} : { ca: authorities }),
        headers: { ...headers, 'content-length': String(body.length), 'user-agent': 'Centinela' },
      });
      const fail = (reason: string) => {
        clearTimeout(timer);
        resolve(reason === FORBIDDEN ? { kind: 'forbidden', reason } : { kind: 'failed', reason });
        request.destroy();
      };
      const timer = setTimeout(() => fail('TIMEOUT'), timeoutMs);
      request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'NETWORK_ERROR'));
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        const finish = () => {
          clearTimeout(timer);
          const text = Buffer.concat(parts).subarray(0, MOST_ANSWER_BYTES).toString('utf8');
          const retryAfterMs = readRetryAfter(response.headers['retry-after']);
          resolve({ kind: 'answered', status: response.statusCode ?? 0, retryAfterMs, text });
          request.destroy();
        };
        response.on('data', (part: Buffer) => {
          parts.push(part);
          size += part.length;
          if (size >= MOST_ANSWER_BYTES) finish();
        });
        response.on('end', finish);
        response.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'NETWORK_ERROR'));
      });
      request.end(body);
    });
  };
}

/** Resolves, judges all that came back, and hands on what was judged. */
function guardedLookup(lookup: typeof lookupAddresses, mayReach: (address: string) => boolean): LookupFunction {
  return (name, options, done) => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        done(error, '', 0);
        return;
      }
      const bad = addresses.some(({ address }) => !mayReach(address));
      if (bad || addresses.length === 0) {
        done(new ForbiddenAddressError(`${name} is not where a webhook may go`), '', 0);
        return;
      }
      if (options.all === true) done(null, addresses);
      else done(null, addresses[0].address, addresses[0].family);
    });
  };
}

/** A URL writes IPv6 in brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function readRetryAfter(value: string | undefined): number | null {
  if (value === undefined || !/^\d{1,9}$/.test(value)) return null;
  return Math.min(Number(value), MOST_RETRY_AFTER_S) * 1000;
}
