import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileLog, type FileLogOptions, openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import type { RecoveryReport } from '../../src/adapters/files/stream-log/recovery.ts';
import { StreamUnavailableError } from '../../src/lib/errors.ts';
import type { StreamPosition, TopicSettings } from '../../src/ports.ts';
import { recordOf, settingsOf, streamLogChecks } from './stream-log-checks.ts';

streamLogChecks('files', async () => {
  const own = mkdtempSync(join(tmpdir(), 'file-log-'));
  const log = await openFileLog({ folder: own, onRecovery: (report) => expect.fail(report.reason) });
  return {
    log,
    async close() {
      await log.close();
      rmSync(own, { recursive: true });
    },
  };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const noRecovery: FileLogOptions['onRecovery'] = (report) => expect.fail(report.reason);
const open = (options: Partial<FileLogOptions> = {}) => openFileLog({ folder, onRecovery: noRecovery, ...options });
const topicOf = (settings: Partial<TopicSettings>): TopicSettings => ({ ...settingsOf('t', 1), ...settings });
const segmentsOf = () => readdirSync(join(folder, 'topics', 't-0')).filter((name) => name.endsWith('.log'));
const listener = {
  assigned: async (committed: readonly StreamPosition[]) => committed,
  revoked: async () => undefined,
  lost: async () => undefined,
};

async function readAll(log: FileLog) {
  const records = [];
  const [{ start, end }] = (await log.bounds('t')) as unknown as [{ start: number; end: number }];
  for (let offset = start; offset < end; ) {
    const more = await log.read({ topic: 't', partition: 0, offset }, 100, 0);
    if (more.length === 0) break;
    records.push(...more);
    offset = more.at(-1)!.offset + 1;
  }
  return records.map(({ key, value, offset }) => ({
    offset,
    key: key === null ? null : key[0],
    value: value === null ? null : new TextDecoder().decode(value).trim(),
  }));
}

const entriesOf = () => readFileSync(join(folder, 'journal-0000000001'), 'latin1').split('{"sequence":').length - 1;

describe.runIf(process.platform === 'linux')('room ahead of what is written', () => {
  const limits = {
    ...{ segmentBytes: 60_000, journalBytes: 20_000 },
    room: { fromBytes: 1000, roomBytes: 16_384, stepBytes: 4096 },
  };
  const sizeOf = (name: string) => statSync(join(folder, 'topics', 't-0', name)).size;
  const write = async (log: FileLog, from: number, count: number) => {
    for (let n = from; n < from + count; n++) await log.append([recordOf('t', `${n} ${'x'.repeat(700)}`)]);
  };
  const numbers = async (log: FileLog) => (await readAll(log)).map(({ value }) => Number.parseInt(value!, 10));
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

  test('is in the last segment alone, is no record, and is nothing to tell of after a crash', async () => {
    const log = await open({ limits });
    await log.createTopics([topicOf({})]);
    await write(log, 0, 200);
    const segments = segmentsOf();
    expect(segments.length).toBeGreaterThan(2);
    const killed = `${folder}-killed`;
    cpSync(folder, killed, { recursive: true });
    rmSync(join(killed, 'lock'));
    try {
      const last = readFileSync(join(killed, 'topics', 't-0', segments.at(-1)!));
      expect(last.subarray(-4000).every((byte) => byte === 0)).toBe(true);
      for (const name of segments.slice(0, -1)) {
        expect(readFileSync(join(killed, 'topics', 't-0', name)).at(-1)).not.toBe(0);
      }
      const again = await openFileLog({ folder: killed, limits, onRecovery: noRecovery });
      expect(await numbers(again)).toEqual(upTo(200));
      await write(again, 200, 50);
      expect(await numbers(again)).toEqual(upTo(250));
      await again.close();
    } finally {
      rmSync(killed, { recursive: true });
    }
    const [whole] = await log.bounds('t');
    await log.close();
    expect(whole.end).toBe(200);
    expect(sizeOf(segments.at(-1)!)).toBeLessThan(60_000);
    expect(readFileSync(join(folder, 'topics', 't-0', segments.at(-1)!)).at(-1)).not.toBe(0);
  });

  test('what was torn within it is told by its bytes', async () => {
    const log = await open({ limits });
    await log.createTopics([topicOf({})]);
    await write(log, 0, 20);
    const killed = `${folder}-torn`;
    cpSync(folder, killed, { recursive: true });
    rmSync(join(killed, 'lock'));
    await log.close();
    try {
      const path = join(killed, 'topics', 't-0', segmentsOf()[0]!);
      const bytes = readFileSync(path);
      const end = 1 + bytes.findLastIndex((byte) => byte !== 0);
      bytes.fill(7, end, end + 100);
      writeFileSync(path, bytes);
      const reports: RecoveryReport[] = [];
      const again = await openFileLog({ folder: killed, limits, onRecovery: (report) => reports.push(report) });
      expect(reports.map(({ file, bytesCut, recordsKept }) => [file, bytesCut, recordsKept])).toEqual([
        [path, 100, 20],
      ]);
      expect(await numbers(again)).toEqual(upTo(20));
      await again.close();
    } finally {
      rmSync(killed, { recursive: true });
    }
  });
});

describe('opened again', () => {
  test('has its topics, records and positions, many segments and journals later', async () => {
    const limits = { segmentBytes: 3000, journalBytes: 2000, openFiles: 3 };
    const log = await open({ limits });
    await log.createTopics([settingsOf('t', 1), settingsOf('other', 5)]);
    const consumer = await log.join({ group: '__proto__', topics: ['t'], listener });
    await consumer.poll(1, 0);
    for (let index = 0; index < 100; index++) {
      await log.append([
        recordOf('t', `${index} ${'x'.repeat(100)}`),
        recordOf('other', 'y', { partition: index % 5 }),
      ]);
      await consumer.commit([], [{ topic: 't', partition: 0, offset: index }]);
    }
    await consumer.close();
    await log.close();
    expect(segmentsOf().length).toBeGreaterThan(3);
    expect(existsSync(join(folder, 'journal-0000000001'))).toBe(false);

    const again = await open({ limits });
    expect((await again.topics()).map(({ name, partitions }) => [name, partitions])).toEqual([
      ['t', 1],
      ['other', 5],
    ]);
    expect((await readAll(again)).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
    let committed = -1;
    const assigned = async (positions: readonly StreamPosition[]) => {
      committed = positions[0]!.offset;
      return positions;
    };
    const next = await again.join({ group: '__proto__', topics: ['t'], listener: { ...listener, assigned } });
    await next.poll(1, 0);
    expect(committed).toBe(99);
    await next.close();
    await again.close();
  });
});

describe('writing', () => {
  test('what is asked for while the disk is busy shares one group commit', async () => {
    const log = await open();
    await log.createTopics([settingsOf('t', 1)]);
    const before = entriesOf();
    await Promise.all(Array.from({ length: 200 }, (_, index) => log.append([recordOf('t', `${index}`)])));
    expect(entriesOf() - before).toBeLessThanOrEqual(3);
    expect((await log.bounds('t'))[0]!.end).toBe(200);
    await log.close();
  });

  test('a queue that is full turns callers away, and those who wait are served', async () => {
    const log = await open({ limits: { queuedBytes: 10_000 } });
    await log.createTopics([settingsOf('t', 1)]);
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () => log.append([recordOf('t', 'x'.repeat(1000))])),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]!.reason).toBeInstanceOf(StreamUnavailableError);
    expect((await log.bounds('t'))[0]!.end).toBe(30 - refused.length);
    await log.close();
    await expect(log.append([recordOf('t', 'x')])).rejects.toThrow('was closed');
  });

  test('one who waits is woken by a record, and by the end of the log', async () => {
    const log = await open();
    await log.createTopics([settingsOf('t', 1)]);
    const waiting = log.read({ topic: 't', partition: 0, offset: 0 }, 1, 20_000);
    await log.append([recordOf('t', 'x')]);
    expect((await waiting).length).toBe(1);
    const inVain = log.read({ topic: 't', partition: 0, offset: 1 }, 1, 20_000);
    const refused = expect(inVain).rejects.toThrow('was closed');
    await log.close();
    await refused;
  });
});

describe('the lock', () => {
  test('keeps a second one out, also in the same process', async () => {
    const log = await open();
    await expect(open()).rejects.toThrow(`in use by process ${process.pid}`);
    await log.close();
    await (await open()).close();
  });

  test('of a process that was killed is taken over, one of a process that lives is not', {
    timeout: 60_000,
  }, async () => {
    const writer = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));
    const child = spawn(process.execPath, [writer, folder, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = new Promise((resolve) => child.once('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdout.resume();
    await expect(open()).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await exit;
    await (await open({ onRecovery: () => undefined })).close();
  });

  test('of a process whose number another has by now, or that cannot be read, is taken over', async () => {
    for (const text of [JSON.stringify({ pid: process.pid, started: 'earlier 1' }), 'torn']) {
      writeFileSync(join(folder, 'lock'), text);
      await (await open()).close();
    }
  });
});

describe('retention', () => {
  const limits = { segmentBytes: 1000 };

  test('by time takes whole segments, the last one too when all in it is old', async () => {
    let timeMs = 1_000_000;
    const log = await open({ limits, now: () => timeMs });
    await log.createTopics([topicOf({ retentionMs: 1000 })]);
    for (let index = 0; index < 40; index++) {
      timeMs += 50;
      await log.append([recordOf('t', `${index} ${'x'.repeat(50)}`)]);
    }
    await log.maintain();
    const [{ start }] = (await log.bounds('t')) as unknown as [{ start: number }];
    // Records 20 to 39 are within the second; a segment holds some nine.
    expect(start).toBeGreaterThan(8);
    expect(start).toBeLessThanOrEqual(20);
    expect((await readAll(log))[0]!.offset).toBe(start);
    expect((await log.read({ topic: 't', partition: 0, offset: 0 }, 1, 0))[0]!.offset).toBe(start);

    timeMs += 10_000;
    await log.maintain();
    expect(await log.bounds('t')).toEqual([{ partition: 0, start: 40, end: 40 }]);
    expect(segmentsOf()).toEqual(['00000000000000000040.log']);
    await log.append([recordOf('t', 'new')]);
    await log.close();
    const again = await open({ limits });
    expect(await readAll(again)).toEqual([{ offset: 40, key: null, value: 'new' }]);
    await again.close();
  });

  test('by size leaves the newest segments', async () => {
    const log = await open({ limits: { ...limits, retentionBytes: 2500 } });
    await log.createTopics([settingsOf('t', 1)]);
    for (let index = 0; index < 60; index++) await log.append([recordOf('t', `${index} ${'x'.repeat(50)}`)]);
    await log.maintain();
    expect(segmentsOf().length).toBeLessThanOrEqual(4);
    const left = await readAll(log);
    expect(left.at(-1)!.offset).toBe(59);
    expect(left[0]!.offset).toBeGreaterThan(0);
    await log.close();
  });
});

describe('compaction', () => {
  const limits = { segmentBytes: 1000, removalKeptMs: 1000 };
  const write = (log: FileLog, key: number, value: string | null) =>
    log.append([recordOf('t', value === null ? null : value.padEnd(40), { key: Uint8Array.of(key) })]);

  async function newestOf(log: FileLog) {
    return new Map((await readAll(log)).map(({ key, value }) => [key, value]));
  }

  test('keeps the newest record of each key and forgets keys without a value, in fewer files', async () => {
    let timeMs = 0;
    const log = await open({ limits, now: () => timeMs });
    await log.createTopics([topicOf({ compacted: true })]);
    for (let index = 0; index < 200; index++) await write(log, index % 10, `${index}`);
    await write(log, 3, null);
    for (let index = 0; index < 40; index++) await write(log, 20, `${index}`);
    const before = await newestOf(log);
    const files = segmentsOf().length;
    const reading = readAll(log);
    await log.maintain();
    expect((await reading).at(-1)!.offset).toBe(240);
    expect(await newestOf(log)).toEqual(before);
    expect(segmentsOf().length).toBeLessThan(files / 3);
    expect((await readAll(log)).length).toBeLessThan(60);
    // What removes a key stays readable for a while, then goes, too.
    expect((await newestOf(log)).get(3)).toBe(null);
    timeMs = 5000;
    for (let index = 0; index < 40; index++) await write(log, 20, `${index}`);
    await log.maintain();
    expect((await newestOf(log)).has(3)).toBe(false);
    const last = await readAll(log);
    await log.close();
    const again = await open({ limits });
    expect(await readAll(again)).toEqual(last);
    await again.close();
  });

  test('keeps the records of keys that it has no room to remember', async () => {
    const log = await open({ limits: { ...limits, compactionKeys: 3 } });
    await log.createTopics([topicOf({ compacted: true })]);
    for (let index = 0; index < 200; index++) await write(log, index % 10, `${index}`);
    const before = await newestOf(log);
    await log.maintain();
    expect(await newestOf(log)).toEqual(before);
    expect((await readAll(log)).length).toBeLessThan(200);
    await log.close();
  });

  test('stopped before it removed the files whose records it had moved shows none of them twice', async () => {
    const log = await open({ limits });
    await log.createTopics([topicOf({ compacted: true })]);
    for (let index = 0; index < 200; index++) await write(log, index % 10, `${index}`);
    const path = join(folder, 'topics', 't-0');
    const old = new Map(segmentsOf().map((name) => [name, readFileSync(join(path, name))]));
    await log.maintain();
    const compacted = await readAll(log);
    await log.close();
    const removed = [...old].filter(([name]) => !segmentsOf().includes(name));
    expect(removed.length).toBeGreaterThan(2);
    for (const [name, bytes] of removed) writeFileSync(join(path, name), bytes);
    writeFileSync(join(path, '00000000000000000000.log.tmp'), 'half');
    const again = await open({ limits });
    expect(await readAll(again)).toEqual(compacted);
    expect(
      readdirSync(path).filter((name) => name.endsWith('.tmp') || removed.some(([gone]) => gone === name)),
    ).toEqual([]);
    await again.close();
  });
});
