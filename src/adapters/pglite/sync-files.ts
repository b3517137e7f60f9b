// File operations of the database's thread. They block it on purpose: nothing else can be done before they are.
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RecordsUnavailableError } from '../../lib/errors.ts';
import { reasonOf } from '../files/stream-log/durable-files.ts';

export function syncFileOrFolder(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    // Windows cannot sync a folder, and does not need to.
    if (process.platform !== 'win32') throw error;
  } finally {
    closeSync(handle);
  }
}

const SYNCS_AT_ONCE = 16;

/**
 * All files and folders below and the folder itself. Many at once: of a thousand files one after another, each sync waits
 * for the file system's journal (3 s where it took 0.6).
 */
export async function syncTree(folder: string): Promise<void> {
  const paths = [folder];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isDirectory()) paths.push(join(entry.parentPath, entry.name));
  }
  const syncNext = async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const handle = await open(path, 'r');
      try {
        await handle.sync();
      } catch (error) {
        if (process.platform !== 'win32') throw error;
      } finally {
        await handle.close();
      }
    }
  };
  await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, syncNext));
}

/** The file has the new contents or the old ones, whenever the power goes. */
export function replaceFileNow(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600, flush: true });
  renameSync(temporary, path);
  syncFileOrFolder(dirname(path));
}

export function writeAll(handle: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  // A disk that fills takes a part first, and says why when asked for the rest.
  while (done < bytes.length) done += writeSync(handle, bytes, done, bytes.length - done, position + done);
}

export function cannotWriteRecords(path: string, error: unknown): RecordsUnavailableError {
  return new RecordsUnavailableError(
    `cannot write ${path}: ${reasonOf(error)}; this transaction is undone, what was acknowledged before is safe. ` +
      'Free space or mend the disk: the next call tries again',
  );
}
