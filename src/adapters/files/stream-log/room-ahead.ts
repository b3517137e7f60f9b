// Room ahead of what is appended: zeros that are on the disk before they are needed.
//
// A synced write that makes a file longer waits for the file system's journal, too: it has to tell where the new blocks are.
// Over zeros that are there it waits for the bytes alone. On ext4 that is .2 ms instead of .4 to 1.8, and a tenth of the writes
// that take more than 10 ms (bench/RESULTS.md, 16). Databases do the same with their logs.
//
// Zeros are nobody's records: what counts is told by the journal of the log, and recovery cuts them off without a word.
import type { FileHandle } from 'node:fs/promises';
import { SYNCS_AS_IT_WRITES, writeFully } from './durable-files.ts';

export interface RoomAhead {
  /** Where zeros are just being written to where bytes up to `end` would go, it is waited for them; null: there is no need. */
  before(end: number): Promise<void> | null;
  /** Bytes up to `end` count now: where little is left more is made, beside what is appended. */
  after(end: number): void;
  /** Nothing is being written when it returns, and the file ends at `end` where there was room. */
  close(end: number): Promise<void>;
}

export interface RoomLimits {
  /** Files that have fewer bytes get none: there may be thousands of them. */
  readonly fromBytes: number;
  readonly roomBytes: number;
  /** Zeros of one write, at most 262,144: whoever appends to that place meanwhile waits. */
  readonly stepBytes: number;
}

export const ROOM_LIMITS: RoomLimits = {
  ...{ fromBytes: 1_048_576, roomBytes: 4 * 1_048_576, stepBytes: 262_144 },
};

const ZEROS = new Uint8Array(ROOM_LIMITS.stepBytes);

export const NO_ROOM: RoomAhead = { before: () => null, after: () => undefined, close: async () => undefined };

/** @param use hands over the file, opened with `OPEN_THERE` @param mostBytes no room beyond */
export function createRoomAhead(
  use: (act: (handle: FileHandle) => Promise<void>) => Promise<void>,
  { fromBytes, roomBytes, stepBytes }: RoomLimits,
  mostBytes: number,
): RoomAhead {
  if (SYNCS_AS_IT_WRITES === 0) return NO_ROOM;
  /** Zeros, or records over them, up to here. */
  let reached = 0;
  /** Where they are being written to from. */
  let makingFrom = 0;
  let making: Promise<void> | null = null;
  let isHalted = false;
  /** A disk that is full has no room to spare: until the file is opened anew none is made. */
  let hasFailed = false;

  async function make(from: number, to: number): Promise<void> {
    try {
      for (let at = from; at < to && !isHalted; at += stepBytes) {
        const size = Math.min(stepBytes, to - at);
        makingFrom = at;
        // Also where it fails half-way: `close` cuts it off.
        reached = at + size;
        await use((handle) => writeFully(handle, ZEROS.subarray(0, size), at));
      }
    } catch {
      hasFailed = true;
    } finally {
      makingFrom = Number.POSITIVE_INFINITY;
      making = null;
    }
  }

  return {
    before: (end) => (making !== null && end > makingFrom ? making : null),
    after(end) {
      if (making !== null || hasFailed || isHalted || end < fromBytes || reached - end > roomBytes / 2) return;
      // What is appended while the first step is written goes in front of it.
      const from = Math.max(reached, end + stepBytes);
      const to = Math.min(from + roomBytes, mostBytes);
      if (to <= from) return;
      makingFrom = from;
      making = make(from, to);
    },
    async close(end) {
      isHalted = true;
      await making;
      if (reached > end) {
        await use(async (handle) => {
          await handle.truncate(end);
          await handle.sync();
        });
      }
      reached = 0;
      isHalted = false;
    },
  };
}
