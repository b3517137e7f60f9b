// Links that work once: the first administrator's setup, invitations, password resets. Only the hash is kept; a new link of
// somebody voids the one before, and whoever comes with one that is used, over, or nobody's is told the same.
import { hashSecret, isToken, newToken } from '../../identity/tokens.ts';
import { InputError } from '../../lib/errors.ts';
import type { IdentityContext, Tx } from './identity-context.ts';
import type { UserTokenTable } from './tables.ts';

export type LinkKind = UserTokenTable['kind'];

export interface Link {
  readonly kind: LinkKind;
  /** Shown once. */
  readonly token: string;
  readonly expiresMs: number;
}

/** Links of one day or three: a bank's worth of people at once. */
const MOST_LINKS = 10_000;

export async function makeLink(context: IdentityContext, tx: Tx, kind: LinkKind, userId: string | null): Promise<Link> {
  const { settings, nowMs, randomBytes } = context;
  const lives = { setup: settings.setupMs, invitation: settings.invitationMs, 'password-reset': settings.resetMs };
  await voidLinks(tx, userId);
  const { count } = await tx
    .selectFrom('user_tokens')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST_LINKS) {
    throw new InputError('TOO_MANY_LINKS', `${MOST_LINKS} links wait to be used`, 'Wait until some are, or are over');
  }
  const link: Link = { kind, token: newToken(randomBytes), expiresMs: nowMs() + lives[kind] };
  const row = { token_hash: hashSecret(link.token), kind, user_id: userId, expires_ms: link.expiresMs };
  await tx.insertInto('user_tokens').values(row).execute();
  return link;
}

/** @param userId null: setup */
export async function voidLinks(tx: Tx, userId: string | null): Promise<void> {
  await tx
    .deleteFrom('user_tokens')
    .where('user_id', userId === null ? 'is' : '=', userId)
    .execute();
}

/** Whose it is. @throws InputError with code `LINK_INVALID` */
export async function findLink(context: IdentityContext, tx: Tx, token: string): Promise<UserTokenTable> {
  const row = isToken(token)
    ? await tx.selectFrom('user_tokens').selectAll().where('token_hash', '=', hashSecret(token)).executeTakeFirst()
    : undefined;
  if (row === undefined || row.expires_ms <= context.nowMs()) throw invalidLink();
  return row;
}

/** Of two that use it at the same time one is told that it is used. @throws InputError with code `LINK_INVALID` */
export async function useLink(context: IdentityContext, tx: Tx, token: string): Promise<UserTokenTable> {
  const row = await findLink(context, tx, token);
  const { numDeletedRows } = await tx
    .deleteFrom('user_tokens')
    .where('token_hash', '=', row.token_hash)
    .executeTakeFirst();
  if (numDeletedRows !== 1n) throw invalidLink();
  return row;
}

export async function sweepLinks(context: IdentityContext, tx: Tx): Promise<void> {
  await tx.deleteFrom('user_tokens').where('expires_ms', '<=', context.nowMs()).execute();
}

function invalidLink(): InputError {
  return new InputError('LINK_INVALID', 'The link is not valid, is over, or was used', 'Ask for another one');
}
