// The file log is killed in the middle of its work, again and again in the same folder, and must lose nothing that it
// acknowledged, show nothing twice and no half of a transaction, and say what it cut off.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileLog, openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import type { RecoveryReport } from '../../src/adapters/files/stream-log/recovery.ts';
import { createPrng } from '../../src/lib/prng.ts';

const KILLS = process.env.CENTINELA_LONG_TESTS === '1' ? 100 : 5;
const WRITER = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crash-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts the writer, kills it so many milliseconds after it was ready, and gives back what it had told. */
async function writeAndKill(run: number, afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, folder, String(run)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve) => child.once('close', resolve));
  let told = '';
  let timer: NodeJS.Timeout | null = null;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (timer === null && told.includes('open\n')) timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await exit;
  // The last line may be torn by the kill.
  return told.split('\n').slice(0, -1);
}

async function valuesOf(log: FileLog, topic: string): Promise<string[]> {
  const values: string[] = [];
  for (const { partition, start, end } of await log.bounds(topic)) {
    for (let offset = start; offset < end; ) {
      const records = await log.read({ topic, partition, offset }, 1000, 0);
      expect(records.length).toBeGreaterThan(0);
      for (const record of records) {
        expect(record.offset).toBe(offset++);
        values.push(new TextDecoder().decode(record.value!).split(' ')[0]!);
      }
    }
  }
  return values;
}

/** Where the group stands, as its next member is told. */
async function committedOffset(log: FileLog): Promise<number> {
  let offset = -1;
  const consumer = await log.join({
    group: 'g',
    topics: ['input'],
    listener: {
      async assigned(committed) {
        offset = committed.find(({ partition }) => partition === 0)!.offset;
        return committed;
      },
      revoked: async () => undefined,
      lost: async () => undefined,
    },
  });
  await consumer.poll(1, 0);
  await consumer.close();
  return offset;
}

describe('killed while it writes', () => {
  test(`${KILLS} times: all that was acknowledged is there once, transactions are whole`, {
    timeout: 600_000,
  }, async () => {
    const random = createPrng(20_26);
    const appended = new Set<string>();
    let committed = 0;
    let cuts = 0;
    for (let run = 0; run < KILLS; run++) {
      const told = await writeAndKill(run, 20 + random.nextBelow(150));
      cuts += told.filter((line) => line.startsWith('cut ')).length;
      for (const line of told) {
        const [what, name] = line.split(' ') as [string, string];
        if (what === 'appended') appended.add(name);
        if (what === 'committed') committed = Math.max(committed, Number(name));
      }
      // Every other time the next writer itself finds what was left; it must come to the same.
      if (run % 2 === 1 && run < KILLS - 1) continue;
      const reports: RecoveryReport[] = [];
      const log = await openFileLog({ folder, onRecovery: (report) => reports.push(report) });
      cuts += reports.length;
      for (const { bytesCut, file } of reports) expect([bytesCut > 0, file.startsWith(folder)]).toEqual([true, true]);

      const input = await valuesOf(log, 'input');
      expect(new Set(input).size).toBe(input.length);
      const there = new Set(input);
      expect([...appended].filter((name) => !there.has(name))).toEqual([]);
      // Both records of an append are there or none.
      const halves = input.filter((name) => !there.has(name.replace(/\d$/, (part) => `${1 - Number(part)}`)));
      expect(halves).toEqual([]);

      const left = (await valuesOf(log, 'left')).map(Number).sort((a, b) => a - b);
      const right = (await valuesOf(log, 'right')).map(Number).sort((a, b) => a - b);
      expect(left).toEqual(Array.from({ length: left.length }, (_, index) => index + 1));
      expect(right).toEqual(left);
      expect(left.length).toBeGreaterThanOrEqual(committed);
      expect(await committedOffset(log)).toBe(left.length);
      await log.close();
    }
    expect(appended.size).toBeGreaterThan(KILLS * 10);
    expect(committed).toBeGreaterThan(KILLS);
    if (KILLS >= 100) expect(cuts).toBeGreaterThan(0);
  });
});
