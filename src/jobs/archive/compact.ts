// Many small parts of a day into few larger files, the newest rows first.
//
// The new files are written first and count for nothing; a manifest that names them and says which offsets they cover makes
// them count and the parts not, in one step; then the parts go. A crash before the manifest leaves files that nobody names,
// after it parts that are covered: both are removed by the next one who tidies up. Of two that compact the same day one
// gets the manifest's place, and the other takes its files away again.
import { assert } from '../../lib/assert.ts';
import type { LocalObject, LocalObjects, ScratchFolder } from '../../ports/archive.ts';
import type { ObjectStore } from '../../ports.ts';
import type { ArchiveTools } from './archive-files.ts';
import { Coverage } from './coverage.ts';
import {
  countedFiles,
  coverageOf,
  type DayState,
  dataKey,
  dataName,
  folderOf,
  generationOf,
  idsKey,
  type Manifest,
  type ManifestFile,
  manifestBytes,
  manifestName,
  readDay,
  readPartName,
} from './day-files.ts';
import { idsOf } from './encode-part.ts';
import { countRows, merge, type SourceFile } from './parquet-sql.ts';
import type { ArchivedTable } from './table.ts';

export interface CompactTools extends ArchiveTools {
  readonly store: ObjectStore;
  readonly objects: LocalObjects;
  readonly table: ArchivedTable;
  /** Eight hexadecimal digits, others each time: no two attempts write the same files. */
  readonly newAttempt: () => string;
}

/** `all`: everything of the day anew, in order; `parts`: only the parts, into files beside those there are. */
export type CompactScope = 'all' | 'parts';

export interface Compacted {
  readonly day: string;
  readonly rows: number;
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly bytes: number;
}

/** Of one file; a row group may go beyond it. A file is sent to a bucket in one piece. */
const FILE_BYTES = 16 * 1024 * 1024;

/** null where there is nothing to do, or another was first. */
export async function compactDay(tools: CompactTools, day: string, scope: CompactScope): Promise<Compacted | null> {
  const state = await readDay(tools.store, tools.table.name, day);
  const counted = countedFiles(state);
  const ofManifest = new Set(state.manifest?.files.map(({ name }) => name));
  const sources = scope === 'all' ? counted : counted.filter(({ name }) => !ofManifest.has(name));
  const isDone = scope === 'all' && state.manifest?.isSorted === true && sources.length === ofManifest.size;
  if (sources.length === 0 || isDone) return null;

  const folder = await tools.scratch.folder();
  const opened: LocalObject[] = [];
  try {
    const files: SourceFile[] = [];
    for (const { name, includes } of sources) {
      const object = await tools.objects.open(dataKey(tools.table.name, day, name));
      // Somebody else compacted or removed it since.
      if (object === null) return null;
      opened.push(object);
      files.push({ path: object.path, includes });
    }
    const kept = scope === 'all' ? [] : (state.manifest?.files ?? []);
    return await rewrite(tools, state, folder, files, kept);
  } catch (error) {
    // Another who was first has removed what was being read.
    if (await isOvertaken(tools, state)) return null;
    throw error;
  } finally {
    for (const object of opened) object.release();
    await folder.remove();
  }
}

async function isOvertaken({ store, table }: CompactTools, { day, manifest }: DayState): Promise<boolean> {
  const generation = (await readDay(store, table.name, day)).manifest?.generation ?? 0;
  return generation > (manifest?.generation ?? 0);
}

async function rewrite(
  tools: CompactTools,
  state: DayState,
  folder: ScratchFolder,
  sources: readonly SourceFile[],
  kept: readonly ManifestFile[],
): Promise<Compacted | null> {
  const { sql, store, table } = tools;
  const { day } = state;
  const generation = (state.manifest?.generation ?? 0) + 1;
  const attempt = tools.newAttempt();
  const [[before]] = await sql.run(countRows(table, sources));
  await sql.run(merge(table, sources, folder.path('merged'), FILE_BYTES));
  const made: ManifestFile[] = [];
  let rows = 0;
  for (const [number, file] of (await mergedFiles(folder)).entries()) {
    const path = folder.path(file);
    const [[count, firstMs, lastMs]] = (await sql.run(countRows(table, [{ path, includes: null }]))) as number[][];
    if (count === 0) continue;
    const name = dataName(generation, attempt, number);
    const ids = await idsOf(sql, table, path);
    const data = await folder.read(file);
    await store.put(idsKey(table.name, day, name), ids);
    await store.put(dataKey(table.name, day, name), data);
    made.push({ name, rows: count, bytes: data.length, firstMs, lastMs });
    rows += count;
  }
  assert(rows === before, `compaction of ${day} read ${before} rows and wrote ${rows}`);
  const manifest: Omit<Manifest, 'generation'> = {
    files: [...kept, ...made],
    // The parts that were read, and no later ones.
    covers: coverageOf(state).ranges(),
    isSorted: kept.length === 0,
  };
  const key = `${folderOf(table.name, day)}${manifestName(generation)}`;
  if (!(await store.putNew(key, manifestBytes(day, manifest)))) {
    for (const { name } of made) await removeFile(store, table, day, name);
    return null;
  }
  await tidyDay(store, table, day);
  const bytes = made.reduce((sum, file) => sum + file.bytes, 0);
  return { day, rows, filesBefore: sources.length + kept.length, filesAfter: manifest.files.length, bytes };
}

/** Numbered, and sorted as numbers. */
async function mergedFiles(folder: ScratchFolder): Promise<string[]> {
  const names = await folder.names('merged');
  return names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).map((name) => `merged/${name}`);
}

/**
 * Removes what counts for nothing any more: parts that the manifest covers, files of earlier manifests, and what a
 * compaction that was not the first, or did not end, has left. Its files of a later generation may still be to come.
 */
export async function tidyDay(store: ObjectStore, table: ArchivedTable, day: string): Promise<void> {
  const { manifest, names } = await readDay(store, table.name, day);
  if (manifest === null) return;
  const counting = new Set(manifest.files.map(({ name }) => name));
  const covered = new Coverage(manifest.covers);
  const isStale = (name: string) => {
    const generation = generationOf(name);
    if (generation !== null) return !counting.has(name) && generation <= manifest.generation;
    return readPartName(`${name}.parquet`).some((part) => covered.missing(part).length === 0);
  };
  // With or without their Parquet file: an index may be all that was written.
  const files = new Set(names.map((name) => name.replace(/\.(parquet|ids)$/, '')));
  for (const name of [...files].filter(isStale)) await removeFile(store, table, day, name);
  const older = names.filter((name) => name.startsWith('manifest-') && name < manifestName(manifest.generation));
  for (const name of older) await store.remove(`${folderOf(table.name, day)}${name}`);
}

/** The index last: what is there has one. */
async function removeFile(
  store: ObjectStore,
  { name: table }: ArchivedTable,
  day: string,
  name: string,
): Promise<void> {
  await store.remove(dataKey(table, day, name));
  await store.remove(idsKey(table, day, name));
}
