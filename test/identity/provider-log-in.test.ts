import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DEFAULT_OIDC, openOidcProvider } from '../../src/adapters/oidc/oidc-provider.ts';
import { DEFAULT_CLAIMS } from '../../src/identity/provider-claims.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { openIdentity, refusal, VISITOR } from './open-identity.ts';
import { CLIENT, REDIRECT_URI, type SmallProvider, startSmallProvider } from './small-oidc-provider.ts';

let small: SmallProvider;

beforeAll(async () => {
  small = await startSmallProvider();
});
afterAll(() => small.stop());

const ANA = {
  sub: 'u-1',
  preferred_username: 'Ana.Rojas',
  name: 'Ana Rojas',
  email: 'ana@banco.example',
  groups: ['fraude'],
};

beforeEach(() => {
  Object.assign(small, { person: ANA, forge: null, status: 200 });
});

describeOnEachEngine('people of an identity provider', (open) => {
  async function withProvider(settings: { mostProviderRequests?: number; requiredMethods?: string[] } = {}) {
    const { requiredMethods = [], ...others } = settings;
    const roles = {
      fraude: ['fraud-analyst' as const],
      jefes: ['operations-manager' as const],
      admin: ['administrator' as const],
    };
    const opened = openIdentity(await open(), {
      provider: openOidcProvider(
        {
          ...{ ...DEFAULT_OIDC, issuer: small.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret },
          redirectUri: REDIRECT_URI,
        },
        { randomBytes, nowMs: () => Date.now() },
      ),
      settings: { ...others, claims: { ...DEFAULT_CLAIMS, roles, requiredMethods } },
    });
    // The provider's clock is the real one.
    opened.clock.nowMs = Date.now();
    const { identity } = opened;
    const leave = async () => {
      const { url, browserToken } = await identity.beginProviderLogIn();
      return { ...VISITOR, ...(await small.visit(url)), browserToken, previousToken: null };
    };
    const enter = async () => identity.finishProviderLogIn(await leave());
    return { ...opened, leave, enterByProvider: enter };
  }

  it('get an account at their first log-in, and the same one afterwards', async () => {
    const { identity, enterByProvider, audit } = await withProvider();
    const first = await enterByProvider();
    expect(first).toMatchObject({
      ...{ session: { method: 'provider' }, mustEnrolTotp: false },
      user: {
        login: 'ana.rojas',
        displayName: 'Ana Rojas',
        roles: ['fraud-analyst'],
        isExternal: true,
        hasPassword: false,
      },
    });
    small.person = { ...ANA, preferred_username: 'ana.nueva', name: 'Ana Nueva' };
    const second = await enterByProvider();
    expect(second.user).toMatchObject({ id: first.user.id, login: 'ana.rojas', displayName: 'Ana Nueva' });
    expect(await identity.principalOfSession(second.token)).not.toBeNull();
    expect(audit.map(({ action }) => action)).toEqual(['user.provisioned', 'user.logged-in', 'user.logged-in']);
  });

  it('follow their groups: other roles end sessions, none lets nobody in', async () => {
    const { identity, enterByProvider, audit } = await withProvider();
    const first = await enterByProvider();
    small.person = { ...ANA, groups: ['jefes'] };
    const second = await enterByProvider();
    expect(second.user.roles).toEqual(['operations-manager']);
    expect(await identity.principalOfSession(first.token)).toBeNull();
    for (const groups of [[], ['otros'], undefined]) {
      small.person = { ...ANA, groups };
      await expect(enterByProvider()).rejects.toEqual(refusal('PROVIDER_NO_ROLE'));
      expect(await identity.principalOfSession(second.token)).toBeNull();
    }
    expect(audit.at(-1)).toMatchObject({ action: 'user.log-in-refused', detail: { reason: 'no-role' } });
    small.person = { ...ANA, sub: 'u-2', preferred_username: 'otro', groups: [] };
    await expect(enterByProvider()).rejects.toEqual(refusal('PROVIDER_NO_ROLE'));
  });

  it('do not take over an account that has their login', async () => {
    const { person, enterByProvider } = await withProvider();
    await person('ana.rojas', ['auditor']);
    await expect(enterByProvider()).rejects.toEqual(refusal('LOGIN_TAKEN'));
  });

  it('do not come in with a password, nor when they are disabled here', async () => {
    const { identity, administrator, enterByProvider, logIn } = await withProvider();
    const { actor } = await administrator();
    const { user, token } = await enterByProvider();
    expect((await logIn('ana.rojas')).kind).toBe('refused');
    await expect(identity.invite(actor, user.id)).rejects.toEqual(refusal('USER_EXTERNAL'));
    await expect(identity.changeUser(actor, user, { roles: ['administrator'] })).rejects.toEqual(
      refusal('USER_EXTERNAL'),
    );
    await identity.changeUser(actor, user, { state: 'disabled' });
    expect(await identity.principalOfSession(token)).toBeNull();
    await expect(enterByProvider()).rejects.toEqual(refusal('LOGIN_REFUSED'));
  });

  it('come back once, in the browser that left, in time', async () => {
    const { identity, leave, clock } = await withProvider();
    const callback = await leave();
    const other = await leave();
    await expect(identity.finishProviderLogIn({ ...callback, browserToken: other.browserToken })).rejects.toEqual(
      refusal('PROVIDER_STATE_INVALID'),
    );
    await expect(identity.finishProviderLogIn({ ...callback, state: other.state })).rejects.toEqual(
      refusal('PROVIDER_STATE_INVALID'),
    );
    const both = await Promise.allSettled([1, 2].map(() => identity.finishProviderLogIn(callback)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(identity.finishProviderLogIn(callback)).rejects.toEqual(refusal('PROVIDER_STATE_INVALID'));
    for (const state of ['', '\u0000', 'x'.repeat(100_000)]) {
      await expect(identity.finishProviderLogIn({ ...callback, state })).rejects.toEqual(
        refusal('PROVIDER_STATE_INVALID'),
      );
    }
    clock.nowMs += 10 * 60_000;
    await expect(identity.finishProviderLogIn(other)).rejects.toEqual(refusal('PROVIDER_STATE_INVALID'));
  });

  it('with the code of another log-in are refused, and what was begun is over', async () => {
    const { identity, leave } = await withProvider();
    const [callback, other] = [await leave(), await leave()];
    await expect(identity.finishProviderLogIn({ ...callback, code: other.code })).rejects.toEqual(
      refusal('PROVIDER_REFUSED'),
    );
    await expect(identity.finishProviderLogIn(callback)).rejects.toEqual(refusal('PROVIDER_STATE_INVALID'));
  });

  it('that are away are so many at most: the one that left first begins again', async () => {
    const { identity, leave, store, clock } = await withProvider({ mostProviderRequests: 3 });
    const first = await leave();
    for (let i = 0; i < 3; i++) {
      clock.nowMs++;
      await leave();
    }
    expect(await store.db.selectFrom('provider_requests').select('state_hash').execute()).toHaveLength(3);
    await expect(identity.finishProviderLogIn(first)).rejects.toEqual(refusal('PROVIDER_STATE_INVALID'));
  });

  it('use a second factor there where it is asked for', async () => {
    const { enterByProvider } = await withProvider({ requiredMethods: ['mfa'] });
    await expect(enterByProvider()).rejects.toEqual(refusal('PROVIDER_METHOD_MISSING'));
    small.person = { ...ANA, amr: ['pwd', 'mfa'] };
    expect((await enterByProvider()).user.login).toBe('ana.rojas');
  });

  it('are administrators by their groups, and the last one is not lost that way', async () => {
    const { identity, enterByProvider } = await withProvider();
    small.person = { ...ANA, groups: ['admin'] };
    await enterByProvider();
    expect(await identity.needsSetup()).toBe(false);
    small.person = { ...ANA, groups: ['fraude'] };
    await expect(enterByProvider()).rejects.toEqual(refusal('LAST_ADMINISTRATOR'));
  });

  it('are none where no provider is set up', async () => {
    const { identity } = openIdentity(await open());
    await expect(identity.beginProviderLogIn()).rejects.toEqual(refusal('PROVIDER_NOT_SET'));
  });
});
