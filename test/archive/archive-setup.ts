// An archive over a log in memory for tests: a folder, decisions to put into it, and everything that stands in files.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDb } from '../../src/adapters/archive/duckdb-sql.ts';
import { openIdIndexes } from '../../src/adapters/archive/id-index.ts';
import { folderObjects } from '../../src/adapters/archive/local-objects.ts';
import { openScratch } from '../../src/adapters/archive/scratch-folder.ts';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { startOfLimaDayMs } from '../../src/domain/calendar.ts';
import { Archiver, type ArchiverOptions } from '../../src/jobs/archive/archiver.ts';
import type { CompactTools } from '../../src/jobs/archive/compact.ts';
import { DecisionsArchive } from '../../src/jobs/archive/decisions-archive.ts';
import { DECISIONS_TABLE } from '../../src/jobs/archive/decisions-table.ts';
import { ArchiveSearch, type ArchiveSearchOptions } from '../../src/jobs/archive/search.ts';
import type { DecisionRecord } from '../../src/pipeline/stream/outputs.ts';
import type { LocalObjects } from '../../src/ports/archive.ts';
import type { ObjectStore, OutgoingRecord, StreamLog } from '../../src/ports.ts';

export const TOPIC = 'decisions';
/** Noon of a day in Lima. */
export const NOON_MS = startOfLimaDayMs(20_500) + 12 * 3_600_000;
export const DAY_MS = 86_400_000;

/** Deterministic, with every kind of field somewhere. */
export function decisionNumber(n: number): DecisionRecord {
  const isReview = n % 3 === 0;
  return {
    ...{ id: `TX-${String(n).padStart(6, '0')}`, eventTimeMs: NOON_MS + n * 1000 - 250 },
    ...{ action: isReview ? 'review' : 'approve', intended: n % 6 === 0 ? 'hold' : isReview ? 'review' : 'approve' },
    ...{ by: n % 5 === 0 ? 'rules' : 'model', risk: n % 7 === 0 ? null : (n % 97) / 97, modelRisk: (n % 89) / 89 },
    ...{ amountMinor: n * 100 + 7, currency: n % 9 === 0 ? 'USD' : 'PEN' },
    expectedLossMinor: n % 4 === 0 ? null : n * 1.25,
    rules: n % 5 === 0 ? ['cuenta-mula@3', 'noche@1'] : [],
    silenced: n % 11 === 0 ? [{ rule: 'prueba@1', silence: 'shadow' }] : [],
    reasons: isReview
      ? [{ code: 'MONTO_INUSUAL', weight: 1 / (n + 1), es: `S/ ${n}.00 es más — “ñ” 😀`, en: `S/ ${n}.00 is more` }]
      : [],
    versions: { model: n % 2 === 0 ? 'cards@3' : null, rules: '0123456789abcdef' },
    degraded: n % 13 === 0 ? ['isolation-forest', 'reasons'] : [],
    at: { partition: n % 4, offset: n },
    ...(n % 3 === 0 && { evidence: String(n).padStart(64, '0') }),
    ...(n % 10 === 0 && { listed: [{ rule: 'cuenta-mula@3', list: 'mulas', entry: n }] }),
    ...(n % 17 === 0 && { stageAt: { partition: 1, offset: n * 2 } }),
  };
}

export function decisionRecords(
  from: number,
  to: number,
  timeOf = (n: number) => NOON_MS + n * 1000,
): OutgoingRecord[] {
  const encoder = new TextEncoder();
  return Array.from({ length: to - from }, (_, index): OutgoingRecord => {
    const decision = decisionNumber(from + index);
    return {
      ...{ topic: TOPIC, partition: null, headers: [], timestampMs: timeOf(from + index) },
      ...{ key: encoder.encode(decision.id), value: encoder.encode(JSON.stringify(decision)) },
    };
  });
}

export interface TestArchive {
  readonly folder: string;
  readonly store: ObjectStore;
  readonly tools: CompactTools;
  archiver(log: StreamLog, more?: Partial<ArchiverOptions>): Archiver;
  /** With the archiver's held records and list of files, or without. */
  search(archiver?: Archiver, more?: Partial<ArchiveSearchOptions>): ArchiveSearch;
  decisions(archiver?: Archiver, more?: Partial<ArchiveSearchOptions>): DecisionsArchive;
  /** The same archive through another store. */
  through(store: ObjectStore, objects?: LocalObjects): TestArchive;
  /** Removes everything from its store. */
  empty(): void;
  close(): Promise<void>;
}

export async function openTestArchive(): Promise<TestArchive> {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  const sql = openDuckDb({ spillFolder: join(folder, 'spill') });
  const scratch = await openScratch(join(folder, 'scratch'));
  // None stays open: tests make other files under the same names.
  const ids = openIdIndexes(0);
  const at = join(folder, 'store');
  const empty = () => rmSync(at, { recursive: true, force: true });
  const close = async () => {
    await sql.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const through = (store: ObjectStore, objects: LocalObjects = folderObjects(at)): TestArchive => {
    const newAttempt = () => randomBytes(4).toString('hex');
    const tools = { sql, scratch, store, objects, table: DECISIONS_TABLE, newAttempt };
    const archiver: TestArchive['archiver'] = (log, more = {}) =>
      new Archiver({
        ...{ ...tools, log, topic: TOPIC, group: 'archive', now: Date.now, settings: { firstRetryMs: 1 } },
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        ...more,
      });
    const search: TestArchive['search'] = (of = archiver(undefined as unknown as StreamLog), more = {}) =>
      new ArchiveSearch({ ...tools, ids, catalogue: of.catalogue, held: of.held, ...more });
    const decisions: TestArchive['decisions'] = (...given) => new DecisionsArchive(search(...given));
    return { folder, store, tools, archiver, search, decisions, through, empty, close };
  };
  return through(createFolderObjectStore(at));
}

/** Numbers of all decisions that the archive lists, newest first. */
export async function listedNumbers(archive: DecisionsArchive, limit = 1000): Promise<number[]> {
  const numbers: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await archive.listDecisions({}, cursor, limit);
    numbers.push(...page.decisions.map(({ id }) => Number(id.slice(3))));
    cursor = page.next;
  } while (cursor !== null);
  return numbers;
}
