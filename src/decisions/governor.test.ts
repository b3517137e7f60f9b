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

const calm = (timeMs: number): GovernorObservation => ({ timeMs, intended: 'approve', degraded: false, late: false });
const seconds = (from: number, to: number, of: (timeMs: number) => GovernorObservation) =>
  Array.from({ length: to - from }, (_, i) => of((from + i) * 1000));

describe('the governor', () => {
  it.each([
    ['blocked-share', (timeMs: number) => ({ timeMs, intended: 'decline', degraded: false, late: false }) as const],
    ['degraded-share', (timeMs: number) => ({ timeMs, intended: 'approve', degraded: false, late: true }) as const],
    ['degraded-share', (timeMs: number) => ({ timeMs, intended: 'approve', degraded: true, late: false }) as const],
  ])('steps in on %s, says so, and returns by itself', (cause, of) => {
    const reports = run([...seconds(0, 60, calm), ...seconds(60, 80, of), ...seconds(80, 200, calm)]);
    const steppedIn = reports.findIndex(({ alerts }) => alerts[0]?.kind === 'stepped-in');
    const returned = reports.findIndex(({ alerts }) => alerts[0]?.kind === 'returned');
    expect(reports[steppedIn]).toMatchObject({ severest: 'challenge', alerts: [{ cause, severest: 'challenge' }] });
    expect(reports[returned].alerts).toMatchObject([
      { cause, severest: null, lastedMs: (returned - steppedIn) * 1000 },
    ]);
    expect(reports.flatMap(({ alerts }) => alerts)).toHaveLength(2);
    expect(steppedIn).toBeGreaterThanOrEqual(60);
    expect(returned).toBeGreaterThan(80);
    expect(reports.slice(steppedIn, returned).every(({ severest }) => severest === 'challenge')).toBe(true);
    expect(reports.slice(returned).every(({ severest }) => severest === null)).toBe(true);
  });

  it('steps in on too many alerts however few transactions there are in all', () => {
    const review = (timeMs: number): GovernorObservation => ({
      timeMs,
      intended: 'review',
      degraded: false,
      late: false,
    });
    expect(run(seconds(0, 50, review)).every(({ severest }) => severest === null)).toBe(true);
    const { severest, alerts } = run(seconds(0, 51, review)).at(-1)!;
    expect(severest).toBe('challenge');
    expect(alerts).toMatchObject([{ kind: 'stepped-in', cause: 'alerts', measured: 51, limit: 50, timeMs: 50_000 }]);
  });

  it('does not judge shares of a handful of transactions', () => {
    const decline = (timeMs: number): GovernorObservation => ({
      timeMs,
      intended: 'decline',
      degraded: true,
      late: false,
    });
    expect(run(seconds(0, 19, decline)).every(({ severest }) => severest === null)).toBe(true);
  });

  it('does not flutter around a limit: between the two limits it stays as it is', () => {
    // 15 % blocked: below the limit of 20 %, above the 14 % at which it returns.
    const mixed = (timeMs: number): GovernorObservation => ({
      ...{ timeMs, degraded: false, late: false },
      intended: (timeMs / 1000) % 20 < 3 ? 'hold' : 'approve',
    });
    expect(run([...seconds(-40, 0, calm), ...seconds(0, 600, mixed)]).every(({ severest }) => severest === null)).toBe(
      true,
    );
    const blocked = (timeMs: number): GovernorObservation => ({
      timeMs,
      intended: 'hold',
      degraded: false,
      late: false,
    });
    const changes = run([...seconds(0, 30, calm), ...seconds(30, 60, blocked), ...seconds(60, 600, mixed)])
      .flatMap(({ alerts }) => alerts)
      .map(({ kind }) => kind);
    expect(changes).toEqual(['stepped-in']);
  });

  const observation = fc.record({
    timeMs: fc.integer({ min: 0, max: 400_000 }),
    intended: fc.constantFrom(...ACTIONS),
    degraded: fc.boolean(),
    late: fc.boolean(),
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
          expect(state.recent.total).toEqual({
            transactions: inside.length,
            blocked: inside.filter(({ intended }) => intended === 'hold' || intended === 'decline').length,
            alerts: inside.filter(({ intended }) => intended !== 'approve').length,
            degraded: inside.filter(({ degraded, late }) => degraded || late).length,
            late: inside.filter(({ late }) => late).length,
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
        for (const { severest, alerts } of run(given, settings)) {
          for (const { kind } of alerts) {
            expect(kind).toBe(active ? 'returned' : 'stepped-in');
            active = !active;
          }
          expect(severest).toBe(active ? 'challenge' : null);
        }
      }),
    );
  });

  describe('in silence', () => {
    const HOUR_MS = 3_600_000;
    const WATCHED = { ...DEFAULT_GOVERNOR, minAlertsShare: 0.01, minTransactions: 20 };
    const minutes = (fromHour: number, toHour: number, everyMinutes: number): GovernorObservation[] =>
      Array.from({ length: (toHour - fromHour) * 60 }, (_, i) => ({
        ...{ timeMs: fromHour * HOUR_MS + i * 60_000, degraded: false, late: false },
        intended: i % everyMinutes === 0 ? 'review' : 'approve',
      }));
    const changesOf = (given: readonly GovernorObservation[], settings: GovernorSettings) =>
      run(given, settings).flatMap(({ severest, alerts }) =>
        alerts.map(({ kind, ...alert }) => ({ kind, severest, alert })),
      );

    it('tells of it, holds nothing back, and tells when alerts come again', () => {
      const given = [...minutes(0, 30, 50), ...minutes(30, 90, 1e9), ...minutes(90, 130, 20)];
      const [silent, heard, ...more] = changesOf(given, WATCHED);
      expect(more).toEqual([]);
      expect(silent).toMatchObject({ kind: 'fell-silent', severest: null, alert: { cause: 'silence', limit: 0.01 } });
      expect(silent.alert.measured).toBeLessThan(0.01);
      expect(silent.alert.timeMs).toBeGreaterThan(30 * HOUR_MS);
      expect(silent.alert.timeMs).toBeLessThan(54 * HOUR_MS);
      expect(silent.alert.text.en).toMatch(/hardly raise alerts: 1\d \/ 1,\d{3} \(0\.9\d %\) .* in 24 h; at least 1 %/);
      expect(heard).toMatchObject({ kind: 'speaks-again', severest: null });
      expect(heard.alert.lastedMs).toBe(heard.alert.timeMs - silent.alert.timeMs);
    });

    it('does not watch it unless told to, nor judge before a whole window or a handful of transactions', () => {
      const mute = minutes(0, 100, 1e9);
      expect(changesOf(mute, { ...WATCHED, minAlertsShare: null })).toEqual([]);
      expect(changesOf(mute.slice(1, 24 * 60), WATCHED)).toEqual([]);
      expect(changesOf(mute, { ...WATCHED, minTransactions: 24 * 60 + 100 })).toEqual([]);
      expect(changesOf(mute.slice(1), WATCHED).map(({ kind }) => kind)).toEqual(['fell-silent']);
    });

    it('goes on from a stored state as if it had never stopped', () => {
      const given = [...minutes(0, 30, 50), ...minutes(30, 90, 1e9), ...minutes(90, 130, 20)];
      const state = createGovernorState();
      const first = given.slice(0, 4000).map((each) => govern(state, each, WATCHED));
      const restored = JSON.parse(JSON.stringify(state)) as typeof state;
      const rest = given.slice(4000).map((each) => govern(restored, each, WATCHED));
      expect([...first, ...rest]).toEqual(run(given, WATCHED));
    });
  });
});
