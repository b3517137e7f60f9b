// Memory for the rings of events of one entity kind: columns in chunks, rings in powers of two.
//
// A ring of 2^c events is a run of 2^c elements of the columns, aligned to its size, so it never spans two chunks. A
// chunk has 2^20 elements; the last one is smaller and doubles until it is full size, so that a small stream stays small
// and a large one never copies more than one chunk. Free rings are managed as buddies (Knowlton, "A fast storage
// allocator", CACM 8(10), 1965): halves that are both free merge, so rings that grow together leave no waste behind.
// The lists live in the free elements: flags 0 marks a free ring's first element (an event's flags never are 0), its
// second element's flags hold the size class, their times the next and the previous free ring.
import { assert } from '../lib/assert.ts';

export const CHUNK_BITS = 20;
const CHUNK = 1 << CHUNK_BITS;
export const CHUNK_MASK = CHUNK - 1;
const FIRST_CHUNK_MIN = 1 << 10;
const LATER_CHUNK_MIN = 1 << 16;
/** Flags of a ring's first element until its first event is written there. */
const IN_USE = 1;
/** Elements of a block of each level, as powers of two. */
export const BLOCK_BITS = [6, 12] as const;

export class RingSlab {
  readonly valueColumns: number;
  readonly hasAmounts: boolean;
  readonly maxClass: number;
  /** Event times, milliseconds modulo 2^32. */
  times: Int32Array[] = [];
  amounts: Float64Array[] = [];
  flags: Uint16Array[] = [];
  /** Value ids for distinct counts: `values[column][chunk]`. */
  values: Uint32Array[][];
  /** Elements handed out so far, over all chunks. */
  used = 0;
  /** First element + 1 of the free rings of each class, 0 for none. */
  readonly free: Int32Array = new Int32Array(CHUNK_BITS + 1);

  readonly #hasExtremes: boolean;
  /** Greatest and least amount of every 64 (level 0) and 4096 (level 1) elements: `maxima[level][chunk]`. */
  maxima: Float64Array[][] = [[], []];
  minima: Float64Array[][] = [[], []];

  constructor(hasAmounts: boolean, valueColumns: number, maxClass: number, hasExtremes: boolean) {
    this.#hasExtremes = hasExtremes;
    this.hasAmounts = hasAmounts;
    this.valueColumns = valueColumns;
    this.maxClass = maxClass;
    this.values = Array.from({ length: valueColumns }, () => []);
  }

  /** First element of a ring of 2^sizeClass elements, sizeClass ≥ 1, content undefined. */
  allocate(sizeClass: number): number {
    let base = this.#takeFree(sizeClass);
    if (base < 0) {
      const size = 1 << sizeClass;
      this.#alignTo(size);
      base = this.used;
      this.#ensure(base + size);
      this.used = base + size;
    }
    this.flags[base >>> CHUNK_BITS][base & CHUNK_MASK] = IN_USE;
    return base;
  }

  release(base: number, sizeClass: number): void {
    let block = base;
    let merged = sizeClass;
    while (merged < this.maxClass) {
      const buddy = block ^ (1 << merged);
      if (buddy + (1 << merged) > this.used || !this.#isFree(buddy, merged)) break;
      this.#unlink(buddy, merged);
      block &= ~(1 << merged);
      merged++;
    }
    this.#link(block, merged);
  }

  /** Makes room for every element that is in use. */
  addChunks(): void {
    this.#ensure(this.used);
  }

  elementBytes(): number {
    const extremes = this.#hasExtremes ? 2 * 8 * (1 / 64 + 1 / 4096) : 0;
    return 4 + (this.hasAmounts ? 8 : 0) + 2 + 4 * this.valueColumns + extremes;
  }

  memoryBytes(): number {
    let elements = 0;
    for (const chunk of this.times) elements += chunk.length;
    return elements * this.elementBytes();
  }

  #takeFree(sizeClass: number): number {
    let from = sizeClass;
    while (from <= this.maxClass && this.free[from] === 0) from++;
    if (from > this.maxClass) return -1;
    const base = this.free[from] - 1;
    this.#unlink(base, from);
    while (from > sizeClass) {
      from--;
      this.#link(base + (1 << from), from);
    }
    return base;
  }

  #isFree(block: number, sizeClass: number): boolean {
    const flags = this.flags[block >>> CHUNK_BITS];
    return flags[block & CHUNK_MASK] === 0 && flags[(block & CHUNK_MASK) + 1] === sizeClass;
  }

  #link(block: number, sizeClass: number): void {
    const times = this.times[block >>> CHUNK_BITS];
    const flags = this.flags[block >>> CHUNK_BITS];
    const at = block & CHUNK_MASK;
    const next = this.free[sizeClass];
    flags[at] = 0;
    flags[at + 1] = sizeClass;
    times[at] = next;
    times[at + 1] = 0;
    if (next > 0) this.times[(next - 1) >>> CHUNK_BITS][((next - 1) & CHUNK_MASK) + 1] = block + 1;
    this.free[sizeClass] = block + 1;
  }

  #unlink(block: number, sizeClass: number): void {
    const times = this.times[block >>> CHUNK_BITS];
    const at = block & CHUNK_MASK;
    const next = times[at];
    const previous = times[at + 1];
    if (previous > 0) this.times[(previous - 1) >>> CHUNK_BITS][(previous - 1) & CHUNK_MASK] = next;
    else this.free[sizeClass] = next;
    if (next > 0) this.times[(next - 1) >>> CHUNK_BITS][((next - 1) & CHUNK_MASK) + 1] = previous;
  }

  /** Moves the end of the used part up to a multiple of the size; what is skipped goes to the free lists. */
  #alignTo(size: number): void {
    while ((this.used & (size - 1)) !== 0) {
      const skipped = this.used & -this.used;
      const block = this.used;
      this.#ensure(block + skipped);
      this.used += skipped;
      this.release(block, 31 - Math.clz32(skipped));
    }
  }

  #ensure(end: number): void {
    assert(end <= 2147483647, 'the rings of one entity kind hold at most 2^31 events');
    while (end > this.#capacity()) {
      const last = this.times.length - 1;
      const length = last < 0 ? CHUNK : this.times[last].length;
      if (length < CHUNK) this.#addChunk(last, length * 2);
      else this.#addChunk(last + 1, last < 0 ? FIRST_CHUNK_MIN : LATER_CHUNK_MIN);
    }
  }

  #capacity(): number {
    const chunks = this.times.length;
    return chunks === 0 ? 0 : (chunks - 1) * CHUNK + this.times[chunks - 1].length;
  }

  #addChunk(chunk: number, length: number): void {
    this.times[chunk] = grown(new Int32Array(length), this.times[chunk]);
    this.amounts[chunk] = grown(new Float64Array(this.hasAmounts ? length : 0), this.amounts[chunk]);
    this.flags[chunk] = grown(new Uint16Array(length), this.flags[chunk]);
    for (const column of this.values) column[chunk] = grown(new Uint32Array(length), column[chunk]);
    for (const level of [0, 1]) {
      const blocks = this.#hasExtremes ? length >>> BLOCK_BITS[level] : 0;
      this.maxima[level][chunk] = grown(new Float64Array(blocks), this.maxima[level][chunk]);
      this.minima[level][chunk] = grown(new Float64Array(blocks), this.minima[level][chunk]);
    }
  }
}

function grown<T extends { set(from: T): void }>(larger: T, smaller: T | undefined): T {
  if (smaller !== undefined) larger.set(smaller);
  return larger;
}
