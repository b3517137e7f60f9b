// Somebody who is signed in shows again that it is them, before their password or second factor changes: whoever found an
// open session has no password. Guessing counts like guessing at the door.
import { InputError } from '../../lib/errors.ts';
import { attemptOf, reserve, succeed, takeBack } from './failure-counters.ts';
import { type IdentityContext, note, type Tx } from './identity-context.ts';
import { MOST_PASSWORD_UNITS } from './password-limits.ts';
import { demandUser, principalOf, type UserRow } from './user-records.ts';

/**
 * @param work what happens then, in one transaction; null where something else was wrong: nothing it wrote should stay, so it
 *   writes after it has checked, and the attempt stays counted
 * @throws InputError with code `LOCKED_UNTIL` or `PASSWORD_WRONG`
 */
export async function verifyOwnPassword<T>(
  context: IdentityContext,
  user: UserRow,
  password: string,
  address: string | null,
  work: (tx: Tx, user: UserRow) => Promise<T | null>,
): Promise<T | null> {
  const attempt = attemptOf(user.login, address);
  const reservation = await context.store.transact((tx) => reserve(context, tx, attempt));
  if (reservation.kind === 'locked') throw locked(reservation.untilMs);
  let isRight: boolean;
  try {
    isRight = await context.hasher.verify(password.slice(0, MOST_PASSWORD_UNITS), user.password_hash);
  } catch (error) {
    await context.store.transact((tx) => takeBack(context, tx, attempt));
    throw error;
  }
  if (!isRight) {
    await context.store.transact(async (tx) => {
      const { locks } = reservation;
      const actor = { principal: principalOf(user), address };
      const subject = { kind: 'user', id: user.id };
      await note(context, tx, actor, { action: 'user.own-password-wrong', subject, detail: { locks } });
    });
    throw new InputError('PASSWORD_WRONG', 'The password is not right', 'Type it again');
  }
  return context.store.transact(async (tx) => {
    const present = await demandUser(tx, user.id);
    if (present.password_hash !== user.password_hash || present.state !== 'active') {
      throw new InputError('PASSWORD_WRONG', 'The password was changed meanwhile', 'Sign in again');
    }
    const result = await work(tx, present);
    if (result !== null) await succeed(context, tx, attempt);
    return result;
  });
}

export class LockedError extends InputError {
  readonly untilMs: number;

  constructor(untilMs: number) {
    super('LOCKED_UNTIL', 'There were too many failures', 'Wait and try again later');
    this.untilMs = untilMs;
  }
}

function locked(untilMs: number): LockedError {
  return new LockedError(untilMs);
}
