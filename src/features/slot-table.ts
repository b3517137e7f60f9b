// Entities of one kind: a 64-bit key → a numbered slot with a fixed record of integers and floats.
//
// Open addressing with linear probing at a load of at most one half; an entry is (low key word, slot + 1), so that a
// probe touches a record only when the low words agree. Records live in chunks of 4096 slots: growth never copies
// them. Freed slots are chained through the record and used again.
import { mixWords } from '../lib/hash.ts';

export const SLOT_CHUNK_BITS = 12;
const SLOT_CHUNK = 1 << SLOT_CHUNK_BITS;
export const SLOT_CHUNK_MASK = SLOT_CHUNK - 1;

/** Integer fields at the start of every record. */
export const KEY_LOW = 0;
export const KEY_HIGH = 1;
/** 1 in use, 0 free; a free slot keeps the next free slot + 1 in KEY_LOW. */
export const IN_USE = 2;
export const RECORD_HEADER = 3;

const INITIAL_BUCKETS = 1 << 8;

export class SlotTable {
  readonly intStride: number;
  readonly floatStride: number;
  ints: Int32Array[] = [];
  floats: Float64Array[] = [];
  buckets: Int32Array = new Int32Array(2 * INITIAL_BUCKETS);
  /** Slots in use. */
  size = 0;
  /** Slots ever used: every slot is below it. */
  highWater = 0;
  freeHead = 0;
  /** The next slot that the incremental eviction looks at. */
  hand = 0;

  constructor(intStride: number, floatStride: number) {
    this.intStride = intStride;
    this.floatStride = floatStride;
  }

  /** The slot of a key, or −1. */
  find(low: number, high: number): number {
    const buckets = this.buckets;
    const mask = (buckets.length >>> 1) - 1;
    let at = mixWords(low, high) & mask;
    for (;;) {
      const slot = buckets[2 * at + 1] - 1;
      if (slot < 0) return -1;
      if (buckets[2 * at] === low) {
        const record = (slot & SLOT_CHUNK_MASK) * this.intStride;
        if (this.ints[slot >>> SLOT_CHUNK_BITS][record + KEY_HIGH] === high) return slot;
      }
      at = (at + 1) & mask;
    }
  }

  /** Takes a slot for a key that is not in the table; its record is all zero except the key. */
  insert(low: number, high: number): number {
    if (4 * (this.size + 1) > this.buckets.length) this.#grow();
    const slot = this.#takeSlot();
    const ints = this.ints[slot >>> SLOT_CHUNK_BITS];
    const record = (slot & SLOT_CHUNK_MASK) * this.intStride;
    ints.fill(0, record, record + this.intStride);
    ints[record + KEY_LOW] = low;
    ints[record + KEY_HIGH] = high;
    ints[record + IN_USE] = 1;
    const floats = (slot & SLOT_CHUNK_MASK) * this.floatStride;
    this.floats[slot >>> SLOT_CHUNK_BITS].fill(0, floats, floats + this.floatStride);
    this.#place(low, high, slot);
    this.size++;
    return slot;
  }

  remove(slot: number): void {
    const ints = this.ints[slot >>> SLOT_CHUNK_BITS];
    const record = (slot & SLOT_CHUNK_MASK) * this.intStride;
    this.#unplace(ints[record + KEY_LOW], ints[record + KEY_HIGH], slot);
    ints[record + IN_USE] = 0;
    ints[record + KEY_LOW] = this.freeHead;
    this.freeHead = slot + 1;
    this.size--;
  }

  isInUse(slot: number): boolean {
    return this.ints[slot >>> SLOT_CHUNK_BITS][(slot & SLOT_CHUNK_MASK) * this.intStride + IN_USE] === 1;
  }

  memoryBytes(): number {
    return this.buckets.byteLength + this.ints.length * SLOT_CHUNK * (4 * this.intStride + 8 * this.floatStride);
  }

  #takeSlot(): number {
    if (this.freeHead > 0) {
      const slot = this.freeHead - 1;
      const record = (slot & SLOT_CHUNK_MASK) * this.intStride;
      this.freeHead = this.ints[slot >>> SLOT_CHUNK_BITS][record + KEY_LOW];
      return slot;
    }
    const slot = this.highWater++;
    this.addChunks();
    return slot;
  }

  /** Makes room for every slot below the high-water mark. */
  addChunks(): void {
    while (this.ints.length << SLOT_CHUNK_BITS < this.highWater) {
      this.ints.push(new Int32Array(SLOT_CHUNK * this.intStride));
      this.floats.push(new Float64Array(SLOT_CHUNK * this.floatStride));
    }
  }

  #place(low: number, high: number, slot: number): void {
    const buckets = this.buckets;
    const mask = (buckets.length >>> 1) - 1;
    let at = mixWords(low, high) & mask;
    while (buckets[2 * at + 1] !== 0) at = (at + 1) & mask;
    buckets[2 * at] = low;
    buckets[2 * at + 1] = slot + 1;
  }

  /** Removes an entry and closes the gap by moving later entries of the probe run back. */
  #unplace(low: number, high: number, slot: number): void {
    const buckets = this.buckets;
    const mask = (buckets.length >>> 1) - 1;
    let gap = mixWords(low, high) & mask;
    while (buckets[2 * gap + 1] !== slot + 1) gap = (gap + 1) & mask;
    let at = gap;
    for (;;) {
      at = (at + 1) & mask;
      const other = buckets[2 * at + 1] - 1;
      if (other < 0) break;
      const record = (other & SLOT_CHUNK_MASK) * this.intStride;
      const home = mixWords(buckets[2 * at], this.ints[other >>> SLOT_CHUNK_BITS][record + KEY_HIGH]) & mask;
      if (((at - home) & mask) >= ((at - gap) & mask)) {
        buckets[2 * gap] = buckets[2 * at];
        buckets[2 * gap + 1] = other + 1;
        gap = at;
      }
    }
    buckets[2 * gap] = 0;
    buckets[2 * gap + 1] = 0;
  }

  #grow(): void {
    this.buckets = new Int32Array(2 * this.buckets.length);
    for (let slot = 0; slot < this.highWater; slot++) {
      const ints = this.ints[slot >>> SLOT_CHUNK_BITS];
      const record = (slot & SLOT_CHUNK_MASK) * this.intStride;
      if (ints[record + IN_USE] === 1) this.#place(ints[record + KEY_LOW], ints[record + KEY_HIGH], slot);
    }
  }
}
