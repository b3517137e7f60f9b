// When a session has ended: half an hour without a request, or half a day after it began (NIST SP 800-63B-4 2.2.3, level 2: at most
// an hour idle, 24 hours in all; OWASP asks for less where money is near).

export interface SessionSettings {
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** Of one person; the one that was idle for longest ends when another begins. */
  readonly mostPerUser: number;
  /** That there was a request is written so often at most; the idle limit is exact to that. */
  readonly seenEveryMs: number;
}

export const DEFAULT_SESSIONS: SessionSettings = {
  ...{ idleMs: 30 * 60_000, absoluteMs: 12 * 3_600_000, mostPerUser: 10, seenEveryMs: 60_000 },
};

export interface SessionTimes {
  readonly lastSeenMs: number;
  readonly expiresMs: number;
}

export function isOver({ lastSeenMs, expiresMs }: SessionTimes, nowMs: number, { idleMs }: SessionSettings): boolean {
  return nowMs >= expiresMs || nowMs - lastSeenMs >= idleMs;
}
