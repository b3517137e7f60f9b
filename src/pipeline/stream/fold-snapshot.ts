// The state of a fold at one moment, copied while the stream stands still for it.
import { createHash } from 'node:crypto';
import type { Fingerprints } from '../../lib/fingerprint-set.ts';
import type { StreamRecord } from '../../ports.ts';
import type { FoldHead } from './partition-fold.ts';
import type { StreamFold } from './stream-fold.ts';

/** The state of a fold at one moment; whatever happens to the fold does not change it. */
export interface FoldSnapshot {
  /** The record that comes next. */
  readonly offset: number;
  readonly head: FoldHead;
  readonly engine: Uint8Array<ArrayBuffer>;
  /** By generation. Full chunks are the fold's: they never change. */
  readonly ids: readonly Fingerprints[];
  /** null where the state is empty. */
  readonly last: LastRecord | null;
}

/** The last record in a state: by it one knows whether the stream is still the one that the state was made from. */
export interface LastRecord {
  readonly offset: number;
  readonly hash: string;
}

const MEMORY_HEADROOM = 1.25;
const TOUCHED_AT_ONCE = 1024 * 1024;

export function lastRecordOf({ offset, timestampMs, key, value }: StreamRecord): LastRecord {
  const hash = createHash('sha256').update(`${timestampMs} ${key?.length} ${value?.length} `);
  for (const bytes of [key, value]) if (bytes !== null) hash.update(bytes);
  return { offset, hash: hash.digest('hex') };
}

/** What snapshots are copied into, one after the other: fresh pages cost several times what the copy does. */
export class SnapshotMemory {
  #bytes = new Uint8Array(0);

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#bytes.length >= bytes;
  }

  /** Makes room for more than so much, a little at a time. */
  async grow(bytes: number, pause: () => Promise<void>): Promise<void> {
    const larger = new Uint8Array(Math.ceil(bytes * MEMORY_HEADROOM));
    for (let start = 0; start < larger.length; start += TOUCHED_AT_ONCE) {
      larger.fill(1, start, start + TOUCHED_AT_ONCE);
      await pause();
    }
    this.#bytes = larger;
  }
}

/** @param memory of a snapshot that nobody needs any more */
export function snapshotOf(
  fold: StreamFold,
  offset: number,
  last: LastRecord | null,
  memory = new SnapshotMemory(),
): FoldSnapshot {
  const ids = fold.seen.generations().map(({ chunks, entries }) => {
    const last = chunks.length - 1;
    return { entries, chunks: chunks.map((words, index) => (index < last ? words : words.slice())) };
  });
  return { offset, head: structuredClone(fold.head()), engine: fold.engine.checkpoint(memory.bytes), ids, last };
}
