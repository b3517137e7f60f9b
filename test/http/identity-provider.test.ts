// People who log in at the bank's identity provider, through the running service as a browser does it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DEFAULT_OIDC, openOidcProvider } from '../../src/adapters/oidc/oidc-provider.ts';
import { readIdentityFile } from '../../src/identity/settings.ts';
import { CLIENT, REDIRECT_URI, type SmallProvider, startSmallProvider } from '../identity/small-oidc-provider.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Reply, startTestService, type TestService } from './running-service.ts';

const ANA = {
  ...{ sub: 'u-1', preferred_username: 'ana.rojas', name: 'Ana Rojas', email: 'ana@banco.example' },
  groups: ['fraude'],
};
const BEGIN = '/v1/session/provider:begin';

let small: SmallProvider;

beforeAll(async () => {
  small = await startSmallProvider();
});
afterAll(() => small.stop());
beforeEach(() => {
  Object.assign(small, { person: ANA, forge: null, status: 200 });
});

function cookiesOf(reply: Reply): Record<string, string> {
  const pairs = (reply.headers['set-cookie'] ?? []).map((each) => each.split(';')[0].split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(pairs);
}

function back({ code, state, issuer }: { code: string; state: string; issuer: string }): string {
  return `/v1/session/provider?${new URLSearchParams({ code, state, iss: issuer, session_state: 'x' })}`;
}

describeOnEachEngine('the identity provider, over HTTP', (open) => {
  async function withService(work: (service: TestService) => Promise<void>): Promise<void> {
    const { provider, ...identity } = readIdentityFile({
      provider: {
        ...{ issuer: small.issuer, clientId: CLIENT.id, clientSecret: 'oidc', redirectUri: REDIRECT_URI },
        ...{ roles: { fraude: ['fraud-analyst'] }, allowedDomains: ['banco.example'] },
      },
    });
    const settings = { ...DEFAULT_OIDC, ...provider!, clientSecret: CLIENT.secret, timeoutMs: 30_000 };
    const service = await startTestService(await open(), {
      ...{ provider: openOidcProvider(settings, { randomBytes, nowMs: Date.now }), identity },
    });
    try {
      await work(service);
    } finally {
      await service.stop();
    }
  }

  /** As far as the way back. */
  async function leave(service: TestService, query = '') {
    const begun = await service.stranger.ask(`${BEGIN}${query}`);
    expect(begun.status, begun.text).toBe(303);
    const cookie = `__Host-centinela-provider=${cookiesOf(begun)['__Host-centinela-provider']}`;
    return { begun, cookie, path: back(await small.visit(String(begun.headers.location))) };
  }

  it('lets somebody in with a role of the groups, as after a log-in here, and it is in the audit', async () => {
    await withService(async (service) => {
      expect((await service.stranger.ask('/v1/setup')).json).toMatchObject({ hasProvider: true });
      const { begun, cookie, path } = await leave(service, '?returnPath=/casos/C-1');
      expect(begun.headers['set-cookie']?.[0]).toContain('HttpOnly; SameSite=Lax');
      const entered = await service.stranger.ask(path, { headers: { cookie } });
      expect([entered.status, entered.headers.location], entered.text).toEqual([303, '/casos/C-1']);
      expect(entered.headers['set-cookie']?.[0]).toContain('Secure; HttpOnly; SameSite=Strict');
      const session = { cookie: `__Host-centinela=${cookiesOf(entered)['__Host-centinela']}` };
      const known = await service.stranger.ask('/v1/session', { headers: session });
      expect(known.json).toMatchObject({ user: { login: 'ana.rojas', roles: ['fraud-analyst'], isExternal: true } });
      expect((await service.stranger.ask('/v1/alerts', { headers: session })).status).toBe(200);
      expect((await service.stranger.ask('/v1/users', { headers: session })).status).toBe(403);
      const out = await service.stranger.ask('/v1/session', { method: 'DELETE', headers: session });
      expect(out.json.code).toBe('CSRF_TOKEN');
      const entries = (await (await service.as('auditor')).ask('/v1/audit')).json.rows as { action: string }[];
      expect(entries.map(({ action }) => action)).toEqual(
        expect.arrayContaining(['user.provisioned', 'user.logged-in']),
      );
    });
  }, 120_000);

  it('takes an answer once, in the browser that was sent, with its own state, and leads nowhere else', async () => {
    await withService(async (service) => {
      const codeOf = async (path: string, cookie?: string) =>
        (await service.stranger.ask(path, cookie === undefined ? {} : { headers: { cookie } })).json?.code;
      const [first, other] = [await leave(service), await leave(service)];
      expect(await codeOf(first.path)).toBe('PROVIDER_STATE_INVALID');
      expect(await codeOf(first.path, other.cookie)).toBe('PROVIDER_STATE_INVALID');
      const entered = await service.stranger.ask(first.path, { headers: { cookie: first.cookie } });
      expect(entered.status, entered.text).toBe(303);
      expect(await codeOf(first.path, first.cookie)).toBe('PROVIDER_STATE_INVALID');
      expect(await codeOf('/v1/session/provider?error=access_denied', other.cookie)).toBe('PROVIDER_REFUSED');
      const elsewhere = [
        '//x.example',
        'https://x.example',
        '/\\x.example',
        '/%5Cx.example',
        'casos',
        '/a?b',
        '/%09/x.example',
      ];
      for (const path of elsewhere) {
        expect(await codeOf(`${BEGIN}?returnPath=${encodeURIComponent(path)}`), path).toBe('RETURN_PATH_INVALID');
      }
    });
  }, 120_000);

  it('lets nobody in without a role, of another domain, with a forged token, or while it does not answer', async () => {
    await withService(async (service) => {
      const codeAs = async (person: object, forge: SmallProvider['forge'] = null) => {
        Object.assign(small, { person: { ...ANA, ...person }, forge });
        const { cookie, path } = await leave(service);
        const { json } = await service.stranger.ask(path, { headers: { cookie } });
        return json?.code;
      };
      expect(await codeAs({ groups: ['otros'] })).toBe('PROVIDER_NO_ROLE');
      expect(await codeAs({ email: 'ana@otro.example' })).toBe('PROVIDER_DOMAIN');
      expect(await codeAs({ email_verified: false })).toBe('PROVIDER_DOMAIN');
      expect(await codeAs({}, async (claims, { sign }) => await sign({ ...claims, nonce: 'x' }))).toBe(
        'PROVIDER_REFUSED',
      );
      const auditor = await service.as('auditor');
      const rows = (await auditor.ask('/v1/audit')).json.rows as { action: string; detail: { reason?: string } }[];
      const refused = rows.filter(({ action }) => action === 'user.log-in-refused').map(({ detail }) => detail.reason);
      expect(refused.sort()).toEqual(['domain-foreign', 'domain-foreign', 'no-role', 'provider-refused']);
      // What the provider is was found out before: now its other answers fail.
      const { cookie, path } = await leave(service);
      Object.assign(small, { status: 500 });
      const reply = await service.stranger.ask(path, { headers: { cookie } });
      expect([reply.status, reply.json.code]).toEqual([503, 'PROVIDER_UNAVAILABLE']);
    });
  }, 120_000);
});
