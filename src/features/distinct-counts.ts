// How often each value occurs in large windows: (entity slot, window counter, value) → occurrences.
//
// A small window finds another occurrence of a value by being looked through; beyond 64 events that would cost too much
// for every event, so the counts are kept in this shared open-addressing table (16 bytes an entry, load ≤ 1/2).
import { mixWords } from '../lib/hash.ts';

const WORDS = 4;
const SLOT = 0;
const VALUE = 1;
const COUNTER = 2;
const OCCURRENCES = 3;

export class DistinctCounts {
  /** Entries of slot + 1 (0 empty), value, counter, occurrences. */
  entries: Int32Array = new Int32Array(WORDS << 6);
  size = 0;

  /** Adds one occurrence and returns how many there are now. */
  add(slot: number, counter: number, value: number): number {
    if (2 * WORDS * (this.size + 1) > this.entries.length) this.#grow();
    const at = this.#locate(slot, counter, value);
    const entries = this.entries;
    if (entries[at + SLOT] === 0) {
      entries[at + SLOT] = slot + 1;
      entries[at + VALUE] = value;
      entries[at + COUNTER] = counter;
      entries[at + OCCURRENCES] = 0;
      this.size++;
    }
    entries[at + OCCURRENCES]++;
    return entries[at + OCCURRENCES];
  }

  /** Takes one occurrence away and returns how many are left. */
  remove(slot: number, counter: number, value: number): number {
    const at = this.#locate(slot, counter, value);
    this.entries[at + OCCURRENCES]--;
    const left = this.entries[at + OCCURRENCES];
    if (left === 0) this.#delete(at);
    return left;
  }

  memoryBytes(): number {
    return this.entries.byteLength;
  }

  #home(slot: number, counter: number, value: number): number {
    return mixWords(slot ^ Math.imul(counter, 0x27d4eb2f), value) & (this.entries.length / WORDS - 1);
  }

  /** Offset of the entry, or of the empty place where it would go. */
  #locate(slot: number, counter: number, value: number): number {
    const entries = this.entries;
    const last = entries.length / WORDS - 1;
    let at = this.#home(slot, counter, value);
    for (;;) {
      const entry = at * WORDS;
      const owner = entries[entry + SLOT];
      if (owner === 0) return entry;
      if (owner === slot + 1 && entries[entry + VALUE] === value && entries[entry + COUNTER] === counter) return entry;
      at = (at + 1) & last;
    }
  }

  #delete(entry: number): void {
    const entries = this.entries;
    const last = entries.length / WORDS - 1;
    let gap = entry / WORDS;
    let at = gap;
    for (;;) {
      at = (at + 1) & last;
      const other = at * WORDS;
      if (entries[other + SLOT] === 0) break;
      const home = this.#home(entries[other + SLOT] - 1, entries[other + COUNTER], entries[other + VALUE]);
      if (((at - home) & last) >= ((at - gap) & last)) {
        entries.copyWithin(gap * WORDS, other, other + WORDS);
        gap = at;
      }
    }
    entries.fill(0, gap * WORDS, gap * WORDS + WORDS);
    this.size--;
  }

  #grow(): void {
    const old = this.entries;
    this.entries = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + SLOT] === 0) continue;
      const to = this.#locate(old[at + SLOT] - 1, old[at + COUNTER], old[at + VALUE]);
      for (let word = 0; word < WORDS; word++) this.entries[to + word] = old[at + word];
    }
  }
}
