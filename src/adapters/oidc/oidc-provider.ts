// The bank's identity provider, by OpenID Connect Core 1.0: authorization code with PKCE (RFC 7636), state and nonce, as
// OAuth 2.0 Security Best Current Practice (RFC 9700) has it. Discovery, exchange of the code, and every check of the ID token;
// what its claims mean is decided elsewhere (identity/provider-claims.ts).
//
// Keys come from the provider's JWKS (`jose`), are kept for ten minutes and looked up again where a token names one that is
// not there, which is how providers replace keys. Only asymmetric signatures are taken: `none` and keyed hashes are no
// algorithms here. Redirects are not followed, answers have a limit and a time.
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { InputError } from '../../lib/errors.ts';

export interface OidcSettings {
  /** Exactly as the provider writes it: `https://id.banco.example/realms/banco`. */
  readonly issuer: string;
  readonly clientId: string;
  /** null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  readonly clientAuthentication: 'basic' | 'post';
  /** Where the provider sends the browser back, as it is registered there. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  /** What may differ between the provider's clock and ours. */
  readonly clockToleranceMs: number;
  /** The provider's keys are not asked for more often than this, whatever a token names. */
  readonly keysCooldownMs: number;
}

export const DEFAULT_OIDC: Pick<
  OidcSettings,
  'clientAuthentication' | 'scopes' | 'timeoutMs' | 'clockToleranceMs' | 'keysCooldownMs'
> = {
  ...{ clientAuthentication: 'basic', scopes: ['openid', 'profile', 'email'] },
  ...{ timeoutMs: 5000, clockToleranceMs: 60_000, keysCooldownMs: 30_000 },
};

export interface OidcOptions {
  readonly randomBytes: (size: number) => Uint8Array;
  readonly nowMs: () => number;
  readonly fetch?: typeof fetch;
}

export interface OidcRequest {
  readonly url: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface OidcClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface OidcProvider {
  begin(): Promise<OidcRequest>;
  /** @throws InputError with code `PROVIDER_REFUSED` or `PROVIDER_UNAVAILABLE` */
  finish(
    callback: { readonly code: string; readonly issuer: string | null },
    request: Pick<OidcRequest, 'nonce' | 'codeVerifier'>,
    nowMs: number,
  ): Promise<OidcClaims>;
}

interface Discovered {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** RFC 9207: its answers say who they are from. */
  readonly namesItself: boolean;
  readonly keys: JWTVerifyGetKey;
  readonly untilMs: number;
}

const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const DISCOVERED_FOR_MS = 3_600_000;
const KEYS_FOR_MS = 600_000;
/** From the making of an ID token to its arrival. */
const MOST_TOKEN_AGE_S = 600;
const MOST_ANSWER_BYTES = 512 * 1024;
const MOST_CODE_LENGTH = 4096;
const MOST_SUBJECT_LENGTH = 255;

/** @throws InputError with code `PROVIDER_INVALID` where the settings are not to be trusted with a password's worth */
export function openOidcProvider(settings: OidcSettings, options: OidcOptions): OidcProvider {
  const { issuer, clientId, redirectUri, scopes, clockToleranceMs, timeoutMs, keysCooldownMs } = settings;
  demandSecureUrl(issuer, 'issuer');
  demandSecureUrl(redirectUri, 'redirect URI');
  const request = boundedFetch(options.fetch ?? fetch, timeoutMs);
  let discovered: Discovered | null = null;
  let discovering: Promise<Discovered> | null = null;

  function discover(): Promise<Discovered> {
    if (discovered !== null && discovered.untilMs > options.nowMs()) return Promise.resolve(discovered);
    discovering ??= readDiscovery()
      .then((found) => {
        discovered = found;
        return found;
      })
      .finally(() => {
        discovering = null;
      });
    return discovering;
  }

  async function readDiscovery(): Promise<Discovered> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = await readJson(await request(url, { headers: { accept: 'application/json' } }), 'discovery');
    if (document.issuer !== issuer) {
      const named = String(document.issuer).slice(0, 100);
      throw new InputError('PROVIDER_INVALID', `${url} names another issuer: ${named}`, 'Write the issuer as it does');
    }
    const endpoint = (name: string) => demandSecureUrl(document[name], name);
    return {
      ...{ authorizationEndpoint: endpoint('authorization_endpoint'), tokenEndpoint: endpoint('token_endpoint') },
      namesItself: document.authorization_response_iss_parameter_supported === true,
      keys: createRemoteJWKSet(new URL(endpoint('jwks_uri')), {
        ...{ timeoutDuration: timeoutMs, cooldownDuration: keysCooldownMs, cacheMaxAge: KEYS_FOR_MS },
        [customFetch]: request,
      }),
      untilMs: options.nowMs() + DISCOVERED_FOR_MS,
    };
  }

  async function exchange(tokenEndpoint: string, code: string, codeVerifier: string): Promise<string> {
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri });
    body.set('code_verifier', codeVerifier);
    const headers: Record<string, string> = { accept: 'application/json' };
    authenticate(settings, headers, body);
    const response = await request(tokenEndpoint, { method: 'POST', headers, body });
    if (response.status >= 400 && response.status < 500) throw refused('the code was not taken');
    const { id_token: idToken } = await readJson(response, 'token endpoint');
    if (typeof idToken !== 'string') throw refused('there was no ID token');
    return idToken;
  }

  return {
    async begin() {
      const { authorizationEndpoint } = await discover();
      const [state, nonce, codeVerifier] = [0, 0, 0].map(() => base64url(options.randomBytes(32)));
      const url = new URL(authorizationEndpoint);
      const parameters = {
        ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope: scopes.join(' ') },
        ...{ state, nonce, code_challenge_method: 'S256' },
        code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { url: url.href, state, nonce, codeVerifier };
    },
    async finish(callback, { nonce, codeVerifier }, nowMs) {
      const { tokenEndpoint, namesItself, keys } = await discover();
      const isNamed = callback.issuer === null ? !namesItself : callback.issuer === issuer;
      if (!isNamed) throw refused('the answer is from another issuer');
      if (callback.code === '' || callback.code.length > MOST_CODE_LENGTH) throw refused('there was no code');
      const idToken = await exchange(tokenEndpoint, callback.code, codeVerifier);
      const claims = await verifiedClaims(idToken, keys, {
        ...{ issuer, audience: clientId, algorithms: ALGORITHMS, currentDate: new Date(nowMs) },
        ...{ clockTolerance: clockToleranceMs / 1000, maxTokenAge: MOST_TOKEN_AGE_S },
        requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
      });
      if (claims.nonce !== nonce) throw refused('the ID token is not for this log-in');
      demandParty(claims, clientId);
      const { sub: subject } = claims;
      if (
        typeof subject !== 'string' ||
        subject === '' ||
        subject.length > MOST_SUBJECT_LENGTH ||
        /\p{C}/u.test(subject)
      ) {
        throw refused('the ID token does not say who it is');
      }
      return { issuer, subject, claims };
    },
  };
}

async function verifiedClaims(
  idToken: string,
  keys: JWTVerifyGetKey,
  checks: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(idToken, keys, checks)).payload;
  } catch (error) {
    if (error instanceof InputError) throw error;
    // Another key than those there are is a refusal; that they could not be read is not.
    if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw unavailable('its keys');
    if (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') throw unavailable('its keys');
    throw refused(`the ID token does not hold (${error.code})`);
  }
}

/** OpenID Connect Core 3.1.3.7, 3–5. */
function demandParty({ aud, azp }: JWTPayload, clientId: string): void {
  const isShared = Array.isArray(aud) && aud.length > 1;
  if ((isShared && azp === undefined) || (azp !== undefined && azp !== clientId)) {
    throw refused('the ID token is for another client');
  }
}

/** RFC 6749 2.3.1: both parts are form-encoded before they are joined. */
function authenticate(
  { clientId, clientSecret, clientAuthentication }: OidcSettings,
  headers: Record<string, string>,
  body: URLSearchParams,
): void {
  if (clientSecret === null || clientAuthentication === 'post') {
    body.set('client_id', clientId);
    if (clientSecret !== null) body.set('client_secret', clientSecret);
    return;
  }
  const form = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  headers.authorization = `Basic ${Buffer.from(`${form(clientId)}:${form(clientSecret)}`).toString('base64')}`;
}

type BoundedFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Answers that are whole, in time, not too long, and from where they were asked for. */
function boundedFetch(run: typeof fetch, timeoutMs: number): BoundedFetch {
  return async (url, init = {}) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await run(url, { ...init, redirect: 'error', signal });
      const bytes = await readBounded(response);
      return new Response(bytes, { status: response.status, headers: response.headers });
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw unavailable(new URL(url).host);
    }
  };
}

async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MOST_ANSWER_BYTES) throw unavailable('its answer, which is too long');
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function readJson(response: Response, what: string): Promise<Readonly<Record<string, unknown>>> {
  if (response.status !== 200) throw unavailable(`its ${what} (${response.status})`);
  const value: unknown = await response.json().catch(() => null);
  if (typeof value !== 'object' || value === null) throw unavailable(`its ${what}`);
  return value as Readonly<Record<string, unknown>>;
}

/** https, or http to this machine alone. */
function demandSecureUrl(value: unknown, what: string): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname)))) {
    return value as string;
  }
  throw new InputError('PROVIDER_INVALID', `The identity provider's ${what} is no https address`, 'Write one');
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function refused(why: string): InputError {
  return new InputError('PROVIDER_REFUSED', `The identity provider's answer was refused: ${why}`, 'Begin again');
}

function unavailable(what: string): InputError {
  return new InputError('PROVIDER_UNAVAILABLE', `The identity provider does not answer: ${what}`, 'Try again later');
}
