// What one seed stands for: how many partitions and workers, how long a stream, and what goes wrong. Everything else (which
// records, when what strikes) follows from the seed, too.
import { createPrng } from '../../src/lib/prng.ts';

/** What may go wrong; each can be left out alone, to find what a failing seed needs. */
export const FAULTS = [
  'crashes',
  'zombies',
  'rebalances',
  'unavailable',
  'lost-answers',
  'outages',
  'redeliveries',
  'delays',
  'full-disk',
  'damage',
  'clock-jumps',
  'slow-steps',
  'missing-models',
  'slow-detectors',
  'failing-detectors',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Scenario {
  readonly seed: number;
  /** Each partition by itself, or every entity's transactions together. */
  readonly stages: 'one' | 'keyed';
  readonly partitions: number;
  readonly workers: number;
  readonly records: number;
  readonly faults: ReadonlySet<Fault>;
}

export function scenarioOf(seed: number, stages: Scenario['stages'] = 'one'): Scenario {
  const prng = createPrng(seed).fork(1);
  const partitions = 1 + prng.nextBelow(4);
  const workers = 1 + prng.nextBelow(3);
  const records = 50 + prng.nextBelow(251);
  // Some seeds have one kind of trouble, most have several.
  const share = prng.nextFloat();
  return { seed, stages, partitions, workers, records, faults: new Set(FAULTS.filter(() => prng.nextFloat() < share)) };
}
