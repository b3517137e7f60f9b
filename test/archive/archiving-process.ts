// A process that archives a topic until it is killed, with small parts, and compacts as it goes: what is left when it dies
// is looked at by its parent. Of a log in files, which has one process, it also writes the decisions.
//
//   node archiving-process.ts STORE SCRATCH files LOG-FOLDER
//   node archiving-process.ts STORE SCRATCH kafka BROKERS
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openDuckDb } from '../../src/adapters/archive/duckdb-sql.ts';
import { folderObjects } from '../../src/adapters/archive/local-objects.ts';
import { openScratch } from '../../src/adapters/archive/scratch-folder.ts';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { Archiver } from '../../src/jobs/archive/archiver.ts';
import { DECISIONS_TABLE } from '../../src/jobs/archive/decisions-table.ts';
import { maintainArchive } from '../../src/jobs/archive/maintain.ts';
import { decisionRecords, NOON_MS, TOPIC } from './archive-setup.ts';

/** Each record's time is so long after the one before it: a day has 144 of them. */
export const STEP_MS = 10 * 60_000;

const [storeFolder, scratchFolder, kind, place] = process.argv.slice(2) as [string, string, string, string];
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function main(): Promise<void> {
  const log =
    kind === 'files'
      ? await openFileLog({ folder: place, onRecovery: () => undefined })
      : openKafkaLog({ brokers: place.split(',') });
  const store = createFolderObjectStore(storeFolder);
  const sql = openDuckDb({ spillFolder: join(scratchFolder, 'spill') });
  const newAttempt = () => randomBytes(4).toString('hex');
  const tools = {
    ...{ sql, store, objects: folderObjects(storeFolder), table: DECISIONS_TABLE, newAttempt },
    scratch: await openScratch(join(scratchFolder, 'work')),
  };
  const archiver = new Archiver({
    ...{ ...tools, log, topic: TOPIC, group: 'archive', now: Date.now, sleep },
    settings: { partRows: 25, pollRecords: 15, partAgeMs: 150, firstRetryMs: 5 },
    observer: { written: ({ rows }) => writeSync(1, `wrote ${rows}\n`) },
  });
  let newest = 0;
  const appending = async () => {
    const ends = await log.bounds(TOPIC);
    for (let n = ends.reduce((sum, { end }) => sum + end, 0); ; n += 10) {
      await log.append(decisionRecords(n, n + 10, (one) => NOON_MS + one * STEP_MS));
      newest = n + 10;
      await sleep(10);
    }
  };
  const maintaining = async () => {
    for (;;) {
      const nowMs = kind === 'files' ? NOON_MS + newest * STEP_MS : NOON_MS;
      const { compacted } = await maintainArchive(tools, { nowMs, settings: { settleMs: 0, mostParts: 3 } });
      for (const { day } of compacted) writeSync(1, `compacted ${day}\n`);
      await sleep(30);
    }
  };
  writeSync(1, 'open\n');
  await Promise.all([archiver.run(), maintaining(), ...(kind === 'files' ? [appending()] : [])]);
}

if (kind !== undefined) await main();
