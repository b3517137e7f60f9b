// The archive of decisions beside a running service: it follows the topic, keeps days in order, and answers searches.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openDuckDb } from '../../adapters/archive/duckdb-sql.ts';
import { openIdIndexes } from '../../adapters/archive/id-index.ts';
import { openScratch } from '../../adapters/archive/scratch-folder.ts';
import { MS_PER_DAY } from '../../domain/calendar.ts';
import { Archiver } from '../../jobs/archive/archiver.ts';
import type { ArchiveCounters, ArchiveGauges } from '../../jobs/archive/counters.ts';
import { DecisionsArchive } from '../../jobs/archive/decisions-archive.ts';
import { DECISIONS_TABLE } from '../../jobs/archive/decisions-table.ts';
import { maintainArchive } from '../../jobs/archive/maintain.ts';
import { ArchiveSearch } from '../../jobs/archive/search.ts';
import type { LocalObjects } from '../../ports/archive.ts';
import type { ObjectStore, StreamLog } from '../../ports.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { every } from './every.ts';

export interface ArchivePlace {
  readonly store: ObjectStore;
  /** The store's objects as files of this machine. */
  readonly objects: LocalObjects;
  /** For work that a crash may leave behind. */
  readonly scratch: string;
}

export interface RunningArchive {
  readonly decisions: DecisionsArchive;
  readonly counts: ArchiveCounters;
  gauges(): ArchiveGauges;
  /** False once it has ended by itself, for what it cannot mend: an archive of another log. */
  isRunning(): boolean;
  /** Writes what is held, and stops. */
  close(): Promise<void>;
}

/** How long days of decisions stay. */
export interface DecisionKeeping {
  /** Days are not one customer's: all stay while there is any. */
  isAnyHeld(): Promise<boolean>;
  /** What ended before, ms UTC, need not be kept. */
  keptSince(nowMs: number): Promise<number>;
}

const MAINTAIN_MS = 600_000;
/** It shares its cores with what decides payments. */
const LIMITS = { memoryMegabytes: 256, atOnce: 2, threads: 1 };

export async function startArchive(
  log: StreamLog,
  topic: string,
  { store, objects, scratch: folder }: ArchivePlace,
  logger: Logger,
  keeping: DecisionKeeping,
): Promise<RunningArchive> {
  const onTrouble = ({ message }: Error) => logger.warn({ message }, 'the archive will try again');
  const sql = openDuckDb({ spillFolder: join(folder, 'spill'), ...LIMITS });
  const scratch = await openScratch(join(folder, 'work'));
  const tools = {
    sql,
    scratch,
    store,
    objects,
    table: DECISIONS_TABLE,
    newAttempt: () => randomBytes(4).toString('hex'),
  };
  const archiver = new Archiver({
    ...{ ...tools, log, topic, group: 'archive', now: Date.now, observer: { troubled: onTrouble } },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  let isRunning = true;
  const running = archiver.run().catch((error: Error) => {
    isRunning = false;
    logger.error({ message: error.message }, 'the archive has stopped: decisions stay in the log');
  });
  const settled = new Map<string, string>();
  const maintain = async () => {
    const holds = await keeping.isAnyHeld();
    const nowMs = Date.now();
    const keepDays = Math.ceil((nowMs - (await keeping.keptSince(nowMs))) / MS_PER_DAY);
    const wish = { nowMs, settings: { keepDays }, counts: archiver.counts, isHeld: () => holds };
    const { removedDays } = await maintainArchive(tools, wish, settled);
    if (removedDays.length > 0) logger.info({ removedDays }, 'days of decisions that need not be kept were deleted');
  };
  const stop = every(MAINTAIN_MS, maintain, onTrouble);
  const { catalogue, held } = archiver;
  const ids = openIdIndexes();
  return {
    decisions: new DecisionsArchive(new ArchiveSearch({ ...tools, ids, catalogue, held })),
    counts: archiver.counts,
    gauges: () => archiver.gauges(),
    isRunning: () => isRunning,
    async close() {
      stop();
      archiver.stop();
      await running;
      await ids.close();
      await sql.close();
    },
  };
}
