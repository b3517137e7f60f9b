// Objects of a store as files that DuckDB can open: a folder's are files already; a bucket's are copied into a cache.
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalObjects } from '../../ports/archive.ts';
import type { ObjectStore } from '../../ports.ts';

interface Copy {
  readonly path: string;
  readonly bytes: number;
  users: number;
}

/** @param folder of a folder store */
export function folderObjects(folder: string): LocalObjects {
  return {
    async open(key) {
      const path = join(folder, ...key.split('/'));
      const isThere = await access(path).then(
        () => true,
        () => false,
      );
      return isThere ? { path, release: () => undefined } : null;
    },
  };
}

/**
 * Objects must never change under their keys. Those that were not used for longest go when there are too many bytes; what is
 * in use stays even then.
 *
 * @param folder the cache's own, made where it is not there; what an earlier process put there is used again
 */
export async function cachedObjects(
  store: ObjectStore,
  folder: string,
  limitBytes: number,
): Promise<LocalObjects & { readonly bytes: number }> {
  await mkdir(folder, { recursive: true });
  /** By name, the one that was used longest ago first. */
  const copies = new Map<string, Copy>();
  const coming = new Map<string, Promise<Copy | null>>();
  let bytes = 0;
  for (const { file, size } of await found(folder)) {
    const path = join(folder, file);
    const name = nameOfFile(file);
    if (copies.has(name)) await rm(path, { force: true });
    else {
      copies.set(name, { path, bytes: size, users: 0 });
      bytes += size;
    }
  }

  async function evict(): Promise<void> {
    for (const [name, copy] of copies) {
      if (bytes <= limitBytes) return;
      if (copy.users > 0) continue;
      copies.delete(name);
      bytes -= copy.bytes;
      await rm(copy.path, { force: true });
    }
  }

  async function fetchCopy(key: string, name: string): Promise<Copy | null> {
    const content = await store.get(key);
    if (content === null) return null;
    // A name of its own each time: the removal of an earlier copy may still be under way.
    const path = join(folder, `${name}.${randomUUID()}`);
    await writeFile(`${path}.tmp`, content);
    await rename(`${path}.tmp`, path);
    const copy = { path, bytes: content.length, users: 1 };
    copies.set(name, copy);
    bytes += content.length;
    await evict();
    copy.users--;
    return copy;
  }

  async function copyOf(key: string, name: string): Promise<Copy | null> {
    const known = copies.get(name);
    if (known !== undefined) {
      // Another process with the same cache may have removed it.
      const isThere = await utimes(known.path, new Date(), new Date()).then(
        () => true,
        () => false,
      );
      if (isThere) return known;
      if (copies.delete(name)) bytes -= known.bytes;
    }
    const fetching = coming.get(name) ?? fetchCopy(key, name).finally(() => coming.delete(name));
    coming.set(name, fetching);
    return await fetching;
  }

  return {
    get bytes() {
      return bytes;
    },
    async open(key) {
      const name = nameOf(key);
      let copy = await copyOf(key, name);
      // Others may have made it go already.
      while (copy !== null && copies.get(name) !== copy) copy = await copyOf(key, name);
      if (copy === null) return null;
      const used = copy;
      used.users++;
      copies.delete(name);
      copies.set(name, used);
      let isReleased = false;
      const release = () => {
        if (isReleased) return;
        isReleased = true;
        used.users--;
      };
      return { path: used.path, release };
    },
  };
}

/** What a crash left half-written goes. */
async function found(folder: string): Promise<{ file: string; size: number }[]> {
  const files: { file: string; size: number; usedMs: number }[] = [];
  for (const file of await readdir(folder)) {
    if (file.endsWith('.tmp')) {
      await rm(join(folder, file), { force: true });
      continue;
    }
    const { size, mtimeMs } = await stat(join(folder, file));
    files.push({ file, size, usedMs: mtimeMs });
  }
  return files.sort((a, b) => a.usedMs - b.usedMs);
}

/** Keys are of any length. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function nameOfFile(file: string): string {
  return file.slice(0, file.indexOf('.'));
}
