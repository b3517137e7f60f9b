// Who may come in, and as whom: the operations that the HTTP interface and the command line need, over one store.
//
// Whatever asks for a permission takes an `Actor` and is refused with `FORBIDDEN` without it, whatever a route may have
// checked before; whatever changes something writes to the audit in the same transaction.
import {
  type CertificateMapping,
  type ClientCertificate,
  certificatePrincipal,
  checkCertificateMappings,
} from '../../identity/client-certificate.ts';
import type { Principal } from '../../identity/principal.ts';
import { isCsrfToken } from '../../identity/tokens.ts';
import type { User, UserDetails } from '../../identity/user.ts';
import * as accounts from './accounts.ts';
import * as keys from './api-key-records.ts';
import { sweepCounters } from './failure-counters.ts';
import { type Actor, createContext, demand, type IdentityOptions } from './identity-context.ts';
import { createKeyCache } from './key-cache.ts';
import { type Link, sweepLinks } from './links.ts';
import { createLogIn, type LogIn } from './log-in.ts';
import {
  beginProviderLogIn,
  finishProviderLogIn,
  type ProviderCallback,
  type ProviderLogIn,
  type ProviderSession,
  sweepProviderRequests,
} from './provider-log-in.ts';
import * as factors from './second-factor.ts';
import * as sessions from './session-records.ts';
import { demandUser, listUsers, type UserPage, userOf } from './user-records.ts';

type Visitor = sessions.Visitor;
type SignedIn = sessions.SignedIn;
type NewSession = sessions.NewSession;

export interface Identity {
  readonly login: LogIn;
  logout(token: string, address: string | null): Promise<void>;
  principalOfSession(token: string): Promise<SignedIn | null>;
  /** Does what a page sends along belong to the session? */
  isCsrfToken(given: string, token: string, session: SignedIn): boolean;
  listSessions(actor: Actor, userId: string): Promise<readonly sessions.Session[]>;
  endSession(actor: Actor, sessionId: string): Promise<void>;
  endSessions(actor: Actor, userId: string): Promise<number>;

  /** Whether there is one to log in at. */
  readonly hasProvider: boolean;
  /** @param returnPath where the browser goes afterwards */
  beginProviderLogIn(returnPath?: string): Promise<ProviderLogIn>;
  finishProviderLogIn(callback: ProviderCallback): Promise<ProviderSession>;
  /** null: nobody, or two, or one that has run out. */
  principalOfCertificate(certificate: ClientCertificate): Principal | null;

  needsSetup(): Promise<boolean>;
  createSetupLink(): Promise<Link>;
  setup(given: Parameters<typeof accounts.setUp>[1]): Promise<User>;

  createUser(
    actor: Actor,
    details: Omit<UserDetails, 'roles'> & { readonly roles: readonly string[] },
  ): Promise<accounts.Invited>;
  changeUser(actor: Actor, at: Pick<User, 'id' | 'version'>, changes: accounts.UserChanges): Promise<User>;
  /** An invitation, or a password reset for whoever has a password. */
  invite(actor: Actor, userId: string): Promise<Link>;
  unlockUser(actor: Actor, userId: string): Promise<void>;
  listUsers(actor: Actor, after: string | null, limit: number): Promise<UserPage>;
  /** Oneself, or with `users:read` anybody. */
  findUser(actor: Actor, userId: string): Promise<User>;
  linkOwner(token: string): Promise<accounts.LinkOwner>;
  /** By invitation or reset. */
  acceptInvitation(given: Parameters<typeof accounts.choosePassword>[1]): Promise<User>;
  changePassword(
    session: SignedIn,
    given: { readonly present: string; readonly next: string },
    visitor: Visitor,
  ): Promise<NewSession>;

  enrolTotp(session: SignedIn): Promise<factors.TotpEnrolment>;
  confirmTotp(session: SignedIn, code: string, visitor: Visitor): Promise<factors.TotpConfirmation>;
  disableTotp(
    session: SignedIn,
    given: { readonly password: string; readonly code: string },
    visitor: Visitor,
  ): Promise<NewSession>;
  renewRecoveryCodes(
    session: SignedIn,
    given: { readonly password: string; readonly code: string },
    address: string | null,
  ): Promise<readonly string[]>;
  resetTotp(actor: Actor, userId: string): Promise<void>;

  principalOfKey(text: string, address: string | null): Promise<Principal | null>;
  createKey(actor: Actor, draft: keys.KeyDraft): Promise<keys.NewKey>;
  rotateKey(actor: Actor, id: string, how: Parameters<typeof keys.rotateKey>[3]): Promise<keys.NewKey>;
  revokeKey(actor: Actor, id: string): Promise<void>;
  listKeys(actor: Actor, after: string | null, limit: number): Promise<keys.KeyPage>;

  /** Deletes what is over; every few minutes, by one process or by all. */
  sweep(): Promise<void>;
  /** Waits for what is being written; the store stays open. */
  close(): Promise<void>;
}

export function createIdentity(options: IdentityOptions): Identity {
  const context = createContext(options);
  const { store, settings } = context;
  const certificates: readonly CertificateMapping[] = checkCertificateMappings(settings.certificates);
  const keyCache = createKeyCache(context);

  /** What keys may do has changed with it. */
  async function thenForgetKeys<T>(change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      keyCache.forget();
    }
  }

  return {
    login: createLogIn(context),
    logout: (token, address) => sessions.logOut(context, token, address),
    principalOfSession: (token) => sessions.findSignedIn(context, token),
    isCsrfToken: (given, token, { session }) => isCsrfToken(given, token, session.id),
    listSessions: (actor, userId) => sessions.listSessions(context, actor, userId),
    endSession: (actor, id) => sessions.endSession(context, actor, id),
    endSessions: (actor, userId) => sessions.endSessions(context, actor, userId),

    hasProvider: context.provider !== null && settings.claims !== null,
    beginProviderLogIn: (returnPath) => beginProviderLogIn(context, returnPath),
    finishProviderLogIn: (callback) => thenForgetKeys(finishProviderLogIn(context, callback)),
    principalOfCertificate: (certificate) =>
      certificate.untilMs > context.nowMs() ? certificatePrincipal(certificate, certificates) : null,

    needsSetup: () => accounts.needsSetup(context),
    createSetupLink: () => accounts.createSetupLink(context),
    setup: (given) => accounts.setUp(context, given),

    createUser: (actor, details) => accounts.createUser(context, actor, details),
    changeUser: (actor, at, changes) => thenForgetKeys(accounts.changeUser(context, actor, at, changes)),
    invite: (actor, userId) => accounts.makeUserLink(context, actor, userId),
    unlockUser: (actor, userId) => accounts.unlockUser(context, actor, userId),
    async listUsers(actor, after, limit) {
      demand(actor, 'users:read');
      return listUsers(store.db, after, limit);
    },
    async findUser(actor, userId) {
      if (actor.principal.id !== userId) demand(actor, 'users:read');
      return userOf(await demandUser(store.db, userId));
    },
    linkOwner: (token) => accounts.linkOwner(context, token),
    acceptInvitation: (given) => accounts.choosePassword(context, given),
    changePassword: (session, given, visitor) => accounts.changePassword(context, session, given, visitor),

    enrolTotp: (session) => factors.enrolTotp(context, session),
    confirmTotp: (session, code, visitor) => factors.confirmTotp(context, session, code, visitor),
    disableTotp: (session, given, visitor) => factors.disableTotp(context, session, given, visitor),
    renewRecoveryCodes: (session, given, address) => factors.renewRecoveryCodes(context, session, given, address),
    resetTotp: (actor, userId) => factors.resetTotp(context, actor, userId),

    principalOfKey: (text, address) => keyCache.principalOf(text, address),
    createKey: (actor, draft) => keys.createKey(context, actor, draft),
    rotateKey: (actor, id, how) => thenForgetKeys(keys.rotateKey(context, actor, id, how)),
    revokeKey: (actor, id) => thenForgetKeys(keys.revokeKey(context, actor, id)),
    listKeys: (actor, after, limit) => keys.listKeys(context, actor, after, limit),

    sweep: () =>
      store.transact(async (tx) => {
        await sweepCounters(context, tx);
        await sweepLinks(context, tx);
        await sweepProviderRequests(context, tx);
        await sessions.sweepSessions(context, tx);
      }),
    close: () => keyCache.close(),
  };
}
