// Where in a file the rows of an id are, read from a sorted index without keeping any of it in memory.
//
// An entry is 12 bytes: the first 8 of the id's SHA-256 and the row's number, big-endian, sorted. Hashes are spread evenly,
// so an entry's place is known to a few hundred: one read of a few kilobytes finds it (interpolation search).
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { IdIndex } from '../../ports/archive.ts';

const ENTRY_BYTES = 12;
const HASH_BYTES = 8;
/** Entries that are read at once: 12 kB, four deviations of the place in 60,000 entries. */
const WINDOW = 1024;

/** Open files: an index is looked into again and again, and opening costs more than reading. */
const MOST_OPEN = 256;

interface OpenIndex {
  readonly file: FileHandle;
  readonly entries: number;
}

interface SharedIndex {
  readonly opening: Promise<OpenIndex>;
  users: number;
}

/** A path that is no index finds nothing, which is why the rows' ids are looked at, too. */
export interface IdIndexReader extends IdIndex {
  /** While nobody reads. */
  close(): Promise<void>;
}

/** @param mostOpen files beyond those in use; one that is removed takes its space until it is closed, and none may change */
export function openIdIndexes(mostOpen = MOST_OPEN): IdIndexReader {
  /** The one that was used longest ago first. */
  const indexes = new Map<string, SharedIndex>();

  function take(path: string): SharedIndex {
    const index = indexes.get(path) ?? { opening: openIndex(path), users: 0 };
    indexes.delete(path);
    indexes.set(path, index);
    index.users++;
    return index;
  }

  async function closeBeyond(most: number): Promise<void> {
    for (const [path, { opening, users }] of indexes) {
      if (indexes.size <= most) return;
      if (users > 0) continue;
      indexes.delete(path);
      await opening.then(({ file }) => file.close());
    }
  }

  return {
    async rowsOf(path, id) {
      const wanted = createHash('sha256').update(id).digest().subarray(0, HASH_BYTES);
      const share = Number(wanted.readBigUInt64BE()) / 2 ** 64;
      const index = take(path);
      try {
        const { file, entries } = await index.opening;
        return await search(file, entries, wanted, Math.floor(share * entries));
      } catch (error) {
        const wasOpened = await index.opening.then(
          () => true,
          () => false,
        );
        if (!wasOpened && indexes.get(path) === index) indexes.delete(path);
        throw error;
      } finally {
        index.users--;
        await closeBeyond(mostOpen);
      }
    },
    close: () => closeBeyond(0),
  };
}

/** Without keeping the file open. */
export async function rowsOfId(path: string, id: string): Promise<readonly number[]> {
  return await openIdIndexes(0).rowsOf(path, id);
}

async function openIndex(path: string): Promise<OpenIndex> {
  const file = await open(path, 'r');
  return { file, entries: Math.floor((await file.stat()).size / ENTRY_BYTES) };
}

async function search(file: FileHandle, entries: number, wanted: Buffer, expected: number): Promise<number[]> {
  // The first entry that is not below what is wanted lies in [low, high].
  let [low, high, window] = [0, entries, WINDOW];
  let from = Math.max(0, expected - window / 2);
  for (;;) {
    from = Math.min(Math.max(from, low), high);
    const to = Math.min(entries, from + window);
    const block = await read(file, from, to);
    const first = firstNotBelow(block, wanted);
    const isAtStart = first === 0 && from > low;
    const isAtEnd = first === to - from && to < high;
    if (!isAtStart && !isAtEnd) return await matches(file, entries, wanted, from + first);
    if (isAtStart) high = from;
    else low = to;
    window = Math.min(window * 4, 1 << 16);
    from = isAtStart ? high - window : low;
  }
}

/** Rows of all entries with this hash, from its first one on. */
async function matches(file: FileHandle, entries: number, wanted: Buffer, first: number): Promise<number[]> {
  const rows: number[] = [];
  for (let from = first; from < entries; ) {
    const block = await read(file, from, Math.min(entries, from + 16));
    for (let at = 0; at < block.length; at += ENTRY_BYTES) {
      if (block.compare(wanted, 0, HASH_BYTES, at, at + HASH_BYTES) !== 0) return rows;
      rows.push(block.readUInt32BE(at + HASH_BYTES));
      from++;
    }
  }
  return rows;
}

async function read(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe((to - from) * ENTRY_BYTES);
  const { bytesRead } = await file.read(block, 0, block.length, from * ENTRY_BYTES);
  if (bytesRead < block.length) throw new Error(`an index of ids ended early`);
  return block;
}

/** In entries. */
function firstNotBelow(block: Buffer, wanted: Buffer): number {
  let low = 0;
  let high = block.length / ENTRY_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = middle * ENTRY_BYTES;
    if (block.compare(wanted, 0, HASH_BYTES, at, at + HASH_BYTES) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
