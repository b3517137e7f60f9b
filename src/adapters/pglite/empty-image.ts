// The image of an empty database: making one takes 2 to 4 seconds, unpacking one half of one. It is made the first time a
// database is needed on a machine and kept in a cache folder, named after PGlite's version and its own hash.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openEngine } from './engine.ts';

/** @returns null where no cache folder is given: then it is not worth the making */
export async function imageOfEmpty(cacheFolder: string | null): Promise<Blob | null> {
  if (cacheFolder === null) return null;
  const prefix = `pglite-${versionOfPglite()}-`;
  const kept = readKept(cacheFolder, prefix);
  if (kept !== null) return new Blob([kept], { type: 'application/x-gzip' });
  const database = await openEngine({ dataFolder: null, image: null });
  const image = await database.dumpDataDir('gzip');
  await database.close();
  keep(cacheFolder, prefix, new Uint8Array(await image.arrayBuffer()));
  return image;
}

const nameOf = (prefix: string, bytes: Uint8Array) =>
  `${prefix}${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}.tar.gz`;

/** null where there is none, or what is there is not what its name says */
function readKept(folder: string, prefix: string): Uint8Array<ArrayBuffer> | null {
  try {
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(prefix) || !name.endsWith('.tar.gz')) continue;
      const bytes = new Uint8Array(readFileSync(join(folder, name)));
      if (nameOf(prefix, bytes) === name) return bytes;
    }
  } catch {}
  return null;
}

/** Where that fails, the next start makes it anew. */
function keep(folder: string, prefix: string, bytes: Uint8Array): void {
  const path = join(folder, nameOf(prefix, bytes));
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function versionOfPglite(): string {
  const require = createRequire(import.meta.url);
  // Its package.json is not among its exports, and lies beside the folder of its entry.
  const text = readFileSync(join(require.resolve('@electric-sql/pglite'), '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
