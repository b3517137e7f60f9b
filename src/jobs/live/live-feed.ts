// Decisions and alerts as they are made, for whoever watches: one tail of the log for all, open while somebody does.
//
// Who is slower than the stream does not hold it up: beyond a number of events that wait for one watcher the oldest are left
// out, and the watcher is told how many.
import type { StreamLog, StreamTail } from '../../ports.ts';

export interface LiveEvent {
  readonly kind: 'decision' | 'alert' | 'missed';
  /** JSON. */
  readonly data: string;
}

export interface LiveFeedOptions {
  readonly log: Pick<StreamLog, 'tail'>;
  readonly topics: { readonly decisions: string; readonly alerts: string };
  readonly onTrouble: (error: Error) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly mostWatchers?: number;
  readonly mostWaiting?: number;
}

/** Too many watch already. */
export class LiveFullError extends Error {
  override readonly name = 'LiveFullError';
  readonly code = 'LIVE_FULL';
}

export interface Watcher {
  isOpen(): boolean;
  /** What has come since, at once; waits at most so long for something; empty: nothing came, or it is closed. */
  take(maxWaitMs: number): Promise<readonly LiveEvent[]>;
  close(): void;
}

const POLL_RECORDS = 2000;
const POLL_WAIT_MS = 250;
const RETRY_MS = 1000;
const decoder = new TextDecoder();

interface Waiting {
  readonly wants: ReadonlySet<LiveEvent['kind']>;
  events: LiveEvent[];
  missed: number;
  wake: (() => void) | null;
}

export class LiveFeed {
  readonly #options: Required<LiveFeedOptions>;
  readonly #watchers = new Set<Waiting>();
  #following: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: LiveFeedOptions) {
    this.#options = { mostWatchers: 100, mostWaiting: 1000, ...options };
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** @throws LiveFullError */
  watch(wants: readonly LiveEvent['kind'][]): Watcher {
    const { mostWatchers } = this.#options;
    if (this.#isClosed || this.#watchers.size >= mostWatchers) {
      throw new LiveFullError(`${mostWatchers} watch already: try again later`);
    }
    const waiting: Waiting = { wants: new Set(wants), events: [], missed: 0, wake: null };
    this.#watchers.add(waiting);
    this.#following ??= this.#follow().finally(() => {
      this.#following = null;
    });
    return {
      isOpen: () => this.#watchers.has(waiting),
      take: (maxWaitMs) => this.#take(waiting, maxWaitMs),
      close: () => {
        this.#watchers.delete(waiting);
        waiting.wake?.();
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const { wake } of watchers) wake?.();
    await this.#following;
  }

  async #take(waiting: Waiting, maxWaitMs: number): Promise<readonly LiveEvent[]> {
    if (waiting.events.length === 0 && this.#watchers.has(waiting)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, maxWaitMs);
      waiting.wake = resolve;
      await promise;
      clearTimeout(timer);
      waiting.wake = null;
    }
    const { events, missed } = waiting;
    waiting.events = [];
    waiting.missed = 0;
    return missed === 0 ? events : [{ kind: 'missed', data: JSON.stringify({ missed }) }, ...events];
  }

  /** Until nobody watches any more. */
  async #follow(): Promise<void> {
    const { log, topics, onTrouble, sleep } = this.#options;
    let tail: StreamTail | null = null;
    while (this.#watchers.size > 0) {
      try {
        tail ??= await log.tail([topics.decisions, topics.alerts]);
        for (const { topic, records } of await tail.poll(POLL_RECORDS, POLL_WAIT_MS)) {
          const kind = topic === topics.alerts ? 'alert' : 'decision';
          for (const { value } of records) if (value !== null) this.#tell({ kind, data: decoder.decode(value) });
        }
      } catch (error) {
        onTrouble(error as Error);
        await sleep(RETRY_MS);
      }
    }
    await tail?.close();
  }

  #tell(event: LiveEvent): void {
    for (const waiting of this.#watchers) {
      if (!waiting.wants.has(event.kind)) continue;
      waiting.events.push(event);
      if (waiting.events.length > this.#options.mostWaiting) {
        waiting.events.shift();
        waiting.missed++;
      }
      waiting.wake?.();
    }
  }
}
