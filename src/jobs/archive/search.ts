// Reading an archive: one record by its id, or records newest first, of files and of what is not in files yet.
//
// A search takes its list of files and the held records in one breath, so a record that moves from one to the other is found
// in one of them. Files that were compacted away since are looked for anew.

import type { ArchiveSql, IdIndex, LocalObject, LocalObjects } from '../../ports/archive.ts';
import type { ObjectStore } from '../../ports.ts';
import type { Catalogue, CatalogueDay } from './catalogue.ts';
import type { Condition, SqlValue } from './conditions.ts';
import { boundsOfDay, type CountedFile, dataKey, dayOf, idsKey } from './day-files.ts';
import { type HeldPart, type HeldRecords, rowOfHeld, searchHeld } from './held-records.ts';
import { readRow, rowsAt, type SourceFile, searchRows } from './parquet-sql.ts';
import { type ArchivedRow, type ArchivedTable, newestFirst, type RowPlace } from './table.ts';

export interface ArchiveSearchOptions {
  readonly table: ArchivedTable;
  readonly store: ObjectStore;
  readonly objects: LocalObjects;
  readonly sql: ArchiveSql;
  readonly ids: IdIndex;
  readonly catalogue: Catalogue;
  /** What the archiver of this process holds; null without one. */
  readonly held: HeldRecords | null;
  /** Days that one list looks into at most; default 31. */
  readonly mostDays?: number;
}

export interface ListWish {
  readonly fromMs: number;
  /** Not included. */
  readonly untilMs: number;
  readonly conditions: readonly Condition[];
  /** From a list before; null for the newest. */
  readonly after: RowPlace | null;
  readonly limit: number;
}

export interface ListPage {
  readonly rows: readonly ArchivedRow[];
  /** Where the next page begins; null where there is no more. A page may be short, or empty, and not be the last. */
  readonly next: RowPlace | null;
}

const DEFAULT_MOST_DAYS = 31;
const LOOKS = 3;
/** Files of ids that are looked into at once. */
const AT_ONCE = 4;
/** Files that one statement reads: those that have the newest rows are often few. */
const FILES_AT_ONCE = 8;
/** Rows with one hash that are looked at; more than a few are made to be so. */
const MOST_CANDIDATES = 1000;

/** A file that the list names is not there any more. */
class FileGoneError extends Error {
  override readonly name = 'FileGoneError';
}

interface Snapshot {
  readonly days: readonly CatalogueDay[];
  readonly held: readonly HeldPart[];
}

export class ArchiveSearch {
  readonly #options: ArchiveSearchOptions;

  constructor(options: ArchiveSearchOptions) {
    this.#options = options;
  }

  /**
   * The newest record of the id; null where there is none.
   *
   * @param dayHint a Lima day (`2026-01-31`) to look at first, then its neighbours, then all others: the first record that
   *   is met is it
   */
  async find(id: string, dayHint: string | null = null): Promise<ArchivedRow | null> {
    return await this.#looking(async ({ days, held }) => {
      const { table } = this.#options;
      const inMemory = held.flatMap(({ partition, byKey }) => {
        const record = byKey.get(id);
        return record === undefined ? [] : [rowOfHeld(table, partition, record)];
      });
      if (inMemory.length > 0) return inMemory.sort(newestFirst)[0];
      for (const group of inGroups(nearestFirst(days, dayHint), AT_ONCE)) {
        const found = await Promise.all(group.map((day) => this.#findInDay(id, day)));
        const first = found.find((row) => row !== null);
        if (first !== undefined) return first;
      }
      return null;
    });
  }

  async list(wish: ListWish): Promise<ListPage> {
    return await this.#looking((snapshot) => this.#page(wish, snapshot));
  }

  async #page(wish: ListWish, { days, held }: Snapshot): Promise<ListPage> {
    const { table, mostDays = DEFAULT_MOST_DAYS } = this.#options;
    // One more than asked for tells whether there is a next page.
    const search = { ...wish, limit: wish.limit + 1 };
    const newest = Math.min(wish.untilMs, (wish.after?.recordedMs ?? Number.POSITIVE_INFINITY) + 1);
    const [oldestDay, newestDay] = [dayOf(wish.fromMs), dayOf(newest - 1)];
    const wanted = days.filter(({ day }) => oldestDay <= day && day <= newestDay);
    const looked = wanted.slice(0, mostDays);
    const inMemory = await searchHeld(table, held, search);
    let rows = inMemory;
    for (const { day, files } of looked) {
      if (isFull(rows, search.limit, boundsOfDay(day).untilMs)) break;
      rows = merged(rows, await this.#searchFiles(day, files, search), search.limit);
    }
    if (looked.length === wanted.length || isFull(rows, search.limit, boundsOfDay(looked.at(-1)!.day).fromMs)) {
      const page = rows.slice(0, wish.limit);
      return { rows: page, next: rows.length > wish.limit ? placeOf(page[page.length - 1]) : null };
    }
    // Older days were not looked at: rows of theirs that are held must wait for the others.
    const reached = boundsOfDay(looked.at(-1)!.day).fromMs;
    const page = rows.filter(({ recordedMs }) => recordedMs >= reached);
    return { rows: page, next: { recordedMs: reached, partition: -1, offset: -1 } };
  }

  /** Files with the newest rows first, and no more of them than the page needs. */
  async #searchFiles(day: string, files: readonly CountedFile[], search: ListWish): Promise<ArchivedRow[]> {
    const newest = Math.min(search.untilMs - 1, search.after?.recordedMs ?? Number.POSITIVE_INFINITY);
    const wanted = files
      .filter(({ bounds }) => bounds.lastMs >= search.fromMs && bounds.firstMs <= newest)
      .sort((a, b) => b.bounds.lastMs - a.bounds.lastMs);
    let rows: ArchivedRow[] = [];
    for (const group of inGroups(wanted, FILES_AT_ONCE)) {
      // Where times are equal, partition and offset decide: only what is newer than all that follows is certain.
      if (isFull(rows, search.limit, group[0].bounds.lastMs + 1)) break;
      rows = merged(rows, await this.#searchGroup(day, group, search), search.limit);
    }
    return rows;
  }

  async #searchGroup(day: string, files: readonly CountedFile[], search: ListWish): Promise<ArchivedRow[]> {
    const { table, sql } = this.#options;
    return await this.#withFiles(day, files, async (sources) => {
      const parameters: SqlValue[] = [];
      const rows = await sql.run(searchRows(table, sources, search, parameters), parameters);
      return rows.map(([json]) => readRow(table, String(json)));
    });
  }

  async #findInDay(id: string, { day, files }: CatalogueDay): Promise<ArchivedRow | null> {
    const found: ArchivedRow[] = [];
    for (const group of inGroups(files, AT_ONCE)) {
      found.push(...(await Promise.all(group.map((file) => this.#findInFile(id, day, file)))).flat());
    }
    return found.sort(newestFirst)[0] ?? null;
  }

  async #findInFile(id: string, day: string, file: CountedFile): Promise<ArchivedRow[]> {
    const { table, sql, ids, objects } = this.#options;
    const index = await objects.open(idsKey(table.name, day, file.name));
    // It is lost: the file itself knows, only more slowly.
    if (index === null) return await this.#searchGroup(day, [file], everythingOf(table, id));
    const numbers = await ids.rowsOf(index.path, id).finally(() => index.release());
    if (numbers.length === 0) return [];
    return await this.#withFiles(day, [file], async ([source]) => {
      const parameters: SqlValue[] = [];
      const statement = rowsAt(table, source, numbers.slice(-MOST_CANDIDATES), parameters, id);
      return (await sql.run(statement, parameters)).map(([json]) => readRow(table, String(json)));
    });
  }

  async #withFiles<Result>(
    day: string,
    files: readonly CountedFile[],
    use: (sources: readonly SourceFile[]) => Promise<Result>,
  ): Promise<Result> {
    const opened: LocalObject[] = [];
    try {
      const sources: SourceFile[] = [];
      for (const { name, includes } of files) {
        const object = await this.#open(dataKey(this.#options.table.name, day, name));
        opened.push(object);
        sources.push({ path: object.path, includes });
      }
      return await use(sources);
    } finally {
      for (const object of opened) object.release();
    }
  }

  async #open(key: string): Promise<LocalObject> {
    const object = await this.#options.objects.open(key);
    if (object === null) throw new FileGoneError(`${key} is not there`);
    return object;
  }

  /** Looks again with a fresh list where something fails: a file may have been compacted away while it was read. */
  async #looking<Result>(look: (snapshot: Snapshot) => Promise<Result>): Promise<Result> {
    const { catalogue, held } = this.#options;
    for (let looks = 1; ; looks++) {
      await catalogue.refresh(looks > 1);
      try {
        return await look({ days: catalogue.known, held: held?.parts().map(frozen) ?? [] });
      } catch (error) {
        if (looks === LOOKS) throw error;
      }
    }
  }
}

function everythingOf({ idColumn }: ArchivedTable, id: string): ListWish {
  const conditions = [{ column: idColumn, is: 'one-of', values: [id] } as const];
  const ever = { fromMs: Number.MIN_SAFE_INTEGER, untilMs: Number.MAX_SAFE_INTEGER };
  return { ...ever, conditions, after: null, limit: MOST_CANDIDATES };
}

/** Those that come later do not belong to this search. */
function frozen(part: HeldPart): HeldPart {
  return { ...part, records: part.records.slice() };
}

/** The page is full, and nothing older than this can be among it. */
function isFull(rows: readonly ArchivedRow[], limit: number, olderThanMs: number): boolean {
  return rows.length >= limit && rows[limit - 1].recordedMs >= olderThanMs;
}

/** Of two lists newest first, each row once: what came again after a crash is held and in a file. */
function merged(a: readonly ArchivedRow[], b: readonly ArchivedRow[], limit: number): ArchivedRow[] {
  const rows = [...a, ...b].sort(newestFirst);
  return rows.filter((row, index) => index === 0 || newestFirst(rows[index - 1], row) !== 0).slice(0, limit);
}

function placeOf({ recordedMs, partition, offset }: ArchivedRow): RowPlace {
  return { recordedMs, partition, offset };
}

function nearestFirst(days: readonly CatalogueDay[], hint: string | null): readonly CatalogueDay[] {
  if (hint === null) return days;
  const around = boundsOfDay(hint).fromMs;
  const isNear = ({ day }: CatalogueDay) =>
    Math.abs(boundsOfDay(day).fromMs - around) <= boundsOfDay(hint).untilMs - around;
  const exactFirst = days.filter(isNear).sort((a, b) => Number(b.day === hint) - Number(a.day === hint));
  return [...exactFirst, ...days.filter((day) => !isNear(day))];
}

function* inGroups<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
