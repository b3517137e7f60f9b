// Virtual time for everything that runs at once in the simulation: one thing happens at a time, in an order that the seed
// alone decides, and hours pass in milliseconds.
import type { Prng } from '../../src/lib/prng.ts';

interface Waiting {
  readonly atMs: number;
  /** Among those of one moment. */
  readonly order: number;
  readonly wake: () => void;
}

export class Scheduler {
  readonly #prng: Prng;
  readonly #waiting: Waiting[] = [];
  #nowMs: number;

  constructor(prng: Prng, startMs: number) {
    this.#prng = prng;
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  wait(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.#waiting.push({ atMs: this.#nowMs + Math.max(0, ms), order: this.#prng.nextUint32(), wake });
    });
  }

  /**
   * Wakes whoever is next until the condition holds.
   *
   * @returns why it ended before that; null where it did not
   */
  async runUntil(done: () => boolean, mostSteps: number): Promise<string | null> {
    await quiet();
    for (let step = 0; !done(); step++) {
      if (step >= mostSteps) return `not done after ${mostSteps} steps`;
      const next = this.#takeNext();
      if (next === null) return 'nobody waits for anything and it is not done';
      this.#nowMs = next.atMs;
      next.wake();
      await quiet();
    }
    return null;
  }

  #takeNext(): Waiting | null {
    const waiting = this.#waiting;
    if (waiting.length === 0) return null;
    let first = 0;
    for (let i = 1; i < waiting.length; i++) {
      const { atMs, order } = waiting[i];
      if (atMs < waiting[first].atMs || (atMs === waiting[first].atMs && order < waiting[first].order)) first = i;
    }
    const next = waiting[first];
    waiting[first] = waiting[waiting.length - 1];
    waiting.pop();
    return next;
  }
}

/** When no promise has anything left to do: the event loop's next turn comes after all of them. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
