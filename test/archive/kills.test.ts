// The archiver is killed in the middle of its work, again and again over the same log and archive: in the end every decision
// of the log is in the archive once, and at no moment is one there twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import { listedNumbers, openTestArchive, type TestArchive, TOPIC } from './archive-setup.ts';
import { archiveAndKill } from './kill-and-look.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';
const KILLS = 60;

let folder: string;
let archive: TestArchive;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kills-'));
  archive = await openTestArchive();
});
afterEach(async () => {
  await archive.close();
  rmSync(folder, { recursive: true, force: true });
});

const openLog = () => openFileLog({ folder: join(folder, 'log'), onRecovery: () => undefined });

test.runIf(isLong)(`killed ${KILLS} times: nothing is missing, nothing is twice`, { timeout: 600_000 }, async () => {
  const made = await openLog();
  await made.createTopics([settingsOf(TOPIC, 3)]);
  await made.close();
  const random = createPrng(20_26);
  let [parts, compactions] = [0, 0];
  for (let run = 0; run < KILLS; run++) {
    const argv = [join(archive.folder, 'store'), join(folder, 'scratch'), 'files', join(folder, 'log')];
    const told = await archiveAndKill(argv, 150 + random.nextBelow(900));
    parts += told.filter((line) => line.startsWith('wrote')).length;
    compactions += told.filter((line) => line.startsWith('compacted')).length;
    const numbers = await listedNumbers(archive.decisions());
    expect(new Set(numbers).size).toBe(numbers.length);
  }
  const log = await openLog();
  const total = (await log.bounds(TOPIC)).reduce((sum, { end }) => sum + end, 0);
  await archive.archiver(log).runOnce();
  await log.close();
  expect(await listedNumbers(archive.decisions())).toEqual(Array.from({ length: total }, (_, n) => total - 1 - n));
  expect(parts).toBeGreaterThan(KILLS);
  expect(compactions).toBeGreaterThan(0);
});
