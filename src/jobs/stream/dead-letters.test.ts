import { describe, expect, it } from 'vitest';
import { createMemoryLog } from '../../adapters/memory/memory-log.ts';
import { deadLetter } from '../../pipeline/stream/dead-letter.ts';
import { topicNames, topicSettings } from '../../pipeline/stream/topics.ts';
import type { OutgoingRecord, StreamLog } from '../../ports.ts';
import { listDeadLetters, replayDeadLetters } from './dead-letters.ts';

const TOPICS = topicNames();
const ALL = { reason: null, sinceMs: null };
const text = (value: Uint8Array | null) => (value === null ? null : new TextDecoder().decode(value));
const bytes = (value: string) => new TextEncoder().encode(value);

async function openLog(): Promise<StreamLog> {
  const log = createMemoryLog({ now: () => 9_000 });
  await log.createTopics(topicSettings(TOPICS, 2, 1).map((topic) => ({ ...topic, retentionMs: null })));
  return log;
}

function letter(value: string, code: string, from = `transactions/1/7`, timestampMs = 1_000): OutgoingRecord {
  const [topic, partition, offset] = from.split('/');
  const at = { topic, partition: Number(partition), offset: Number(offset) };
  const record = { offset: 7, timestampMs, key: bytes('p1'), value: bytes(value), headers: [] };
  return deadLetter(TOPICS['dead-letters'], at, record, { code, message: `${code} in words` });
}

async function valuesOf(log: StreamLog, topic: string): Promise<(string | null)[]> {
  const bounds = await log.bounds(topic);
  const all = await Promise.all(bounds.map(({ partition }) => log.read({ topic, partition, offset: 0 }, 100, 0)));
  return all.flat().map(({ value }) => text(value));
}

describe('dead letters', () => {
  it('are counted by reason, with where they came from', async () => {
    const log = await openLog();
    await log.append([letter('a', 'VALUE_INVALID'), letter('b', 'VALUE_INVALID'), letter('c', 'VALUE_NOT_JSON')]);
    await log.append([{ ...letter('d', 'x y'), key: null }]);
    const [first, ...others] = await listDeadLetters(log, TOPICS, ALL);
    expect(first).toMatchObject({ reason: 'VALUE_INVALID', letters: 2, firstMs: 1_000 });
    expect(first.examples[0]).toEqual({
      ...{ from: { topic: 'transactions', partition: 1, offset: 7 }, message: 'VALUE_INVALID in words' },
    });
    expect(others.map(({ reason }) => reason)).toEqual(['OTHER', 'VALUE_NOT_JSON']);
    expect(await listDeadLetters(log, TOPICS, { reason: null, sinceMs: 1_001 })).toEqual([]);
  });

  it('are sent again to where they came from, once however often one asks', async () => {
    const log = await openLog();
    await log.append([letter('a', 'VALUE_INVALID'), letter('b', 'LABEL_INVALID', 'labels/0/3')]);
    await replayDeadLetters(log, TOPICS, 'g', ALL);
    expect(await valuesOf(log, TOPICS.transactions)).toEqual(['a']);
    expect(await valuesOf(log, TOPICS.labels)).toEqual(['b']);
    const again = await replayDeadLetters(log, TOPICS, 'g', ALL);
    expect(again.map(({ sent }) => sent)).toEqual([0, 0]);
    await log.append([letter('c', 'VALUE_INVALID')]);
    await replayDeadLetters(log, TOPICS, 'g', ALL);
    expect((await valuesOf(log, TOPICS.transactions)).sort()).toEqual(['a', 'c']);
  });

  it('of one reason leave those of another for later', async () => {
    const log = await openLog();
    await log.append([letter('a', 'VALUE_INVALID'), letter('b', 'KIND_UNKNOWN')]);
    const [one] = await replayDeadLetters(log, TOPICS, 'g', { reason: 'KIND_UNKNOWN', sinceMs: null });
    expect(one).toMatchObject({ reason: 'KIND_UNKNOWN', sent: 1 });
    expect(await valuesOf(log, TOPICS.transactions)).toEqual(['b']);
    await replayDeadLetters(log, TOPICS, 'g', ALL);
    expect((await valuesOf(log, TOPICS.transactions)).sort()).toEqual(['a', 'b']);
  });

  it('that are too old are passed over, and those from nowhere or from foreign topics go nowhere', async () => {
    const log = await openLog();
    await log.append([
      letter('old', 'A', 'transactions/0/1', 500),
      letter('new', 'A'),
      letter('x', 'A', 'decisions/0/1'),
    ]);
    const [done] = await replayDeadLetters(log, TOPICS, 'g', { reason: null, sinceMs: 800 });
    expect(done).toEqual({ reason: 'A', sent: 1, passed: 1, gone: 0, homeless: 1, broken: 0 });
    expect(await valuesOf(log, TOPICS.transactions)).toEqual(['new']);
    expect(await valuesOf(log, TOPICS.decisions)).toEqual([]);
  });

  it('that only say where the record is fetch it from there, while it is there', async () => {
    const log = await openLog();
    const value = bytes('x'.repeat(2000));
    const [at] = await log.append([
      { topic: TOPICS.transactions, partition: 1, key: null, value, headers: [], timestampMs: null },
    ]);
    const record = { offset: at.offset, timestampMs: 1, key: null, value, headers: [] };
    const small = (position: typeof at) =>
      deadLetter(TOPICS['dead-letters'], position, record, { code: 'VALUE_TOO_LARGE', message: '' }, 1000);
    await log.append([small(at), small({ ...at, offset: 99 })]);
    const [done] = await replayDeadLetters(log, TOPICS, 'g', ALL);
    expect(done).toMatchObject({ sent: 1, gone: 1 });
    expect((await log.read({ ...at, offset: 1 }, 5, 0)).map((each) => text(each.value))).toEqual(['x'.repeat(2000)]);
  });
});
