// `node test/simulation/run.ts --seeds 100000 --from 1 [--stages keyed]`: many seeds one after the other, each failing one with its story.
import { parseArgs } from 'node:util';
import { tellFailure, trySeed } from './try-seed.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '1000' },
    failures: { type: 'string', default: '3' },
    stages: { type: 'string', default: 'one' },
    story: { type: 'boolean', default: false },
  },
});
const [from, seeds, minutes, failures] = [values.from, values.seeds, values.minutes, values.failures].map(Number);
const endMs = performance.now() + minutes * 60_000;
const startedMs = performance.now();
let done = 0;
let failed = 0;
for (let seed = from; seed < from + seeds && performance.now() < endMs; seed++) {
  const { wrong, outcome } = await trySeed(seed, values.stages === 'keyed' ? 'keyed' : 'one');
  done++;
  if (wrong.length > 0) {
    failed++;
    process.stdout.write(`${await tellFailure(outcome.scenario, wrong, values.story)}\n`);
    if (failed >= failures) break;
  }
  if (done % 1000 === 0) process.stdout.write(`${done} seeds, ${failed} failed\n`);
}
const seconds = (performance.now() - startedMs) / 1000;
process.stdout.write(`${done} seeds from ${from} in ${seconds.toFixed(0)} s, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
