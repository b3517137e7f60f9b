// The engine's state as bytes and back: a short JSON head, then the typed arrays as they are in memory (little-endian).
//
// Layout: the magic 'CFE1', the length of the head (uint32), the head in UTF-8, then every array at a multiple of 8.
import type { NumberArray } from './state-arrays.ts';

const MAGIC = 0x31454643;
const PREFIX_BYTES = 8;

export interface CheckpointHead {
  /** What the state was made with: definitions and limits, as JSON text, compared on restore. */
  readonly definitions: string;
  readonly limits: Readonly<Record<string, unknown>>;
  /** Elements of each array, in order. */
  readonly lengths: readonly number[];
}

const aligned = (bytes: number): number => (bytes + 7) & ~7;

const alignedSum = (start: number, bytes: number): number => start + Math.ceil(bytes / 8) * 8;

export function checkpointBytes(head: Omit<CheckpointHead, 'lengths'>, arrays: readonly NumberArray[]): number {
  return layoutOf(head, arrays).size;
}

function layoutOf(head: Omit<CheckpointHead, 'lengths'>, arrays: readonly NumberArray[]) {
  const text = new TextEncoder().encode(JSON.stringify({ ...head, lengths: arrays.map((array) => array.length) }));
  const start = aligned(PREFIX_BYTES + text.length);
  return { text, start, size: arrays.reduce((sum, array) => alignedSum(sum, array.byteLength), start) };
}

/** @param memory to write it into, where it is large enough; the result is a view of it then */
export function encodeCheckpoint(
  head: Omit<CheckpointHead, 'lengths'>,
  arrays: readonly NumberArray[],
  memory: Uint8Array<ArrayBuffer> = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const { text, start, size } = layoutOf(head, arrays);
  const bytes = memory.length >= size ? memory.subarray(0, size) : new Uint8Array(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, text.length, true);
  bytes.set(text, PREFIX_BYTES);
  bytes.fill(0, PREFIX_BYTES + text.length, start);
  let at = start;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    const end = alignedSum(at, array.byteLength);
    bytes.fill(0, at + array.byteLength, end);
    at = end;
  }
  return bytes;
}

/** Reads the arrays back one by one, in the order in which they were written. */
export class CheckpointReader {
  readonly head: CheckpointHead;
  readonly #bytes: Uint8Array;
  #next = 0;
  #at: number;

  /** @throws RangeError if the bytes are no checkpoint, of another version, or cut off. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC) {
      throw new RangeError('not a checkpoint of the feature engine (format CFE1)');
    }
    const length = view.getUint32(4, true);
    if (PREFIX_BYTES + length > bytes.length) throw new RangeError('the checkpoint of the feature engine is cut off');
    this.head = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length)));
    this.#bytes = bytes;
    this.#at = aligned(PREFIX_BYTES + length);
  }

  /** Elements of the next array. */
  nextLength(): number {
    return this.head.lengths[this.#next];
  }

  /** Copies the next array to the start of a target that is at least as long. */
  readInto(target: NumberArray): void {
    const length = this.nextLength();
    const byteLength = length * target.BYTES_PER_ELEMENT;
    if (!(length <= target.length)) throw new RangeError(`checkpoint array ${this.#next} does not fit this engine`);
    if (this.#at + byteLength > this.#bytes.length) {
      throw new RangeError('the checkpoint of the feature engine is cut off');
    }
    new Uint8Array(target.buffer, target.byteOffset, byteLength).set(
      this.#bytes.subarray(this.#at, this.#at + byteLength),
    );
    this.#at = alignedSum(this.#at, byteLength);
    this.#next++;
  }

  finish(): void {
    if (this.#next !== this.head.lengths.length)
      throw new RangeError('the checkpoint has more arrays than this engine');
  }
}
