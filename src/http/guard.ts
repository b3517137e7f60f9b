// Who asks, and whether they may: for every request, before anything of its body is read.
import type { ClientCertificate } from '../identity/client-certificate.ts';
import type { Principal } from '../identity/principal.ts';
import type { Access } from './contract.ts';
import { Problem } from './problem.ts';

/** What a request shows of who sends it. */
export interface Credentials {
  /** Of the session, from its cookie. */
  readonly sessionToken: string | null;
  /** What a script of another site cannot send along with the cookie. */
  readonly csrfToken: string | null;
  /** `Authorization: Bearer …` */
  readonly key: string | null;
  /** That an authority of ours signed; null where a browser asks, which shows it on whoever's behalf. */
  readonly certificate: ClientCertificate | null;
  readonly address: string;
}

export interface Known {
  readonly principal: Principal;
  /** Where it is a session: what changes must carry. */
  readonly csrfToken: string | null;
}

/** null: nobody that is known, whatever the reason. */
export type Authenticate = (credentials: Credentials, nowMs: number) => Promise<Known | null> | Known | null;

/** Of a browser that is at the identity provider: it alone may come back. */
export const PROVIDER_COOKIE = '__Host-centinela-provider';
export const SESSION_COOKIE = '__Host-centinela';
export const CSRF_HEADER = 'x-csrf-token';
const MOST_COOKIE_CHARACTERS = 4096;

/** @throws Problem 401, 403 */
export function checkAccess(access: Access, known: Known | null): void {
  if (access === 'anyone') return;
  if (known === null) {
    throw new Problem(401, 'NOT_KNOWN', 'Log in, or send a valid key as "Authorization: Bearer …"', {
      'www-authenticate': 'Bearer realm="centinela"',
    });
  }
  if (access === 'signed-in' || known.principal.permissions.has(access)) return;
  throw new Problem(403, 'NOT_ALLOWED', `This needs the permission ${access}. Ask an administrator`);
}

/**
 * A browser sends cookies along with whatever another site makes it send; the token it does not have.
 *
 * @throws Problem 403
 */
export function checkForgery(method: string, credentials: Credentials, known: Known | null): void {
  if (known === null || known.csrfToken === null || method === 'GET' || method === 'HEAD') return;
  if (credentials.csrfToken === known.csrfToken) return;
  throw new Problem(
    403,
    'CSRF_TOKEN',
    `Send the session's token in the header ${CSRF_HEADER}: GET /v1/session tells it`,
  );
}

export function bearerOf(authorization: string | undefined): string | null {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]{1,500})$/.exec(authorization ?? '');
  return match?.[1] ?? null;
}

/** The token that a cookie of ours carries. @param cookies the header */
export function cookieTokenOf(cookies: string | undefined, wanted: string): string | null {
  if (cookies === undefined || cookies.length > MOST_COOKIE_CHARACTERS) return null;
  for (const cookie of cookies.split(';')) {
    const [name, value] = cookie.trim().split('=', 2);
    if (name === wanted && /^[A-Za-z0-9_-]{20,200}$/.test(value ?? '')) return value;
  }
  return null;
}
