// Hours of the day in Lima (UTC−5 all year): when a route counts, and when a channel is not to be disturbed.
import { limaMinuteOfDay } from '../domain/calendar.ts';
import type { Severity } from './notification.ts';
import type { QuietHours } from './settings.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/** Whether the time lies in `[from, to)` of Lima's day; over midnight where `from` is later. @param from `HH:MM` */
export function isWithinHours({ from, to }: { readonly from: string; readonly to: string }, timeMs: number): boolean {
  const minute = limaMinuteOfDay(timeMs);
  const [start, end] = [minuteOf(from), minuteOf(to)];
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

/** The first time from `timeMs` on at which the channel may be used for it. */
export function freeFromMs(quiet: QuietHours | null, severity: Severity, timeMs: number): number {
  if (quiet === null || quiet.breaksThrough.includes(severity) || !isWithinHours(quiet, timeMs)) return timeMs;
  const minutes = (minuteOf(quiet.to) - limaMinuteOfDay(timeMs) + DAY_MINUTES) % DAY_MINUTES;
  return timeMs - (timeMs % MINUTE_MS) + minutes * MINUTE_MS;
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
