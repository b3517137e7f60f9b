import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../rules/rule.ts';
import {
  createGovernorState,
  DEFAULT_GOVERNOR,
  type GovernorObservation,
  type GovernorSettings,
  govern,
} from './governor.ts';

const SETTINGS: GovernorSettings = {
  ...DEFAULT_GOVERNOR,
  ...{
    windowMs: 60_000,
    maxBlockedShare: 0.2,
    maxAlerts: 50,
    maxDegradedShare: 0.3,
    minTransactions: 20,
    calmMs: 5000,
  },
};
const BUCKET_MS = SETTINGS.windowMs / 60;

/** One a second unless said otherwise. */
function run(observations: readonly GovernorObservation[], settings = SETTINGS) {
  const state = createGovernorState();
  return observations.map((observation) => govern(state, observation, settings));
}

const calm = (timeMs: number): GovernorObservation => ({ timeMs, intended: 'approve', degraded: false });
const seconds = (from: number, to: number, of: (timeMs: number) => GovernorObservation) =>
  Array.from({ length: to - from }, (_, i) => of((from + i) * 1000));

describe('the governor', () => {
  it.each([
    ['blocked-share', (timeMs: number) => ({ timeMs, intended: 'decline', degraded: false }) as const],
    ['degraded-share', (timeMs: number) => ({ timeMs, intended: 'approve', degraded: true }) as const],
  ])('steps in on %s, says so, and returns by itself', (cause, of) => {
    const reports = run([...seconds(0, 60, calm), ...seconds(60, 80, of), ...seconds(80, 200, calm)]);
    const steppedIn = reports.findIndex(({ change }) => change === 'stepped-in');
    const returned = reports.findIndex(({ change }) => change === 'returned');
    expect(reports[steppedIn]).toEqual({ severest: 'challenge', change: 'stepped-in', cause });
    expect(steppedIn).toBeGreaterThanOrEqual(60);
    expect(returned).toBeGreaterThan(80);
    expect(reports.slice(steppedIn, returned).every(({ severest }) => severest === 'challenge')).toBe(true);
    expect(reports.slice(returned).every(({ severest }) => severest === null)).toBe(true);
  });

  it('steps in on too many alerts however few transactions there are in all', () => {
    const review = (timeMs: number): GovernorObservation => ({ timeMs, intended: 'review', degraded: false });
    expect(run(seconds(0, 50, review)).every(({ severest }) => severest === null)).toBe(true);
    expect(run(seconds(0, 51, review)).at(-1)).toEqual({
      severest: 'challenge',
      change: 'stepped-in',
      cause: 'alerts',
    });
  });

  it('does not judge shares of a handful of transactions', () => {
    const decline = (timeMs: number): GovernorObservation => ({ timeMs, intended: 'decline', degraded: true });
    expect(run(seconds(0, 19, decline)).every(({ severest }) => severest === null)).toBe(true);
  });

  it('does not flutter around a limit: between the two limits it stays as it is', () => {
    // 15 % blocked: below the limit of 20 %, above the 14 % at which it returns.
    const mixed = (timeMs: number): GovernorObservation => ({
      ...{ timeMs, degraded: false },
      intended: (timeMs / 1000) % 20 < 3 ? 'hold' : 'approve',
    });
    expect(run([...seconds(-40, 0, calm), ...seconds(0, 600, mixed)]).every(({ severest }) => severest === null)).toBe(
      true,
    );
    const blocked = (timeMs: number): GovernorObservation => ({ timeMs, intended: 'hold', degraded: false });
    const changes = run([...seconds(0, 30, calm), ...seconds(30, 60, blocked), ...seconds(60, 600, mixed)])
      .map(({ change }) => change)
      .filter((change) => change !== null);
    expect(changes).toEqual(['stepped-in']);
  });

  const observation = fc.record({
    timeMs: fc.integer({ min: 0, max: 400_000 }),
    intended: fc.constantFrom(...ACTIONS),
    degraded: fc.boolean(),
  });
  const observations = fc.array(observation, { maxLength: 300 });

  it('counts what a plain count over the window gives, in any order of events', () => {
    fc.assert(
      fc.property(observations, (given) => {
        const state = createGovernorState();
        given.forEach((each, index) => {
          govern(state, each, SETTINGS);
          const newest = Math.max(...given.slice(0, index + 1).map(({ timeMs }) => Math.floor(timeMs / BUCKET_MS)));
          // An event counts if it was within the window when it came and is so still.
          let newestThen = Number.NEGATIVE_INFINITY;
          const inside = given.slice(0, index + 1).filter(({ timeMs }) => {
            const bucket = Math.floor(timeMs / BUCKET_MS);
            newestThen = Math.max(newestThen, bucket);
            return bucket > newestThen - 60 && bucket > newest - 60;
          });
          expect(state.total).toEqual({
            transactions: inside.length,
            blocked: inside.filter(({ intended }) => intended === 'hold' || intended === 'decline').length,
            alerts: inside.filter(({ intended }) => intended !== 'approve').length,
            degraded: inside.filter(({ degraded }) => degraded).length,
          });
        });
      }),
      { numRuns: 50 },
    );
  });

  it('goes on from a stored state as if it had never stopped', () => {
    fc.assert(
      fc.property(observations, fc.nat({ max: 300 }), (given, at) => {
        const state = createGovernorState();
        const first = given.slice(0, at).map((each) => govern(state, each, SETTINGS));
        const restored = JSON.parse(JSON.stringify(state)) as typeof state;
        const rest = given.slice(at).map((each) => govern(restored, each, SETTINGS));
        expect([...first, ...rest]).toEqual(run(given));
      }),
    );
  });

  it('limits only between a stepping in and a return, which take turns', () => {
    fc.assert(
      fc.property(observations, (given) => {
        let active = false;
        const settings = { ...SETTINGS, minTransactions: 3, maxAlerts: 10 };
        for (const { severest, change } of run(given, settings)) {
          if (change !== null) {
            expect(change).toBe(active ? 'returned' : 'stepped-in');
            active = !active;
          }
          expect(severest).toBe(active ? 'challenge' : null);
        }
      }),
    );
  });
});
