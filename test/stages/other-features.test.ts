// Records on their way through the stages when the features change.
import { expect, it } from 'vitest';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { keyedStages } from '../../src/pipeline/stream/stages/keyed-stages.ts';
import { VersionUnavailableError } from '../../src/pipeline/stream/versions.ts';
import { standardSetup } from './keyed-log.ts';
import { randomStream } from './random-bank.ts';
import { STAGE_TOPICS, TOPICS, wholeSetup } from './stage-runner.ts';

it('are not decided with other features than they were begun with, and still make a state anew', async () => {
  const { versions } = await standardSetup();
  const before = keyedStages(wholeSetup(defaultCatalogue), versions, TOPICS, STAGE_TOPICS);
  const [first] = before;
  const door = first.setup.createFold(first.setup.createEngine(), null, 0);
  const shape = { events: 20, mostLateMs: 0, longPauses: false, labelShare: 0 };
  const version = await versions.initial(defaultCatalogue);
  const records = randomStream(createPrng(3), shape).map((record, offset) => ({ ...record, offset, timestampMs: 0 }));
  const passed = door
    .take(records, version)
    .passed!.filter(({ topic }) => topic === STAGE_TOPICS.accounts)
    .map((record, offset) => ({ ...record, offset, timestampMs: 0 }));
  expect(passed.length).toBeGreaterThan(5);
  const fewer = defaultCatalogue.filter(({ id }) => id !== 'payer_count_1h');
  const after = keyedStages(wholeSetup(fewer), versions, TOPICS, STAGE_TOPICS).find(({ name }) => name === 'accounts')!;
  const fold = () => after.setup.createFold(after.setup.createEngine(), null, 0);
  expect(() => fold().take(passed, version)).toThrow(VersionUnavailableError);
  const silent = fold();
  expect(silent.take(passed, version, { isSilent: true })).toMatchObject({ passed: [], refused: [] });
  expect(silent.engine.counters().folded).toBe(passed.length);
});
