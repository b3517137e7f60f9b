// Workers of a keyed stream over a log: however many there are, they decide as one fold does; and groups do not mix.
import { beforeAll, describe, expect, it } from 'vitest';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { partitionOfKey } from '../../src/lib/murmur2.ts';
import type { StreamLog } from '../../src/ports.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { type Deciding, decisionsIn, memoryLog, recordsOf, rounds, standardSetup, startDeciding } from './keyed-log.ts';
import { labelRecord } from './random-bank.ts';
import { TOPICS } from './stage-runner.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';
const PARTITIONS = 8;

const bank = [...createSimulator({ customers: isLong ? 200 : 40, days: isLong ? 30 : 8, seed: 11 }).batches()].flat();

async function decideAll(workers: number, partitions: number, stages: 'one' | 'keyed'): Promise<Deciding> {
  const deciding = await startDeciding({ stages, partitions, workers });
  for (const round of rounds(bank, 64)) await deciding.round(recordsOf(round));
  await deciding.stop();
  return deciding;
}

describe('workers of keyed stages', () => {
  let whole: Deciding;
  beforeAll(async () => {
    whole = await decideAll(1, 1, 'one');
  });

  it.each([1, 2, 4])('decide as one fold does: %i of them', { timeout: 600_000 }, async (workers) => {
    const keyed = await decideAll(workers, PARTITIONS, 'keyed');
    const [expected] = await decisionsIn(whole.log);
    const [decisions, again] = await decisionsIn(keyed.log);
    expect(expected.size).toBe(bank.length);
    expect(again.size).toBe(0);
    expect(decisions).toEqual(expected);
    expect(new Map([...keyed.rows].sort())).toEqual(new Map([...whole.rows].sort()));
  });

  it('several partitions without stages decide otherwise: the comparison can fail', async () => {
    const apart = await decideAll(1, PARTITIONS, 'one');
    expect(apart.rows.size).toBe(whole.rows.size);
    expect(
      [...apart.rows].filter(([id, row]) => !row.every((value, i) => Object.is(value, whole.rows.get(id)![i]))).length,
    ).toBeGreaterThan(0);
  });
});

describe('a label in a keyed stream', () => {
  const START_MS = 1_767_600_000_000;
  const paid = (id: string, payerId: string, hours: number): Transaction =>
    createTransaction({
      ...{ id, eventTimeMs: START_MS + hours * 3_600_000, amountMinor: 50_000, currency: 'PEN', operation: 'transfer' },
      ...{ payerId, payeeId: 'C-mule' },
    });

  it("teaches the payee's features, in the payee's partition", async () => {
    const [one, other] = ['C-1', 'C-2', 'C-3', 'C-4', 'C-5']
      .filter((id) => partitionOfKey(Buffer.from(id), PARTITIONS) !== partitionOfKey(Buffer.from('C-mule'), PARTITIONS))
      .filter(
        (id, _, all) =>
          id === all[0] ||
          partitionOfKey(Buffer.from(id), PARTITIONS) !== partitionOfKey(Buffer.from(all[0]), PARTITIONS),
      );
    const deciding = await startDeciding({ stages: 'keyed', partitions: PARTITIONS, workers: 2 });
    const first = paid('T-1', one, 0);
    await deciding.round(recordsOf([first]));
    await deciding.round([{ ...labelRecord(first, true), topic: TOPICS.labels, headers: [] }]);
    await deciding.round(recordsOf([paid('T-2', other, 5)]));
    await deciding.stop();
    const { setup } = await standardSetup();
    const column = setup.definitions.findIndex(({ id }) => id === 'payee_claim_count_30d');
    expect(deciding.rows.get('T-1')![column]).toBe(0);
    expect(deciding.rows.get('T-2')![column]).toBe(1);
  });
});

describe('a group and its stages', () => {
  const some = bank.slice(0, 60);
  const halves = [rounds(some.slice(0, 30), 8), rounds(some.slice(30), 8)];

  async function decide(
    log: StreamLog,
    half: number,
    options: { stages: 'one' | 'keyed'; group?: string; takesOver?: boolean },
  ) {
    const deciding = await startDeciding({ log, partitions: 2, workers: 1, ...options });
    for (const round of halves[half]) await deciding.round(recordsOf(round));
    await deciding.stop();
    return deciding;
  }

  it('cannot be mixed with workers without stages, in either order', async () => {
    const [a, b] = [memoryLog(), memoryLog()];
    await decide(a, 0, { stages: 'one' });
    await expect(decide(a, 1, { stages: 'keyed' })).rejects.toThrow(/Group 'g' works without stages/);
    await decide(b, 0, { stages: 'keyed' });
    await expect(decide(b, 1, { stages: 'one' })).rejects.toThrow(/Group 'g' works by keyed stages/);
  });

  it('does not read what another group has passed on', async () => {
    const log = memoryLog();
    await decide(log, 0, { stages: 'keyed' });
    await expect(decide(log, 1, { stages: 'keyed', group: 'h' })).rejects.toThrow(/another group's/);
  });

  it('takes over from workers without stages: learns from what they decided and decides the rest, once', async () => {
    const whole = await startDeciding({ stages: 'one', partitions: 1, workers: 1 });
    for (const round of halves.flat()) await whole.round(recordsOf(round));
    await whole.stop();
    const log = memoryLog();
    await decide(log, 0, { stages: 'one' });
    const taken = await decide(log, 1, { stages: 'keyed', takesOver: true });
    const [decisions, again] = await decisionsIn(log);
    expect(decisions.size).toBe(some.length);
    expect(again.size).toBe(0);
    for (const { id } of some.slice(30)) expect(taken.rows.get(id)).toEqual(whole.rows.get(id));
    // And again, without being told so.
    await (await startDeciding({ log, stages: 'keyed', partitions: 2, workers: 1 })).stop();
  });
});
