// Remembers the last ids and says whether one was seen before: duplicates are dropped before the engine.
//
// A bounded set of 64-bit fingerprints in first-in, first-out order: a ring of fingerprints and an open-addressing table
// of ring positions at a load of at most one half. At the limit the oldest id is forgotten. Two different ids among
// the remembered n are taken for each other with odds of about n² / 2^65: 3 in 10^8 for a million.
import { hashText, mixWords } from '../lib/hash.ts';

const MAGIC = 0x31464443;
const HEADER_WORDS = 4;

export class DuplicateFilter {
  readonly capacity: number;
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #keyLow: Int32Array = new Int32Array(1);
  readonly #keyHigh: Int32Array = new Int32Array(1);
  /** Ring position + 1, 0 empty. */
  readonly #table: Int32Array;
  #next = 0;
  #size = 0;

  /** @param capacity ids remembered, 1 to 2^28, at 16 to 24 bytes each */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 1 << 28) {
      throw new RangeError(`the duplicate filter remembers 1 to 2^28 ids, not ${capacity}`);
    }
    this.capacity = capacity;
    this.#low = new Int32Array(capacity);
    this.#high = new Int32Array(capacity);
    this.#table = new Int32Array(4 << (31 - Math.clz32(capacity)));
  }

  /** Ids remembered now. */
  get size(): number {
    return this.#size;
  }

  /** Whether the id is among the remembered ones; from now on it is. */
  seenBefore(id: string): boolean {
    hashText(id, this.#keyLow, this.#keyHigh, 0);
    const low = this.#keyLow[0];
    const high = this.#keyHigh[0];
    if (this.#table[this.#locate(low, high)] !== 0) return true;
    if (this.#size === this.capacity) this.#forget(this.#next);
    else this.#size++;
    this.#low[this.#next] = low;
    this.#high[this.#next] = high;
    this.#table[this.#locate(low, high)] = this.#next + 1;
    this.#next = this.#next + 1 === this.capacity ? 0 : this.#next + 1;
    return false;
  }

  /** The fingerprints, oldest first. */
  checkpoint(): Uint8Array {
    const words = new Int32Array(HEADER_WORDS + 2 * this.#size);
    words.set([MAGIC, this.capacity, this.#size, 0]);
    const oldest = this.#size < this.capacity ? 0 : this.#next;
    for (let i = 0; i < this.#size; i++) {
      const at = (oldest + i) % this.capacity;
      words[HEADER_WORDS + 2 * i] = this.#low[at];
      words[HEADER_WORDS + 2 * i + 1] = this.#high[at];
    }
    return new Uint8Array(words.buffer);
  }

  /** @throws RangeError if the bytes are no checkpoint of a duplicate filter or are cut off */
  static restore(bytes: Uint8Array): DuplicateFilter {
    const words = new Int32Array(bytes.slice().buffer, 0, bytes.length >>> 2);
    const [magic, capacity, size] = words;
    if (magic !== MAGIC || words.length !== HEADER_WORDS + 2 * size) {
      throw new RangeError('not a whole checkpoint of a duplicate filter (format CDF1)');
    }
    const filter = new DuplicateFilter(capacity);
    for (let i = 0; i < size; i++) {
      const low = words[HEADER_WORDS + 2 * i];
      const high = words[HEADER_WORDS + 2 * i + 1];
      filter.#low[i] = low;
      filter.#high[i] = high;
      filter.#table[filter.#locate(low, high)] = i + 1;
    }
    filter.#size = size;
    filter.#next = size % capacity;
    return filter;
  }

  /** The table place of a fingerprint, or the empty one where it would go. */
  #locate(low: number, high: number): number {
    const mask = this.#table.length - 1;
    let at = mixWords(low, high) & mask;
    for (;;) {
      const position = this.#table[at] - 1;
      if (position < 0 || (this.#low[position] === low && this.#high[position] === high)) return at;
      at = (at + 1) & mask;
    }
  }

  /** Removes a fingerprint from the table and closes the gap by moving later entries of the run back. */
  #forget(position: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let gap = this.#locate(this.#low[position], this.#high[position]);
    let at = gap;
    for (;;) {
      at = (at + 1) & mask;
      const other = table[at] - 1;
      if (other < 0) break;
      const home = mixWords(this.#low[other], this.#high[other]) & mask;
      if (((at - home) & mask) >= ((at - gap) & mask)) {
        table[gap] = table[at];
        gap = at;
      }
    }
    table[gap] = 0;
  }
}
