// The door: login, password and, where it is set up, a one-time code.
//
// Whoever is refused learns nothing: the answer, its text and the work are the same for a login that does not exist, one that
// is disabled, a wrong password and a wrong code. Only whoever has the right password is asked for a code. Every attempt is
// counted before it is judged; what succeeds is judged again in the transaction that makes the session, so that nothing
// that changed meanwhile (disabled, another password, a code used twice) slips through.
import type { JsonValue } from '../../audit/entry.ts';
import { hashSecret } from '../../identity/tokens.ts';
import { plainLogin } from '../../identity/user.ts';
import { type Attempt, attemptOf, reserve, succeed, sweepCounters, takeBack } from './failure-counters.ts';
import { type IdentityContext, note, systemActor, type Tx } from './identity-context.ts';
import { MOST_LOGIN_UNITS, MOST_PASSWORD_UNITS } from './password-limits.ts';
import { openTotpSecret, useSecondFactor } from './second-factor.ts';
import { endSessionOfToken, type NewSession, startSession, type Visitor } from './session-records.ts';
import { findUserByLogin, principalOf, type UserRow } from './user-records.ts';

export interface LogInRequest extends Visitor {
  readonly login: string;
  readonly password: string;
  /** Of the app, or a recovery code; null at first. */
  readonly code: string | null;
  /** The session that the browser had, which ends. */
  readonly previousToken: string | null;
}

export type LogInResult =
  | { readonly kind: 'signed-in'; readonly session: NewSession }
  | { readonly kind: 'refused'; readonly code: 'LOGIN_REFUSED' }
  /** The password is right; ask again with a code. */
  | { readonly kind: 'totp-required'; readonly code: 'TOTP_REQUIRED' }
  | { readonly kind: 'locked'; readonly code: 'LOCKED_UNTIL'; readonly untilMs: number };

const REFUSED: LogInResult = { kind: 'refused', code: 'LOGIN_REFUSED' };
const SWEEP_EVERY = 1000;

/** @throws InputError with code `IDENTITY_BUSY` where too many log in at once */
export type LogIn = (request: LogInRequest) => Promise<LogInResult>;

export function createLogIn(context: IdentityContext): LogIn {
  const { store, hasher } = context;
  let attempts = 0;

  return async (request) => {
    const login = plainLogin(request.login.slice(0, MOST_LOGIN_UNITS));
    const attempt = attemptOf(login, request.address);
    if (++attempts % SWEEP_EVERY === 0) await store.transact((tx) => sweepCounters(context, tx));
    const reservation = await store.transact((tx) => reserve(context, tx, attempt));
    if (reservation.kind === 'locked') return { kind: 'locked', code: 'LOCKED_UNTIL', untilMs: reservation.untilMs };
    const refuse = async (tx: Tx, user: UserRow | undefined, reason: string): Promise<LogInResult> => {
      await noteRefusal(context, tx, { request, login, user, reason, locks: reservation.locks });
      return REFUSED;
    };

    const user = await findUserByLogin(store.db, login);
    const isRight = await giveBackIfBusy(context, attempt, () =>
      hasher.verify(request.password.slice(0, MOST_PASSWORD_UNITS), user?.password_hash ?? null),
    );
    if (user === undefined || !isRight || user.state !== 'active') {
      const reason = user === undefined ? 'login-unknown' : isRight ? 'user-disabled' : 'password-wrong';
      return store.transact((tx) => refuse(tx, user, reason));
    }
    const isTotpOn = user.totp_state === 'on';
    if (isTotpOn && request.code === null) {
      await store.transact((tx) => takeBack(context, tx, attempt));
      return { kind: 'totp-required', code: 'TOTP_REQUIRED' };
    }
    const secret = isTotpOn ? await openTotpSecret(context, user) : null;
    const renewedHash = await rehash(context, user, request.password);
    return store.transact(async (tx) => {
      const present = await lockUser(tx, user.id);
      if (present === undefined || !isStill(present, user)) return refuse(tx, user, 'changed-meanwhile');
      const factor = secret === null ? null : await useSecondFactor(context, tx, present, secret, request.code ?? '');
      if (isTotpOn && factor === null) return refuse(tx, present, 'code-wrong');
      await succeed(context, tx, attempt);
      if (request.previousToken !== null) await endSessionOfToken(tx, request.previousToken);
      const session = await enter(context, tx, present, request, 'password', { factor, renewedHash });
      return { kind: 'signed-in', session };
    });
  };
}

export interface Entrance {
  /** The second factor. */
  readonly factor: string | null;
  readonly renewedHash: string | null;
}

/** Makes the session, and says so. */
export async function enter(
  context: IdentityContext,
  tx: Tx,
  user: UserRow,
  visitor: Visitor,
  method: 'password' | 'provider',
  { factor, renewedHash }: Entrance,
): Promise<NewSession> {
  const lastLoginMs = context.nowMs();
  const changes = renewedHash === null ? {} : { password_hash: renewedHash };
  await tx
    .updateTable('users')
    .set({ last_login_ms: lastLoginMs, ...changes })
    .where('id', '=', user.id)
    .execute();
  const session = await startSession(context, tx, { ...user, last_login_ms: lastLoginMs }, visitor, method);
  const actor = { principal: principalOf(user), address: visitor.address };
  const detail = { method, factor, session: session.session.id };
  await note(context, tx, actor, { action: 'user.logged-in', subject: { kind: 'user', id: user.id }, detail });
  return session;
}

/** Nobody changes the row until the transaction ends. */
export async function lockUser(tx: Tx, id: string): Promise<UserRow | undefined> {
  return tx.selectFrom('users').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

function isStill(present: UserRow, judged: UserRow): boolean {
  return (
    present.state === 'active' &&
    present.password_hash === judged.password_hash &&
    present.totp_state === judged.totp_state &&
    isSameBytes(present.totp_secret, judged.totp_secret)
  );
}

function isSameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}

async function rehash(
  { hasher, randomBytes }: IdentityContext,
  user: UserRow,
  password: string,
): Promise<string | null> {
  if (user.password_hash === null || !hasher.isOutdated(user.password_hash)) return null;
  return hasher.hash(password, randomBytes(16));
}

async function giveBackIfBusy<T>(context: IdentityContext, attempt: Attempt, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await context.store.transact((tx) => takeBack(context, tx, attempt));
    throw error;
  }
}

interface Refusal {
  readonly request: LogInRequest;
  readonly login: string;
  readonly user: UserRow | undefined;
  readonly reason: string;
  readonly locks: readonly JsonValue[];
}

/** Of a login that nobody has only the beginning of its hash is written: it may be a password in the wrong field. */
async function noteRefusal(
  context: IdentityContext,
  tx: Tx,
  { request, login, user, reason, locks }: Refusal,
): Promise<void> {
  const actor = systemActor(request.address);
  const subject = user === undefined ? null : { kind: 'user', id: user.id };
  const whose = user === undefined ? { loginHash: Buffer.from(hashSecret(login)).toString('hex').slice(0, 12) } : {};
  await note(context, tx, actor, { action: 'user.log-in-refused', subject, detail: { reason, ...whose } });
  if (locks.length > 0) await note(context, tx, actor, { action: 'user.locked', subject, detail: { locks, ...whose } });
}
