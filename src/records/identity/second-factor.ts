// One-time codes of an app, and the recovery codes for whoever loses it: set up, confirmed by a first code, taken off.
// The secret must be read to check a code, so it is sealed; recovery codes are hashed.
import { hashRecoveryCode, isRecoveryCode, newRecoveryCodes, RECOVERY_CODES } from '../../identity/recovery-codes.ts';
import { base32, matchingStep, TOTP_SECRET_BYTES, totpUri } from '../../identity/totp.ts';
import { InputError } from '../../lib/errors.ts';
import type { SealedPlace } from '../../privacy/envelope.ts';
import { type Actor, demand, type IdentityContext, note, type Tx } from './identity-context.ts';
import { verifyOwnPassword } from './own-password.ts';
import {
  endSessionsOf,
  type NewSession,
  requiresTotp,
  rotateSession,
  type SignedIn,
  type Visitor,
} from './session-records.ts';
import { demandUser, type UserRow, updateUser } from './user-records.ts';

export interface TotpEnrolment {
  /** For typing. */
  readonly secret: string;
  /** For a QR code. */
  readonly uri: string;
}

export interface TotpConfirmation {
  readonly session: NewSession;
  /** Shown once. */
  readonly recoveryCodes: readonly string[];
}

export type SecondFactor = 'totp' | 'recovery-code';

const placeOf = (userId: string): SealedPlace => ({ table: 'users', row: userId, field: 'totp_secret' });

/** The secret of somebody's codes, in clear; null where there is none. */
export async function openTotpSecret({ open }: IdentityContext, user: UserRow): Promise<Uint8Array | null> {
  return user.totp_secret === null ? null : open(user.totp_secret, placeOf(user.id));
}

/** Uses a code up: of two that come with the same one, one is refused. */
export async function useSecondFactor(
  context: IdentityContext,
  tx: Tx,
  user: UserRow,
  secret: Uint8Array,
  code: string,
): Promise<SecondFactor | null> {
  if (isRecoveryCode(code)) return (await useRecoveryCode(context, tx, user, code)) ? 'recovery-code' : null;
  const step = matchingStep(secret, code, context.nowMs(), user.totp_last_step);
  if (step === null) return null;
  const { numUpdatedRows } = await tx
    .updateTable('users')
    .set({ totp_last_step: step })
    .where('id', '=', user.id)
    .where((where) => where.or([where('totp_last_step', 'is', null), where('totp_last_step', '<', step)]))
    .executeTakeFirst();
  return numUpdatedRows === 1n ? 'totp' : null;
}

async function useRecoveryCode(context: IdentityContext, tx: Tx, { id }: UserRow, code: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('user_recovery_codes')
    .set({ used_ms: context.nowMs() })
    .where('user_id', '=', id)
    .where('code_hash', '=', hashRecoveryCode(id, code))
    .where('used_ms', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** A new secret, which counts once a code of it has been given. @throws InputError with code `TOTP_ALREADY_ON` */
export async function enrolTotp(context: IdentityContext, { user: { id } }: SignedIn): Promise<TotpEnrolment> {
  const secret = context.randomBytes(TOTP_SECRET_BYTES);
  const sealed = await context.seal(secret, placeOf(id));
  const login = await context.store.transact(async (tx) => {
    const user = await demandUser(tx, id);
    if (user.issuer !== null) {
      throw new InputError('USER_EXTERNAL', 'You sign in at the identity provider', 'Set up the second factor there');
    }
    if (user.totp_state === 'on') {
      throw new InputError('TOTP_ALREADY_ON', 'One-time codes are set up already', 'Take them off first');
    }
    await updateUser(tx, user, { totp_state: 'pending', totp_secret: sealed, totp_last_step: null });
    return user.login;
  });
  return { secret: base32(secret), uri: totpUri(secret, context.settings.issuerName, login) };
}

/** @throws InputError with code `TOTP_NOT_PENDING` or `TOTP_WRONG` */
export async function confirmTotp(
  context: IdentityContext,
  session: SignedIn,
  code: string,
  visitor: Visitor,
): Promise<TotpConfirmation> {
  const recoveryCodes = newRecoveryCodes(context.randomBytes);
  const before = await demandUser(context.store.db, session.user.id);
  const secret = before.totp_state === 'pending' ? await openTotpSecret(context, before) : null;
  if (secret === null) {
    throw new InputError('TOTP_NOT_PENDING', 'No one-time codes are being set up', 'Begin again');
  }
  const step = matchingStep(secret, code, context.nowMs(), null);
  if (step === null) throw wrongCode();
  return context.store.transact(async (tx) => {
    await updateUser(tx, before, { totp_state: 'on', totp_last_step: step });
    await replaceRecoveryCodes(tx, before.id, recoveryCodes);
    const user = await demandUser(tx, before.id);
    const rotated = await rotateSession(context, tx, user, session, visitor);
    const actor = { principal: session.principal, address: visitor.address };
    await note(context, tx, actor, { action: 'totp.enabled', subject: { kind: 'user', id: user.id }, detail: {} });
    return { session: rotated, recoveryCodes };
  });
}

/**
 * By the person, with password and code.
 *
 * @throws InputError with code `TOTP_REQUIRED_BY_ROLE`, `TOTP_NOT_ON`, `TOTP_WRONG`, or those of `verifyOwnPassword`
 */
export async function disableTotp(
  context: IdentityContext,
  session: SignedIn,
  given: { readonly password: string; readonly code: string },
  visitor: Visitor,
): Promise<NewSession> {
  const before = await demandUser(context.store.db, session.user.id);
  if (requiresTotp(context, before)) {
    throw new InputError('TOTP_REQUIRED_BY_ROLE', 'Your role asks for one-time codes', 'They cannot be taken off');
  }
  const secret = before.totp_state === 'on' ? await openTotpSecret(context, before) : null;
  if (secret === null)
    throw new InputError('TOTP_NOT_ON', 'There are no one-time codes to take off', 'Nothing is to do');
  const outcome = await verifyOwnPassword(context, before, given.password, visitor.address, async (tx, user) => {
    if ((await useSecondFactor(context, tx, user, secret, given.code)) === null) return null;
    await updateUser(tx, user, { totp_state: 'off', totp_secret: null, totp_last_step: null });
    await replaceRecoveryCodes(tx, user.id, []);
    const rotated = await rotateSession(context, tx, await demandUser(tx, user.id), session, visitor);
    const actor = { principal: session.principal, address: visitor.address };
    await note(context, tx, actor, { action: 'totp.disabled', subject: { kind: 'user', id: user.id }, detail: {} });
    return rotated;
  });
  if (outcome === null) throw wrongCode();
  return outcome;
}

/** Ten new ones; those before are void. Asks for password and code, like taking them off. */
export async function renewRecoveryCodes(
  context: IdentityContext,
  session: SignedIn,
  given: { readonly password: string; readonly code: string },
  address: string | null,
): Promise<readonly string[]> {
  const codes = newRecoveryCodes(context.randomBytes);
  const before = await demandUser(context.store.db, session.user.id);
  const secret = before.totp_state === 'on' ? await openTotpSecret(context, before) : null;
  if (secret === null) throw new InputError('TOTP_NOT_ON', 'There are no one-time codes', 'Set them up first');
  const isDone = await verifyOwnPassword(context, before, given.password, address, async (tx, user) => {
    if ((await useSecondFactor(context, tx, user, secret, given.code)) === null) return null;
    await replaceRecoveryCodes(tx, user.id, codes);
    const subject = { kind: 'user', id: user.id };
    const actor = { principal: session.principal, address };
    await note(context, tx, actor, {
      action: 'totp.recovery-codes-renewed',
      subject,
      detail: { codes: RECOVERY_CODES },
    });
    return true;
  });
  if (isDone === null) throw wrongCode();
  return codes;
}

/** By an administrator, for whoever has lost both app and codes; they sign in anew and set it up again where their role asks for it. */
export async function resetTotp(context: IdentityContext, actor: Actor, userId: string): Promise<void> {
  demand(actor, 'users:manage');
  if (actor.principal.id === userId) {
    throw new InputError('OWN_ACCOUNT', 'You cannot take off your own second factor', 'Another administrator does');
  }
  await context.store.transact(async (tx) => {
    const user = await demandUser(tx, userId);
    await updateUser(tx, user, { totp_state: 'off', totp_secret: null, totp_last_step: null });
    await replaceRecoveryCodes(tx, userId, []);
    const sessions = await endSessionsOf(tx, userId);
    const subject = { kind: 'user', id: userId };
    await note(context, tx, actor, { action: 'totp.reset', subject, detail: { sessions } });
  });
}

async function replaceRecoveryCodes(tx: Tx, userId: string, codes: readonly string[]): Promise<void> {
  await tx.deleteFrom('user_recovery_codes').where('user_id', '=', userId).execute();
  if (codes.length === 0) return;
  const rows = codes.map((code) => ({ user_id: userId, code_hash: hashRecoveryCode(userId, code), used_ms: null }));
  await tx.insertInto('user_recovery_codes').values(rows).execute();
}

function wrongCode(): InputError {
  return new InputError('TOTP_WRONG', 'The one-time code is not right', 'Wait for the next one and try again');
}
