// An archive as commands and services open it: where its files are, a database to read and write them, space to work in.
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDb } from '../adapters/archive/duckdb-sql.ts';
import { openIdIndexes } from '../adapters/archive/id-index.ts';
import { cachedObjects, folderObjects } from '../adapters/archive/local-objects.ts';
import { openScratch } from '../adapters/archive/scratch-folder.ts';
import { Archiver, type ArchiverOptions } from '../jobs/archive/archiver.ts';
import { Catalogue } from '../jobs/archive/catalogue.ts';
import type { CompactTools } from '../jobs/archive/compact.ts';
import { DecisionsArchive } from '../jobs/archive/decisions-archive.ts';
import { DECISIONS_TABLE } from '../jobs/archive/decisions-table.ts';
import { ArchiveSearch } from '../jobs/archive/search.ts';
import type { StreamLog } from '../ports.ts';
import type { OptionSpec, OptionValues } from './command.ts';
import { openReadyObjectStore } from './object-store.ts';

export const ARCHIVE_PLACE_OPTIONS = {
  archive: {
    type: 'text',
    value: 'PLACE',
    help: 'where decisions are kept: a folder, or s3://bucket/prefix',
    default: 'archive',
  },
  scratch: {
    type: 'text',
    value: 'DIR',
    help: 'a folder on this machine for work in progress and copies of a bucket; by default among temporary files',
  },
  'cache-megabytes': {
    type: 'number',
    help: 'a bucket: copies of its files that are kept on this machine',
    default: 2048,
    minimum: 16,
    whole: true,
  },
} as const satisfies Record<string, OptionSpec>;

const OPEN_OF_BUCKET = 16;

export interface ArchivePlace {
  readonly place: string;
  /** On this machine's disk. */
  readonly scratch: string;
  /** Of a bucket's files on this machine. */
  readonly cacheBytes: number;
}

export interface OpenArchive {
  readonly tools: CompactTools;
  /** Writes the topic's decisions into the archive; `run` it. */
  archiverOf(log: StreamLog, topic: string, more: ArchiverWish): Archiver;
  /** @param archiver of this process, whose decisions that are not in files yet are found, too; null without one */
  decisionsOf(archiver: Archiver | null): DecisionsArchive;
  close(): Promise<void>;
}

export type ArchiverWish = Pick<ArchiverOptions, 'group' | 'settings' | 'observer'>;

export function archivePlaceOf(options: OptionValues): ArchivePlace {
  const scratch = (options.scratch as string | undefined) ?? join(tmpdir(), 'centinela-archive');
  const cacheBytes = (options['cache-megabytes'] as number) * 1024 * 1024;
  return { place: options.archive as string, scratch, cacheBytes };
}

/** @throws InputError where the place is none; StoreUnavailableError where it does not answer */
export async function openArchive({ place, scratch, cacheBytes }: ArchivePlace): Promise<OpenArchive> {
  const store = await openReadyObjectStore(place);
  const isBucket = place.startsWith('s3://');
  const objects = isBucket ? await cachedObjects(store, join(scratch, 'cache'), cacheBytes) : folderObjects(place);
  const work = await openScratch(join(scratch, 'work'));
  const spill = await work.folder();
  const sql = openDuckDb({ spillFolder: spill.path('spill') });
  // Of copies that were removed from the cache few may take space on.
  const ids = isBucket ? openIdIndexes(OPEN_OF_BUCKET) : openIdIndexes();
  const newAttempt = () => randomBytes(4).toString('hex');
  const tools = { sql, store, objects, scratch: work, table: DECISIONS_TABLE, newAttempt };
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  return {
    tools,
    archiverOf: (log, topic, more) => new Archiver({ ...tools, log, topic, now: Date.now, sleep, ...more }),
    decisionsOf(archiver) {
      const catalogue = archiver?.catalogue ?? new Catalogue({ store, table: DECISIONS_TABLE.name, now: Date.now });
      const held = archiver?.held ?? null;
      return new DecisionsArchive(new ArchiveSearch({ ...tools, ids, catalogue, held }));
    },
    async close() {
      await ids.close();
      await sql.close();
      await spill.remove();
    },
  };
}
