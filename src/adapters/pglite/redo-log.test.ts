import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRedoLog, type RedoEnd } from './redo-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'redo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SEGMENT_BYTES = 400;
const open = (told: string[] = [], closedAt: RedoEnd | null = null) =>
  openRedoLog(folder, SEGMENT_BYTES, closedAt, (text) => told.push(text));
const statement = (n: number) => ({ text: 'INSERT INTO t VALUES ($1, $2)', parameters: [`${n} ñ`, null], changed: 1 });

function write(count: number): RedoEnd | null {
  const log = open();
  for (let n = 0; n < count; n++) expect(log.append([statement(log.next)])).toBe(log.next - 1);
  const end = log.end();
  log.close();
  return end;
}

function numbers(log: ReturnType<typeof openRedoLog>, from = 1): number[] {
  return [...log.read(from)].map(({ number, statements }) => {
    expect(statements).toEqual([statement(number)]);
    return number;
  });
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const files = () => readdirSync(folder).sort();

describe('a redo log', () => {
  test('gives back what was appended, over several files and openings', () => {
    write(7);
    write(5);
    const log = open();
    expect(files().length).toBeGreaterThan(2);
    expect([log.first, log.next]).toEqual([1, 13]);
    expect(numbers(log)).toEqual(upTo(12));
    expect(numbers(log, 9)).toEqual(upTo(12, 9));
  });

  test('drops whole files before a number, and never one with a later entry', () => {
    write(12);
    const log = open();
    log.dropBefore(8);
    expect(log.first).toBeGreaterThan(1);
    expect(log.first).toBeLessThanOrEqual(8);
    expect(numbers(log, log.first)).toEqual(upTo(12, log.first));
    log.startNewFile();
    log.append([statement(13)]);
    log.dropBefore(13);
    expect([log.first, log.next, files().length]).toEqual([13, 14, 1]);
  });

  test('cut at any byte of its last entry has all the others, and goes on', () => {
    write(9);
    const path = join(folder, files().at(-1)!);
    const whole = readFileSync(path);
    const before = open().next - 1;
    const [last] = [...open().read(before)];
    for (let bytes = last!.position; bytes < whole.length; bytes++) {
      writeFileSync(path, whole.subarray(0, bytes));
      const told: string[] = [];
      const log = open(told);
      expect(numbers(log)).toEqual(upTo(before - 1));
      expect(told.length).toBe(bytes === last!.position && bytes > 8 ? 0 : 1);
      log.append([statement(before)]);
      expect(numbers(log)).toEqual(upTo(before));
      log.close();
    }
  });

  test('with any bit flipped before its last entry says so, with file and byte', () => {
    const end = write(6);
    for (const file of files()) {
      const path = join(folder, file);
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at++) {
        const flipped = Buffer.from(whole);
        flipped[at]! ^= 1 << (at % 8);
        writeFileSync(path, flipped);
        let message = '';
        try {
          open([], end);
        } catch (error) {
          message = (error as Error).message;
        }
        expect(message, `byte ${at} of ${file}`).toContain(`${path} is damaged at byte `);
        expect(Number(/at byte (\d+)/.exec(message)![1])).toBeLessThanOrEqual(at);
      }
      writeFileSync(path, whole);
    }
  });

  test('that was closed and is shorter, or gone, is damaged; rests behind it are cut', () => {
    const end = write(9)!;
    const path = join(folder, end.file);
    const whole = readFileSync(path);
    appendFileSync(path, 'rest');
    const told: string[] = [];
    open(told, end).close();
    expect(told).toHaveLength(1);
    writeFileSync(path, whole.subarray(0, end.bytes - 1));
    expect(() => open([], end)).toThrow(/was when the log was closed/);
    rmSync(path);
    expect(() => open([], end)).toThrow(/is missing/);
  });
});
