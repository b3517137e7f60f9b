// Keys of programs: made, listed, replaced, revoked. What a key may do is in identity/api-keys.ts.
import {
  checkScopes,
  isApiKeyId,
  MOST_KEY_LIFE_MS,
  MOST_KEYS,
  newApiKey,
  presentScopes,
} from '../../identity/api-keys.ts';
import { networkCheck } from '../../identity/networks.ts';
import { isRole, type Permission } from '../../identity/permissions.ts';
import { hashSecret } from '../../identity/tokens.ts';
import { InputError } from '../../lib/errors.ts';
import { type Actor, changedMeanwhile, demand, type IdentityContext, note, type Tx } from './identity-context.ts';
import type { ApiKeyTable } from './tables.ts';
import { findUser } from './user-records.ts';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** What it may do today: less than its scopes once its maker may do less. */
  readonly presentScopes: readonly Permission[];
  readonly networks: readonly string[];
  readonly madeBy: string;
  /** The key that this one takes over from. */
  readonly replaces: string | null;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly revokedMs: number | null;
  /** To the minute. */
  readonly lastUsedMs: number | null;
}

export interface NewKey {
  readonly key: ApiKey;
  /** `cnt_…`; shown once. */
  readonly text: string;
}

export interface KeyDraft {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Empty: anywhere. */
  readonly networks: readonly string[];
  readonly expiresMs: number;
}

export interface KeyPage {
  readonly keys: readonly ApiKey[];
  readonly next: string | null;
}

const MOST_NAME = 100;
const MOST_PER_PAGE = 200;
const MOST_OVERLAP_MS = 30 * 86_400_000;

/** @throws InputError with code `FORBIDDEN`, `KEY_INVALID`, `SCOPE_REFUSED`, `SCOPE_INVALID`, `NETWORK_INVALID`, `TOO_MANY_KEYS` */
export async function createKey(context: IdentityContext, actor: Actor, draft: KeyDraft): Promise<NewKey> {
  demand(actor, 'api-keys:manage');
  return context.store.transact(async (tx) => {
    const made = await insertKey(context, tx, actor, draft, null);
    const { id, scopes, networks, expiresMs } = made.key;
    const detail = { scopes: [...scopes], networks: [...networks], expiresMs };
    await note(context, tx, actor, { action: 'api-key.created', subject: { kind: 'api-key', id }, detail });
    return made;
  });
}

/**
 * Another key for the same work; the old one goes on for as long as it takes to hand out the new one.
 *
 * @param overlapMs at most 30 days
 */
export async function rotateKey(
  context: IdentityContext,
  actor: Actor,
  id: string,
  { overlapMs, expiresMs }: { readonly overlapMs: number; readonly expiresMs: number },
): Promise<NewKey> {
  demand(actor, 'api-keys:manage');
  if (!(overlapMs >= 0 && overlapMs <= MOST_OVERLAP_MS)) {
    throw new InputError('KEY_INVALID', 'The overlap is not one', 'Choose between none and 30 days');
  }
  return context.store.transact(async (tx) => {
    const nowMs = context.nowMs();
    const old = await demandKeyInForce(context, tx, id);
    const endsMs = Math.min(old.expires_ms, nowMs + overlapMs);
    await updateKey(tx, old, { expires_ms: endsMs });
    const made = await insertKey(context, tx, actor, { ...old, expiresMs }, id);
    const detail = { replacedBy: made.key.id, endsMs };
    await note(context, tx, actor, { action: 'api-key.rotated', subject: { kind: 'api-key', id }, detail });
    return made;
  });
}

/** At once in this process, within seconds in others (key-cache.ts). */
export async function revokeKey(context: IdentityContext, actor: Actor, id: string): Promise<void> {
  demand(actor, 'api-keys:manage');
  await context.store.transact(async (tx) => {
    const key = await demandKeyInForce(context, tx, id);
    await updateKey(tx, key, { revoked_ms: context.nowMs() });
    await note(context, tx, actor, { action: 'api-key.revoked', subject: { kind: 'api-key', id }, detail: {} });
  });
}

/** The latest first. @param after `next` of the page before */
export async function listKeys(
  context: IdentityContext,
  actor: Actor,
  after: string | null,
  limit: number,
): Promise<KeyPage> {
  demand(actor, 'api-keys:manage');
  const most = Math.max(1, Math.min(Math.trunc(limit), MOST_PER_PAGE));
  let query = context.store.db
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.made_by')
    .selectAll('api_keys')
    .select(['users.roles as maker_roles', 'users.state as maker_state'])
    .orderBy('api_keys.created_ms', 'desc')
    .orderBy('api_keys.id', 'desc')
    .limit(most + 1);
  if (after !== null) {
    const [createdMs, id] = readCursor(after);
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('api_keys.created_ms', 'api_keys.id'), '<', tuple(createdMs, id)),
    );
  }
  const rows = await query.execute();
  const page = rows.slice(0, most);
  const last = page.at(-1);
  return {
    keys: page.map((row) => keyOf(row, row.maker_state === 'active' ? row.maker_roles : [])),
    next: rows.length > most && last !== undefined ? `${last.created_ms}.${last.id}` : null,
  };
}

function readCursor(cursor: string): readonly [number, string] {
  const match = /^(\d{1,15})\.([0-9a-f]{16})$/.exec(cursor);
  if (match === null) throw new InputError('CURSOR_INVALID', 'The page to go on from is not one', 'Begin at the first');
  return [Number(match[1]), match[2]];
}

async function insertKey(
  context: IdentityContext,
  tx: Tx,
  { principal }: Actor,
  draft: KeyDraft,
  replaces: string | null,
): Promise<NewKey> {
  const nowMs = context.nowMs();
  const name = draft.name.normalize('NFC').trim();
  if (name === '' || name.length > MOST_NAME || /\p{C}/u.test(name)) {
    throw new InputError(
      'KEY_INVALID',
      'The name of the key is not one',
      `Say in 1 to ${MOST_NAME} characters what it is for`,
    );
  }
  if (!(draft.expiresMs > nowMs && draft.expiresMs <= nowMs + MOST_KEY_LIFE_MS)) {
    throw new InputError('KEY_INVALID', 'The key must expire within a year', 'Choose a date within 366 days');
  }
  networkCheck(draft.networks);
  const scopes = checkScopes(draft.scopes, principal.permissions);
  await demandRoom(tx, nowMs);
  const { id, secret, text } = newApiKey(context.randomBytes);
  const row: ApiKeyTable = {
    ...{ id, name, secret_hash: hashSecret(secret), scopes: [...scopes], networks: [...draft.networks] },
    ...{ made_by: principal.id, replaces, created_ms: nowMs, expires_ms: Math.trunc(draft.expiresMs) },
    ...{ revoked_ms: null, last_used_ms: null, version: 1 },
  };
  await tx.insertInto('api_keys').values(row).execute();
  return { key: keyOf(row, principal.roles), text };
}

async function demandRoom(tx: Tx, nowMs: number): Promise<void> {
  const { count } = await tx
    .selectFrom('api_keys')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('revoked_ms', 'is', null)
    .where('expires_ms', '>', nowMs)
    .executeTakeFirstOrThrow();
  if (Number(count) < MOST_KEYS) return;
  throw new InputError('TOO_MANY_KEYS', `${MOST_KEYS} keys are in force`, 'Revoke those that nobody uses');
}

async function demandKeyInForce(context: IdentityContext, tx: Tx, id: string): Promise<ApiKeyTable> {
  const row = isApiKeyId(id)
    ? await tx.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
    : undefined;
  if (row === undefined) throw new InputError('KEY_UNKNOWN', 'There is no such key', 'See the list of keys');
  if (row.revoked_ms === null && row.expires_ms > context.nowMs()) return row;
  throw new InputError('KEY_NOT_IN_FORCE', 'The key is revoked or expired', 'Make a new one');
}

async function updateKey(tx: Tx, { id, version }: ApiKeyTable, changes: Partial<ApiKeyTable>): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('api_keys')
    .set({ ...changes, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw changedMeanwhile('The key');
}

function keyOf(row: ApiKeyTable, makerRoles: readonly string[]): ApiKey {
  return {
    ...{ id: row.id, name: row.name, scopes: row.scopes, networks: row.networks, madeBy: row.made_by },
    presentScopes: [...presentScopes(row.scopes, makerRoles.filter(isRole))],
    ...{ replaces: row.replaces, createdMs: row.created_ms, expiresMs: row.expires_ms, revokedMs: row.revoked_ms },
    lastUsedMs: row.last_used_ms,
  };
}

export interface KeyInForce {
  readonly key: ApiKey;
  readonly secretHash: Uint8Array;
}

/** null where there is none, or it is revoked or expired. */
export async function findKeyInForce(context: IdentityContext, id: string): Promise<KeyInForce | null> {
  const { db } = context.store;
  const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined || row.revoked_ms !== null || row.expires_ms <= context.nowMs()) return null;
  const maker = await findUser(db, row.made_by);
  return { key: keyOf(row, maker?.state === 'active' ? maker.roles : []), secretHash: row.secret_hash };
}

export async function writeKeyUse(context: IdentityContext, id: string, atMs: number): Promise<void> {
  await context.store.transact((tx) =>
    tx
      .updateTable('api_keys')
      .set({ last_used_ms: atMs })
      .where('id', '=', id)
      .where((where) => where.or([where('last_used_ms', 'is', null), where('last_used_ms', '<', atMs)]))
      .execute(),
  );
}
