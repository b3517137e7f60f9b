// The embedded database is killed in the middle of its work, again and again in the same folder, while it starts too, and
// must lose nothing that it acknowledged and show no half of a transaction.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPrng } from '../../src/lib/prng.ts';
import { numbersIn, openSmall } from './embedded-folder.ts';

const KILLS = process.env.CENTINELA_LONG_TESTS === '1' ? 100 : 2;
const CHECK_EVERY = 5;
const WRITER = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'records-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Kills the writer so many milliseconds after it said `from`, and gives back what it had told. */
async function writeAndKill(first: number, from: string, afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, folder, `${first}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve) => child.once('close', resolve));
  let told = '';
  let timer: NodeJS.Timeout | null = null;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (timer === null && told.includes(from)) timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await exit;
  // The last line may be torn by the kill.
  return told.split('\n').slice(0, -1);
}

describe('killed while it works', () => {
  test(`${KILLS} times: all that was acknowledged is there, transactions are whole`, { timeout: 900_000 }, async () => {
    const random = createPrng(20_26);
    const acknowledged = new Set<number>();
    const recoveries: string[] = [];
    for (let run = 0; run < KILLS; run++) {
      // Every sixth time while it starts, whose way back must not be lost either.
      const whileStarting = run % 6 === 5;
      const afterMs = whileStarting ? random.nextBelow(700) : random.nextBelow(300);
      const told = await writeAndKill(run * 100_000, whileStarting ? 'begun' : 'written', afterMs);
      for (const line of told) {
        if (line.startsWith('written ')) acknowledged.add(Number(line.slice(8)));
        if (line.startsWith('recovery ')) recoveries.push(line);
      }
      // In between, the next writer itself finds what was left; it must come to the same.
      if ((run + 1) % CHECK_EVERY !== 0) continue;
      const database = await openSmall(folder, (text) => recoveries.push(text));
      const there = new Set(await numbersIn(database));
      expect([...acknowledged].filter((n) => !there.has(n))).toEqual([]);
      await database.close();
    }
    expect(acknowledged.size).toBeGreaterThan(KILLS);
    // The machine went on: the folder itself was never in doubt.
    expect(recoveries.filter((text) => /made again/.test(text))).toEqual([]);
  });
});
