// The keys of an archive and what they mean.
//
//   decisions/day=2026-01-31/
//     part-0003-0000000000001000-0000000000001999-001769878800000-001769879100000.parquet
//                                                    offsets 1000 to 1999 of partition 3, and the times of its records
//     part-0003-….ids                                where its ids are
//     data-000002-5f0c9a3e-0000.parquet, .ids        of many parts, by compaction
//     manifest-000002.json                           the newest says which `data` count
//
// A day is the Lima day of the record's own time, so every offset has one day for ever, and a part holds all records of its
// day within its offsets. That is why nothing can count twice: of parts whose offsets overlap, and of parts that a manifest
// covers, only the offsets count that nobody before has brought. A part is there or is not; a manifest replaces the one
// before it by being there (`putNew`): of two that compact at once, one is refused.
import { dayNumberOfIso, isoDate, limaDayNumber, startOfLimaDayMs } from '../../domain/calendar.ts';
import { InputError } from '../../lib/errors.ts';
import type { ObjectStore } from '../../ports.ts';
import { Coverage, type OffsetRange, type PartitionRange } from './coverage.ts';

export interface ManifestFile extends TimeBounds {
  /** Without the folder and the ending. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface Manifest {
  readonly generation: number;
  readonly files: readonly ManifestFile[];
  readonly covers: readonly PartitionRange[];
  /** All files together were sorted at once. */
  readonly isSorted: boolean;
}

/** Of its oldest and its newest record, ms UTC; times before 1970 count as then. */
export interface TimeBounds {
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface PartName extends PartitionRange, TimeBounds {
  readonly name: string;
}

/** What counts of one file. */
export interface CountedFile {
  /** Without the folder and the ending. */
  readonly name: string;
  /** Offsets of it that count; null for all. Only a part's may be fewer. */
  readonly includes: readonly OffsetRange[] | null;
  readonly bounds: TimeBounds;
}

export interface DayState {
  /** `2026-01-31`, Lima. */
  readonly day: string;
  readonly manifest: Manifest | null;
  readonly parts: readonly PartName[];
  /** Other files: older manifests, `data` files whether they count or not. */
  readonly names: readonly string[];
}

const FORMAT = 'centinela-archive';
const FORMAT_VERSION = 1;
const PART = /^part-(\d{4,})-(\d{16})-(\d{16})-(\d{15})-(\d{15})\.parquet$/;
const MANIFEST = /^manifest-(\d{6})\.json$/;
const DAY = /^day=(\d{4}-\d{2}-\d{2})$/;
const FIRST_MS = startOfLimaDayMs(0);
const LAST_MS = startOfLimaDayMs(dayNumberOfIso('9999-12-31'));
const MOST_MS = 10 ** 15 - 1;
/** A manifest is replaced and removed while somebody looks for it. */
const LOOKS = 4;

/** Times that no calendar of four digits has count as its first or last day. */
export function dayOf(timeMs: number): string {
  return isoDate(limaDayNumber(Math.min(Math.max(timeMs, FIRST_MS), LAST_MS)));
}

/** The day's first millisecond and the first one after it. */
export function boundsOfDay(day: string): { readonly fromMs: number; readonly untilMs: number } {
  const number = dayNumberOfIso(day);
  return { fromMs: startOfLimaDayMs(number), untilMs: startOfLimaDayMs(number + 1) };
}

export function folderOf(table: string, day: string): string {
  return `${table}/day=${day}/`;
}

export const dataKey = (table: string, day: string, name: string) => `${folderOf(table, day)}${name}.parquet`;
export const idsKey = (table: string, day: string, name: string) => `${folderOf(table, day)}${name}.ids`;

export function partName({ partition, from, to, firstMs, lastMs }: PartitionRange & TimeBounds): string {
  const times = [firstMs, lastMs].map((timeMs) => padded(Math.min(Math.max(timeMs, 0), MOST_MS), 15));
  return ['part', padded(partition, 4), padded(from, 16), padded(to, 16), ...times].join('-');
}

export function dataName(generation: number, attempt: string, number: number): string {
  return `data-${padded(generation, 6)}-${attempt}-${padded(number, 4)}`;
}

/** The generation that a `data` file was made for; null for other files. */
export function generationOf(name: string): number | null {
  const found = /^data-(\d{6})-/.exec(name)?.[1];
  return found === undefined ? null : Number(found);
}

export function manifestName(generation: number): string {
  return `manifest-${padded(generation, 6)}.json`;
}

/** As the store has it now. */
export async function readDay(store: ObjectStore, table: string, day: string): Promise<DayState> {
  const folder = folderOf(table, day);
  for (let look = 1; ; look++) {
    const names = (await store.list(folder)).map((key) => key.slice(folder.length));
    const state = await stateOf(store, table, day, names);
    if (state !== null) return state;
    if (look === LOOKS) throw damaged(`${folder}: its manifest cannot be read`);
  }
}

/** null where the manifest that the names tell of is gone by now. */
export async function stateOf(
  store: ObjectStore,
  table: string,
  day: string,
  names: readonly string[],
): Promise<DayState | null> {
  const newest = newestManifest(names);
  const manifest = newest === null ? null : await readManifest(store, table, day, newest);
  if (newest !== null && manifest === null) return null;
  return { day, manifest, parts: names.flatMap(readPartName), names };
}

/** Its generation; null where there is none. */
export function newestManifest(names: readonly string[]): number | null {
  const generations = names.flatMap((name) => MANIFEST.exec(name)?.[1] ?? []).map(Number);
  return generations.length === 0 ? null : Math.max(...generations);
}

export function readPartName(fileName: string): PartName[] {
  const found = PART.exec(fileName);
  if (found === null) return [];
  const [partition, from, to, firstMs, lastMs] = found.slice(1).map(Number);
  return [{ partition, from, to, firstMs, lastMs, name: fileName.slice(0, -'.parquet'.length) }];
}

/** Names by day, of keys of the whole archive; foreign keys are passed over. */
export function namesByDay(table: string, keys: readonly string[]): Map<string, string[]> {
  const days = new Map<string, string[]>();
  for (const key of keys) {
    const [, folder, name, more] = key.slice(table.length).split('/');
    const day = DAY.exec(folder ?? '')?.[1];
    if (day === undefined || name === undefined || more !== undefined) continue;
    const names = days.get(day);
    if (names === undefined) days.set(day, [name]);
    else names.push(name);
  }
  return days;
}

/** Every record of the day is in exactly one of them, within what counts of it. */
export function countedFiles({ manifest, parts }: Pick<DayState, 'manifest' | 'parts'>): CountedFile[] {
  const covered = new Coverage(manifest?.covers);
  const ofManifest = manifest?.files.map((file) => ({ name: file.name, includes: null, bounds: file })) ?? [];
  // The longest of those that begin together first: the others then add nothing.
  const ordered = parts.toSorted((a, b) => a.partition - b.partition || a.from - b.from || b.to - a.to);
  const ofParts = ordered.flatMap((part): CountedFile[] => {
    const gaps = covered.missing(part);
    if (gaps.length === 0) return [];
    covered.add(part);
    const isWhole = gaps.length === 1 && gaps[0].from === part.from && gaps[0].to === part.to;
    return [{ name: part.name, includes: isWhole ? null : gaps, bounds: part }];
  });
  return [...ofManifest, ...ofParts];
}

/** What the day has by now, of any file. */
export function coverageOf({ manifest, parts }: Pick<DayState, 'manifest' | 'parts'>): Coverage {
  return new Coverage([...(manifest?.covers ?? []), ...parts]);
}

export function manifestBytes(day: string, { files, covers, isSorted }: Omit<Manifest, 'generation'>): Uint8Array {
  const ranges = covers.map(({ partition, from, to }) => [partition, from, to]);
  const told = { format: FORMAT, formatVersion: FORMAT_VERSION, day, isSorted, files, covers: ranges };
  return new TextEncoder().encode(`${JSON.stringify(told, null, 1)}\n`);
}

async function readManifest(
  store: ObjectStore,
  table: string,
  day: string,
  generation: number,
): Promise<Manifest | null> {
  const key = `${folderOf(table, day)}${manifestName(generation)}`;
  const bytes = await store.get(key);
  if (bytes === null) return null;
  try {
    const read = JSON.parse(new TextDecoder().decode(bytes));
    if (read.format !== FORMAT || read.formatVersion !== FORMAT_VERSION || read.day !== day) throw new Error('format');
    const files = (read.files as ManifestFile[]).map(checkedFile);
    const covers = (read.covers as unknown[][]).map((range) => {
      if (!range.every(Number.isSafeInteger)) throw new Error('covers');
      const [partition, from, to] = range as number[];
      return { partition, from, to };
    });
    return { generation, files, covers, isSorted: read.isSorted === true };
  } catch {
    throw damaged(key);
  }
}

function checkedFile({ name, rows, bytes, firstMs, lastMs }: ManifestFile): ManifestFile {
  if (!/^data-[0-9a-f-]+$/.test(name) || ![rows, bytes, firstMs, lastMs].every(Number.isSafeInteger)) {
    throw new Error('files');
  }
  return { name, rows, bytes, firstMs, lastMs };
}

function damaged(what: string): InputError {
  return new InputError('ARCHIVE_DAMAGED', `The archive is damaged: ${what}`, 'Bring it back from a copy of the store');
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
