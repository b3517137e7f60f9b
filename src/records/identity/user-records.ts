// Accounts at rest.
import { type Selectable, sql } from 'kysely';
import { isRole } from '../../identity/permissions.ts';
import { type Principal, userPrincipal } from '../../identity/principal.ts';
import { isId } from '../../identity/tokens.ts';
import { isLogin, type User } from '../../identity/user.ts';
import { InputError } from '../../lib/errors.ts';
import { changedMeanwhile, type Tx } from './identity-context.ts';
import type { UserTable } from './tables.ts';

export type UserRow = Selectable<UserTable>;

export interface UserPage {
  readonly users: readonly User[];
  /** Where the next page begins; null on the last one. */
  readonly next: string | null;
}

const MOST_PER_PAGE = 200;

export function userOf(row: UserRow): User {
  return {
    ...{
      id: row.id,
      login: row.login,
      displayName: row.display_name,
      email: row.email,
      roles: row.roles.filter(isRole),
    },
    ...{ state: row.state, totpState: row.totp_state, isExternal: row.issuer !== null },
    ...{ hasPassword: row.password_hash !== null, createdMs: row.created_ms, lastLoginMs: row.last_login_ms },
    version: row.version,
  };
}

export function principalOf(row: UserRow): Principal {
  return userPrincipal(row.id, row.display_name, row.roles.filter(isRole));
}

export function findUser(tx: Tx, id: string): Promise<UserRow | undefined> {
  return tx.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

/** What cannot be a login is nobody's. */
export async function findUserByLogin(tx: Tx, login: string): Promise<UserRow | undefined> {
  if (!isLogin(login)) return undefined;
  return tx.selectFrom('users').selectAll().where('login', '=', login).executeTakeFirst();
}

/** @throws InputError with code `USER_UNKNOWN` */
export async function demandUser(tx: Tx, id: string): Promise<UserRow> {
  const row = isId(id) ? await findUser(tx, id) : undefined;
  if (row !== undefined) return row;
  throw new InputError('USER_UNKNOWN', 'There is no such user', 'See the list of users');
}

/** By login. @param after login that the page comes after; null for the first */
export async function listUsers(tx: Tx, after: string | null, limit: number): Promise<UserPage> {
  const most = Math.max(1, Math.min(Math.trunc(limit), MOST_PER_PAGE));
  let query = tx
    .selectFrom('users')
    .selectAll()
    .orderBy('login')
    .limit(most + 1);
  if (after !== null) {
    if (!isLogin(after))
      throw new InputError('CURSOR_INVALID', 'The page to go on from is not one', 'Begin at the first');
    query = query.where('login', '>', after);
  }
  const rows = await query.execute();
  const users = rows.slice(0, most).map(userOf);
  return { users, next: rows.length > most ? users[most - 1].login : null };
}

/** @throws InputError with code `LOGIN_TAKEN` */
export async function insertUser(tx: Tx, row: UserRow): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('users')
    .values(row)
    .onConflict((conflict) => conflict.column('login').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) {
    throw new InputError('LOGIN_TAKEN', 'Somebody has this login already', 'Choose another one');
  }
}

/** @throws InputError with code `VERSION_CONFLICT` */
export async function updateUser(
  tx: Tx,
  { id, version }: Pick<UserRow, 'id' | 'version'>,
  changes: Partial<Omit<UserRow, 'id' | 'version'>>,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('users')
    .set({ ...changes, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw changedMeanwhile('The account');
}

/**
 * The administrators there are, locked until the transaction ends: of two that take each other's role away at the same
 * time one waits and then sees that it is the last.
 */
export async function lockAdministrators(tx: Tx): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('users')
    .select('id')
    .where('state', '=', 'active')
    .where(sql<boolean>`roles @> ARRAY['administrator']`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}

export async function hasAdministrator(tx: Tx): Promise<boolean> {
  const row = await tx
    .selectFrom('users')
    .select('id')
    .where('state', '=', 'active')
    .where(sql<boolean>`roles @> ARRAY['administrator']`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export function isAdministrator({ state, roles }: Pick<UserRow, 'state' | 'roles'>): boolean {
  return state === 'active' && roles.includes('administrator');
}
