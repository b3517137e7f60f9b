// People who log in at the bank's identity provider (OpenID Connect).
//
// Whoever is sent there gets a state, kept here, that works once, for ten minutes, and only in the browser that was sent: a
// link that somebody else began leads nowhere (RFC 9700 4.7). People are known by issuer and subject, never by a name that an
// account here has already. The provider's groups are their roles at every log-in; without one they are not let in, and what
// they had is taken from them.
import { detailsOfClaims, type IdentityProvider, type VerifiedClaims } from '../../identity/provider-claims.ts';
import { hashSecret, isToken, newToken } from '../../identity/tokens.ts';
import type { UserDetails } from '../../identity/user.ts';
import { InputError } from '../../lib/errors.ts';
import type { SealedPlace } from '../../privacy/envelope.ts';
import { demandAdministratorLeft, newUser } from './accounts.ts';
import { type IdentityContext, note, systemActor, type Tx } from './identity-context.ts';
import { enter } from './log-in.ts';
import { endSessionOfToken, endSessionsOf, type NewSession, type Visitor } from './session-records.ts';
import { demandUser, insertUser, lockAdministrators, type UserRow, updateUser } from './user-records.ts';

export interface ProviderLogIn {
  /** Where to send the browser. */
  readonly url: string;
  /** A cookie (HttpOnly, SameSite=Lax) for the way back. */
  readonly browserToken: string;
  readonly expiresMs: number;
}

export interface ProviderCallback extends Visitor {
  readonly state: string;
  readonly code: string;
  /** `iss` of the answer (RFC 9207), where there is one. */
  readonly issuer: string | null;
  readonly browserToken: string;
  readonly previousToken: string | null;
}

export interface ProviderSession extends NewSession {
  /** The path that was asked for when it began. */
  readonly returnPath: string;
}

interface Remembered {
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly returnPath: string;
}

/** A path of this site and nothing else: `//elsewhere` and `/\elsewhere` are other sites to a browser. */
const RETURN_PATH = /^\/(?:[A-Za-z0-9._~-][A-Za-z0-9._~/-]{0,198})?$/;

const placeOf = (state: string): SealedPlace => ({
  ...{ table: 'provider_requests', row: Buffer.from(hashSecret(state)).toString('hex'), field: 'sealed' },
});

/**
 * @param returnPath where the browser goes afterwards, on this site: `/casos/C-1`
 * @throws InputError with code `PROVIDER_NOT_SET`, `PROVIDER_UNAVAILABLE` or `RETURN_PATH_INVALID`
 */
export async function beginProviderLogIn(context: IdentityContext, returnPath = '/'): Promise<ProviderLogIn> {
  if (!RETURN_PATH.test(returnPath)) {
    throw new InputError('RETURN_PATH_INVALID', 'What to return to is no path of this site', 'Give one such as /casos');
  }
  const request = await demandProvider(context).begin();
  const { nonce, codeVerifier } = request;
  const remembered: Remembered = { nonce, codeVerifier, returnPath };
  const sealed = await context.seal(new TextEncoder().encode(JSON.stringify(remembered)), placeOf(request.state));
  const browserToken = newToken(context.randomBytes);
  const expiresMs = context.nowMs() + context.settings.providerMs;
  const row = {
    ...{ state_hash: hashSecret(request.state), browser_hash: hashSecret(browserToken) },
    ...{ sealed, expires_ms: expiresMs },
  };
  await context.store.transact(async (tx) => {
    await makeRoom(context, tx);
    await tx.insertInto('provider_requests').values(row).execute();
  });
  return { url: request.url, browserToken, expiresMs };
}

/**
 * @throws InputError with code `PROVIDER_STATE_INVALID`, `PROVIDER_REFUSED`, `PROVIDER_NO_ROLE`, `LOGIN_REFUSED` (disabled
 *   here), `LOGIN_TAKEN` (somebody else has the login), or those of `detailsOfClaims`
 */
export async function finishProviderLogIn(
  context: IdentityContext,
  callback: ProviderCallback,
): Promise<ProviderSession> {
  const provider = demandProvider(context);
  const { claims: mapping } = context.settings;
  const sealed = await takeRequest(context, callback);
  const request = JSON.parse(
    new TextDecoder().decode(await context.open(sealed, placeOf(callback.state))),
  ) as Remembered;
  const { code, issuer } = callback;
  const { claims, details } = await thenNoteRefusals(context, callback, async () => {
    const claims = await provider.finish({ code, issuer }, request, context.nowMs());
    return { claims, details: detailsOfClaims(claims, mapping!) };
  });
  const outcome = await context.store.transact((tx) => admit(context, tx, claims, details, callback));
  if (outcome instanceof InputError) throw outcome;
  return { ...outcome, returnPath: request.returnPath };
}

/** Who came back with a log-in that was begun here, and is not let in for what the provider says. */
async function thenNoteRefusals<T>(context: IdentityContext, visitor: Visitor, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge();
  } catch (error) {
    const reason = error instanceof InputError ? REFUSALS[error.code] : undefined;
    if (reason !== undefined) {
      await context.store.transact((tx) => noteRefusal(context, tx, undefined, reason, visitor));
    }
    throw error;
  }
}

/** Codes of refusals, and what the audit calls them. */
const REFUSALS: Readonly<Record<string, string>> = {
  PROVIDER_REFUSED: 'provider-refused',
  PROVIDER_METHOD_MISSING: 'method-missing',
  PROVIDER_DOMAIN: 'domain-foreign',
  PROVIDER_CLAIMS_INVALID: 'claims-invalid',
};

/** The refusal is a value, for what it writes must stay. */
async function admit(
  context: IdentityContext,
  tx: Tx,
  claims: VerifiedClaims,
  details: UserDetails,
  callback: ProviderCallback,
): Promise<NewSession | InputError> {
  const administrators = await lockAdministrators(tx);
  const known = await tx
    .selectFrom('users')
    .selectAll()
    .where('issuer', '=', claims.issuer)
    .where('subject', '=', claims.subject)
    .forUpdate()
    .executeTakeFirst();
  if (details.roles.length === 0) return refuseWithoutRole(context, tx, known, administrators, callback);
  if (known !== undefined && known.state !== 'active') {
    await noteRefusal(context, tx, known, 'user-disabled', callback);
    return new InputError('LOGIN_REFUSED', 'You cannot sign in', 'Ask an administrator');
  }
  const user =
    known === undefined
      ? await provision(context, tx, claims, details)
      : await follow(tx, known, details, administrators);
  if (callback.previousToken !== null) await endSessionOfToken(tx, callback.previousToken);
  return enter(context, tx, user, callback, 'provider', { factor: null, renewedHash: null });
}

async function refuseWithoutRole(
  context: IdentityContext,
  tx: Tx,
  known: UserRow | undefined,
  administrators: readonly string[],
  callback: ProviderCallback,
): Promise<InputError> {
  if (known !== undefined && known.roles.length > 0) {
    const after = { ...known, roles: [] };
    demandAdministratorLeft(known, after, administrators);
    await updateUser(tx, known, { roles: [] });
    await endSessionsOf(tx, known.id);
  }
  await noteRefusal(context, tx, known, 'no-role', callback);
  return new InputError('PROVIDER_NO_ROLE', 'You have no role here', 'Ask whoever looks after your groups for one');
}

async function provision(
  context: IdentityContext,
  tx: Tx,
  { issuer, subject }: VerifiedClaims,
  details: UserDetails,
): Promise<UserRow> {
  const row = { ...newUser(context, details, null), issuer, subject };
  await insertUser(tx, row);
  const detail = { roles: row.roles };
  await note(context, tx, systemActor(null), {
    action: 'user.provisioned',
    subject: { kind: 'user', id: row.id },
    detail,
  });
  return row;
}

/** The login stays: people and the audit know it. */
async function follow(
  tx: Tx,
  known: UserRow,
  details: UserDetails,
  administrators: readonly string[],
): Promise<UserRow> {
  const roles = [...details.roles];
  const isSame = known.roles.join() === roles.join();
  if (isSame && known.display_name === details.displayName && known.email === details.email) return known;
  demandAdministratorLeft(known, { ...known, roles }, administrators);
  await updateUser(tx, known, { roles, display_name: details.displayName, email: details.email });
  if (!isSame) await endSessionsOf(tx, known.id);
  return demandUser(tx, known.id);
}

async function noteRefusal(
  context: IdentityContext,
  tx: Tx,
  user: UserRow | undefined,
  reason: string,
  { address }: Visitor,
): Promise<void> {
  const subject = user === undefined ? null : { kind: 'user', id: user.id };
  const detail = { reason, method: 'provider' };
  await note(context, tx, systemActor(address), { action: 'user.log-in-refused', subject, detail });
}

function demandProvider({ provider, settings }: IdentityContext): IdentityProvider {
  if (provider !== null && settings.claims !== null) return provider;
  throw new InputError('PROVIDER_NOT_SET', 'No identity provider is set up', 'Sign in with login and password');
}

/** Gone once it is taken, whatever comes of it. */
async function takeRequest(context: IdentityContext, { state, browserToken }: ProviderCallback): Promise<Uint8Array> {
  const [row] =
    state.length <= 200 && isToken(browserToken)
      ? await context.store.transact((tx) =>
          tx
            .deleteFrom('provider_requests')
            .where('state_hash', '=', hashSecret(state))
            .where('browser_hash', '=', hashSecret(browserToken))
            .where('expires_ms', '>', context.nowMs())
            .returning('sealed')
            .execute(),
        )
      : [];
  if (row !== undefined) return row.sealed;
  throw new InputError('PROVIDER_STATE_INVALID', 'This log-in is over, or was not begun here', 'Begin again');
}

/** Beyond the limit whoever has been away for longest begins again. */
async function makeRoom(context: IdentityContext, tx: Tx): Promise<void> {
  await sweepProviderRequests(context, tx);
  const { count } = await tx
    .selectFrom('provider_requests')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const excess = Number(count) + 1 - context.settings.mostProviderRequests;
  if (excess <= 0) return;
  const oldest = tx
    .selectFrom('provider_requests')
    .select('state_hash')
    .orderBy('expires_ms')
    .orderBy('state_hash')
    .limit(excess);
  await tx.deleteFrom('provider_requests').where('state_hash', 'in', oldest).execute();
}

export async function sweepProviderRequests(context: IdentityContext, tx: Tx): Promise<void> {
  await tx.deleteFrom('provider_requests').where('expires_ms', '<=', context.nowMs()).execute();
}
