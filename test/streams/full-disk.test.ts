// A disk that fills, for real: a small file system in memory where one may be mounted, and a limit on the size of files.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileLog, openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { StreamUnavailableError } from '../../src/lib/errors.ts';
import { recordOf, settingsOf } from './stream-log-checks.ts';

const WRITER = fileURLToPath(new URL('./full-disk-writer.ts', import.meta.url));

let folder: string;
let mounted = false;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'full-'));
});
afterEach(() => {
  if (mounted) spawnSync('umount', [folder]);
  mounted = false;
  rmSync(folder, { recursive: true });
});

async function namesIn(log: FileLog, partition: number): Promise<string[]> {
  const names: string[] = [];
  const { start, end } = (await log.bounds('t'))[partition]!;
  for (let offset = start; offset < end; ) {
    const records = await log.read({ topic: 't', partition, offset }, 100, 0);
    names.push(...records.map(({ value }) => new TextDecoder().decode(value!).split(' ')[0]!));
    offset = records.at(-1)!.offset + 1;
  }
  return names;
}

/** What a start would find if the process died now: nothing of what was refused. */
async function expectSoundImage(of: string, acknowledged: readonly string[]): Promise<void> {
  const image = mkdtempSync(join(tmpdir(), 'image-'));
  try {
    cpSync(of, image, { recursive: true });
    rmSync(join(image, 'lock'));
    const log = await openFileLog({ folder: image, onRecovery: ({ file }) => expect.fail(`${file} was not mended`) });
    for (const partition of [0, 1]) expect(await namesIn(log, partition)).toEqual(acknowledged);
    await log.close();
  } finally {
    rmSync(image, { recursive: true });
  }
}

describe('a disk that fills', () => {
  test('a small file system: refuses in words, keeps what it acknowledged, goes on when there is space', async (context) => {
    mounted =
      process.platform === 'linux' &&
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
    if (!mounted) return context.skip('no file system may be mounted here');
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, new Uint8Array(400_000));
    const at = join(folder, 'log');
    mkdirSync(at);
    const options = {
      folder: at,
      limits: { segmentBytes: 100_000, journalBytes: 1500 },
      onRecovery: () => expect.fail('nothing to recover'),
    };
    const log = await openFileLog(options);
    await log.createTopics([settingsOf('t', 2)]);
    const acknowledged: string[] = [];
    let number = 0;
    const append = async () => {
      const name = `${number++}`;
      const value = `${name} ${'x'.repeat(5000 + ((number * 977) % 3000))}`;
      await log.append([0, 1].map((partition) => recordOf('t', value, { partition })));
      acknowledged.push(name);
    };
    const fill = async () => {
      for (;;) await append();
    };
    const error = await fill().catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(StreamUnavailableError);
    expect((error as Error).message).toMatch(/cannot write .*no space left on device/);
    expect((error as Error).message).toContain(at);
    expect(log.problem).toBe((error as Error).message);
    // Refused again, as often as it is tried; reading goes on.
    for (let tries = 0; tries < 5; tries++) await append().catch(() => undefined);
    expect(await namesIn(log, 1)).toEqual(acknowledged);
    expect(acknowledged.length).toBeGreaterThan(20);
    await expectSoundImage(at, acknowledged);

    rmSync(ballast);
    for (let more = 0; more < 10; more++) await append();
    expect(log.problem).toBe(null);
    for (const partition of [0, 1]) expect(await namesIn(log, partition)).toEqual(acknowledged);
    await log.close();
    const again = await openFileLog(options);
    for (const partition of [0, 1]) expect(await namesIn(again, partition)).toEqual(acknowledged);
    await again.close();
  });

  test.runIf(process.platform === 'linux')(
    'files that may not grow: the same through a limit of the process',
    async () => {
      // In blocks of 1,024 bytes; only the soft limit, so that it can be raised again.
      const command = `ulimit -S -f 300; exec "$0" "$@"`;
      const child = spawn('bash', ['-c', command, process.execPath, WRITER, folder], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const acknowledged: string[] = [];
      const rest: string[] = [];
      const exit = new Promise((resolve) => child.once('close', resolve));
      for await (const line of createInterface(child.stdout)) {
        if (line.startsWith('appended ')) acknowledged.push(line.split(' ')[1]!);
        else rest.push(line);
        if (line !== 'refused again') continue;
        await expectSoundImage(folder, acknowledged);
        expect(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']).status).toBe(0);
        child.stdin.write('go on\n');
      }
      expect(await exit).toBe(0);
      expect(rest[0]).toMatch(/^refused cannot write .*the file may not grow further/);
      expect(rest.slice(1)).toEqual(['refused again', 'problem null']);
      expect(acknowledged.length).toBeGreaterThan(20);
      const log = await openFileLog({ folder, onRecovery: () => expect.fail('nothing to recover') });
      for (const partition of [0, 1]) expect(await namesIn(log, partition)).toEqual(acknowledged);
      await log.close();
    },
  );
});
