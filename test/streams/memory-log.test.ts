import { describe, expect, test } from 'vitest';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { FencedError, StreamUnavailableError } from '../../src/lib/errors.ts';
import { createPrng } from '../../src/lib/prng.ts';
import type { StreamPartition } from '../../src/ports.ts';
import { recordOf, settingsOf, streamLogChecks } from './stream-log-checks.ts';

const now = () => 1_700_000_000_000;

streamLogChecks('memory', async () => {
  const log = createMemoryLog({ now, sleep: () => new Promise((resolve) => setImmediate(resolve)) });
  return { log, close: () => log.close() };
});

function listenerOf() {
  const lost: StreamPartition[] = [];
  return {
    lost,
    listener: {
      assigned: async <T>(committed: T) => committed,
      revoked: async () => undefined,
      lost: async (partitions: readonly StreamPartition[]) => {
        lost.push(...partitions);
      },
    },
  };
}

describe('the memory log for simulations', () => {
  test('an expelled member is fenced, told that all is lost, and comes back as a new one', async () => {
    const log = createMemoryLog({ now });
    await log.createTopics([settingsOf('t', 2)]);
    const first = listenerOf();
    const dead = await log.join({ group: 'g', topics: ['t'], listener: first.listener });
    const other = await log.join({ group: 'g', topics: ['t'], listener: listenerOf().listener });
    await dead.poll(1, 0);
    log.expel(dead);
    await other.poll(1, 0);
    expect((await other.ends()).length).toBe(2);
    await expect(dead.commit([], [{ topic: 't', partition: 0, offset: 1 }])).rejects.toThrow(FencedError);
    expect(log.committed('g', { topic: 't', partition: 0 })).toBe(0);
    await dead.poll(1, 0);
    expect(first.lost).toEqual([{ topic: 't', partition: 0 }]);
    await other.poll(1, 0);
    await dead.poll(1, 0);
    expect((await dead.ends()).length).toBe(1);
  });

  test('a fault before a commit leaves nothing, a lost answer leaves everything', async () => {
    let strike: 'before' | 'after' | 'never' = 'never';
    const log = createMemoryLog({
      now,
      fault: ({ when, operation }) => {
        if (operation !== 'commit' || when !== strike) return undefined;
        if (when === 'before') throw new StreamUnavailableError('the broker is away');
        return 'answer-lost';
      },
    });
    await log.createTopics([settingsOf('t', 1), settingsOf('out', 1)]);
    const member = await log.join({ group: 'g', topics: ['t'], listener: listenerOf().listener });
    await member.poll(1, 0);
    const commit = () => member.commit([recordOf('out', 'x')], [{ topic: 't', partition: 0, offset: 1 }]);
    strike = 'before';
    await expect(commit()).rejects.toThrow('the broker is away');
    expect([await log.bounds('out'), log.committed('g', { topic: 't', partition: 0 })]).toEqual([
      [{ partition: 0, start: 0, end: 0 }],
      0,
    ]);
    strike = 'after';
    await expect(commit()).rejects.toThrow(StreamUnavailableError);
    expect((await log.bounds('out'))[0]!.end).toBe(1);
    expect(log.committed('g', { topic: 't', partition: 0 })).toBe(1);
  });

  test('a full log is unavailable, and takes records again when old ones went', async () => {
    let timeMs = 0;
    const log = createMemoryLog({ now: () => timeMs, maxRecords: 2 });
    await log.createTopics([{ ...settingsOf('t', 1), retentionMs: 10 }]);
    await log.append([recordOf('t', 'a'), recordOf('t', 'b')]);
    await expect(log.append([recordOf('t', 'c')])).rejects.toThrow('holds 2 of 2 records');
    timeMs = 100;
    log.maintain();
    await log.append([recordOf('t', 'c')]);
    expect(await log.bounds('t')).toEqual([{ partition: 0, start: 2, end: 3 }]);
  });

  test('of a compacted topic the newest record of each key stays, and a key without a value is forgotten', async () => {
    const log = createMemoryLog({ now });
    await log.createTopics([{ ...settingsOf('t', 1), compacted: true }]);
    const keys = [1, 2, 1, 3, 3].map((key) => Uint8Array.of(key));
    await log.append(keys.map((key, index) => recordOf('t', index === 4 ? null : `${index}`, { key })));
    log.maintain();
    const records = await log.read({ topic: 't', partition: 0, offset: 0 }, 10, 0);
    expect(records.map(({ offset }) => offset)).toEqual([1, 2]);
  });

  test('deliveries with faults are the same for the same seed, and nothing is left out for good', async () => {
    const runs = await Promise.all([7, 7, 8].map((seed) => deliveriesOf(seed)));
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(runs[2]);
    for (const run of runs) {
      expect(new Set(run).size).toBe(60);
      expect(run.length).toBeGreaterThan(60);
    }
  });
});

async function deliveriesOf(seed: number): Promise<string[]> {
  const random = createPrng(seed).nextFloat;
  const log = createMemoryLog({ now, deliveries: { random, redeliverShare: 0.2, delayShare: 0.3 } });
  await log.createTopics([settingsOf('t', 3)]);
  await log.append(Array.from({ length: 60 }, (_, index) => recordOf('t', `${index}`, { partition: index % 3 })));
  const member = await log.join({ group: 'g', topics: ['t'], listener: listenerOf().listener });
  const seen: string[] = [];
  for (let polls = 0; polls < 100; polls++) {
    for (const { partition, records } of await member.poll(10, 0)) {
      seen.push(...records.map(({ offset }) => `${partition} ${offset}`));
    }
  }
  return seen;
}
