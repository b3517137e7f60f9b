// Accounts: the first administrator, invitations, changes, passwords.
//
// There is no default password and no temporary one: a person chooses theirs with a link that works once. Whoever looks
// after accounts cannot change their own roles, and the last administrator stays one.
import { type PasswordOwner, passwordProblem } from '../../identity/password-policy.ts';
import { newId } from '../../identity/tokens.ts';
import {
  checkRoles,
  checkUserDetails,
  passwordRefused,
  type User,
  type UserDetails,
  type UserState,
} from '../../identity/user.ts';
import { InputError } from '../../lib/errors.ts';
import { forgetLogin } from './failure-counters.ts';
import {
  type Actor,
  changedMeanwhile,
  demand,
  type IdentityContext,
  note,
  systemActor,
  type Tx,
} from './identity-context.ts';
import { findLink, type Link, type LinkKind, makeLink, useLink, voidLinks } from './links.ts';
import { verifyOwnPassword } from './own-password.ts';
import { endSessionsOf, type NewSession, rotateSession, type SignedIn, type Visitor } from './session-records.ts';
import {
  demandUser,
  findUser,
  hasAdministrator,
  insertUser,
  isAdministrator,
  lockAdministrators,
  principalOf,
  type UserRow,
  updateUser,
  userOf,
} from './user-records.ts';

export interface Invited {
  readonly user: User;
  readonly invitation: Link;
}

export interface UserChanges {
  readonly displayName?: string;
  readonly email?: string | null;
  readonly roles?: readonly string[];
  readonly state?: UserState;
}

export type LinkOwner = Pick<User, 'login' | 'displayName'> & { readonly kind: Exclude<LinkKind, 'setup'> };

const SALT_BYTES = 16;

/** For the command line of the machine, while there is no administrator. @throws InputError with code `SETUP_DONE` */
export function createSetupLink(context: IdentityContext): Promise<Link> {
  return context.store.transact(async (tx) => {
    await demandNoAdministrator(tx);
    const link = await makeLink(context, tx, 'setup', null);
    const detail = { expiresMs: link.expiresMs };
    await note(context, tx, systemActor(null), { action: 'setup.link-made', detail });
    return link;
  });
}

/** Is there nobody yet who looks after accounts? */
export async function needsSetup({ store }: IdentityContext): Promise<boolean> {
  return !(await hasAdministrator(store.db));
}

/** Makes the first administrator. @throws InputError with code `LINK_INVALID`, `SETUP_DONE` or those of details and password */
export async function setUp(
  context: IdentityContext,
  given: {
    readonly token: string;
    readonly login: string;
    readonly displayName: string;
    readonly email: string | null;
  } & {
    readonly password: string;
    readonly address: string | null;
  },
): Promise<User> {
  const found = await findLink(context, context.store.db, given.token);
  if (found.kind !== 'setup') throw new InputError('LINK_INVALID', 'The link is not for this', 'Use the one for setup');
  const details = checkUserDetails({ ...given, roles: ['administrator'] });
  const passwordHash = await hashNewPassword(context, given.password, details);
  return context.store.transact(async (tx) => {
    await demandNoAdministrator(tx);
    await useLink(context, tx, given.token);
    // Of two that come with different links one is told that it is done: both void both.
    await voidLinks(tx, null);
    const row = newUser(context, details, passwordHash);
    await insertUser(tx, row);
    const actor = { principal: principalOf(row), address: given.address };
    await note(context, tx, actor, { action: 'setup.done', subject: { kind: 'user', id: row.id }, detail: {} });
    return userOf(row);
  });
}

async function demandNoAdministrator(tx: Tx): Promise<void> {
  if ((await lockAdministrators(tx)).length === 0) return;
  throw new InputError('SETUP_DONE', 'There is an administrator already', 'Have them invite you');
}

/** @throws InputError with code `LOGIN_TAKEN`, `USER_INVALID` */
export async function createUser(
  context: IdentityContext,
  actor: Actor,
  given: Omit<UserDetails, 'roles'> & { readonly roles: readonly string[] },
): Promise<Invited> {
  demand(actor, 'users:manage');
  const row = newUser(context, checkUserDetails(given), null);
  return context.store.transact(async (tx) => {
    await insertUser(tx, row);
    const invitation = await makeLink(context, tx, 'invitation', row.id);
    const detail = { roles: row.roles, expiresMs: invitation.expiresMs };
    await note(context, tx, actor, { action: 'user.invited', subject: { kind: 'user', id: row.id }, detail });
    return { user: userOf(row), invitation };
  });
}

/** Another link: an invitation for whoever has no password yet, a reset for whoever has one. */
export async function makeUserLink(context: IdentityContext, actor: Actor, userId: string): Promise<Link> {
  demand(actor, 'users:manage');
  return context.store.transact(async (tx) => {
    const user = await demandUser(tx, userId);
    demandOwnPassword(user);
    if (user.state !== 'active') throw new InputError('USER_DISABLED', 'The account is disabled', 'Enable it first');
    const kind = user.password_hash === null ? 'invitation' : 'password-reset';
    const link = await makeLink(context, tx, kind, userId);
    const detail = { kind, expiresMs: link.expiresMs };
    await note(context, tx, actor, { action: 'user.link-made', subject: { kind: 'user', id: userId }, detail });
    return link;
  });
}

/** For the page that asks for a password. @throws InputError with code `LINK_INVALID` */
export async function linkOwner(context: IdentityContext, token: string): Promise<LinkOwner> {
  const { kind, user } = await ownerOf(context, context.store.db, token);
  return { kind, login: user.login, displayName: user.display_name };
}

async function ownerOf(context: IdentityContext, tx: Tx, token: string) {
  const { kind, user_id } = await findLink(context, tx, token);
  const user = user_id === null ? undefined : await findUser(tx, user_id);
  if (kind === 'setup' || user === undefined || user.state !== 'active') {
    throw new InputError('LINK_INVALID', 'The link is not valid, is over, or was used', 'Ask for another one');
  }
  return { kind, user };
}

/** By whoever holds an invitation or a reset. All sessions end. @throws InputError with code `LINK_INVALID` or the password's */
export async function choosePassword(
  context: IdentityContext,
  { token, password, address }: { readonly token: string; readonly password: string; readonly address: string | null },
): Promise<User> {
  const { user: owner } = await ownerOf(context, context.store.db, token);
  const passwordHash = await hashNewPassword(context, password, ownerDetails(owner));
  return context.store.transact(async (tx) => {
    const { kind, user } = await ownerOf(context, tx, token);
    await useLink(context, tx, token);
    await updateUser(tx, user, { password_hash: passwordHash });
    const sessions = await endSessionsOf(tx, user.id);
    await forgetLogin(tx, user.login);
    const actor = { principal: principalOf(user), address };
    const action = kind === 'invitation' ? 'user.invitation-accepted' : 'user.password-reset';
    await note(context, tx, actor, { action, subject: { kind: 'user', id: user.id }, detail: { sessions } });
    return userOf(await demandUser(tx, user.id));
  });
}

/** By somebody who is signed in. Other sessions end, this one gets another token. */
export async function changePassword(
  context: IdentityContext,
  session: SignedIn,
  given: { readonly present: string; readonly next: string },
  visitor: Visitor,
): Promise<NewSession> {
  const before = await demandUser(context.store.db, session.user.id);
  demandOwnPassword(before);
  const passwordHash = await hashNewPassword(context, given.next, ownerDetails(before));
  const rotated = await verifyOwnPassword(context, before, given.present, visitor.address, async (tx, user) => {
    await updateUser(tx, user, { password_hash: passwordHash });
    await voidLinks(tx, user.id);
    const newSession = await rotateSession(context, tx, await demandUser(tx, user.id), session, visitor);
    const actor = { principal: session.principal, address: visitor.address };
    const subject = { kind: 'user', id: user.id };
    await note(context, tx, actor, { action: 'user.password-changed', subject, detail: {} });
    return newSession;
  });
  if (rotated === null) throw changedMeanwhile('The account');
  return rotated;
}

/**
 * @param version of the account as the actor saw it
 * @throws InputError with code `VERSION_CONFLICT`, `OWN_ACCOUNT`, `LAST_ADMINISTRATOR`, `USER_EXTERNAL`, `USER_INVALID`
 */
export async function changeUser(
  context: IdentityContext,
  actor: Actor,
  { id, version }: Pick<User, 'id' | 'version'>,
  changes: UserChanges,
): Promise<User> {
  demand(actor, 'users:manage');
  return context.store.transact(async (tx) => {
    // First, so that all who change administrators wait for each other in one order.
    const administrators = await lockAdministrators(tx);
    const before = await demandUser(tx, id);
    if (before.version !== version) throw changedMeanwhile('The account');
    const after = withChanges(before, changes);
    const isPowerChanged = after.state !== before.state || after.roles.join() !== before.roles.join();
    if (isPowerChanged) demandAllowed(actor, before, after, administrators);
    await updateUser(tx, before, {
      ...{ display_name: after.display_name, email: after.email, roles: after.roles, state: after.state },
    });
    const sessions = isPowerChanged ? await endSessionsOf(tx, id) : 0;
    if (after.state === 'disabled') await voidLinks(tx, id);
    const detail = { changed: changedFields(before, after), roles: after.roles, state: after.state, sessions };
    await note(context, tx, actor, { action: 'user.changed', subject: { kind: 'user', id }, detail });
    return userOf(await demandUser(tx, id));
  });
}

/** The failures of a login are forgotten; the addresses they came from keep theirs. */
export async function unlockUser(context: IdentityContext, actor: Actor, userId: string): Promise<void> {
  demand(actor, 'users:manage');
  await context.store.transact(async (tx) => {
    const user = await demandUser(tx, userId);
    await forgetLogin(tx, user.login);
    await note(context, tx, actor, { action: 'user.unlocked', subject: { kind: 'user', id: userId }, detail: {} });
  });
}

/** A whole change is checked as a new account would be. */
function withChanges(before: UserRow, { displayName, email, roles, state }: UserChanges): UserRow {
  const details = checkUserDetails({
    ...{ login: before.login, displayName: displayName ?? before.display_name },
    ...{ email: email === undefined ? before.email : email, roles: roles ?? checkRoles(before.roles) },
  });
  const isManaged = before.issuer !== null && (displayName !== undefined || email !== undefined || roles !== undefined);
  if (isManaged) throw external();
  return {
    ...{ ...before, display_name: details.displayName, email: details.email },
    ...{ roles: [...details.roles], state: state ?? before.state },
  };
}

function demandAllowed(actor: Actor, before: UserRow, after: UserRow, administrators: readonly string[]): void {
  if (actor.principal.id === before.id) {
    throw new InputError('OWN_ACCOUNT', 'You cannot change your own roles or state', 'Another administrator does');
  }
  demandAdministratorLeft(before, after, administrators);
}

/** @throws InputError with code `LAST_ADMINISTRATOR` */
export function demandAdministratorLeft(before: UserRow, after: UserRow, administrators: readonly string[]): void {
  if (!isAdministrator(before) || isAdministrator(after) || administrators.some((id) => id !== before.id)) return;
  throw new InputError('LAST_ADMINISTRATOR', 'Nobody else looks after accounts', 'Make another administrator first');
}

function changedFields(before: UserRow, after: UserRow): string[] {
  const names = ['display_name', 'email', 'state'] as const;
  const changed: string[] = names.filter((name) => before[name] !== after[name]);
  return before.roles.join() === after.roles.join() ? changed : [...changed, 'roles'];
}

async function hashNewPassword(context: IdentityContext, password: string, owner: PasswordOwner): Promise<string> {
  const problem = passwordProblem(password, owner);
  if (problem !== null) throw passwordRefused(problem);
  return context.hasher.hash(password, context.randomBytes(SALT_BYTES));
}

function ownerDetails({ login, display_name, email }: UserRow): PasswordOwner {
  return { login, displayName: display_name, email };
}

export function newUser(context: IdentityContext, details: UserDetails, passwordHash: string | null): UserRow {
  return {
    ...{
      id: newId(context.randomBytes),
      login: details.login,
      display_name: details.displayName,
      email: details.email,
    },
    ...{
      roles: [...details.roles],
      state: 'active',
      password_hash: passwordHash,
      totp_state: 'off',
      totp_secret: null,
    },
    ...{
      totp_last_step: null,
      issuer: null,
      subject: null,
      created_ms: context.nowMs(),
      last_login_ms: null,
      version: 1,
    },
  };
}

function demandOwnPassword({ issuer }: UserRow): void {
  if (issuer !== null) throw external();
}

function external(): InputError {
  return new InputError('USER_EXTERNAL', 'The identity provider looks after this account', 'Change it there');
}
