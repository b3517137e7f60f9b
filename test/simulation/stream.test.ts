// The stream through everything that may strike it: seeds that once failed, and some that nobody has looked at.
import { describe, expect, it } from 'vitest';
import { FAULTS, type Scenario, scenarioOf } from './scenario.ts';
import { tellFailure, tryScenario, trySeed } from './try-seed.ts';

/** Seeds that failed, and what was wrong then. */
const REGRESSIONS: readonly (readonly [seed: number, was: string])[] = [
  [1, 'a dead letter larger than the log takes, or with too many headers, ended every worker that met the record'],
  [
    2,
    'a change that cannot be made got into the stream: a dead letter in every partition, and again after each restart',
  ],
  [3, 'a change to an unknown model ended every worker, for ever'],
  [4, 'a label that says it is a transaction or a change was taken for one'],
  [6, 'a worker whose store lacked the model went on with the version before, and decided otherwise than the others'],
  [10, 'a store of checkpoints that did not answer for a moment ended the worker that restored'],
  [21, 'what was delivered again within one poll was folded and refused twice, and the state went back'],
  [
    58,
    'a group whose last member was held for dead was made anew, and that member came back to the old one: two owners',
  ],
  [28, 'labels and changes that were delivered again were passed on again'],
  [37367, 'a block of a failed checkpoint was taken to be there when the next one had removed it'],
];

const MANY = process.env.CENTINELA_LONG_TESTS === '1' ? 1000 : 30;

const MANY_KEYED = process.env.CENTINELA_LONG_TESTS === '1' ? 500 : 10;

async function expectRight(seed: number, stages: Scenario['stages'] = 'one'): Promise<void> {
  const { outcome, wrong } = await trySeed(seed, stages);
  if (wrong.length > 0) expect.fail(await tellFailure(outcome.scenario, wrong, false));
}

describe('the stream through crashes', () => {
  it.each(REGRESSIONS)('seed %i: %s', (seed) => expectRight(seed));

  it('keyed stages, seed 167: what an event out of time had made was seen by the next one, but not after a restart', () =>
    expectRight(167, 'keyed'));

  it(`and so do keyed stages, in ${MANY_KEYED}`, { timeout: 600_000 }, async () => {
    for (let seed = 1; seed <= MANY_KEYED; seed++) await expectRight(seed, 'keyed');
  });

  it(`decides everything once and the same, in ${MANY} seeds`, { timeout: 600_000 }, async () => {
    for (let seed = 1; seed <= MANY; seed++) await expectRight(seed);
  });

  it('is the same again from the same seed, to the last line of its story', async () => {
    const all = { ...scenarioOf(7), faults: new Set(FAULTS), workers: 3, partitions: 3, records: 120 };
    const [one, other] = [await tryScenario(all), await tryScenario(all)];
    expect(one.outcome.story.length).toBeGreaterThan(50);
    expect(other.outcome.story).toEqual(one.outcome.story);
  });
});
