// The stream through everything that may strike it: seeds that once failed, and some that nobody has looked at.
import { describe, expect, it } from 'vitest';
import { FAULTS, scenarioOf } from './scenario.ts';
import { tellFailure, tryScenario, trySeed } from './try-seed.ts';

/** Seeds that failed, and what was wrong then. */
const REGRESSIONS: readonly (readonly [seed: number, was: string])[] = [];

const MANY = process.env.CENTINELA_LONG_TESTS === '1' ? 1000 : 60;

async function expectRight(seed: number): Promise<void> {
  const { outcome, wrong } = await trySeed(seed);
  if (wrong.length > 0) expect.fail(await tellFailure(outcome.scenario, wrong, false));
}

describe('the stream through crashes', () => {
  it.each(REGRESSIONS)('seed %i: %s', (seed) => expectRight(seed));

  it(`decides everything once and the same, in ${MANY} seeds`, { timeout: 600_000 }, async () => {
    for (let seed = 1; seed <= MANY; seed++) await expectRight(seed);
  });

  it('is the same again from the same seed, to the last line of its story', async () => {
    const all = { ...scenarioOf(7), faults: new Set(FAULTS), workers: 3, partitions: 3, records: 120 };
    const [one, other] = [await tryScenario(all), await tryScenario(all)];
    expect(one.outcome.story.length).toBeGreaterThan(100);
    expect(other.outcome.story).toEqual(one.outcome.story);
  });
});
