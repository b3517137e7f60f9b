// When a channel tells what: a fold of notifications over a channel's plan, with the time passed in.
//
// The first of a group is told at once; what follows within the window waits for one summary at its end, which opens the
// next window. What comes in quiet hours waits for their end, group by group. A channel has so many messages for each
// stretch of time: beyond them everything waits for one summary in the next stretch that has room. Nothing is dropped:
// each notification is placed in a message, alone or with others. A question to a customer is always told at once and alone.
//
// Stretches are fixed (multiples of `perMs`), so up to twice the limit may fall around a boundary.
import type { Notification } from './notification.ts';
import { freeFromMs } from './quiet-hours.ts';
import { isUrgent } from './routing.ts';
import type { ChannelSettings } from './settings.ts';

export interface OpenGroup {
  /** What comes before waits. */
  readonly untilMs: number;
  /** The summary that waits, if there is one. */
  readonly digest: { readonly id: string; readonly dueMs: number } | null;
}

/** A channel's plan at rest. */
export interface PlanState {
  readonly groups: readonly (readonly [key: string, group: OpenGroup])[];
  /** Messages by the beginning of their stretch. */
  readonly used: readonly (readonly [startMs: number, messages: number])[];
}

export interface Placement {
  /** Of the message: its own, or the summary that it joins. */
  readonly messageId: string;
  readonly dueMs: number;
  /** `joined`: the message exists already; `opened`: it waits for others. */
  readonly kind: 'alone' | 'opened' | 'joined';
}

export type PlanSettings = Pick<ChannelSettings, 'quietHours' | 'rate'>;

export interface PlaceRequest {
  readonly notification: Pick<Notification, 'kind' | 'severity'>;
  /** null: it is told by itself. */
  readonly groupKey: string | null;
  readonly groupWindowMs: number;
  /** The id of a message that it would begin. */
  readonly messageId: string;
}

export const EMPTY_PLAN: PlanState = { groups: [], used: [] };

/** Beyond so many open groups of a channel new ones are told in the summary of all that is too much. */
export const MOST_GROUPS = 5000;
/** Stretches that are looked at for room; where all are full the last one gets one more. */
const MOST_STRETCHES = 10_000;
/** A summary that is due so soon may be on its way: nobody joins it any more. */
const JOIN_GUARD_MS = 250;
const OVERFLOW = '*';

/** One channel's plan while notifications are placed at one time. */
export class ChannelPlan {
  readonly #settings: PlanSettings;
  readonly #nowMs: number;
  readonly #groups: Map<string, OpenGroup>;
  readonly #used: Map<number, number>;

  /** @param gone messages that were sent already, by somebody whose clock is ahead: nobody joins them */
  constructor(state: PlanState, settings: PlanSettings, nowMs: number, gone: ReadonlySet<string> = new Set()) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    const present = this.#stretchOf(nowMs);
    this.#used = new Map(state.used.filter(([startMs]) => startMs >= present));
    this.#groups = new Map(
      state.groups
        .map(
          ([key, group]) =>
            [key, group.digest && gone.has(group.digest.id) ? { ...group, digest: null } : group] as const,
        )
        .filter(([, { untilMs, digest }]) => untilMs > nowMs || (digest !== null && digest.dueMs > nowMs)),
    );
  }

  state(): PlanState {
    return { groups: [...this.#groups], used: [...this.#used] };
  }

  place({ notification, groupKey, groupWindowMs, messageId }: PlaceRequest): Placement {
    const { severity, kind } = notification;
    const { quietHours, rate } = this.#settings;
    const nowMs = this.#nowMs;
    if (kind === 'challenge') return this.#send(messageId);
    // What cannot wait is not held back by what can: its groups are its own.
    const prefix = isUrgent(severity, quietHours?.breaksThrough ?? []) ? '!' : '';
    const overflow = prefix + OVERFLOW;
    const known = groupKey === null ? undefined : this.#groups.get(prefix + groupKey);
    const isTooMuch = groupKey !== null && known === undefined && this.#groups.size >= MOST_GROUPS;
    const key = groupKey === null || isTooMuch ? null : prefix + groupKey;
    const freeMs = freeFromMs(quietHours, severity, nowMs);

    if (key !== null && known !== undefined && known.untilMs > nowMs) {
      return this.#joinOrOpen(key, messageId, Math.max(known.untilMs, freeMs), groupWindowMs, severity);
    }
    if (freeMs > nowMs) {
      return this.#joinOrOpen(key ?? overflow, messageId, freeMs, key === null ? 0 : groupWindowMs, severity);
    }
    if (isTooMuch || this.#usedAt(nowMs) >= rate.most) {
      return this.#joinOrOpen(overflow, messageId, this.#stretchOf(nowMs) + rate.perMs, 0, severity);
    }
    if (key !== null) this.#groups.set(key, { untilMs: nowMs + groupWindowMs, digest: null });
    return this.#send(messageId);
  }

  #send(messageId: string): Placement {
    this.#count(this.#nowMs);
    return { messageId, dueMs: this.#nowMs, kind: 'alone' };
  }

  #joinOrOpen(
    key: string,
    messageId: string,
    fromMs: number,
    windowMs: number,
    severity: Notification['severity'],
  ): Placement {
    const digest = this.#groups.get(key)?.digest ?? null;
    if (digest !== null && digest.dueMs > this.#nowMs + JOIN_GUARD_MS) {
      return { messageId: digest.id, dueMs: digest.dueMs, kind: 'joined' };
    }
    const dueMs = this.#roomFrom(fromMs, severity);
    this.#groups.set(key, { untilMs: dueMs + windowMs, digest: { id: messageId, dueMs } });
    this.#count(dueMs);
    return { messageId, dueMs, kind: 'opened' };
  }

  /** The first time from `fromMs` on that is not quiet and whose stretch has room. */
  #roomFrom(fromMs: number, severity: Notification['severity']): number {
    const { quietHours, rate } = this.#settings;
    let timeMs = freeFromMs(quietHours, severity, fromMs);
    for (let tried = 0; tried < MOST_STRETCHES && this.#usedAt(timeMs) >= rate.most; tried++) {
      timeMs = freeFromMs(quietHours, severity, this.#stretchOf(timeMs) + rate.perMs);
    }
    return timeMs;
  }

  #stretchOf(timeMs: number): number {
    const { perMs } = this.#settings.rate;
    return Math.floor(timeMs / perMs) * perMs;
  }

  #usedAt(timeMs: number): number {
    return this.#used.get(this.#stretchOf(timeMs)) ?? 0;
  }

  #count(timeMs: number): void {
    this.#used.set(this.#stretchOf(timeMs), this.#usedAt(timeMs) + 1);
  }
}
