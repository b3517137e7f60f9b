// A disk that fills, for real: a small file system in memory, where one may be mounted. What is not written stays held, the
// log waits, and all goes on when there is space.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderObjects } from '../../src/adapters/archive/local-objects.ts';
import { openScratch } from '../../src/adapters/archive/scratch-folder.ts';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import { decisionRecords, listedNumbers, openTestArchive, type TestArchive, TOPIC } from './archive-setup.ts';

const RECORDS = 300;

let disk: string;
let isMounted = false;
let archive: TestArchive;
beforeEach(async () => {
  disk = mkdtempSync(join(tmpdir(), 'full-'));
  isMounted =
    process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0;
  archive = await openTestArchive();
});
afterEach(async () => {
  await archive.close();
  if (isMounted) spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

test.each(['store', 'scratch'])('full where the %s is: told, tried again, nothing lost', async (what) => {
  if (!isMounted) return;
  const ballast = join(disk, 'ballast');
  // All but two blocks.
  writeFileSync(ballast, new Uint8Array(1024 * 1024 - 8192));
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 5)));
  const log = createMemoryLog({ now: Date.now, sleep });
  await log.createTopics([settingsOf(TOPIC, 1)]);
  await log.append(decisionRecords(0, RECORDS));
  const at = join(disk, 'store');
  const used = what === 'store' ? archive.through(createFolderObjectStore(at), folderObjects(at)) : archive;
  const scratch = what === 'store' ? used.tools.scratch : await openScratch(join(disk, 'scratch'));
  const troubles: string[] = [];
  const archiver = used.archiver(log, {
    scratch,
    settings: { partRows: 50, firstRetryMs: 1, mostRetryMs: 20 },
    observer: { troubled: ({ message }) => troubles.push(message) },
  });
  const running = archiver.run();
  for (const untilMs = Date.now() + 20_000; troubles.length < 3 && Date.now() < untilMs; ) await sleep(5);
  expect(troubles[0]).toMatch(/no space left on device/i);
  const expected = Array.from({ length: RECORDS }, (_, n) => RECORDS - 1 - n);
  expect(await listedNumbers(used.decisions(archiver))).toEqual(expected);
  rmSync(ballast);
  archiver.stop();
  await running;
  expect(archiver.counts.rows).toBe(RECORDS);
  expect(await listedNumbers(used.decisions())).toEqual(expected);
});
