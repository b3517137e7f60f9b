// How quickly decisions get into the archive, what that does to the process that does it, and how long a look-up takes.
//
//   node bench/archive.ts [--json] [--decisions 10000000] [--days 30] [--lookups 2000] [--folder DIR [--reuse]]
//
// Writing: decisions of a log in files through the archiver, and what turns of the event loop take meanwhile. Reading: an archive of
// `--decisions` over `--days` compacted days and 64 parts of today, made by DuckDB, then look-ups without a hint (the first
// ones with nothing in memory), with one, of ids that are not there, and lists. `--reuse` takes the archive that is in DIR.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { openFileLog } from '../src/adapters/files/stream-log/file-log.ts';
import { type OpenArchive, openArchive } from '../src/cli/archive-place.ts';
import { MS_PER_DAY, startOfLimaDayMs } from '../src/domain/calendar.ts';
import { compactDay } from '../src/jobs/archive/compact.ts';
import { dayOf } from '../src/jobs/archive/day-files.ts';
import type { DecisionsArchive } from '../src/jobs/archive/decisions-archive.ts';
import type { HeldRecord } from '../src/jobs/archive/held-records.ts';
import { KnownOffsets, writePart } from '../src/jobs/archive/write-part.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { OutgoingRecord } from '../src/ports.ts';

const TOPIC = 'decisions';
const FIRST_DAY = 20_500;
const PARTITIONS = 8;
const PART_ROWS = 50_000;
const encoder = new TextEncoder();

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    decisions: { type: 'string', default: '10000000' },
    days: { type: 'string', default: '30' },
    lookups: { type: 'string', default: '2000' },
    folder: { type: 'string' },
    reuse: { type: 'boolean', default: false },
  },
});
const decisions = Number(values.decisions);
const days = Number(values.days);
const lookups = Number(values.lookups);
const perDay = Math.floor(decisions / days);

const random = createPrng(2026);

function idOf(n: number): string {
  // Spread like a bank's own: no order that an index could use.
  return `TX-${(Math.imul(n, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}-${n}`;
}

/** One in fifty is looked at, with two reasons; one in twenty has rules. */
function decisionBytes(n: number, timeMs: number): Uint8Array {
  const isReview = n % 50 === 0;
  const action = isReview ? 'review' : 'approve';
  const amount = `S/ ${(random.nextBelow(1_000_000) / 100).toFixed(2)}`;
  return encoder.encode(
    JSON.stringify({
      ...{ id: idOf(n), eventTimeMs: timeMs - random.nextBelow(2000), action, intended: action, by: 'model' },
      ...{ risk: random.nextFloat(), modelRisk: random.nextFloat(), expectedLossMinor: random.nextFloat() * 10_000 },
      ...{ rules: n % 20 === 0 ? ['cuenta-mula@3', 'noche@1'] : [], silenced: [] },
      reasons: isReview
        ? [
            {
              code: 'MONTO_INUSUAL',
              weight: random.nextFloat(),
              es: `El monto de ${amount} es inusual.`,
              en: `${amount} is unusual.`,
            },
            {
              code: 'BENEFICIARIO_NUEVO',
              weight: random.nextFloat(),
              es: 'Es la primera vez que le paga.',
              en: 'First payment.',
            },
          ]
        : [],
      ...{ versions: { model: 'cards@3', rules: '0123456789abcdef' }, degraded: [] },
      at: { partition: n % PARTITIONS, offset: Math.floor(n / PARTITIONS) },
    }),
  );
}

/** What turns of the event loop take of this thread's own time: other programs on the machine do not count. */
function watchTurns() {
  const turns = createHistogram();
  const used = () => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  };
  let isOver = false;
  let before = used();
  const next = () => {
    const now = used();
    turns.record(Math.max(1, Math.round(now - before)));
    before = used();
    if (!isOver) setImmediate(next);
  };
  setImmediate(next);
  return () => {
    isOver = true;
    const ms = (share: number) => Number((turns.percentile(share) / 1000).toFixed(1));
    return { p50: ms(50), p99: ms(99), p999: ms(99.9), most: ms(100) };
  };
}

async function measureWriting(archive: OpenArchive) {
  const rows = Math.min(decisions, 400_000);
  const log = await openFileLog({ folder: join(folder, 'log'), onRecovery: () => undefined });
  await log.createTopics([{ name: TOPIC, partitions: PARTITIONS, retentionMs: null, compacted: false, replicas: 1 }]);
  const timeMs = startOfLimaDayMs(FIRST_DAY - 100);
  for (let from = 0; from < rows; from += 1000) {
    await log.append(
      Array.from({ length: 1000 }, (_, index): OutgoingRecord => {
        const n = from + index;
        const recordedMs = timeMs + n * 100;
        const key = encoder.encode(idOf(-1 - n));
        return {
          topic: TOPIC,
          partition: n % PARTITIONS,
          key,
          value: decisionBytes(n, recordedMs),
          headers: [],
          timestampMs: recordedMs,
        };
      }),
    );
  }
  const settings = { partRows: PART_ROWS };
  const archiver = archive.archiverOf(log, TOPIC, { group: 'bench', settings });
  const turnsMs = watchTurns();
  const beganMs = performance.now();
  await archiver.runOnce();
  const seconds = (performance.now() - beganMs) / 1000;
  const loopTurnMs = turnsMs();
  await log.close();
  const day = dayOf(timeMs);
  const compactBeganMs = performance.now();
  const compacted = await compactDay(archive.tools, day, 'all');
  const compactSeconds = (performance.now() - compactBeganMs) / 1000;
  return {
    ...{ rows, rowsPerSecond: Math.round(rows / seconds), bytesPerRow: archiver.counts.bytes / rows },
    loopTurnMs,
    compactRowsPerSecond: Math.round((compacted?.rows ?? 0) / compactSeconds),
  };
}

/** Days that are over, compacted, and the newest one of parts. */
async function fill(archive: OpenArchive): Promise<void> {
  const tools = { ...archive.tools };
  const known = new KnownOffsets(tools);
  for (let day = 0; day < days; day++) {
    const isLast = day === days - 1;
    const partRows = isLast ? Math.ceil(perDay / 64) : PART_ROWS;
    for (let from = 0; from < perDay; from += partRows) {
      const records: HeldRecord[] = [];
      for (let index = from; index < Math.min(perDay, from + partRows); index++) {
        const n = day * perDay + index;
        const recordedMs = startOfLimaDayMs(FIRST_DAY + day) + Math.floor((index * MS_PER_DAY) / perDay);
        const block = decisionBytes(n, recordedMs);
        records.push({ recordedMs, offset: n, key: idOf(n), block, start: 0, end: block.length });
      }
      const part = { partition: 0, records, bytes: 0, sinceMs: 0, isPlain: true, byKey: new Map() };
      await writePart(tools, known, part);
    }
    if (!isLast) await compactDay(tools, dayOf(startOfLimaDayMs(FIRST_DAY + day)), 'all');
    if (!values.json) process.stderr.write(`\rday ${day + 1} of ${days}`);
  }
  if (!values.json) process.stderr.write('\n');
}

async function timed(times: number, look: (turn: number) => Promise<unknown>) {
  const waits = createHistogram();
  const before = process.cpuUsage();
  for (let turn = 0; turn < times; turn++) {
    const beganMs = performance.now();
    await look(turn);
    waits.record(Math.max(1, Math.round((performance.now() - beganMs) * 1000)));
  }
  const ms = (share: number) => Number((waits.percentile(share) / 1000).toFixed(1));
  const { user, system } = process.cpuUsage(before);
  const cpu = Number(((user + system) / 1000 / times).toFixed(1));
  return { p50: ms(50), p99: ms(99), most: ms(100), cpu };
}

async function measureReading(read: DecisionsArchive) {
  const total = perDay * days;
  const anyId = () => random.nextBelow(total);
  const found = async (n: number, dayHint?: string) => {
    const decision = await read.findDecision(idOf(n), dayHint === undefined ? {} : { dayHint });
    if (decision?.decision?.id !== idOf(n)) throw new Error(`${idOf(n)} was not found`);
  };
  const dayOfNumber = (n: number) => dayOf(startOfLimaDayMs(FIRST_DAY + Math.floor(n / perDay)));
  const lists = Math.ceil(lookups / 10);
  return {
    firstLookUps: await timed(Math.min(200, lookups), () => found(anyId())),
    lookUp: await timed(lookups, () => found(anyId())),
    lookUpWithHint: await timed(lookups, () => {
      const n = anyId();
      return found(n, dayOfNumber(n));
    }),
    notThere: await timed(lists, (turn) => read.findDecision(`none-${turn}`)),
    newest50: await timed(lists, () => read.listDecisions({}, null, 50)),
    newest50Reviewed: await timed(lists, () => read.listDecisions({ actions: ['review'] }, null, 50)),
    ofADayByRule: await timed(lists, () => {
      const fromMs = startOfLimaDayMs(FIRST_DAY + random.nextBelow(days));
      return read.listDecisions({ fromMs, untilMs: fromMs + MS_PER_DAY, rule: 'noche', minRisk: 0.9 }, null, 50);
    }),
  };
}

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'bench-archive-')));
const place = (name: string) => ({ place: join(folder, name), scratch: join(folder, 'scratch'), cacheBytes: 2 ** 31 });
try {
  await rm(join(folder, 'log'), { recursive: true, force: true });
  await rm(join(folder, 'writing'), { recursive: true, force: true });
  const writing = await openArchive(place('writing'));
  const write = await measureWriting(writing);
  await writing.close();
  if (!values.reuse) {
    const filled = await openArchive(place('filled'));
    await fill(filled);
    await filled.close();
  }
  const reading = await openArchive(place('filled'));
  const readMs = await measureReading(reading.decisionsOf(null));
  await reading.close();
  const result = { decisions: perDay * days, days, write, readMs };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`);
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
}
