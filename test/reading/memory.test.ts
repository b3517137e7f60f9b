// A file ten times larger is read in the same memory: the heap is kept too small to hold even a hundredth of the rows.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';

const HEAP_MB = 48;
const READER = fileURLToPath(new URL('../../src/adapters/files/open-transactions.ts', import.meta.url));
const SCRIPT = `
  const { openTransactions } = await import(process.argv[1]);
  const reader = await openTransactions(process.argv[2], { mapping: 'canonical', nowMs: 2e12 });
  let rows = 0;
  for await (const batch of reader) rows += batch.length;
  console.log(JSON.stringify({ rows, peakMb: process.resourceUsage().maxRSS / 1024 }));
`;

/** Writes gzip members one after the other, so that the file never stands in memory here either. */
function writeLarge(path: string, members: number, rowsPerMember: number): void {
  const file = openSync(path, 'w');
  writeSync(file, gzipSync('id,eventTimeMs,amountMinor,payerId,concept\n'));
  for (let member = 0; member < members; member++) {
    let text = '';
    for (let i = 0; i < rowsPerMember; i++) {
      const n = member * rowsPerMember + i;
      text += `id-${n},${1.7e12 + n},${n % 100_000},p${n % 50_000},"pago ${n}"\n`;
    }
    writeSync(file, gzipSync(text, { level: 1 }));
  }
  closeSync(file);
}

function readIn(heapMb: number, path: string): { rows: number; peakMb: number } {
  const flags = [`--max-old-space-size=${heapMb}`, '--input-type=module', '-e', SCRIPT];
  const child = spawnSync(process.execPath, [...flags, READER, path], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  return JSON.parse(child.stdout) as { rows: number; peakMb: number };
}

describe.runIf(process.env.CENTINELA_LONG_TESTS === '1')('memory', () => {
  it('does not grow with the file, but for the fingerprints of the ids', { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'centinela-memory-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeLarge(join(folder, 'one.csv.gz'), 10, 50_000);
    writeLarge(join(folder, 'ten.csv.gz'), 100, 50_000);
    const one = readIn(HEAP_MB, join(folder, 'one.csv.gz'));
    const ten = readIn(HEAP_MB, join(folder, 'ten.csv.gz'));
    expect([one.rows, ten.rows]).toEqual([500_000, 5_000_000]);
    // Fingerprints: 8 bytes a slot, slots doubling, the old table beside the new one while it is copied.
    expect(ten.peakMb - one.peakMb).toBeLessThan(200);
  });
});
