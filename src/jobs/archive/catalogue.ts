// Which files an archive has, day by day, kept in memory so that a search does not list the store each time.
//
// What this process adds it knows at once; what others do (other archivers, compaction, retention) it sees when it lists
// again. A file that was compacted away meanwhile shows when it is opened: then the caller asks for a fresh look.
import type { ObjectStore } from '../../ports.ts';
import {
  type CountedFile,
  countedFiles,
  type DayState,
  namesByDay,
  newestManifest,
  readDay,
  readPartName,
  stateOf,
} from './day-files.ts';

export interface CatalogueDay {
  readonly day: string;
  readonly files: readonly CountedFile[];
}

interface KnownDay extends CatalogueDay {
  readonly state: DayState;
}

export interface CatalogueOptions {
  readonly store: ObjectStore;
  readonly table: string;
  /** ms, any origin. */
  readonly now: () => number;
  /** A list older than this is made anew before a search; default 60 s. */
  readonly refreshMs?: number;
}

const DEFAULT_REFRESH_MS = 60_000;

export class Catalogue {
  readonly #options: CatalogueOptions;
  #days: ReadonlyMap<string, KnownDay> = new Map();
  #listedMs = Number.NEGATIVE_INFINITY;
  #listing: Promise<void> | null = null;
  /** Parts that were written here while a list was being made, which may lack them. */
  readonly #addedMeanwhile: { readonly day: string; readonly fileName: string }[] = [];

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** As `days` gives it, without looking again. */
  get known(): readonly CatalogueDay[] {
    return [...this.#days.values()].sort((a, b) => (a.day < b.day ? 1 : -1));
  }

  /** Makes `known` no older than it may be. @param isFresh looks again in any case */
  async refresh(isFresh = false): Promise<void> {
    const { now, refreshMs = DEFAULT_REFRESH_MS } = this.#options;
    // A list that is under way may have begun before what the caller knows of.
    if (isFresh && this.#listing !== null) await this.#listing;
    if (!isFresh && now() - this.#listedMs < refreshMs) return;
    this.#listing ??= this.#list().finally(() => {
      this.#listing = null;
      this.#addedMeanwhile.length = 0;
    });
    await this.#listing;
  }

  /** A part is in the store. */
  add(day: string, fileName: string): void {
    if (this.#listing !== null) this.#addedMeanwhile.push({ day, fileName });
    const days = new Map(this.#days);
    addTo(days, day, fileName);
    this.#days = days;
  }

  async #list(): Promise<void> {
    const { store, table, now } = this.#options;
    const beganMs = now();
    const names = namesByDay(table, await store.list(`${table}/`));
    const days = new Map<string, KnownDay>();
    for (const [day, fileNames] of names) {
      const known = this.#days.get(day)?.state;
      const state = isSameManifest(known, fileNames)
        ? { day, manifest: known!.manifest, parts: fileNames.flatMap(readPartName), names: fileNames }
        : ((await stateOf(store, table, day, fileNames)) ?? (await readDay(store, table, day)));
      days.set(day, { day, state, files: countedFiles(state) });
    }
    for (const { day, fileName } of this.#addedMeanwhile) addTo(days, day, fileName);
    this.#days = days;
    this.#listedMs = beganMs;
  }
}

function isSameManifest(known: DayState | undefined, fileNames: readonly string[]): boolean {
  return known !== undefined && newestManifest(fileNames) === (known.manifest?.generation ?? null);
}

function addTo(days: Map<string, KnownDay>, day: string, fileName: string): void {
  const before = days.get(day)?.state ?? { day, manifest: null, parts: [], names: [] };
  if (before.names.includes(fileName)) return;
  const state = {
    ...before,
    parts: [...before.parts, ...readPartName(fileName)],
    names: [...before.names, fileName],
  };
  days.set(day, { day, state, files: countedFiles(state) });
}
