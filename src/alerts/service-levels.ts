// Until when somebody must have looked and decided, and what a clock says at a given time.
//
// Fraud does not keep office hours, so clocks run all day unless a level counts the bank's hours (Lima, Monday to Friday but for
// holidays). Two terms are the law's and no setting: a suspicious operation is reported within 24 hours of its qualification
// (DL 1249, DS 020-2017-JUS), a claim is answered within 15 business days (Res. SBS 4036-2022).
import { addBusinessDays, isBusinessDay, limaDayNumber, startOfLimaDayMs } from '../domain/calendar.ts';
import type { Severity } from '../rules/rule.ts';

export type Hours = 'always' | 'business';

export interface ServiceLevel {
  /** Until an analyst has opened it. */
  readonly firstLookMs: number;
  /** Until it is decided. */
  readonly decisionMs: number;
  readonly hours: Hours;
}

export interface ServiceLevels {
  readonly bySeverity: Readonly<Record<Severity, ServiceLevel>>;
  /** Minutes of the day in Lima between which business hours run. */
  readonly opensMinute: number;
  readonly closesMinute: number;
  /** A clock with this share or less left is near its end. */
  readonly nearShare: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
export const ROS_TERM_MS = 24 * HOUR_MS;
export const CLAIM_TERM_BUSINESS_DAYS = 15;

const level = (firstLookMs: number, decisionMs: number, hours: Hours = 'always'): ServiceLevel => ({
  ...{ firstLookMs, decisionMs, hours },
});

export const DEFAULT_SERVICE_LEVELS: ServiceLevels = {
  bySeverity: {
    critical: level(15 * MINUTE_MS, 2 * HOUR_MS),
    high: level(HOUR_MS, 8 * HOUR_MS),
    medium: level(4 * HOUR_MS, 24 * HOUR_MS),
    low: level(9 * HOUR_MS, 27 * HOUR_MS, 'business'),
  },
  ...{ opensMinute: 9 * 60, closesMinute: 18 * 60, nearShare: 0.2 },
};

export interface Due {
  readonly firstLookDueMs: number;
  readonly decisionDueMs: number;
}

export function dueOf(severity: Severity, startMs: number, levels: ServiceLevels = DEFAULT_SERVICE_LEVELS): Due {
  const { firstLookMs, decisionMs, hours } = levels.bySeverity[severity];
  const due = (durationMs: number) =>
    hours === 'always' ? startMs + durationMs : afterHours(startMs, durationMs, levels);
  return { firstLookDueMs: due(firstLookMs), decisionDueMs: due(decisionMs) };
}

/** When so much of the bank's hours will have passed. */
export function afterHours(startMs: number, durationMs: number, levels: ServiceLevels): number {
  const length = (levels.closesMinute - levels.opensMinute) * MINUTE_MS;
  let left = durationMs;
  let day = limaDayNumber(startMs);
  for (;;) {
    if (isBusinessDay(day)) {
      const opens = startOfLimaDayMs(day) + levels.opensMinute * MINUTE_MS;
      const from = Math.max(opens, startMs);
      const room = Math.max(0, opens + length - from);
      if (left <= room) return from + left;
      left -= room;
    }
    day++;
  }
}

export function rosDueMs(qualifiedMs: number): number {
  return qualifiedMs + ROS_TERM_MS;
}

/** The end of the last business day; the day of the claim does not count. */
export function claimDueMs(claimedMs: number): number {
  return startOfLimaDayMs(addBusinessDays(limaDayNumber(claimedMs), CLAIM_TERM_BUSINESS_DAYS) + 1) - 1;
}

export type ClockState = 'running' | 'near' | 'breached' | 'met' | 'met-late';

export interface Clock {
  readonly startMs: number;
  readonly dueMs: number;
  /** When what it waits for happened; null while it has not. */
  readonly stoppedMs: number | null;
}

export function clockState(clock: Clock, nowMs: number, nearShare = DEFAULT_SERVICE_LEVELS.nearShare): ClockState {
  const { startMs, dueMs, stoppedMs } = clock;
  if (stoppedMs !== null) return stoppedMs <= dueMs ? 'met' : 'met-late';
  if (nowMs > dueMs) return 'breached';
  return dueMs - nowMs <= nearShare * (dueMs - startMs) ? 'near' : 'running';
}
