// Remembers which texts have been seen, by 64-bit fingerprints, in bounded memory.
//
// Open addressing in typed arrays (8 bytes a slot), doubling up to a limit. At the limit the older half is forgotten:
// two generations are kept, and when the newer one is full it becomes the older. So a repetition is always found if it
// comes within `maxEntries / 2` texts of the first; two different texts are taken for one with odds of about n² / 2^65.
import { assert } from './assert.ts';

/** Slots are filled to three quarters at most. */
const MAX_LOAD = 0.75;
const FIRST_SLOTS = 1 << 12;

interface Generation {
  words: Int32Array;
  slots: number;
  entries: number;
}

function createGeneration(slots: number): Generation {
  return { words: new Int32Array(slots * 2), slots, entries: 0 };
}

/** The slot of a fingerprint, or of the free place where it belongs. (0, 0) marks a free slot. */
function find(generation: Generation, low: number, high: number): number {
  const { words, slots } = generation;
  let slot = (low ^ (high >>> 7)) & (slots - 1);
  for (;;) {
    const a = words[slot * 2];
    const b = words[slot * 2 + 1];
    if ((a === low && b === high) || (a === 0 && b === 0)) return slot;
    slot = (slot + 1) & (slots - 1);
  }
}

export class FingerprintSet {
  readonly #maxSlots: number;
  #newer: Generation = createGeneration(FIRST_SLOTS);
  #older: Generation | null = null;

  /** @param maxEntries how many texts are remembered at most; 8–11 bytes each */
  constructor(maxEntries: number) {
    assert(maxEntries >= FIRST_SLOTS, `a fingerprint set needs room for at least ${FIRST_SLOTS} texts`);
    this.#maxSlots = 2 ** Math.ceil(Math.log2(maxEntries / 2 / MAX_LOAD));
  }

  /** Adds a fingerprint (two signed 32-bit words, well mixed). @returns false if it was there already */
  add(lowWord: number, highWord: number): boolean {
    const low = lowWord | 0;
    const high = highWord === 0 && low === 0 ? 1 : highWord | 0;
    if (this.#older !== null && holds(this.#older, low, high)) return false;
    let slot = find(this.#newer, low, high);
    if (!isFree(this.#newer, slot)) return false;
    if (this.#newer.entries >= this.#newer.slots * MAX_LOAD) {
      this.#makeRoom();
      slot = find(this.#newer, low, high);
    }
    this.#newer.words[slot * 2] = low;
    this.#newer.words[slot * 2 + 1] = high;
    this.#newer.entries += 1;
    return true;
  }

  /** The newer generation, then the older; as they are in memory. */
  generations(): readonly { readonly words: Int32Array; readonly entries: number }[] {
    return this.#older === null ? [this.#newer] : [this.#newer, this.#older];
  }

  /**
   * Continues from `generations` of a set with the same limit.
   *
   * @throws RangeError if they are none of such a set
   */
  static restore(maxEntries: number, generations: readonly { words: Int32Array; entries: number }[]): FingerprintSet {
    const set = new FingerprintSet(maxEntries);
    const [newer, older = null] = generations.map(({ words, entries }): Generation => {
      const slots = words.length / 2;
      const isPower = Number.isInteger(slots) && slots >= FIRST_SLOTS && (slots & (slots - 1)) === 0;
      if (!isPower || slots > set.#maxSlots || !(entries <= slots * MAX_LOAD)) {
        throw new RangeError(
          `the remembered ids (${slots} slots, ${entries} entries) do not fit a limit of ${maxEntries}`,
        );
      }
      return { words, slots, entries };
    });
    if (newer === undefined) throw new RangeError('the remembered ids are missing');
    set.#newer = newer;
    set.#older = older;
    return set;
  }

  #makeRoom(): void {
    if (this.#newer.slots >= this.#maxSlots) {
      this.#older = this.#newer;
      this.#newer = createGeneration(this.#maxSlots);
      return;
    }
    const larger = createGeneration(this.#newer.slots * 2);
    const { words } = this.#newer;
    for (let i = 0; i < words.length; i += 2) {
      if (words[i] === 0 && words[i + 1] === 0) continue;
      const slot = find(larger, words[i], words[i + 1]);
      larger.words[slot * 2] = words[i];
      larger.words[slot * 2 + 1] = words[i + 1];
    }
    larger.entries = this.#newer.entries;
    this.#newer = larger;
  }
}

function isFree(generation: Generation, slot: number): boolean {
  return generation.words[slot * 2] === 0 && generation.words[slot * 2 + 1] === 0;
}

function holds(generation: Generation, low: number, high: number): boolean {
  return !isFree(generation, find(generation, low, high));
}
