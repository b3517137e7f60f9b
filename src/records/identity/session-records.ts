// Sessions at rest: who is signed in, from where, until when. The token is the browser's; its hash is kept here.
import { permissionsOf, type Role } from '../../identity/permissions.ts';
import type { Principal } from '../../identity/principal.ts';
import { isOver } from '../../identity/sessions.ts';
import { csrfToken, hashSecret, isId, isToken, newId, newToken } from '../../identity/tokens.ts';
import type { User } from '../../identity/user.ts';
import { InputError } from '../../lib/errors.ts';
import { type Actor, demand, type IdentityContext, note, type Tx } from './identity-context.ts';
import type { SessionTable } from './tables.ts';
import { demandUser, principalOf, type UserRow, userOf } from './user-records.ts';

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly method: SessionTable['method'];
  readonly createdMs: number;
  /** To the minute. */
  readonly lastSeenMs: number;
  readonly expiresMs: number;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** Somebody who is signed in. */
export interface SignedIn {
  /** Without any permission as long as `mustEnrolTotp`. */
  readonly principal: Principal;
  readonly user: User;
  readonly session: Session;
  /** Goes with whatever changes something. */
  readonly csrfToken: string;
  /** A role asks for one-time codes, and they are not set up yet: nothing else is allowed before. */
  readonly mustEnrolTotp: boolean;
}

/** For the browser, once. */
export interface NewSession extends SignedIn {
  readonly token: string;
}

export interface Visitor {
  readonly address: string | null;
  readonly userAgent: string | null;
}

const MOST_USER_AGENT = 200;
const CONTROL = /\p{C}/gu;

/** @param expiresMs null: the absolute limit from now on */
export async function startSession(
  context: IdentityContext,
  tx: Tx,
  user: UserRow,
  visitor: Visitor,
  method: SessionTable['method'],
  expiresMs: number | null = null,
): Promise<NewSession> {
  const { mostPerUser, absoluteMs } = context.settings.sessions;
  const nowMs = context.nowMs();
  const kept = await tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', user.id)
    .orderBy('last_seen_ms', 'desc')
    .orderBy('id')
    .execute();
  const ended = kept.slice(mostPerUser - 1).map(({ id }) => id);
  if (ended.length > 0) await tx.deleteFrom('sessions').where('id', 'in', ended).execute();
  const token = newToken(context.randomBytes);
  const row: SessionTable = {
    ...{ id: newId(context.randomBytes), token_hash: hashSecret(token), user_id: user.id, method },
    ...{ created_ms: nowMs, last_seen_ms: nowMs, expires_ms: expiresMs ?? nowMs + absoluteMs },
    ...{
      address: visitor.address,
      user_agent: visitor.userAgent?.replace(CONTROL, ' ').slice(0, MOST_USER_AGENT) ?? null,
    },
  };
  await tx.insertInto('sessions').values(row).execute();
  return { ...signedIn(context, token, row, user), token };
}

/** Another token for the same person: what was known of the old one is worth nothing after a change of privilege. */
export async function rotateSession(
  context: IdentityContext,
  tx: Tx,
  user: UserRow,
  { session }: SignedIn,
  visitor: Visitor,
): Promise<NewSession> {
  await endSessionsOf(tx, user.id);
  return startSession(context, tx, user, visitor, session.method, session.expiresMs);
}

/** null where the token is nobody's, or not any more. */
export async function findSignedIn(context: IdentityContext, token: string): Promise<SignedIn | null> {
  if (!isToken(token)) return null;
  const { store, settings } = context;
  const { db } = store;
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('token_hash', '=', hashSecret(token))
    .executeTakeFirst();
  const nowMs = context.nowMs();
  if (row === undefined || isOver(sessionOf(row), nowMs, settings.sessions)) return null;
  const user = await demandUser(db, row.user_id);
  if (user.state !== 'active') return null;
  if (nowMs - row.last_seen_ms >= settings.sessions.seenEveryMs) {
    await store.transact((tx) =>
      tx
        .updateTable('sessions')
        .set({ last_seen_ms: nowMs })
        .where('id', '=', row.id)
        .where('last_seen_ms', '<', nowMs)
        .execute(),
    );
  }
  return signedIn(context, token, row, user);
}

/** Those that are not over, the latest first. @throws InputError with code `FORBIDDEN` for somebody else's */
export async function listSessions(
  context: IdentityContext,
  actor: Actor,
  userId: string,
): Promise<readonly Session[]> {
  if (actor.principal.id !== userId) demand(actor, 'users:read');
  await demandUser(context.store.db, userId);
  const rows = await context.store.db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('last_seen_ms', 'desc')
    .orderBy('id')
    .limit(context.settings.sessions.mostPerUser)
    .execute();
  const nowMs = context.nowMs();
  return rows.map(sessionOf).filter((session) => !isOver(session, nowMs, context.settings.sessions));
}

/** @throws InputError with code `SESSION_UNKNOWN` or `FORBIDDEN` */
export async function endSession(context: IdentityContext, actor: Actor, sessionId: string): Promise<void> {
  await context.store.transact(async (tx) => {
    const row = isId(sessionId)
      ? await tx.selectFrom('sessions').select('user_id').where('id', '=', sessionId).executeTakeFirst()
      : undefined;
    // Whoever may not end others' sessions is not told that there is one.
    const mayEnd = row?.user_id === actor.principal.id || actor.principal.permissions.has('users:manage');
    if (row === undefined || !mayEnd) {
      throw new InputError('SESSION_UNKNOWN', 'There is no such session', 'It may have ended by itself');
    }
    await tx.deleteFrom('sessions').where('id', '=', sessionId).execute();
    const subject = { kind: 'user', id: row.user_id };
    await note(context, tx, actor, { action: 'session.ended', subject, detail: { sessions: 1 } });
  });
}

/** All of a person. */
export async function endSessions(context: IdentityContext, actor: Actor, userId: string): Promise<number> {
  if (actor.principal.id !== userId) demand(actor, 'users:manage');
  return context.store.transact(async (tx) => {
    await demandUser(tx, userId);
    const sessions = await endSessionsOf(tx, userId);
    const subject = { kind: 'user', id: userId };
    await note(context, tx, actor, { action: 'session.ended', subject, detail: { sessions } });
    return sessions;
  });
}

/** Nothing happens where the token is nobody's. */
export async function logOut(context: IdentityContext, token: string, address: string | null): Promise<void> {
  const found = await findSignedIn(context, token);
  if (found === null) return;
  await endSession(context, { principal: found.principal, address }, found.session.id).catch((error) => {
    // Ended elsewhere meanwhile: what was asked for is so.
    if (!(error instanceof InputError && error.code === 'SESSION_UNKNOWN')) throw error;
  });
}

export async function endSessionsOf(tx: Tx, userId: string): Promise<number> {
  const { numDeletedRows } = await tx.deleteFrom('sessions').where('user_id', '=', userId).executeTakeFirst();
  return Number(numDeletedRows);
}

export async function endSessionOfToken(tx: Tx, token: string): Promise<void> {
  if (isToken(token)) await tx.deleteFrom('sessions').where('token_hash', '=', hashSecret(token)).execute();
}

export async function sweepSessions(context: IdentityContext, tx: Tx): Promise<void> {
  const nowMs = context.nowMs();
  await tx.deleteFrom('sessions').where('expires_ms', '<=', nowMs).execute();
  await tx
    .deleteFrom('sessions')
    .where('last_seen_ms', '<=', nowMs - context.settings.sessions.idleMs)
    .execute();
}

function sessionOf(row: SessionTable): Session {
  return {
    ...{ id: row.id, userId: row.user_id, method: row.method, createdMs: row.created_ms, lastSeenMs: row.last_seen_ms },
    ...{ expiresMs: row.expires_ms, address: row.address, userAgent: row.user_agent },
  };
}

function signedIn(context: IdentityContext, token: string, row: SessionTable, user: UserRow): SignedIn {
  const principal = principalOf(user);
  const mustEnrolTotp = requiresTotp(context, user) && user.totp_state !== 'on';
  return {
    principal: mustEnrolTotp ? { ...principal, permissions: permissionsOf([]) } : principal,
    ...{ user: userOf(user), session: sessionOf(row), csrfToken: csrfToken(token, row.id), mustEnrolTotp },
  };
}

/** Of people whom the identity provider knows, the second factor is its business (`requiredMethods`). */
export function requiresTotp({ settings }: IdentityContext, user: UserRow): boolean {
  return user.issuer === null && settings.totpRequiredFor.some((role: Role) => user.roles.includes(role));
}
