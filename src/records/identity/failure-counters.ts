// Failures to log in, counted in the database: they outlive a restart, and all processes count together.
//
// An attempt is counted before it is known whether it fails (`reserve`), in one statement's lock, so a hundred at the same
// time are a hundred; one that did not fail is taken back.
import {
  addressCounterKey,
  type CounterKind,
  countAttempt,
  type FailureCounter,
  isLocked,
  loginCounterKey,
  NO_FAILURES,
  takeBackAttempt,
} from '../../identity/lockout.ts';
import type { IdentityContext, Tx } from './identity-context.ts';

export interface Attempt {
  readonly keys: readonly { readonly kind: CounterKind; readonly key: string }[];
}

export type Reservation =
  | {
      readonly kind: 'counted';
      readonly attempt: Attempt;
      readonly locks: readonly CounterKind[];
      readonly untilMs: number;
    }
  | { readonly kind: 'locked'; readonly untilMs: number };

/** Evicted at a time, so that eviction is rare. */
const EVICTED_SHARE = 0.01;

/** @param login as it was given, in its plain writing */
export function attemptOf(login: string, address: string | null): Attempt {
  const keys: Attempt['keys'][number][] = [{ kind: 'login', key: loginCounterKey(login) }];
  if (address !== null) keys.push({ kind: 'address', key: addressCounterKey(address) });
  return { keys };
}

/** Counts an attempt, unless login or address are locked. `locks`: what this attempt locks, should it fail. */
export async function reserve(context: IdentityContext, tx: Tx, attempt: Attempt): Promise<Reservation> {
  const { lockout } = context.settings;
  const nowMs = context.nowMs();
  await makeCounters(tx, attempt, nowMs);
  const before = await lockCounters(tx, attempt);
  const untilMs = Math.max(...attempt.keys.map(({ key }) => before.get(key)?.lockedUntilMs ?? 0));
  if (untilMs > nowMs) return { kind: 'locked', untilMs };
  const locks: CounterKind[] = [];
  let lockedUntilMs = 0;
  for (const { kind, key } of attempt.keys) {
    const after = countAttempt(before.get(key) ?? NO_FAILURES, kind, nowMs, lockout);
    await writeCounter(tx, key, after);
    if (isLocked(after, nowMs)) locks.push(kind);
    lockedUntilMs = Math.max(lockedUntilMs, after.lockedUntilMs);
  }
  return { kind: 'counted', attempt, locks, untilMs: lockedUntilMs };
}

/** The attempt did not fail, but nobody is logged in yet. */
export async function takeBack(context: IdentityContext, tx: Tx, attempt: Attempt): Promise<void> {
  const before = await lockCounters(tx, attempt);
  for (const { kind, key } of attempt.keys) {
    const counter = before.get(key);
    if (counter !== undefined) await writeCounter(tx, key, takeBackAttempt(counter, kind, context.settings.lockout));
  }
}

/** Somebody is logged in. The address keeps what others failed at: an own account is no way to guess others'. */
export async function succeed(context: IdentityContext, tx: Tx, attempt: Attempt): Promise<void> {
  await takeBack(context, tx, attempt);
  for (const { kind, key } of attempt.keys) if (kind === 'login') await forgetCounter(tx, key);
}

export async function forgetLogin(tx: Tx, login: string): Promise<void> {
  await forgetCounter(tx, loginCounterKey(login));
}

/** Forgets what is old and, beyond the limit, those that have failed least. */
export async function sweepCounters(context: IdentityContext, tx: Tx): Promise<void> {
  const { forgetMs, mostCounters } = context.settings.lockout;
  await tx
    .deleteFrom('login_failures')
    .where('last_ms', '<=', context.nowMs() - forgetMs)
    .execute();
  const { count } = await tx
    .selectFrom('login_failures')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const excess = Number(count) - mostCounters;
  if (excess <= 0) return;
  const lightest = tx
    .selectFrom('login_failures')
    .select('key')
    .orderBy('failures')
    .orderBy('last_ms')
    .orderBy('key')
    .limit(excess + Math.floor(mostCounters * EVICTED_SHARE));
  await tx.deleteFrom('login_failures').where('key', 'in', lightest).execute();
}

/** A row that is there can be locked; two that make the same one do not fail. */
async function makeCounters(tx: Tx, { keys }: Attempt, nowMs: number): Promise<void> {
  const rows = sorted(keys).map((key) => ({ key, failures: 0, last_ms: nowMs, locked_until_ms: 0 }));
  await tx
    .insertInto('login_failures')
    .values(rows)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
}

/** In the order of their keys: two attempts never wait for each other. */
async function lockCounters(tx: Tx, { keys }: Attempt): Promise<ReadonlyMap<string, FailureCounter>> {
  const rows = await tx
    .selectFrom('login_failures')
    .selectAll()
    .where('key', 'in', sorted(keys))
    .orderBy('key')
    .forUpdate()
    .execute();
  return new Map(
    rows.map(({ key, failures, last_ms, locked_until_ms }) => [
      key,
      { failures, lastMs: last_ms, lockedUntilMs: locked_until_ms },
    ]),
  );
}

function sorted(keys: Attempt['keys']): string[] {
  return keys.map(({ key }) => key).sort();
}

async function writeCounter(tx: Tx, key: string, counter: FailureCounter): Promise<void> {
  await tx
    .updateTable('login_failures')
    .set({ failures: counter.failures, last_ms: counter.lastMs, locked_until_ms: counter.lockedUntilMs })
    .where('key', '=', key)
    .execute();
}

async function forgetCounter(tx: Tx, key: string): Promise<void> {
  await tx.deleteFrom('login_failures').where('key', '=', key).execute();
}
