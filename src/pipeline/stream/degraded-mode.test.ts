import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASONS } from '../explain-decision.ts';
import { DEFAULT_DEGRADED_MODE, DegradedMode } from './degraded-mode.ts';
import { StepWatch } from './step-times.ts';

const { budgetMs, budgetRecords, restMs, mostRestMs, probeRecords } = DEFAULT_DEGRADED_MODE;

interface Given {
  readonly records?: number;
  readonly detectors?: Readonly<Record<string, number>>;
  readonly reasons?: number;
  readonly features?: number;
  readonly failed?: readonly string[];
}

/** A stream of runs whose parts take as long as is said, where they are not left out. */
function play() {
  const mode = new DegradedMode();
  let nowMs = 0;
  const first = new StepWatch(() => 0);
  for (const name of ['trees', 'network', 'forest']) first.detectors.set(name, 1);
  mode.observe({ records: 1, times: first, failed: [] }, nowMs);
  return {
    mode,
    wait: (ms: number) => {
      nowMs += ms;
    },
    next: () => mode.next(nowMs),
    run(given: Given) {
      const { leftOut, mostRecords } = mode.next(nowMs);
      const watch = new StepWatch(() => 0);
      for (const [name, tookMs] of Object.entries(given.detectors ?? {})) {
        if (!leftOut.includes(name)) watch.detectors.set(name, tookMs);
      }
      watch.steps.detect = [...watch.detectors.values()].reduce((sum, tookMs) => sum + tookMs, 0);
      watch.steps.reasons = leftOut.includes(REASONS) ? 0 : (given.reasons ?? 0);
      watch.steps.features = given.features ?? 1;
      const records = Math.min(mostRecords, given.records ?? 1);
      const failed = (given.failed ?? []).filter((name) => !leftOut.includes(name));
      const missed = mode.observe({ records, times: watch, failed }, nowMs);
      return { leftOut, missed };
    },
  };
}

const SLOW = { detectors: { trees: 2, network: 0.7 * budgetMs } };

describe('the degraded mode', () => {
  it('leaves nothing out while all is in time, nor for one slow run', () => {
    const { run, next } = play();
    for (let i = 0; i < 50; i++) run(i === 20 ? SLOW : { detectors: { trees: 2, network: 3 }, reasons: 1 });
    expect(next()).toEqual({ leftOut: [], mostRecords: Number.POSITIVE_INFINITY });
  });

  it('does not judge a detector by its first run, in which it loads what it needs', () => {
    const mode = new DegradedMode();
    const watch = new StepWatch(() => 0);
    for (const name of ['trees', 'network']) watch.detectors.set(name, 100 * budgetMs);
    watch.steps.detect = 200 * budgetMs;
    expect(mode.observe({ records: 1, times: watch, failed: [] }, 0)).toEqual(['detect']);
    expect(mode.next(0).leftOut).toEqual([]);
    mode.observe({ records: 1, times: watch, failed: [] }, 0);
    expect(mode.next(0).leftOut).toEqual(['trees']);
  });

  it('leaves out the detector that misses its deadline again and again, and tells the step', () => {
    const { run, next } = play();
    expect(run(SLOW).missed).toEqual(['detect']);
    run(SLOW);
    run(SLOW);
    expect(next().leftOut).toEqual(['network']);
  });

  it('leaves out the slowest of all where they are too slow together, one after the other, but not the last', () => {
    const { run, next } = play();
    const all = { detectors: { trees: 0.45 * budgetMs, network: 0.4 * budgetMs, forest: 0.3 * budgetMs } };
    for (let i = 0; i < 3; i++) run(all);
    expect(next().leftOut).toEqual(['trees']);
    const worse = { detectors: { trees: 1000, network: 1000, forest: 1000 } };
    for (let i = 0; i < 20; i++) run(worse);
    expect(next().leftOut.toSorted()).toEqual(['network', 'trees']);
  });

  it('gives large batches time in proportion, and acts at once where it is far too little', () => {
    const { run, next } = play();
    for (let i = 0; i < 9; i++) run({ records: 4 * budgetRecords, detectors: { trees: 1, network: 1.9 * budgetMs } });
    expect(next().leftOut).toEqual([]);
    run({ records: 4 * budgetRecords, detectors: { trees: 1, network: 20 * budgetMs } });
    expect(next().leftOut).toEqual(['network']);
  });

  it('leaves nothing out for what it cannot help', () => {
    const { run, next } = play();
    for (let i = 0; i < 9; i++) {
      expect(run({ features: 3 * budgetMs, detectors: { trees: 3, network: 3 } }).missed).toEqual(['features']);
    }
    expect(next().leftOut).toEqual([]);
  });

  it('leaves out reasons where they are what takes long', () => {
    const { run, next } = play();
    for (let i = 0; i < 3; i++) run({ detectors: { trees: 3 }, reasons: 0.8 * budgetMs });
    expect(next().leftOut).toEqual([REASONS]);
  });

  it('takes a late detector for the cause of late reasons', () => {
    const { run, next } = play();
    for (let i = 0; i < 3; i++) run({ ...SLOW, reasons: 2 * budgetMs });
    expect(next().leftOut).toEqual(['network']);
  });

  it('tries again after a rest, on few records; in vain it rests twice as long, up to a limit', () => {
    const { run, next, wait } = play();
    for (let i = 0; i < 3; i++) run(SLOW);
    let rest = restMs;
    for (let i = 0; i < 10; i++) {
      wait(rest - 1);
      expect(next().leftOut).toEqual(['network']);
      wait(1);
      expect(next()).toEqual({ leftOut: [], mostRecords: probeRecords });
      run(SLOW);
      rest = Math.min(mostRestMs, rest * 2);
    }
    expect(rest).toBe(mostRestMs);
  });

  it('takes back what is quick again, on trial: one relapse puts it out for twice as long', () => {
    const { run, next, wait } = play();
    const quick = { detectors: { trees: 2, network: 3 } };
    for (let i = 0; i < 3; i++) run(SLOW);
    wait(restMs);
    run(quick);
    run(quick);
    expect(next()).toEqual({ leftOut: [], mostRecords: Number.POSITIVE_INFINITY });
    run(SLOW);
    expect(next().leftOut).toEqual(['network']);
    wait(2 * restMs - 1);
    expect(next().leftOut).toEqual(['network']);
    wait(1);
    run(quick);
    // Once the trial is over it is as if nothing had been.
    wait(2 * restMs);
    run(SLOW);
    expect(next().leftOut).toEqual([]);
  });

  it('leaves out who fails at once, also the last one, and tries again', () => {
    const { run, next, wait } = play();
    run({ detectors: { trees: 1 }, failed: ['trees'] });
    expect(next().leftOut).toEqual(['trees']);
    wait(restMs);
    expect(run({ detectors: { trees: 1 }, failed: ['trees'] }).leftOut).toEqual([]);
    wait(restMs);
    expect(next().leftOut).toEqual(['trees']);
    wait(restMs);
    run({ detectors: { trees: 1 } });
    expect(next().leftOut).toEqual([]);
  });

  it('does not rest for longer because the clock was set back', () => {
    const { run, next, wait } = play();
    for (let i = 0; i < 3; i++) run(SLOW);
    wait(-10 * restMs);
    expect(next().leftOut).toEqual([]);
  });

  it('whatever happens: never every detector for want of time, and all are back once all is well', () => {
    const durations = fc.record({ trees: fc.nat(400), network: fc.nat(400), forest: fc.nat(400) });
    const step = fc.record({ detectors: durations, reasons: fc.nat(200), records: fc.integer({ min: 0, max: 300 }) });
    const property = fc.property(fc.array(fc.tuple(step, fc.nat(30_000)), { maxLength: 80 }), (steps) => {
      const { run, next, wait } = play();
      for (const [given, waitMs] of steps) {
        run(given);
        wait(waitMs);
        const { leftOut } = next();
        expect(leftOut.filter((name) => name !== REASONS).length).toBeLessThan(3);
      }
      for (let i = 0; i < 20; i++) {
        wait(mostRestMs);
        run({ detectors: { trees: 1, network: 1, forest: 1 }, reasons: 1 });
      }
      expect(next().leftOut).toEqual([]);
    });
    fc.assert(property);
  });
});
