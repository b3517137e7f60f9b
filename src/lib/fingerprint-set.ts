// Remembers which texts have been seen, by 64-bit fingerprints, in bounded memory.
//
// Fingerprints are kept in the order in which they came, in chunks that never move and, once full, never change: whoever
// stores the set writes each chunk once. They are found by an open-addressing table of their places (4 bytes a slot),
// doubling up to a limit. At the limit the older half is forgotten: two generations are kept, and when the newer one is full
// it becomes the older. So a repetition is always found if it comes within `maxEntries / 2` texts of the first; two different
// texts are taken for one with odds of about n² / 2^65.
import { assert } from './assert.ts';

/** One generation's, as pairs of words. All chunks but the last are full; what has been added never changes. */
export interface Fingerprints {
  readonly entries: number;
  readonly chunks: readonly Int32Array<ArrayBuffer>[];
}

/** Slots are filled to three quarters at most. */
const MAX_LOAD = 0.75;
const FIRST_SLOTS = 1 << 12;
/** 256 KiB. */
const CHUNK_BITS = 15;
const CHUNK = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK - 1;

class Generation {
  readonly chunks: Int32Array<ArrayBuffer>[] = [];
  entries = 0;
  /** Entry + 1 by slot, 0 where it is free. */
  #places = new Int32Array(FIRST_SLOTS);

  /** The slot of a fingerprint, or −1 − the free one where it belongs. */
  find(low: number, high: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    for (;;) {
      const entry = places[slot] - 1;
      if (entry < 0) return -1 - slot;
      const words = this.chunks[entry >>> CHUNK_BITS];
      const at = (entry & CHUNK_MASK) * 2;
      if (words[at] === low && words[at + 1] === high) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** @returns false if it was there already */
  add(low: number, high: number): boolean {
    let slot = this.find(low, high);
    if (slot >= 0) return false;
    if (this.entries >= this.#places.length * MAX_LOAD) {
      this.#grow();
      slot = this.find(low, high);
    }
    const chunk = this.entries >>> CHUNK_BITS;
    if (chunk === this.chunks.length) this.chunks.push(new Int32Array(CHUNK * 2));
    const at = (this.entries & CHUNK_MASK) * 2;
    this.chunks[chunk][at] = low;
    this.chunks[chunk][at + 1] = high;
    this.entries++;
    this.#places[-1 - slot] = this.entries;
    return true;
  }

  fingerprints(): Fingerprints {
    const { entries } = this;
    const last = this.chunks.length - 1;
    const inLast = (entries - last * CHUNK) * 2;
    return { entries, chunks: this.chunks.map((words, index) => (index < last ? words : words.subarray(0, inLast))) };
  }

  #grow(): void {
    this.#places = new Int32Array(this.#places.length * 2);
    for (let entry = 0; entry < this.entries; entry++) {
      const words = this.chunks[entry >>> CHUNK_BITS];
      const at = (entry & CHUNK_MASK) * 2;
      this.#places[-1 - this.find(words[at], words[at + 1])] = entry + 1;
    }
  }
}

export class FingerprintSet {
  /** Of one generation. */
  readonly #maxEntries: number;
  #newer = new Generation();
  #older: Generation | null = null;

  /** @param maxEntries how many texts are remembered at most; 13–19 bytes each */
  constructor(maxEntries: number) {
    assert(maxEntries >= FIRST_SLOTS, `a fingerprint set needs room for at least ${FIRST_SLOTS} texts`);
    this.#maxEntries = 2 ** Math.ceil(Math.log2(maxEntries / 2 / MAX_LOAD)) * MAX_LOAD;
  }

  /** Adds a fingerprint (two signed 32-bit words, well mixed). @returns false if it was there already */
  add(lowWord: number, highWord: number): boolean {
    const low = lowWord | 0;
    const high = highWord | 0;
    if (this.#older !== null && this.#older.find(low, high) >= 0) return false;
    if (this.#newer.entries < this.#maxEntries) return this.#newer.add(low, high);
    if (this.#newer.find(low, high) >= 0) return false;
    this.#older = this.#newer;
    this.#newer = new Generation();
    return this.#newer.add(low, high);
  }

  /** The newer generation, then the older. */
  generations(): readonly Fingerprints[] {
    return (this.#older === null ? [this.#newer] : [this.#newer, this.#older]).map((each) => each.fingerprints());
  }

  /**
   * Continues from `generations` of a set with the same limit.
   *
   * @param generations of each the pairs of words, in their order
   * @throws RangeError if they are none of such a set
   */
  static restore(maxEntries: number, generations: readonly Int32Array[]): FingerprintSet {
    const set = new FingerprintSet(maxEntries);
    const [newer, older = null] = generations.map((words) => {
      const generation = new Generation();
      const entries = words.length / 2;
      let isOurs = Number.isInteger(entries) && entries <= set.#maxEntries;
      for (let at = 0; isOurs && at < words.length; at += 2) isOurs = generation.add(words[at], words[at + 1]);
      if (!isOurs) throw new RangeError(`the remembered ids (${entries}) do not fit a limit of ${maxEntries}`);
      return generation;
    });
    if (newer === undefined) throw new RangeError('the remembered ids are missing');
    if (older !== null && older.entries !== set.#maxEntries) {
      throw new RangeError(
        `the remembered ids (${older.entries} of the older half) do not fit a limit of ${maxEntries}`,
      );
    }
    set.#newer = newer;
    set.#older = older;
    return set;
  }
}
