import { randomBytes } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_OIDC, type OidcSettings, openOidcProvider } from '../../src/adapters/oidc/oidc-provider.ts';
import type { IdentityProvider } from '../../src/identity/provider-claims.ts';
import { CLIENT, newSigningKey, REDIRECT_URI, type SmallProvider, startSmallProvider } from './small-oidc-provider.ts';

let small: SmallProvider;

beforeAll(async () => {
  small = await startSmallProvider();
});
afterAll(() => small.stop());
beforeEach(() => {
  Object.assign(small, { forge: null, status: 200, person: { sub: 'u-1', groups: ['fraude'] } });
});

const settings = (): OidcSettings => ({
  ...{ ...DEFAULT_OIDC, issuer: small.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret },
  ...{ redirectUri: REDIRECT_URI, timeoutMs: 2000, keysCooldownMs: 0 },
});

function open(changed: Partial<OidcSettings> = {}, nowMs = () => Date.now()): IdentityProvider {
  return openOidcProvider({ ...settings(), ...changed }, { randomBytes, nowMs });
}

async function logIn(provider = open(), nowMs = Date.now()) {
  const request = await provider.begin();
  const { code, issuer } = await small.visit(request.url);
  return provider.finish({ code, issuer }, request, nowMs);
}

const refusal = (code: string, text = '') => expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('an identity provider', () => {
  it('lets in whom it knows', async () => {
    const { subject, issuer, claims } = await logIn();
    expect({ subject, issuer }).toEqual({ subject: 'u-1', issuer: small.issuer });
    expect(claims.groups).toEqual(['fraude']);
  });

  it('is asked with new values each time', async () => {
    const provider = open();
    const [a, b] = [await provider.begin(), await provider.begin()];
    for (const name of ['state', 'nonce', 'codeVerifier'] as const) {
      expect(a[name]).toMatch(/^[\w-]{43}$/);
      expect(a[name]).not.toBe(b[name]);
    }
    expect(a.url).not.toContain(a.codeVerifier);
  });

  it.each([
    ['of another issuer', { iss: 'https://elsewhere.example' }],
    ['for another audience', { aud: 'other' }],
    ['for several, not saying which', { aud: [CLIENT.id, 'other'] }],
    ['for several, and another party', { aud: [CLIENT.id, 'other'], azp: 'other' }],
    ['that is over', { exp: Math.floor(Date.now() / 1000) - 120 }],
    ['that never ends', { exp: undefined }],
    ['that was made long ago', { iat: Math.floor(Date.now() / 1000) - 3600 }],
    ['of the future', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ['of nobody', { sub: undefined }],
    ['of an empty name', { sub: '' }],
    ['of a name that cannot be kept', { sub: 'u\u0000' }],
    ['with another nonce', { nonce: 'other' }],
    ['without a nonce', { nonce: undefined }],
  ])('is refused with an ID token %s', async (_, wrong) => {
    small.forge = (claims) => small.sign({ ...claims, ...wrong });
    await expect(logIn()).rejects.toEqual(refusal('PROVIDER_REFUSED'));
  });

  it('is refused with an ID token that nobody signed', async () => {
    small.forge = async (claims) => new UnsecuredJWT(claims).encode();
    await expect(logIn()).rejects.toEqual(refusal('PROVIDER_REFUSED'));
  });

  it('is refused with a keyed hash, whoever knows the key', async () => {
    for (const secret of [CLIENT.secret, CLIENT.id]) {
      const key = new TextEncoder().encode(secret.padEnd(32, ' '));
      small.forge = (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: small.key.kid }).sign(key);
      await expect(logIn()).rejects.toEqual(refusal('PROVIDER_REFUSED'));
    }
  });

  it('is refused with the key of somebody else, whatever name it goes by', async () => {
    const foreign = await newSigningKey();
    small.forge = (claims) => small.sign(claims, foreign);
    await expect(logIn()).rejects.toEqual(refusal('PROVIDER_REFUSED'));
    small.forge = (claims) => small.sign(claims, { ...foreign, kid: small.key.kid });
    await expect(logIn()).rejects.toEqual(refusal('PROVIDER_REFUSED'));
  });

  it('is refused with a token that was changed on the way', async () => {
    small.forge = async (claims) => {
      const [header, , signature] = (await small.sign(claims)).split('.');
      const payload = Buffer.from(JSON.stringify({ ...claims, groups: ['admin'] })).toString('base64url');
      return `${header}.${payload}.${signature}`;
    };
    await expect(logIn()).rejects.toEqual(refusal('PROVIDER_REFUSED'));
  });

  it('may replace its keys', async () => {
    const provider = open();
    await logIn(provider);
    const reads = small.keysRead;
    await logIn(provider);
    expect(small.keysRead).toBe(reads);
    const old = small.key;
    await small.rotateKey();
    expect((await logIn(provider)).subject).toBe('u-1');
    small.forge = (claims) => small.sign(claims, old);
    await expect(logIn(provider)).rejects.toEqual(refusal('PROVIDER_REFUSED'));
  });

  it('gives a code that works once, for whoever asked for it', async () => {
    const provider = open();
    const request = await provider.begin();
    const { code, issuer } = await small.visit(request.url);
    const other = await provider.begin();
    await expect(provider.finish({ code, issuer }, other, Date.now())).rejects.toEqual(refusal('PROVIDER_REFUSED'));
    await expect(provider.finish({ code, issuer }, request, Date.now())).rejects.toEqual(refusal('PROVIDER_REFUSED'));
    await expect(provider.finish({ code: '', issuer }, request, Date.now())).rejects.toEqual(
      refusal('PROVIDER_REFUSED'),
    );
  });

  it('is not mixed up with another one', async () => {
    const provider = open();
    const request = await provider.begin();
    const { code } = await small.visit(request.url);
    for (const issuer of [null, 'https://elsewhere.example', '']) {
      await expect(provider.finish({ code, issuer }, request, Date.now())).rejects.toEqual(
        refusal('PROVIDER_REFUSED', 'another issuer'),
      );
    }
  });

  it('refuses a client with another secret', async () => {
    await expect(logIn(open({ clientSecret: 'other' }))).rejects.toEqual(refusal('PROVIDER_REFUSED'));
  });

  it('that does not answer is told apart from one that refuses', async () => {
    const provider = open();
    const request = await provider.begin();
    const { code, issuer } = await small.visit(request.url);
    small.status = 503;
    await expect(provider.finish({ code, issuer }, request, Date.now())).rejects.toEqual(
      refusal('PROVIDER_UNAVAILABLE'),
    );
    await expect(open().begin()).rejects.toEqual(refusal('PROVIDER_UNAVAILABLE'));
    small.status = 200;
    const nobody = open({ issuer: 'http://127.0.0.1:9' });
    await expect(nobody.begin()).rejects.toEqual(refusal('PROVIDER_UNAVAILABLE'));
  });

  it('whose keys cannot be read is unavailable, and works again afterwards', async () => {
    const provider = open();
    const request = await provider.begin();
    const { code, issuer } = await small.visit(request.url);
    small.forge = async (claims) => {
      small.status = 503;
      return small.sign(claims);
    };
    await expect(provider.finish({ code, issuer }, request, Date.now())).rejects.toEqual(
      refusal('PROVIDER_UNAVAILABLE'),
    );
    Object.assign(small, { forge: null, status: 200 });
    expect((await logIn(provider)).subject).toBe('u-1');
  });

  it('is spoken to over https, or on this machine', () => {
    for (const issuer of ['http://id.banco.example', 'http://127.example', 'ftp://127.0.0.1', 'x', '']) {
      expect(() => open({ issuer })).toThrow(refusal('PROVIDER_INVALID'));
    }
    expect(() => open({ issuer: 'https://id.banco.example' })).not.toThrow();
  });

  it('must be the issuer that it is asked for', async () => {
    await expect(open({ issuer: `${small.issuer}/` }).begin()).rejects.toEqual(refusal('PROVIDER_INVALID'));
  });
});
