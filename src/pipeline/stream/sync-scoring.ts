// One transaction in, its decision out, for who cannot go on without it: through the log, like everything that is decided.
//
// A transaction is written to the stream with its key and decided there by whoever owns its partition; one tail over
// decisions and dead letters, for all that wait, brings the answers back. So a decision that somebody waits for is the same
// as any other: in order, once, durable, and made again from the log. The log puts what is written at the same time together.
//
// Nobody waits beyond a deadline. Who does not get a decision by then gets an answer by the amount alone, that says so; the
// transaction stays in the stream, and what is decided later is found by its id.
import { DEFAULT_UNSCORED, type UnscoredPolicy, unscoredAction } from '../../decisions/unscored-policy.ts';
import { worthInSolesMinor } from '../../domain/exchange-rates.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { ChurningMap } from '../../lib/churning-map.ts';
import { InputError, StreamUnavailableError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamBatch, StreamLog, StreamPosition, StreamRecord, StreamTail } from '../../ports.ts';
import type { RuleAction } from '../../rules/rule.ts';
import { originOf, type Refusal } from './dead-letter.ts';
import type { DecisionRecord } from './outputs.ts';
import { RecentBytes } from './recent-bytes.ts';
import { RecentValues } from './recent-values.ts';
import type { TopicNames } from './topics.ts';

/** By whom the stream is partitioned, and how a value is written, is the producer's business. */
export type TransactionWriter = (transaction: Transaction, topic: string) => OutgoingRecord;

export type ScoreAnswer =
  /** `isEarlier`: of the same id, which had been decided before it came again. */
  | { readonly kind: 'decided'; readonly decision: DecisionRecord; readonly isEarlier: boolean }
  /** It cannot be decided: nobody else will try. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Its id was decided before, longer ago than is remembered here: the topic of decisions has it. */
  | { readonly kind: 'decided-before' }
  /**
   * No decision in time, or the log does not answer; by the amount alone.
   * `isWritten`: it is in the stream for sure, and will be decided.
   */
  | { readonly kind: 'timeout' | 'unavailable'; readonly action: RuleAction; readonly isWritten: boolean };

export interface SyncScoringSettings {
  /** Transactions that wait at the same time; more are turned away. */
  readonly mostWaiting: number;
  /** Of decisions, of anybody's transactions, that are remembered by their id; 0: none is. */
  readonly recentBytes: number;
  /** What is not answered in time. */
  readonly unscored: UnscoredPolicy;
  /** After a later record's decision has come, so much later an own one is not coming any more. */
  readonly overtakenMs: number;
  readonly firstRetryMs: number;
  readonly mostRetryMs: number;
}

export const DEFAULT_SYNC_SCORING: SyncScoringSettings = {
  ...{ mostWaiting: 10_000, recentBytes: 64 * 1024 * 1024, unscored: DEFAULT_UNSCORED },
  ...{ overtakenMs: 50, firstRetryMs: 50, mostRetryMs: 2000 },
};

export interface SyncScoringOptions {
  readonly log: Pick<StreamLog, 'append' | 'tail'>;
  readonly topics: TopicNames;
  readonly writer: TransactionWriter;
  readonly settings?: Partial<SyncScoringSettings>;
  /** Calls later; what it returns calls it off. */
  readonly after: (ms: number, call: () => void) => () => void;
  readonly onTrouble: (error: Error) => void;
}

/** Too many wait already: it was not written. Later there may be room. */
export class ScoringFullError extends Error {
  override readonly name = 'ScoringFullError';
  readonly code = 'SCORING_FULL';
}

/** An id on its way. */
interface Waiting {
  readonly id: string;
  /** Who waits for it, each with a deadline: the first, and whoever gave the same id again meanwhile. */
  readonly callers: Set<Caller>;
  /** null before it is written. */
  at: StreamPosition | null;
  isOvertaken: boolean;
}

interface Caller {
  answer(answer: ScoreAnswer): void;
  fallBack(kind: 'timeout' | 'unavailable'): void;
}

const POLL_RECORDS = 4096;
const POLL_WAIT_MS = 100;
/** Of others' decisions in a batch so many are looked into, for how far their partitions are. */
const MOST_LOOKED_INTO = 16;
const MOST_LETTERS = 1000;
const decoder = new TextDecoder();

/** @throws StreamUnavailableError, InputError where the topics cannot be followed */
export async function openSyncScoring(options: SyncScoringOptions): Promise<SyncScoring> {
  const { log, topics } = options;
  return new SyncScoring(options, await log.tail([topics.decisions, topics['dead-letters']]));
}

export class SyncScoring {
  readonly #options: SyncScoringOptions;
  readonly #settings: SyncScoringSettings;
  readonly #tail: StreamTail;
  readonly #waiting = new ChurningMap<Waiting>();
  /** Those that were written, by partition of the stream and offset. */
  readonly #written = new ChurningMap<Waiting>();
  /** Decisions as they were written, by id. */
  readonly #recent: RecentBytes;
  /** Letters that nobody waited for when they came: whose write was not answered yet. */
  readonly #letters = new RecentValues<Refusal>(MOST_LETTERS);
  readonly #reading: Promise<void>;
  #callers = 0;
  #whenIdle: (() => void) | null = null;
  #isClosing = false;
  #isClosed = false;

  constructor(options: SyncScoringOptions, tail: StreamTail) {
    this.#options = options;
    this.#settings = { ...DEFAULT_SYNC_SCORING, ...options.settings };
    this.#recent = new RecentBytes(this.#settings.recentBytes);
    this.#tail = tail;
    this.#reading = this.#read();
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#callers;
  }

  /** What was decided of it, as far as it is remembered here. */
  find(id: string): DecisionRecord | null {
    const value = this.#recent.get(id);
    return value === undefined ? null : decisionOf(value);
  }

  /**
   * @param deadlineMs from now on
   * @throws ScoringFullError where too many wait
   * @throws StreamUnavailableError once it is closed
   */
  async score(transaction: Transaction, { deadlineMs }: { readonly deadlineMs: number }): Promise<ScoreAnswer> {
    if (this.#isClosing) throw new StreamUnavailableError('scoring is being closed');
    const { id } = transaction;
    const earlier = this.find(id);
    if (earlier !== null) return { kind: 'decided', decision: earlier, isEarlier: true };
    const { mostWaiting } = this.#settings;
    if (this.#callers >= mostWaiting) {
      throw new ScoringFullError(`${mostWaiting} transactions wait for their decision: try again later`);
    }
    const known = this.#waiting.get(id);
    const waiting = known ?? { id, callers: new Set(), at: null, isOvertaken: false };
    const answer = this.#call(waiting, transaction, deadlineMs);
    if (known === undefined) {
      this.#waiting.set(id, waiting);
      this.#write(transaction, waiting);
    }
    return await answer;
  }

  /** Takes nothing new, waits for those who wait, each with its deadline, and stops reading. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#callers > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    this.#isClosed = true;
    await this.#tail.close();
    await this.#reading;
  }

  #call(waiting: Waiting, { amountMinor, currency }: Transaction, deadlineMs: number): Promise<ScoreAnswer> {
    const isFirst = waiting.callers.size === 0;
    const { promise, resolve } = Promise.withResolvers<ScoreAnswer>();
    const answer = (given: ScoreAnswer) => {
      callOff();
      waiting.callers.delete(caller);
      this.#callers--;
      if (waiting.callers.size === 0) this.#forget(waiting);
      resolve(given.kind === 'decided' && !isFirst ? { ...given, isEarlier: true } : given);
    };
    const fallBack = (kind: 'timeout' | 'unavailable') => {
      const action = unscoredAction(worthInSolesMinor(amountMinor, currency), this.#settings.unscored);
      answer({ kind, action, isWritten: waiting.at !== null });
    };
    const caller: Caller = { answer, fallBack };
    const callOff = this.#options.after(deadlineMs, () => fallBack('timeout'));
    waiting.callers.add(caller);
    this.#callers++;
    return promise;
  }

  #forget({ id, at }: Waiting): void {
    this.#waiting.delete(id);
    if (at !== null) this.#written.delete(placeOf(at));
    if (this.#callers === 0) this.#whenIdle?.();
  }

  #answer(waiting: Waiting, answer: ScoreAnswer): void {
    for (const caller of waiting.callers) caller.answer(answer);
  }

  /** Returns at once: what becomes of it is told to who waits. */
  #write(transaction: Transaction, waiting: Waiting): void {
    const { log, topics, writer, onTrouble } = this.#options;
    const isWaiting = () => this.#waiting.get(waiting.id) === waiting;
    log.append([writer(transaction, topics.transactions)]).then(
      ([at]) => {
        if (!isWaiting()) return;
        waiting.at = at;
        this.#written.set(placeOf(at), waiting);
        const refusal = this.#letters.get(placeOf(at));
        if (refusal !== undefined) this.#answer(waiting, { kind: 'refused', refusal });
      },
      (error: Error) => {
        if (!isWaiting()) return;
        if (error instanceof InputError) {
          this.#answer(waiting, { kind: 'refused', refusal: { code: error.code, message: error.message } });
          return;
        }
        onTrouble(error);
        for (const caller of waiting.callers) caller.fallBack('unavailable');
      },
    );
  }

  async #read(): Promise<void> {
    const { after, onTrouble, topics } = this.#options;
    let failures = 0;
    while (!this.#isClosed) {
      try {
        const batches = await this.#tail.poll(POLL_RECORDS, POLL_WAIT_MS);
        failures = 0;
        for (const batch of batches) {
          if (batch.topic === topics.decisions) this.#takeDecisions(batch);
          else for (const letter of batch.records) this.#takeLetter(letter);
        }
      } catch (error) {
        onTrouble(error as Error);
        const { firstRetryMs, mostRetryMs } = this.#settings;
        const pauseMs = Math.min(mostRetryMs, firstRetryMs * 2 ** failures++);
        await new Promise<void>((resolve) => void after(pauseMs, resolve));
      }
    }
  }

  #takeDecisions({ records }: StreamBatch): void {
    /** The last offset of each partition of the stream that the batch tells of. */
    const reached = new Map<number, number>();
    let lookedInto = 0;
    for (const { key, value } of records) {
      if (key === null || value === null) continue;
      const id = decoder.decode(key);
      this.#recent.set(id, value);
      const waiting = this.#waiting.get(id);
      if (waiting === undefined && (this.#written.size === 0 || lookedInto++ >= MOST_LOOKED_INTO)) continue;
      const decision = decisionOf(value);
      const { partition, offset } = decision.at;
      if (waiting !== undefined) this.#answer(waiting, { kind: 'decided', decision, isEarlier: false });
      reached.set(partition, Math.max(offset, reached.get(partition) ?? 0));
    }
    if (reached.size > 0) this.#lookForOvertaken(reached);
  }

  #takeLetter(letter: StreamRecord): void {
    const { from, code, message } = originOf(letter);
    if (from === null || from.topic !== this.#options.topics.transactions) return;
    const refusal = { code, message };
    const waiting = this.#written.get(placeOf(from));
    if (waiting === undefined) this.#letters.set(placeOf(from), refusal);
    else this.#answer(waiting, { kind: 'refused', refusal });
  }

  /**
   * A partition is decided in order: where a later record has its decision, an earlier one without is of an id that was
   * decided before. Other partitions of the answers may be told a moment later, so that is waited for.
   */
  #lookForOvertaken(reached: ReadonlyMap<number, number>): void {
    const { after } = this.#options;
    for (const waiting of this.#written.values()) {
      const { at, isOvertaken } = waiting;
      if (isOvertaken || at === null || at.offset >= (reached.get(at.partition) ?? 0)) continue;
      waiting.isOvertaken = true;
      after(this.#settings.overtakenMs, () => {
        if (this.#waiting.get(waiting.id) === waiting) this.#answer(waiting, { kind: 'decided-before' });
      });
    }
  }
}

function placeOf({ partition, offset }: StreamPosition): string {
  return `${partition}/${offset}`;
}

function decisionOf(value: Uint8Array): DecisionRecord {
  return JSON.parse(decoder.decode(value)) as DecisionRecord;
}
