// Open files by path, at most so many: those used longest ago are closed, and who wants one more than are free waits.
import { type FileHandle, open } from 'node:fs/promises';
import { OPEN_THERE } from './durable-files.ts';

export interface HandlePool {
  /**
   * Opens for reading and writing, or shares what is open, while `use` runs.
   *
   * @param flags `OPEN_THERE`, the default, or `OPEN_NEW`
   */
  use<T>(path: string, use: (handle: FileHandle) => Promise<T>, flags?: number): Promise<T>;
  /** Closes the file: before it is removed or another takes its name. Nobody may be using it. */
  drop(path: string): Promise<void>;
  /** Waits for those who use files. */
  close(): Promise<void>;
}

interface Entry {
  readonly handle: Promise<FileHandle>;
  users: number;
  /** Counts up with each use of any. */
  lastUse: number;
}

/** @param limit files open at once, from 1 */
export function createHandlePool(limit: number): HandlePool {
  const entries = new Map<string, Entry>();
  const waiting: (() => void)[] = [];
  let uses = 0;

  function longestUnused(): string | null {
    let found: [string, Entry] | null = null;
    for (const each of entries) {
      if (each[1].users === 0 && (found === null || each[1].lastUse < found[1].lastUse)) found = each;
    }
    return found?.[0] ?? null;
  }

  async function makeRoom(): Promise<void> {
    while (entries.size >= limit) {
      const idle = longestUnused();
      if (idle === null) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        continue;
      }
      await drop(idle);
    }
  }

  async function drop(path: string): Promise<void> {
    const entry = entries.get(path);
    if (entry === undefined) return;
    entries.delete(path);
    await (await entry.handle).close();
  }

  async function acquire(path: string, flags: number): Promise<Entry> {
    for (;;) {
      const found = entries.get(path);
      if (found !== undefined) {
        found.users++;
        found.lastUse = ++uses;
        return found;
      }
      if (entries.size >= limit) {
        await makeRoom();
        continue;
      }
      entries.set(path, { handle: open(path, flags), users: 0, lastUse: uses });
    }
  }

  return {
    async use(path, use, flags = OPEN_THERE) {
      const entry = await acquire(path, flags);
      try {
        return await use(
          await entry.handle.catch((error: unknown) => {
            if (entries.get(path) === entry) entries.delete(path);
            throw error;
          }),
        );
      } finally {
        entry.users--;
        waiting.shift()?.();
      }
    },
    drop,
    async close() {
      while ([...entries.values()].some(({ users }) => users > 0)) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      for (const path of [...entries.keys()]) await drop(path);
    },
  };
}
