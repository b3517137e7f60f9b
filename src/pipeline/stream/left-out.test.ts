import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryLog } from '../../adapters/memory/memory-log.ts';
import type { StreamRecord } from '../../ports.ts';
import { type LeftOutFrom, LeftOutHistory, leftOutRecord, readLeftOut } from './left-out.ts';

const record = (offset: number): StreamRecord => ({ offset, timestampMs: 0, key: null, value: null, headers: [] });
const records = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i));

async function openTopic() {
  const log = createMemoryLog({ now: () => 0 });
  await log.createTopics([{ name: 'left-out', partitions: 2, retentionMs: null, compacted: false, replicas: 1 }]);
  const at = { topic: 'left-out', partition: 1 };
  return { log, at, write: (entry: LeftOutFrom) => log.append([leftOutRecord('left-out', 1, entry)]) };
}

describe('what was left out', () => {
  it('is written only where it changes, and cuts what is made again into the same runs', async () => {
    const { log, at, write } = await openTopic();
    const live = new LeftOutHistory();
    const chosen = [[], ['a'], ['a'], ['a', 'b'], [], []];
    const written: LeftOutFrom[] = [];
    for (const [index, leftOut] of chosen.entries()) {
      const entry = live.choose(index * 10, leftOut);
      if (entry === null) continue;
      written.push(entry);
      await write(entry);
    }
    expect(written).toEqual([
      { from: 10, leftOut: ['a'] },
      { from: 30, leftOut: ['a', 'b'] },
      { from: 40, leftOut: [] },
    ]);
    const history = await readLeftOut(log, at);
    history.keepOnly(15, 60);
    const runs: unknown[] = [];
    for (let rest: readonly StreamRecord[] = records(15, 60); rest.length > 0; ) {
      const { run, taking } = history.again(rest, 55);
      runs.push([run[0].offset, run.length, taking.leftOut]);
      rest = rest.slice(run.length);
      if (rest[0]?.offset === 55) break;
    }
    expect(runs).toEqual([
      [15, 15, ['a']],
      [30, 10, ['a', 'b']],
      [40, 15, []],
    ]);
  });

  it('is read up to the moment, and each reading leaves a mark that says nothing', async () => {
    const { log, at, write } = await openTopic();
    await readLeftOut(log, at);
    await write({ from: 3, leftOut: ['a'] });
    expect((await readLeftOut(log, at)).at(5)).toEqual(['a']);
    expect((await log.bounds('left-out')).map(({ end }) => end)).toEqual([0, 3]);
  });

  it('beyond where the group stands is void, in the topic too once something is decided there', async () => {
    const { log, at, write } = await openTopic();
    await write({ from: 10, leftOut: ['a'] });
    await write({ from: 50, leftOut: ['b'] });
    // The group was set back to 20.
    const history = await readLeftOut(log, at);
    history.keepOnly(0, 20);
    expect(history.at(60)).toEqual(['a']);
    const entry = history.choose(20, ['a']);
    expect(entry).toEqual({ from: 20, leftOut: ['a'] });
    await write(entry!);
    expect(history.choose(25, ['a'])).toBeNull();
    const later = await readLeftOut(log, at);
    later.keepOnly(0, 100);
    expect(later.at(60)).toEqual(['a']);
  });

  it('is at every offset what was chosen there, through restarts', async () => {
    const choice = fc.record({ leftOut: fc.subarray(['a', 'b', 'c']), records: fc.integer({ min: 1, max: 9 }) });
    const property = fc.asyncProperty(fc.array(fc.tuple(choice, fc.boolean()), { maxLength: 30 }), async (steps) => {
      const { log, at, write } = await openTopic();
      const truth: (readonly string[])[] = [];
      let live = new LeftOutHistory();
      for (const [{ leftOut, records: count }, isRestarted] of steps) {
        if (isRestarted) {
          live = await readLeftOut(log, at);
          live.keepOnly(Math.max(0, truth.length - 5), truth.length);
        }
        const entry = live.choose(truth.length, leftOut);
        if (entry !== null) await write(entry);
        for (let i = 0; i < count; i++) truth.push(leftOut);
      }
      const history = await readLeftOut(log, at);
      history.keepOnly(0, truth.length);
      expect(truth.map((_, offset) => history.at(offset))).toEqual(truth);
    });
    await fc.assert(property, { numRuns: 50 });
  });
});
