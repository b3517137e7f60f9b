// A seed tried, and what is told of one that fails: what it needs of its troubles and records, and what happened.
import { checkOutcome } from './check-outcome.ts';
import { type Outcome, runScenario } from './run-scenario.ts';
import { type Scenario, scenarioOf } from './scenario.ts';

const LAST_LINES = 60;

export interface Tried {
  readonly outcome: Outcome;
  readonly wrong: readonly string[];
}

export async function tryScenario(scenario: Scenario): Promise<Tried> {
  const outcome = await runScenario(scenario);
  return { outcome, wrong: await checkOutcome(outcome) };
}

export function trySeed(seed: number, stages: Scenario['stages'] = 'one'): Promise<Tried> {
  return tryScenario(scenarioOf(seed, stages));
}

/** The smallest of its scenarios that still fails, and its story. */
export async function tellFailure(scenario: Scenario, wrong: readonly string[], whole: boolean): Promise<string> {
  const smallest = await shrink(scenario);
  const { outcome, wrong: still } = await tryScenario(smallest);
  const { stages, partitions, workers, records, faults } = smallest;
  return [
    `seed ${scenario.seed} fails: ${wrong.length} things are wrong`,
    ...wrong.slice(0, 6).map((what) => `  ${what}`),
    `it (stages: ${stages}) needs ${partitions} partitions, ${workers} workers, ${records} records and ${[...faults].join(', ') || 'no trouble'}:`,
    ...still.slice(0, 3).map((what) => `  ${what}`),
    ...outcome.story.slice(whole ? 0 : -LAST_LINES).map((line) => `    ${line}`),
  ].join('\n');
}

async function shrink(scenario: Scenario): Promise<Scenario> {
  let smallest = scenario;
  const tryInstead = async (change: Partial<Scenario>) => {
    const candidate = { ...smallest, ...change };
    if ((await tryScenario(candidate)).wrong.length > 0) smallest = candidate;
  };
  for (const fault of scenario.faults) {
    await tryInstead({ faults: new Set([...smallest.faults].filter((each) => each !== fault)) });
  }
  if (smallest.workers > 1) await tryInstead({ workers: 1 });
  if (smallest.partitions > 1) await tryInstead({ partitions: 1 });
  for (let records = smallest.records >> 1; records >= 5; records >>= 1) await tryInstead({ records });
  return smallest;
}
