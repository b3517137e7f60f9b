// Objects as files under a folder: the embedded profile's store for models, checkpoints and archives.
import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { ObjectStore } from '../../ports.ts';
import { syncFolder } from './stream-log/durable-files.ts';

/** What was put is there after a power cut, too. @param folder made when the first object is put */
export function createFolderObjectStore(folder: string): ObjectStore {
  const root = resolve(folder);
  const pathOf = (key: string) => {
    const path = resolve(root, key);
    if (!path.startsWith(root + sep)) throw new Error(`object key '${key}' leaves the folder`);
    return path;
  };
  const writeTemporary = async (path: string, bytes: Uint8Array) => {
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${randomUUID()}.tmp`;
    await writeFile(temporary, bytes, { flush: true });
    return temporary;
  };
  return {
    async put(key, bytes) {
      const path = pathOf(key);
      await rename(await writeTemporary(path, bytes), path);
      await syncFolder(dirname(path));
    },
    async putNew(key, bytes) {
      const path = pathOf(key);
      const temporary = await writeTemporary(path, bytes);
      try {
        // Unlike a rename, a link fails where the name is taken, whichever process took it.
        await link(temporary, path);
        await syncFolder(dirname(path));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    },
    async get(key) {
      try {
        return new Uint8Array(await readFile(pathOf(key)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
    async list(prefix) {
      // Only below what the prefix names: an archive's day is not looked for among a million attachments.
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      const start = resolve(root, folder);
      if (start !== root && !start.startsWith(root + sep)) throw new Error(`prefix '${prefix}' leaves the folder`);
      const begins = (key: string) => key.startsWith(prefix) && !key.endsWith('.tmp');
      const keys: string[] = [];
      for (const entry of await entriesOf(start)) {
        const key = folder + entry.name;
        if (entry.isFile() && begins(key)) keys.push(key);
        if (!entry.isDirectory() || !key.startsWith(prefix)) continue;
        for (const inner of await entriesOf(join(start, entry.name), true)) {
          const innerKey = relative(root, join(inner.parentPath, inner.name)).split(sep).join('/');
          if (inner.isFile() && begins(innerKey)) keys.push(innerKey);
        }
      }
      return keys.sort();
    },
  };
}

/** None where there is no such folder. */
async function entriesOf(folder: string, recursive = false): Promise<Dirent[]> {
  try {
    return await readdir(folder, { recursive, withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
