// How often an address may come without being known: who guesses keys or sessions is answered more and more seldom.
//
// Counted in fixed minutes. Beyond `MOST_ADDRESSES` in one minute the rest share a count, so that memory has a limit and a
// crowd of addresses is slowed down as one.
import { Problem } from './problem.ts';

export interface Strangers {
  /** Notes one that is not known. @throws Problem 429 where the address has been here too often */
  note(address: string, nowMs: number): void;
}

const MINUTE_MS = 60_000;
const MOST_ADDRESSES = 20_000;
const THE_REST = '';

export function countStrangers(mostPerMinute: number): Strangers {
  let minute = -1;
  const counts = new Map<string, number>();
  return {
    note(address, nowMs) {
      const now = Math.floor(nowMs / MINUTE_MS);
      if (now !== minute) {
        minute = now;
        counts.clear();
      }
      const who = counts.has(address) || counts.size < MOST_ADDRESSES ? address : THE_REST;
      const count = (counts.get(who) ?? 0) + 1;
      counts.set(who, count);
      if (count <= mostPerMinute) return;
      const seconds = Math.ceil(((minute + 1) * MINUTE_MS - nowMs) / 1000);
      throw new Problem(
        429,
        'TOO_MANY_REQUESTS',
        'Too often without being known. Wait, then log in or send a valid key',
        {
          'retry-after': String(Math.max(1, seconds)),
        },
      );
    },
  };
}
