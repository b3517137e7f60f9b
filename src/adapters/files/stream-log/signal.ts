// Wakes those who wait for something new: each says what it has seen, so that nothing that happens in between is missed.

export interface Signal {
  /** Counts what has happened. */
  readonly count: number;
  notify(): void;
  /** Returns once `count` differs from `seen`, or the time is over. @returns whether it differs */
  wait(seen: number, maxWaitMs: number): Promise<boolean>;
}

export function createSignal(): Signal {
  let count = 0;
  // No set: emptied again and again, it would keep those who have waited (lib/churning-map.ts).
  let waiting: (() => void)[] = [];
  return {
    get count() {
      return count;
    },
    notify() {
      count++;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    wait(seen, maxWaitMs) {
      if (count !== seen) return Promise.resolve(true);
      if (maxWaitMs <= 0) return Promise.resolve(false);
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
        const timer = setTimeout(() => {
          waiting = waiting.filter((each) => each !== wake);
          resolve(false);
        }, maxWaitMs);
        waiting.push(wake);
      });
    },
  };
}
