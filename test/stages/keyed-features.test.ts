// The promise of keyed stages: where each entity's events come in the same order, features are the same bit for bit, however
// many partitions there are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cardsCatalogue } from '../../src/features/catalogue/cards.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { handbookCatalogue } from '../../src/features/catalogue/handbook.ts';
import { transactionRecord } from '../../src/jobs/stream/feed-stream.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { randomStream } from './random-bank.ts';
import { differences, type Run, runKeyed, runWhole, STAGE_TOPICS, TOPICS, wholeSetup } from './stage-runner.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const isLong = process.env.CENTINELA_LONG_TESTS === '1';
const PATIENT = { jumpMs: 1000 * DAY_MS };

const total = ({ outputs }: Run, name: 'labels' | 'labelsTooLate' | 'late' | 'outOfTime' | 'transactions') =>
  outputs.reduce((sum, { counts }) => sum + counts[name], 0);

describe('features of keyed stages', () => {
  it.each([
    ['default', defaultCatalogue],
    ['cards', cardsCatalogue],
    ['handbook', handbookCatalogue],
  ] as const)('are those of one fold over any stream (%s)', (_, definitions) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 8 }), fc.boolean(), (seed, n, pauses) => {
        const shape = { events: 250, mostLateMs: 20 * HOUR_MS, longPauses: pauses, labelShare: 0.2 };
        const records = randomStream(createPrng(seed), shape);
        // How far the stream has come is a matter of each of its partitions; here no event is out of time in any.
        const setup = wholeSetup(definitions, PATIENT);
        const whole = runWhole(setup, records);
        const keyed = runKeyed(setup, records, { stream: n, between: 8 });
        expect(differences(definitions, whole, keyed)).toEqual([]);
        for (const name of ['transactions', 'labels', 'late', 'outOfTime'] as const) {
          expect([name, total(keyed, name)]).toEqual([name, total(whole, name)]);
        }
        return total(whole, 'late') > 0 && total(whole, 'labels') > 0;
      }),
      { numRuns: isLong ? 400 : 12 },
    );
  });

  it('judges time in the order of the stream: one partition of it refuses what one fold refuses', () => {
    const shape = { events: 400, mostLateMs: 4 * DAY_MS, longPauses: true, labelShare: 0.1 };
    const records = randomStream(createPrng(77), shape);
    // What is out of time is looked at as things are: whether an entity idle for months has been forgotten may differ then.
    const setup = wholeSetup(defaultCatalogue, { idleMs: 10_000 * DAY_MS });
    const whole = runWhole(setup, records);
    const keyed = runKeyed(setup, records, { stream: 1, between: 8 });
    expect(differences(defaultCatalogue, whole, keyed)).toEqual([]);
    const results = new Set([...whole.rows.values()].map(({ result }) => result));
    expect(results).toEqual(new Set(['ok', 'late', 'too-late', 'too-early']));
  });

  it('are those of one fold over a simulated bank, and each entity is visited once', () => {
    const transactions = [
      ...createSimulator({ customers: isLong ? 400 : 60, days: isLong ? 40 : 12, seed: 5 }).batches(),
    ];
    const records = transactions.flat().map((transaction) => transactionRecord(transaction, TOPICS.transactions));
    const setup = wholeSetup(defaultCatalogue);
    const whole = runWhole(setup, records);
    const keyed = runKeyed(setup, records, { stream: 8, between: 8 });
    expect(whole.rows.size).toBeGreaterThan(500);
    expect(differences(defaultCatalogue, whole, keyed)).toEqual([]);
    expect(keyed.hops.get(STAGE_TOPICS.terminals)).toBe(records.length);
    expect(keyed.hops.get(STAGE_TOPICS.accounts)).toBeLessThanOrEqual(2 * records.length);
  });
});
