// Memory for the rings of events of one entity kind: columns in chunks, rings in powers of two.
//
// A ring of 2^c events is a run of 2^c elements of the columns, aligned to its size, so it never spans two chunks. A chunk has 2^20 elements;
// only the first is smaller and doubles until it is full size, so that a small stream stays small and a large one never
// copies more than one chunk. A freed ring is chained in the list of its size class through its first time cell; a
// larger free ring is split where the own class has none. Rings are not merged again: the memory is bounded by the
// largest use of each class.
import { assert } from '../lib/assert.ts';

export const CHUNK_BITS = 20;
const CHUNK = 1 << CHUNK_BITS;
export const CHUNK_MASK = CHUNK - 1;
const FIRST_CHUNK_MIN = 1 << 10;
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

  /** First element of a ring of 2^sizeClass elements, content undefined. */
  allocate(sizeClass: number): number {
    const freed = this.#takeFree(sizeClass);
    if (freed >= 0) return freed;
    const size = 1 << sizeClass;
    this.#alignTo(size);
    const base = this.used;
    this.#ensure(base + size);
    this.used = base + size;
    return base;
  }

  release(base: number, sizeClass: number): void {
    this.times[base >>> CHUNK_BITS][base & CHUNK_MASK] = this.free[sizeClass];
    this.free[sizeClass] = base + 1;
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
    this.free[from] = this.times[base >>> CHUNK_BITS][base & CHUNK_MASK];
    while (from > sizeClass) {
      from--;
      this.release(base + (1 << from), from);
    }
    return base;
  }

  /** Moves the end of the used part up to a multiple of the size; what is skipped goes to the free lists. */
  #alignTo(size: number): void {
    while ((this.used & (size - 1)) !== 0) {
      const skipped = this.used & -this.used;
      this.#ensure(this.used + skipped);
      this.release(this.used, 31 - Math.clz32(skipped));
      this.used += skipped;
    }
  }

  #ensure(end: number): void {
    assert(end <= 2147483647, 'the rings of one entity kind hold at most 2^31 events');
    while (end > this.#capacity()) {
      const chunks = this.times.length;
      if (chunks === 1 && this.times[0].length < CHUNK) this.#addChunk(0, this.times[0].length * 2);
      else this.#addChunk(chunks, chunks === 0 ? FIRST_CHUNK_MIN : CHUNK);
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
