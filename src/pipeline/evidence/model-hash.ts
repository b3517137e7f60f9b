// The hash by which evidence names a stored model: of its manifest, which names all its files with theirs.
import { createHash } from 'node:crypto';
import type { ObjectStore } from '../../ports.ts';

/** @param id `name@version` @returns null where there is no such model */
export async function modelHash(store: ObjectStore, id: string): Promise<string | null> {
  const [name, version] = id.split('@');
  const manifest = await store.get(`models/${name}/${version}/manifest.json`);
  return manifest === null ? null : createHash('sha256').update(manifest).digest('hex');
}
