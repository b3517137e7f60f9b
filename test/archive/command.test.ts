// The command on a log in files: archives what is there, finds it, compacts it, and says what is wrong.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { archiveCommand } from '../../src/cli/archive.ts';
import { parseCommand } from '../../src/cli/command.ts';
import { dayOf } from '../../src/jobs/archive/day-files.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import { DAY_MS, decisionNumber, decisionRecords, NOON_MS, TOPIC } from './archive-setup.ts';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'archive-command-'));
  const log = await openFileLog({ folder: join(folder, 'log'), onRecovery: () => undefined });
  await log.createTopics([settingsOf(TOPIC, 2)]);
  await log.append(decisionRecords(0, 60));
  await log.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function archive(...argv: string[]): Promise<string> {
  const places = ['--archive', join(folder, 'archive'), '--scratch', join(folder, 'scratch')];
  const { positional, options } = parseCommand(archiveCommand, [...argv, ...places]);
  let out = '';
  const context = { log: () => undefined, terminal: false, nowMs: () => NOON_MS + 2 * DAY_MS };
  await archiveCommand.run(positional, options, { ...context, out: (text) => (out += text) });
  return out;
}
const run = (...argv: string[]) => archive('run', '--log', join(folder, 'log'), '--once', ...argv);

test('archives, finds and compacts', async () => {
  expect(JSON.parse(await run('--json', '--part-rows', '20'))).toMatchObject({ rows: 60, lagRecords: 0, heldRows: 0 });
  expect(await run()).toBe('0 decisions archived in 0 files, 0 bytes.\n');

  const { id } = decisionNumber(30);
  const found = { decidedMs: NOON_MS + 30_000, decision: decisionNumber(30) };
  expect(JSON.parse(await archive('find', id, '--json'))).toMatchObject(found);
  expect(JSON.parse(await archive('find', id, '--day', dayOf(NOON_MS), '--json'))).toMatchObject(found);
  const told = await archive('find', id);
  expect(told).toContain(`${id}, decided at 2026-02-16T17:00:30.000Z: review (hold without`);
  expect(told).toContain('rules cuenta-mula@3, noche@1');
  expect(told).toContain('MONTO_INUSUAL  S/ 30.00');

  expect(await archive('compact')).toMatch(/^2026-02-16: 60 decisions, 4 files are 1 now, \d+ bytes written\.\n$/);
  expect(await archive('compact')).toBe('There is nothing to do.\n');
  expect(await archive('compact', '2026-02-16')).toBe('There is nothing to do.\n');
  expect(JSON.parse(await archive('find', id, '--json'))).toMatchObject(found);
});

test('says what is wrong', async () => {
  await expect(archive('find', 'TX-none')).rejects.toMatchObject({ code: 'DECISION_UNKNOWN' });
  await expect(archive('find', 'TX-none', '--day', '2026-02-30')).rejects.toMatchObject({ code: 'DAY_INVALID' });
  await expect(archive('find')).rejects.toThrow('name the id');
  await expect(archive('compact', 'today')).rejects.toThrow("'today' is no day");
  await expect(archive('remove')).rejects.toThrow("there is no 'remove'; there are run, compact, find");
  await expect(archive('run')).rejects.toThrow('--brokers is missing');
});
