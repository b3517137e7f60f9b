// An identity provider as small as it can be and still be one: discovery, keys, an authorization endpoint that lets in
// whoever it is told to, and a token endpoint that checks client, redirect URI and PKCE. Tests make it lie.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export interface SmallProvider {
  readonly issuer: string;
  /** Who comes next: the claims of their ID token, over those that are always there. */
  person: Record<string, unknown>;
  /** How the next ID tokens are made instead, given the claims that would be right. */
  forge: ((claims: Record<string, unknown>, provider: SmallProvider) => Promise<string>) | null;
  /** Status of whatever is asked; 200 works. */
  status: number;
  key: SigningKey;
  /** Requests for the keys. */
  keysRead: number;
  sign(claims: Record<string, unknown>, key?: SigningKey): Promise<string>;
  /** Another signing key; the old one is not offered any more. */
  rotateKey(): Promise<void>;
  /** What a browser does: follows the link, is let in, comes back. */
  visit(url: string): Promise<{ code: string; state: string; issuer: string }>;
  stop(): Promise<void>;
}

export const CLIENT = { id: 'centinela', secret: 'a secret: with / + signs' };
export const REDIRECT_URI = 'http://127.0.0.1/api/v1/session/provider';

export async function newSigningKey(alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { kid: randomUUID(), alg, privateKey, publicKey };
}

interface Grant {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
  readonly person: Record<string, unknown>;
}

export async function startSmallProvider(): Promise<SmallProvider> {
  const grants = new Map<string, Grant>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const provider: SmallProvider = {
    ...{ issuer, person: { sub: '1' }, forge: null, status: 200, keysRead: 0, key: await newSigningKey() },
    sign: (claims, key = provider.key) =>
      new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey),
    async rotateKey() {
      provider.key = await newSigningKey('ES256');
    },
    async visit(url) {
      const response = await fetch(url, { redirect: 'manual' });
      const back = new URL(response.headers.get('location') ?? 'about:blank');
      const parameter = (name: string) => back.searchParams.get(name) ?? '';
      return { code: parameter('code'), state: parameter('state'), issuer: parameter('iss') };
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer);
    if (provider.status !== 200) {
      response.statusCode = provider.status;
      response.end('{}');
      return;
    }
    if (url.pathname === '/.well-known/openid-configuration') return json(response, discovery());
    if (url.pathname === '/keys') {
      provider.keysRead++;
      const { kid, alg, publicKey } = provider.key;
      return json(response, { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] });
    }
    if (url.pathname === '/authorize') return authorize(url, response);
    if (url.pathname === '/token') return token(request, response);
    response.statusCode = 404;
    response.end();
  }

  function discovery() {
    return {
      ...{ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
      ...{ jwks_uri: `${issuer}/keys`, authorization_response_iss_parameter_supported: true },
    };
  }

  function authorize({ searchParams }: URL, response: ServerResponse): void {
    const parameter = (name: string) => searchParams.get(name) ?? '';
    const isRight =
      parameter('response_type') === 'code' &&
      parameter('client_id') === CLIENT.id &&
      parameter('redirect_uri') === REDIRECT_URI &&
      parameter('code_challenge_method') === 'S256' &&
      parameter('scope').split(' ').includes('openid');
    if (!isRight) throw new Error('not a request of this client');
    const code = randomUUID();
    grants.set(code, {
      ...{ challenge: parameter('code_challenge'), redirectUri: REDIRECT_URI },
      ...{ nonce: parameter('nonce'), person: provider.person },
    });
    const back = new URL(REDIRECT_URI);
    back.searchParams.set('code', code);
    back.searchParams.set('state', parameter('state'));
    back.searchParams.set('iss', issuer);
    response.statusCode = 302;
    response.setHeader('location', back.href);
    response.end();
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    const grant = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const [id, secret] = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64')
      .toString()
      .split(':');
    const plain = (text = '') => new URLSearchParams(`x=${text}`).get('x');
    const isClient = plain(id) === CLIENT.id && plain(secret) === CLIENT.secret;
    if (!isClient || grant?.challenge !== challenge || form.get('redirect_uri') !== grant.redirectUri) {
      response.statusCode = 400;
      return json(response, { error: 'invalid_grant' });
    }
    const seconds = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ iss: issuer, aud: CLIENT.id, iat: seconds, exp: seconds + 300, nonce: grant.nonce },
      ...grant.person,
    };
    const idToken = provider.forge === null ? await provider.sign(claims) : await provider.forge(claims, provider);
    json(response, { access_token: 'x', token_type: 'Bearer', id_token: idToken });
  }

  return provider;
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}
