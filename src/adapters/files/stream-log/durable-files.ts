// File operations that are done when they return: contents, names and folders are synced, short writes are gone on with.
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError, StreamUnavailableError } from '../../../lib/errors.ts';

/**
 * Linux syncs as it writes: one call instead of two, and half the turns of a busy event loop. Elsewhere `fdatasync` follows,
 * which on macOS empties the disk's cache, too, as O_DSYNC does not.
 */
export const SYNCS_AS_IT_WRITES: number = process.platform === 'linux' ? constants.O_DSYNC : 0;
/** Flags of files that `writeDurably` writes to: the file is there, or it must not be. */
export const OPEN_THERE: number = constants.O_RDWR | SYNCS_AS_IT_WRITES;
export const OPEN_NEW: number = OPEN_THERE | constants.O_CREAT | constants.O_EXCL;

/** A name that was made or removed in a folder lasts only when the folder itself is synced. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Windows cannot sync a folder, and does not need to.
    if (process.platform !== 'win32') throw error;
  } finally {
    await handle.close();
  }
}

export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    // A disk that fills takes a part first, and says why when asked for the rest.
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** @param handle opened with `OPEN_THERE` or `OPEN_NEW` */
export async function writeDurably(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  await writeFully(handle, bytes, position);
  if (SYNCS_AS_IT_WRITES === 0) await handle.datasync();
}

const LOOKED_AT_BYTES = 1_048_576;

/** @returns the byte after the last one that is no zero, at least `from` */
export async function endOfContent(handle: FileHandle, from: number, size: number): Promise<number> {
  const buffer = Buffer.alloc(Math.min(LOOKED_AT_BYTES, Math.max(0, size - from)));
  for (let end = size; end > from; ) {
    const start = Math.max(from, end - buffer.length);
    const part = buffer.subarray(0, await readFully(handle, buffer.subarray(0, end - start), start));
    const last = part.findLastIndex((byte) => byte !== 0);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return from;
}

/** Reads until the buffer is full or the file ends. @returns bytes read */
export async function readFully(handle: FileHandle, into: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** The file has the new contents or the old ones, whenever the power goes. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, 'w');
  try {
    await writeFully(handle, bytes, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** What the operating system said, for a message to people. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'no space left on device (ENOSPC)';
  if (code === 'EFBIG') return 'the file may not grow further (EFBIG)';
  return code === undefined ? message : `${message.replace(/^\w+: /, '').replace(/, \w+.*$/, '')} (${code})`;
}

export function cannotWrite(path: string, error: unknown): StreamUnavailableError {
  return new StreamUnavailableError(
    `cannot write ${path}: ${reasonOf(error)}; this call is undone, what was acknowledged before is safe. ` +
      'Free space or mend the disk: the next call tries again',
  );
}

/** @param what is wrong, in a clause */
export function damaged(path: string, position: number, what: string): InputError {
  return new InputError(
    'STREAM_DAMAGED',
    `${path} is damaged at byte ${position}: ${what}`,
    'Check the disk, and put the file back from a copy; nothing is skipped',
  );
}
