// Coming in and going out. The session's token is in a cookie that no script can read and no other site can have sent.
import type { Identity } from '../../records/identity/identity.ts';
import type { NewSession, SignedIn } from '../../records/identity/session-records.ts';
import type { Answer, Asked, Handlers } from '../asked.ts';
import type { EndpointSpec } from '../contract.ts';
import { cookieTokenOf, PROVIDER_COOKIE, SESSION_COOKIE } from '../guard.ts';
import { Problem } from '../problem.ts';

type SessionHandlers = Pick<
  Handlers,
  | ('needsSetup' | 'setUp' | 'logIn' | 'session' | 'logOut' | 'listSessions' | 'endSession' | 'linkOwner')
  | ('beginProviderLogIn' | 'finishProviderLogIn')
  | ('acceptInvitation' | 'changePassword' | 'enrolTotp' | 'confirmTotp' | 'disableTotp' | 'renewRecoveryCodes')
>;

const GONE_COOKIE = `${SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;
/** Lax: the provider sends the browser back from its own site. */
const PROVIDER_COOKIE_KIND = 'Path=/; Secure; HttpOnly; SameSite=Lax';

export function sessionHandlers(identity: Identity): SessionHandlers {
  const signedIn = async ({ sessionToken }: Asked<EndpointSpec>): Promise<SignedIn> => {
    const found = sessionToken === null ? null : await identity.principalOfSession(sessionToken);
    if (found === null) throw new Problem(403, 'NO_SESSION', 'This is for people who are logged in, not for keys');
    return found;
  };
  return {
    needsSetup: async () => {
      return { body: { needsSetup: await identity.needsSetup(), hasProvider: identity.hasProvider } };
    },
    setUp: async ({ body, address }) => ({
      body: await identity.setup({ ...body, email: body.email ?? null, address }),
    }),
    async logIn(asked) {
      const { body, nowMs } = asked;
      const result = await identity.login({
        ...{ login: body.login, password: body.password, code: body.code ?? null, previousToken: asked.sessionToken },
        ...visitorOf(asked),
      });
      switch (result.kind) {
        case 'signed-in':
          return opened(result.session);
        case 'totp-required':
          throw new Problem(401, result.code, 'Send the code of your authenticator app, too');
        case 'locked':
          throw new Problem(429, result.code, 'Too many attempts. Wait and try again', {
            'retry-after': String(Math.max(1, Math.ceil((result.untilMs - nowMs) / 1000))),
          });
        default:
          throw new Problem(401, result.code, 'Login, password or code are not right');
      }
    },
    async beginProviderLogIn({ query, nowMs }) {
      const { url, browserToken, expiresMs } = await identity.beginProviderLogIn(query.returnPath);
      const seconds = Math.ceil((expiresMs - nowMs) / 1000);
      const cookie = `${PROVIDER_COOKIE}=${browserToken}; ${PROVIDER_COOKIE_KIND}; Max-Age=${seconds}`;
      return { body: null, headers: { location: url, 'set-cookie': [cookie] } };
    },
    async finishProviderLogIn(asked) {
      const { code = '', state = '', iss = null, error } = asked.query;
      if (!identity.hasProvider) throw new Problem(404, 'PROVIDER_NOT_SET', 'No identity provider is set up');
      if (error !== undefined) throw new Problem(401, 'PROVIDER_REFUSED', 'The identity provider let nobody in');
      const browserToken = cookieTokenOf(asked.header('cookie') ?? undefined, PROVIDER_COOKIE) ?? '';
      const session = await identity.finishProviderLogIn({
        ...{ state, code, issuer: iss, browserToken, previousToken: asked.sessionToken },
        ...visitorOf(asked),
      });
      const gone = `${PROVIDER_COOKIE}=; ${PROVIDER_COOKIE_KIND}; Max-Age=0`;
      const headers = { location: session.returnPath, 'set-cookie': [cookieOf(session.token), gone] };
      return { body: null, headers };
    },
    async session(asked) {
      const { principal, sessionToken } = asked;
      const found = sessionToken === null ? null : await identity.principalOfSession(sessionToken);
      if (found !== null) return { body: describe(found) };
      const { kind, id, name, permissions } = principal!;
      const nobody = { user: null, csrfToken: null, mustEnrolTotp: false, expiresMs: null };
      return { body: { principal: { kind, id, name }, permissions: [...permissions], ...nobody } };
    },
    async logOut({ sessionToken, address }) {
      if (sessionToken !== null) await identity.logout(sessionToken, address);
      return { body: null, headers: { 'set-cookie': GONE_COOKIE } };
    },
    async listSessions(asked) {
      const { principal, user, session } = await signedIn(asked);
      const rows = await identity.listSessions({ principal, address: asked.address }, user.id);
      return { body: { rows: rows.map(({ userId: _, ...each }) => ({ ...each, isThis: each.id === session.id })) } };
    },
    async endSession(asked) {
      const { principal } = await signedIn(asked);
      await identity.endSession({ principal, address: asked.address }, asked.params.sessionId);
      return { body: null };
    },
    linkOwner: async ({ body }) => ({ body: await identity.linkOwner(body.token) }),
    acceptInvitation: async ({ body, address }) => ({ body: await identity.acceptInvitation({ ...body, address }) }),
    changePassword: async (asked) =>
      opened(await identity.changePassword(await signedIn(asked), asked.body, visitorOf(asked))),
    enrolTotp: async (asked) => ({ body: await identity.enrolTotp(await signedIn(asked)) }),
    async confirmTotp(asked) {
      const { session, recoveryCodes } = await identity.confirmTotp(
        await signedIn(asked),
        asked.body.code,
        visitorOf(asked),
      );
      const { body, headers } = opened(session);
      return { body: { session: body, recoveryCodes }, headers };
    },
    disableTotp: async (asked) =>
      opened(await identity.disableTotp(await signedIn(asked), asked.body, visitorOf(asked))),
    renewRecoveryCodes: async (asked) => ({
      body: { recoveryCodes: await identity.renewRecoveryCodes(await signedIn(asked), asked.body, asked.address) },
    }),
  };
}

type Described = Awaited<ReturnType<Handlers['session']>>['body'];

function describe({ principal, user, session, csrfToken, mustEnrolTotp }: SignedIn): Described {
  const { kind, id, name, permissions } = principal;
  const { expiresMs } = session;
  return { principal: { kind, id, name }, permissions: [...permissions], user, csrfToken, mustEnrolTotp, expiresMs };
}

function opened(session: NewSession): Answer<Described> & { readonly headers: Readonly<Record<string, string>> } {
  return { body: describe(session), headers: { 'set-cookie': cookieOf(session.token) } };
}

function cookieOf(token: string): string {
  return `${SESSION_COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

function visitorOf({ address, header }: Asked<EndpointSpec>) {
  return { address, userAgent: header('user-agent') };
}
