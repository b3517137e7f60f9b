// How guessing is slowed down: by login and by where it comes from, with a delay that doubles.
//
// The first four failures of a login cost nothing, the fifth a minute, the tenth more than half an hour (PCI DSS 4.0.1 8.3.4:
// at most ten, then at least 30 minutes), never more than an hour: nobody is locked out for good, for that would be a way
// to lock others out (OWASP Authentication Cheat Sheet). An address has twenty, for many people share one; it counts logins
// that do not exist as well. An attempt counts before the password is looked at, so many at once are no way around.
import { isIP } from 'node:net';
import { hashSecret } from './tokens.ts';

export interface LockoutSettings {
  readonly loginFailures: number;
  readonly addressFailures: number;
  readonly firstDelayMs: number;
  readonly mostDelayMs: number;
  /** Without a failure for so long, those before are forgotten. */
  readonly forgetMs: number;
  /** Logins and addresses that are counted at the same time; beyond, those with the fewest failures are forgotten. */
  readonly mostCounters: number;
}

export const DEFAULT_LOCKOUT: LockoutSettings = {
  ...{ loginFailures: 5, addressFailures: 20, firstDelayMs: 60_000, mostDelayMs: 3_600_000 },
  ...{ forgetMs: 86_400_000, mostCounters: 100_000 },
};

export type CounterKind = 'login' | 'address';

/** What is kept of a login or an address. */
export interface FailureCounter {
  readonly failures: number;
  readonly lastMs: number;
  /** 0 where it is not locked. */
  readonly lockedUntilMs: number;
}

export const NO_FAILURES: FailureCounter = { failures: 0, lastMs: 0, lockedUntilMs: 0 };

export function isLocked({ lockedUntilMs }: FailureCounter, nowMs: number): boolean {
  return lockedUntilMs > nowMs;
}

/** After one more attempt that has not succeeded yet. */
export function countAttempt(
  before: FailureCounter,
  kind: CounterKind,
  nowMs: number,
  settings: LockoutSettings,
): FailureCounter {
  const isForgotten = nowMs - before.lastMs >= settings.forgetMs;
  const failures = isForgotten ? 1 : before.failures + 1;
  return { failures, lastMs: nowMs, lockedUntilMs: lockUntil(failures, kind, nowMs, settings) };
}

/**
 * The attempt was none: the password was right, and what comes next is not known yet. The others stay, or knowing the
 * password would be a way to guess one-time codes without end.
 */
export function takeBackAttempt(counter: FailureCounter, kind: CounterKind, settings: LockoutSettings): FailureCounter {
  const failures = Math.max(0, counter.failures - 1);
  const isFree = failures < allowance(kind, settings);
  return { ...counter, failures, lockedUntilMs: isFree ? 0 : counter.lockedUntilMs };
}

function allowance(kind: CounterKind, settings: LockoutSettings): number {
  return kind === 'login' ? settings.loginFailures : settings.addressFailures;
}

function lockUntil(failures: number, kind: CounterKind, nowMs: number, settings: LockoutSettings): number {
  const beyond = failures - allowance(kind, settings);
  if (beyond < 0) return 0;
  return nowMs + Math.min(settings.mostDelayMs, settings.firstDelayMs * 2 ** Math.min(beyond, 30));
}

/** People type passwords into the wrong field: what was typed as a login is not kept, its hash is. */
export function loginCounterKey(login: string): string {
  return `login:${Buffer.from(hashSecret(login)).toString('hex')}`;
}

/** Of an IPv6 address the network (64 bits): whoever has one has all of them. */
export function addressCounterKey(address: string): string {
  const version = isIP(address);
  return `address:${version === 0 ? 'unknown' : version === 4 ? address : ipv6Network(address)}`;
}

function ipv6Network(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  if (mapped !== null) return mapped[1];
  const [head, tail] = address.split('%')[0].split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  const all = tail === undefined ? groups : [...groups, ...zeros, ...rest];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
