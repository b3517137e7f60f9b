// The notifier: takes in what is to be told, and tells it, for as long as the service runs.
//
// `notify` writes in the caller's transaction, so there is a notification if and only if there is what it tells of. The rest
// happens on its own: planning, escalating, sending with bounded concurrency (per channel, so that one that hangs keeps no
// other waiting), trying again, giving up. Several processes on one database share the work. After a crash what was taken
// and not finished is sent again with the same id.
import type { Kysely } from 'kysely';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import { type Channel, type LinkOf, messageOf } from '../../notify/message.ts';
import type { NotificationDraft } from '../../notify/notification.ts';
import { retryAfterMs } from '../../notify/retry.ts';
import type { Silence } from '../../notify/routing.ts';
import type { NotificationSettings } from '../../notify/settings.ts';
import type { DeliveryOutcome } from '../../ports.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';
import { type Ending, finishMessage, type Lease, leaseDue, membersOf, nextDueMs, resendMessage } from './messages.ts';
import { type Acknowledged, acknowledge, enqueueNotifications, escalateDue, planNew } from './outbox.ts';
import { addSilence, endSilence } from './silences.ts';

type Tx = Kysely<Database>;

export interface NotifierOptions {
  readonly store: RecordStore;
  /** Whole milliseconds. */
  readonly nowMs: () => number;
  /** By the names of the settings. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly settings: NotificationSettings;
  readonly linkOf: LinkOf;
  /** Writes an entry of the audit in the transaction. */
  readonly record: (tx: Tx, entry: AuditEntryDraft) => Promise<void>;
  /** What went wrong on its own: the database does not answer, a channel is faulty. */
  readonly onTrouble: (error: Error) => void;
  /** Calls later; what it returns calls it off. */
  readonly after?: (ms: number, call: () => void) => () => void;
  readonly limits?: Partial<NotifierLimits>;
}

export interface NotifierLimits {
  /** Messages on their way at the same time, of all channels and of one. */
  readonly sending: number;
  readonly sendingPerChannel: number;
  /** After so long a channel that does not come back is taken as one that failed. */
  readonly deadlineMs: number;
  /** Longer than the deadline: nobody else sends before. */
  readonly leaseMs: number;
  /** How often it looks, where nothing is said to it. */
  readonly idleMs: number;
  readonly planBatch: number;
}

export const DEFAULT_NOTIFIER_LIMITS: NotifierLimits = {
  ...{ sending: 8, sendingPerChannel: 2, deadlineMs: 60_000, leaseMs: 90_000, idleMs: 1000, planBatch: 500 },
};

type Who = Pick<AuditEntryDraft, 'actor' | 'address'>;

/** Since the start, by channel. */
export interface ChannelCounters {
  /** Messages that were begun; notifications that joined one. */
  begun: number;
  joined: number;
  delivered: number;
  retried: number;
  dead: number;
}

export interface NotifierCounters {
  readonly planned: number;
  readonly silenced: number;
  readonly unrouted: number;
  readonly escalated: number;
  readonly sending: number;
  readonly channels: ReadonlyMap<string, Readonly<ChannelCounters>>;
}

export interface Notifier {
  /** In the transaction of what it tells of; an id that is known is told once. */
  notify(tx: Tx, ...drafts: readonly NotificationDraft[]): Promise<void>;
  /** Somebody looks after it: nobody is told further. @returns what was open until now */
  acknowledge(tx: Tx, what: Acknowledged, who: Who): Promise<readonly string[]>;
  silence(tx: Tx, silence: Silence, who: Who): Promise<void>;
  endSilence(tx: Tx, id: string, who: Who): Promise<void>;
  /** Tries a message that was given up again. */
  resend(tx: Tx, messageId: string, who: Who): Promise<void>;
  start(): void;
  /** Takes nothing more, waits for what is on its way, and closes the channels. */
  stop(): Promise<void>;
  /** Does what is due now and returns when it is done: one round, for tests and for a last round before the end. */
  runOnce(): Promise<void>;
  counters(): NotifierCounters;
}

const SYSTEM: AuditEntryDraft['actor'] = { kind: 'system', id: 'system', name: 'Centinela' };
/** After a transaction has been given something it is about to be committed. */
const NUDGE_MS = 25;
const MOST_TROUBLE_PAUSE_MS = 30_000;

const timer = (ms: number, call: () => void) => {
  const handle = setTimeout(call, ms);
  return () => clearTimeout(handle);
};

export function createNotifier(options: NotifierOptions): Notifier {
  return new StoredNotifier(options);
}

class StoredNotifier implements Notifier {
  readonly #options: NotifierOptions;
  readonly #limits: NotifierLimits;
  readonly #after: (ms: number, call: () => void) => () => void;
  readonly #counts = { planned: 0, silenced: 0, unrouted: 0, escalated: 0 };
  readonly #channelCounts = new Map<string, ChannelCounters>();
  readonly #sending = new Map<string, Promise<void>>();
  readonly #sendingOf = new Map<string, number>();
  #round: Promise<void> | null = null;
  #callOff: (() => void) | null = null;
  #wakesMs = Number.POSITIVE_INFINITY;
  #failures = 0;
  #isRunning = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_NOTIFIER_LIMITS, ...options.limits };
    this.#after = options.after ?? timer;
  }

  async notify(tx: Tx, ...drafts: readonly NotificationDraft[]): Promise<void> {
    await enqueueNotifications(tx, drafts);
    this.#wake(NUDGE_MS);
  }

  async acknowledge(tx: Tx, what: Acknowledged, who: Who): Promise<readonly string[]> {
    const atMs = this.#options.nowMs();
    const ids = await acknowledge(tx, what, who.actor.id, atMs);
    for (const id of ids) {
      await this.#record(tx, who, 'notification.acknowledged', { kind: 'notification', id }, {});
    }
    return ids;
  }

  async silence(tx: Tx, silence: Silence, who: Who): Promise<void> {
    await addSilence(tx, silence);
    const { id, untilMs, why, match, includesCritical } = silence;
    const detail = { untilMs, why, includesCritical, match: JSON.stringify(match) };
    await this.#record(tx, who, 'notification.silenced', { kind: 'silence', id }, detail);
  }

  async endSilence(tx: Tx, id: string, who: Who): Promise<void> {
    await endSilence(tx, id, this.#options.nowMs());
    await this.#record(tx, who, 'notification.silence-ended', { kind: 'silence', id }, {});
  }

  async resend(tx: Tx, id: string, who: Who): Promise<void> {
    await resendMessage(tx, id, this.#options.nowMs());
    await this.#record(tx, who, 'notification.resent', { kind: 'message', id }, {});
    this.#wake(NUDGE_MS);
  }

  start(): void {
    this.#isRunning = true;
    this.#wake(0);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#callOff?.();
    await this.#round;
    await Promise.all(this.#sending.values());
    await Promise.all([...this.#options.channels.values()].map((channel) => channel.close()));
  }

  async runOnce(): Promise<void> {
    for (;;) {
      await this.#work();
      if (this.#sending.size === 0) return;
      await Promise.all(this.#sending.values());
    }
  }

  counters(): NotifierCounters {
    return { ...this.#counts, sending: this.#sending.size, channels: this.#channelCounts };
  }

  /** Works in so long, unless it does so before. */
  #wake(inMs: number): void {
    if (!this.#isRunning) return;
    const atMs = this.#options.nowMs() + inMs;
    if (this.#wakesMs <= atMs) return;
    this.#callOff?.();
    this.#wakesMs = atMs;
    this.#callOff = this.#after(inMs, () => {
      this.#wakesMs = Number.POSITIVE_INFINITY;
      this.#callOff = null;
      if (!this.#isRunning) return;
      // One round at a time; what comes meanwhile is seen by the next.
      this.#round = (this.#round ?? Promise.resolve()).then(() => this.#runRound());
    });
  }

  async #runRound(): Promise<void> {
    if (!this.#isRunning) return;
    try {
      const isMore = await this.#work();
      this.#failures = 0;
      this.#wake(isMore ? 0 : await this.#pauseMs());
    } catch (error) {
      this.#options.onTrouble(error as Error);
      this.#wake(Math.min(MOST_TROUBLE_PAUSE_MS, this.#limits.idleMs * 2 ** Math.min(this.#failures++, 10)));
    }
  }

  /** Until the next message is due, and never longer than `idleMs`: other processes write, too. */
  async #pauseMs(): Promise<number> {
    const dueMs = await nextDueMs(this.#options.store.db);
    const { idleMs } = this.#limits;
    if (dueMs === null) return idleMs;
    // What is due and was not taken waits for room, which tells us itself.
    const inMs = dueMs - this.#options.nowMs();
    return inMs <= 0 ? idleMs : Math.min(idleMs, inMs);
  }

  /** @returns whether there is more to be done at once */
  async #work(): Promise<boolean> {
    const { store, settings, nowMs } = this.#options;
    this.#counts.escalated += await escalateDue(store, settings, nowMs());
    const { planBatch } = this.#limits;
    let isMore = false;
    for (;;) {
      const planned = await planNew(store, settings, nowMs(), planBatch);
      this.#counts.planned += planned.notifications;
      this.#counts.silenced += planned.silenced;
      this.#counts.unrouted += planned.unrouted;
      for (const [channel, messages] of planned.begun) this.#countsOf(channel).begun += messages;
      for (const [channel, members] of planned.joined) this.#countsOf(channel).joined += members;
      isMore = (await this.#sendDue()) || isMore;
      if (planned.notifications < planBatch) return isMore;
    }
  }

  /** @returns whether there may be more that is due */
  async #sendDue(): Promise<boolean> {
    const { store, nowMs } = this.#options;
    const { sending, sendingPerChannel, leaseMs } = this.#limits;
    const room = sending - this.#sending.size;
    if (room <= 0) return false;
    const busy = [...this.#sendingOf].filter(([, count]) => count >= sendingPerChannel).map(([channel]) => channel);
    // One of each channel's share at a time, or a channel with much to say would take all the room.
    const most = Math.min(room, sendingPerChannel);
    const leases = await leaseDue(store, { nowMs: nowMs(), leaseMs, most, busy });
    for (const lease of leases) this.#begin(lease);
    return leases.length === most;
  }

  #begin(lease: Lease): void {
    const { channel } = lease;
    this.#sendingOf.set(channel, (this.#sendingOf.get(channel) ?? 0) + 1);
    const key = `${lease.id}/${lease.attempt}`;
    const sending = this.#send(lease)
      .catch((error: Error) => this.#options.onTrouble(error))
      .finally(() => {
        this.#sending.delete(key);
        this.#sendingOf.set(channel, this.#sendingOf.get(channel)! - 1);
        this.#wake(0);
      });
    this.#sending.set(key, sending);
  }

  async #send(lease: Lease): Promise<void> {
    const { store, channels, settings, linkOf, nowMs } = this.#options;
    const channel = channels.get(lease.channel);
    const channelSettings = settings.channels[lease.channel];
    if (channel === undefined || channelSettings === undefined) {
      await this.#finish(lease, { kind: 'dead', problem: 'CHANNEL_UNKNOWN', fallback: null });
      return;
    }
    const { members, total } = await membersOf(store.db, lease.id);
    if (members.length === 0) {
      await this.#finish(lease, { kind: 'dead', problem: 'NOTHING_TO_TELL', fallback: null });
      return;
    }
    const message = messageOf(lease.id, members, total, channelSettings.language, linkOf);
    const outcome = await this.#inTime(() => channel.deliver(message, nowMs()));
    await this.#finish(lease, endingOf(outcome, lease, settings, channelSettings.fallback, nowMs()));
  }

  /** A channel that throws or hangs is one that failed. */
  async #inTime(deliver: () => Promise<DeliveryOutcome>): Promise<DeliveryOutcome> {
    const { promise: late, resolve } = Promise.withResolvers<DeliveryOutcome>();
    const callOff = this.#after(this.#limits.deadlineMs, () => {
      resolve({ kind: 'retry', reason: 'DEADLINE', afterMs: null });
    });
    try {
      return await Promise.race([deliver(), late]);
    } catch (error) {
      this.#options.onTrouble(error as Error);
      return { kind: 'retry', reason: 'CHANNEL_ERROR', afterMs: null };
    } finally {
      callOff();
    }
  }

  async #finish(lease: Lease, ending: Ending): Promise<void> {
    const { store, nowMs } = this.#options;
    const isOurs = await store.transact(async (tx) => {
      const isFinished = await finishMessage(tx, lease, ending, nowMs());
      if (isFinished && ending.kind === 'dead') {
        const { problem, fallback } = ending;
        const detail = { channel: lease.channel, attempts: lease.attempt, problem, fallback };
        const who: Who = { actor: SYSTEM, address: null };
        await this.#record(tx, who, 'notification.given-up', { kind: 'message', id: lease.id }, detail);
      }
      return isFinished;
    });
    if (!isOurs) return;
    const counts = this.#countsOf(lease.channel);
    if (ending.kind === 'delivered') counts.delivered++;
    else if (ending.kind === 'dead') counts.dead++;
    else counts.retried++;
  }

  #countsOf(channel: string): ChannelCounters {
    const known = this.#channelCounts.get(channel);
    if (known !== undefined) return known;
    const counts = { begun: 0, joined: 0, delivered: 0, retried: 0, dead: 0 };
    this.#channelCounts.set(channel, counts);
    return counts;
  }

  #record(
    tx: Tx,
    { actor, address }: Who,
    action: string,
    subject: NonNullable<AuditEntryDraft['subject']>,
    detail: AuditEntryDraft['detail'],
  ): Promise<void> {
    return this.#options.record(tx, { atMs: this.#options.nowMs(), actor, action, subject, detail, address });
  }
}

function endingOf(
  outcome: DeliveryOutcome,
  { id, attempt }: Lease,
  { retry }: NotificationSettings,
  fallback: string | null,
  nowMs: number,
): Ending {
  if (outcome.kind === 'delivered') return { kind: 'delivered' };
  if (outcome.kind === 'refused') return { kind: 'dead', problem: outcome.reason, fallback };
  if (attempt >= retry.attempts) return { kind: 'dead', problem: outcome.reason, fallback };
  return { kind: 'again', dueMs: nowMs + retryAfterMs(retry, id, attempt, outcome.afterMs), problem: outcome.reason };
}
