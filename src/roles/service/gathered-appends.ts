// Appends of many callers as one: what is asked for within a few milliseconds of the last append goes to the log together.
//
// The log itself puts together what comes while its disk is busy. With a quick disk that is one or two records at a time, and
// each such write costs the event loop, which everybody shares, more than what it writes. Whoever comes after a pause does not
// wait. How many wait at most is the caller's to say.
import { InputError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamLog, StreamPosition } from '../../ports.ts';

interface Asked {
  readonly records: readonly OutgoingRecord[];
  readonly resolve: (positions: readonly StreamPosition[]) => void;
  readonly reject: (error: unknown) => void;
}

/** @param spacingMs between the beginnings of two appends */
export function gatheredAppends(
  log: Pick<StreamLog, 'append'>,
  spacingMs: number,
  clock: { readonly now: () => number; readonly after: (ms: number, call: () => void) => void },
): StreamLog['append'] {
  let waiting: Asked[] = [];
  let lastMs = Number.NEGATIVE_INFINITY;

  function begin(): void {
    const asked = waiting;
    waiting = [];
    lastMs = clock.now();
    void appendAll(asked);
  }

  async function appendAll(asked: readonly Asked[]): Promise<void> {
    try {
      const positions = await log.append(asked.flatMap(({ records }) => records));
      let at = 0;
      for (const { records, resolve } of asked) {
        resolve(positions.slice(at, at + records.length));
        at += records.length;
      }
    } catch (error) {
      // One of them is wrong: the others are not refused for it.
      if (error instanceof InputError && asked.length > 1) for (const one of asked) void appendAll([one]);
      else for (const { reject } of asked) reject(error);
    }
  }

  return (records) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly StreamPosition[]>();
    waiting.push({ records, resolve, reject });
    if (waiting.length === 1) {
      const restMs = lastMs + spacingMs - clock.now();
      if (restMs > 0) clock.after(restMs, begin);
      else begin();
    }
    return promise;
  };
}
