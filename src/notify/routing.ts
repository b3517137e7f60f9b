// Where a notification goes: the routes that take it, and silences that keep it from being told.
import { InputError } from '../lib/errors.ts';
import type { Notification, NotificationDraft, Severity } from './notification.ts';
import { isWithinHours } from './quiet-hours.ts';
import type { Ladder, Match, Route } from './settings.ts';

/** Somebody does not want to be told of something for a while, and says why. */
export interface Silence {
  readonly id: string;
  readonly match: Match;
  /** Of one customer, case or thing alone; null: of all. */
  readonly subjectId: string | null;
  /** What is critical is told all the same unless this says otherwise. */
  readonly includesCritical: boolean;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly by: string;
  readonly why: string;
}

export interface Leg {
  readonly channel: string;
  readonly route: Pick<Route, 'name' | 'groupBy' | 'groupWindowMs'>;
}

export interface Legs {
  /** Each channel once, in the order of the routes. */
  readonly legs: readonly Leg[];
  readonly ladder: string | null;
}

export const MAX_SILENCE_DAYS = 30;
const DAY_MS = 86_400_000;
/** Of messages whose channels are given: an escalation waits for nobody. */
const DIRECT: Leg['route'] = { name: 'direct', groupBy: 'none', groupWindowMs: 1000 };

export function isMatch(match: Match, notification: Notification, nowMs: number): boolean {
  const { kind, severity, queue, typology, code } = notification;
  const isAmong = (wanted: readonly string[] | undefined, value: string | null) =>
    wanted === undefined || (value !== null && wanted.includes(value));
  return (
    isAmong(match.kinds, kind) &&
    isAmong(match.severities, severity) &&
    isAmong(match.queues, queue) &&
    isAmong(match.typologies, typology) &&
    isAmong(match.codes, code) &&
    (match.hours === undefined || isWithinHours(match.hours, nowMs))
  );
}

/** The silence that applies; of several the one that lasts longest. */
export function silenceOf(silences: readonly Silence[], notification: Notification, nowMs: number): Silence | null {
  const { severity, kind, customerId, caseId, subject } = notification;
  // A question to a customer and what nobody answered have been asked for: they are not noise.
  if (kind === 'challenge' || kind === 'escalation') return null;
  let found: Silence | null = null;
  for (const silence of silences) {
    const { fromMs, untilMs, includesCritical, subjectId, match } = silence;
    if (nowMs < fromMs || nowMs >= untilMs || (severity === 'critical' && !includesCritical)) continue;
    if (subjectId !== null && ![customerId, caseId, subject?.id].includes(subjectId)) continue;
    if (isMatch(match, notification, nowMs) && (found === null || untilMs > found.untilMs)) found = silence;
  }
  return found;
}

/** @param known names of the channels there are; others are left out */
export function legsOf(
  routes: readonly Route[],
  known: { has(channel: string): boolean },
  notification: Notification,
  nowMs: number,
): Legs {
  const legs: Leg[] = [];
  const add = (channels: readonly string[], route: Leg['route']) => {
    for (const channel of channels) {
      if (known.has(channel) && !legs.some((leg) => leg.channel === channel)) legs.push({ channel, route });
    }
  };
  add(notification.channels ?? [], DIRECT);
  if (legs.length > 0) return { legs, ladder: null };
  let ladder: string | null = null;
  for (const route of routes) {
    if (!isMatch(route.match, notification, nowMs)) continue;
    add(route.channels, route);
    ladder ??= route.ladder;
    if (!route.continues) break;
  }
  return { legs, ladder };
}

/** What it is told together with on a leg; null: with nothing. */
export function groupKeyOf({ route: { name, groupBy } }: Leg, notification: Notification): string | null {
  const values = {
    ...{ none: null, case: notification.caseId, customer: notification.customerId, typology: notification.typology },
  };
  const value = values[groupBy];
  return value === null ? null : JSON.stringify([name, value]);
}

/**
 * What the next level of a ladder is told of a notification that nobody acknowledged.
 *
 * @param level from 0
 */
export function escalationOf(
  notification: Notification,
  ladder: Ladder,
  level: number,
  nowMs: number,
): NotificationDraft {
  const { id, severity, title, text, subject, linkPath, queue, typology, caseId, customerId, code } = notification;
  const minutes = Math.max(1, Math.round((nowMs - notification.atMs) / 60_000));
  return {
    ...{ id: `${id.slice(0, 190)}~${level + 1}`, kind: 'escalation', severity, atMs: nowMs },
    title: { es: `Sin atender hace ${minutes} min: ${title.es}`, en: `Unanswered for ${minutes} min: ${title.en}` },
    ...{ text, subject, linkPath, queue, typology, caseId, customerId, code },
    channels: ladder.levels[level].channels,
  };
}

/** When the level is due; null past the last. @param fromMs the notification's time, or that of the level before */
export function levelDueMs(ladder: Ladder, level: number, fromMs: number): number | null {
  return level < ladder.levels.length ? fromMs + ladder.levels[level].afterMs : null;
}

/** @throws InputError where it has no reason or no near end */
export function demandSilence({ why, untilMs, fromMs }: Pick<Silence, 'why' | 'untilMs' | 'fromMs'>): void {
  if (why.trim() === '') {
    throw new InputError('REASON_MISSING', 'It is not said why', 'Give the reason, for those who come later');
  }
  if (untilMs > fromMs && untilMs <= fromMs + MAX_SILENCE_DAYS * DAY_MS) return;
  const what = untilMs <= fromMs ? 'is in the past' : `is more than ${MAX_SILENCE_DAYS} days away`;
  throw new InputError('UNTIL_INVALID', `The end ${what}`, `Choose one within ${MAX_SILENCE_DAYS} days`);
}

/** Whether it goes out by itself: what breaks through quiet hours is not put with what waits. */
export function isUrgent(severity: Severity, breaksThrough: readonly Severity[]): boolean {
  return severity === 'critical' || breaksThrough.includes(severity);
}
