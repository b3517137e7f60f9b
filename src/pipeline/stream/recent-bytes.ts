// The newest values by their keys, within so many bytes: copies in blocks that are used again, the oldest first.
//
// Values as they come are views of what a log has read or written: kept as they are, they would keep several times their
// size. And memory that comes and goes outside of the heap makes full collections frequent; these blocks stay.
import { ChurningMap } from '../../lib/churning-map.ts';

interface Block {
  readonly bytes: Uint8Array;
  used: number;
  /** Of values that lie in it, those too that were put in again since. */
  keys: string[];
}

interface Place {
  readonly block: Block;
  readonly start: number;
  readonly end: number;
}

const BLOCK_BYTES = 1_048_576;

export class RecentBytes {
  readonly #places = new ChurningMap<Place>();
  /** From the oldest to the one that is being filled. */
  readonly #blocks: Block[] = [];
  readonly #mostBlocks: number;
  readonly #blockBytes: number;

  /** @param mostBytes in whole blocks; less than one: nothing is kept */
  constructor(mostBytes: number, blockBytes: number = BLOCK_BYTES) {
    this.#blockBytes = blockBytes;
    this.#mostBlocks = Math.floor(mostBytes / blockBytes);
  }

  /** To be read at once: what is put in later may take its place. */
  get(key: string): Uint8Array | undefined {
    const place = this.#places.get(key);
    return place?.block.bytes.subarray(place.start, place.end);
  }

  /** A value larger than a block is not kept. */
  set(key: string, value: Uint8Array): void {
    this.#places.delete(key);
    if (value.length > this.#blockBytes || this.#mostBlocks === 0) return;
    const block = this.#blockFor(value.length);
    const start = block.used;
    block.bytes.set(value, start);
    block.used += value.length;
    block.keys.push(key);
    this.#places.set(key, { block, start, end: block.used });
  }

  #blockFor(bytes: number): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.used + bytes <= this.#blockBytes) return last;
    const block =
      this.#blocks.length < this.#mostBlocks
        ? { bytes: new Uint8Array(this.#blockBytes), used: 0, keys: [] }
        : this.#emptied(this.#blocks.shift()!);
    this.#blocks.push(block);
    return block;
  }

  #emptied(block: Block): Block {
    for (const key of block.keys) if (this.#places.get(key)?.block === block) this.#places.delete(key);
    block.used = 0;
    block.keys = [];
    return block;
  }
}
