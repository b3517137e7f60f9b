import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEVERITIES } from './notification.ts';
import { ChannelPlan, EMPTY_PLAN, MOST_GROUPS, type Placement, type PlanSettings, type PlanState } from './plan.ts';
import { freeFromMs, isWithinHours } from './quiet-hours.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** 2026-11-26 12:00 in Lima. */
const NOON_MS = Date.UTC(2026, 10, 26, 17);
const QUIET = { from: '22:00', to: '07:00', breaksThrough: ['critical' as const] };
const FREE: PlanSettings = { quietHours: null, rate: { most: 1000, perMs: MINUTE_MS } };

interface Step {
  readonly afterMs: number;
  readonly severity: (typeof SEVERITIES)[number];
  readonly isChallenge: boolean;
  readonly group: string | null;
}

interface Placed extends Step {
  readonly id: string;
  readonly nowMs: number;
  readonly placement: Placement;
}

const WINDOW_MS = 10 * MINUTE_MS;

function place(steps: readonly Step[], settings: PlanSettings, startMs: number): Placed[] {
  let state: PlanState = EMPTY_PLAN;
  let nowMs = startMs;
  return steps.map((step, index) => {
    nowMs += step.afterMs;
    // Through JSON, as the records keep it.
    const plan = new ChannelPlan(JSON.parse(JSON.stringify(state)) as PlanState, settings, nowMs);
    const id = `n${index}`;
    const placement = plan.place({
      ...{ groupKey: step.group, groupWindowMs: WINDOW_MS, messageId: `m-${id}` },
      notification: { kind: step.isChallenge ? 'challenge' : 'alert', severity: step.severity },
    });
    state = plan.state();
    return { ...step, id, nowMs, placement };
  });
}

const steps = fc.array(
  fc.record<Step>({
    afterMs: fc.oneof(fc.nat(2000), fc.nat(30 * MINUTE_MS), fc.nat(6 * HOUR_MS)),
    severity: fc.constantFrom(...SEVERITIES),
    isChallenge: fc.constant(false),
    group: fc.constantFrom(null, 'a', 'b', 'c'),
  }),
  { maxLength: 80 },
);
const anySettings = fc.record<PlanSettings>({
  quietHours: fc.constantFrom(null, QUIET, { from: '13:00', to: '14:30', breaksThrough: [] }),
  rate: fc.record({ most: fc.integer({ min: 1, max: 5 }), perMs: fc.constantFrom(MINUTE_MS, HOUR_MS) }),
});

describe('a channel plan', () => {
  it('tells the first of a group at once, the rest as one summary at the end of the window, and then as one more', () => {
    const at = (afterMs: number): Step => ({ afterMs, severity: 'low', isChallenge: false, group: 'a' });
    const placed = place([at(0), at(1000), at(1000), at(WINDOW_MS), at(1000)], FREE, NOON_MS);
    expect(placed.map(({ placement: { messageId, kind, dueMs } }) => [messageId, kind, dueMs - NOON_MS])).toEqual([
      ['m-n0', 'alone', 0],
      ['m-n1', 'opened', WINDOW_MS],
      ['m-n1', 'joined', WINDOW_MS],
      ['m-n3', 'opened', 2 * WINDOW_MS],
      ['m-n3', 'joined', 2 * WINDOW_MS],
    ]);
  });

  it('does not make what is critical wait for a summary that milder ones began', () => {
    const [, critical] = place(
      [
        { afterMs: 0, severity: 'low', isChallenge: false, group: 'a' },
        { afterMs: 1000, severity: 'critical', isChallenge: false, group: 'a' },
      ],
      FREE,
      NOON_MS,
    );
    expect(critical.placement).toMatchObject({ kind: 'alone', dueMs: NOON_MS + 1000 });
  });

  it('holds what comes at night until the morning, group by group, and lets critical through', () => {
    const night = Date.UTC(2026, 10, 27, 4);
    const step = (severity: Step['severity'], group: string | null): Step => ({
      ...{ afterMs: 1000, severity, isChallenge: false, group },
    });
    const placed = place(
      [
        step('high', 'a'),
        step('high', 'a'),
        step('low', 'b'),
        step('critical', 'a'),
        step('low', null),
        step('high', null),
      ],
      { ...FREE, quietHours: QUIET },
      night,
    );
    const morning = Date.UTC(2026, 10, 27, 12);
    expect(placed.map(({ placement: { messageId, dueMs } }) => [messageId, dueMs])).toEqual([
      ['m-n0', morning],
      ['m-n0', morning],
      ['m-n2', morning],
      ['m-n3', night + 4000],
      ['m-n4', morning],
      ['m-n4', morning],
    ]);
  });

  it('does not put off into quiet hours what finds no room before them', () => {
    const evening = Date.UTC(2026, 10, 27, 2, 30);
    const step: Step = { afterMs: 1000, severity: 'low', isChallenge: false, group: 'a' };
    const placed = place([step, step], { quietHours: QUIET, rate: { most: 1, perMs: HOUR_MS } }, evening);
    expect(placed.map(({ placement }) => placement.dueMs)).toEqual([evening + 1000, Date.UTC(2026, 10, 27, 12)]);
  });

  it('asks a customer at once, whatever the hour, the group or the rate', () => {
    fc.assert(
      fc.property(steps, anySettings, (sequence, settings) => {
        const asked = sequence.map((step) => ({ ...step, isChallenge: true }));
        for (const { placement, nowMs } of place(asked, settings, NOON_MS)) {
          expect(placement).toMatchObject({ kind: 'alone', dueMs: nowMs });
        }
      }),
      { numRuns: 30 },
    );
  });

  it('loses nothing: each notification is in a message that was begun and is still to be sent', () => {
    fc.assert(
      fc.property(steps, anySettings, (sequence, settings) => {
        const begun = new Map<string, number>();
        for (const { id, placement, nowMs } of place(sequence, settings, NOON_MS)) {
          if (placement.kind === 'joined') {
            expect(begun.get(placement.messageId)).toBe(placement.dueMs);
            expect(placement.dueMs).toBeGreaterThan(nowMs);
          } else {
            expect(placement.messageId).toBe(`m-${id}`);
            begun.set(placement.messageId, placement.dueMs);
            expect(placement.dueMs).toBeGreaterThanOrEqual(nowMs);
          }
        }
      }),
    );
  });

  it('keeps to the rate, to quiet hours, and to one message of a group in a window', () => {
    fc.assert(
      fc.property(steps, anySettings, (sequence, settings) => {
        const { most, perMs } = settings.rate;
        const inStretch = new Map<number, number>();
        const lastOf = new Map<string, number>();
        for (const { placement, severity, group } of place(sequence, settings, NOON_MS)) {
          if (placement.kind === 'joined') continue;
          const stretch = Math.floor(placement.dueMs / perMs);
          inStretch.set(stretch, (inStretch.get(stretch) ?? 0) + 1);
          expect(inStretch.get(stretch)).toBeLessThanOrEqual(most);
          expect(freeFromMs(settings.quietHours, severity, placement.dueMs)).toBe(placement.dueMs);
          // Overflow tells of several groups; where there is room each has its windows.
          if (group === null || most < 5 || perMs === HOUR_MS) continue;
          const key = `${severity === 'critical'}${group}`;
          const last = lastOf.get(key);
          if (last !== undefined) expect(placement.dueMs - last).toBeGreaterThanOrEqual(WINDOW_MS);
          lastOf.set(key, placement.dueMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('plans the same for the same input', () => {
    fc.assert(
      fc.property(steps, anySettings, (sequence, settings) => {
        expect(place(sequence, settings, NOON_MS)).toEqual(place(sequence, settings, NOON_MS));
      }),
      { numRuns: 30 },
    );
  });

  it('tells groups beyond its limit in the one summary of what is too much', () => {
    const plan = new ChannelPlan(EMPTY_PLAN, { quietHours: null, rate: { most: 10_000, perMs: MINUTE_MS } }, NOON_MS);
    const request = (index: number) => ({
      ...{ groupKey: `g${index}`, groupWindowMs: WINDOW_MS, messageId: `m${index}` },
      notification: { kind: 'alert' as const, severity: 'low' as const },
    });
    for (let index = 0; index < MOST_GROUPS; index++) expect(plan.place(request(index)).kind).toBe('alone');
    expect(plan.place(request(MOST_GROUPS))).toMatchObject({ kind: 'opened', messageId: `m${MOST_GROUPS}` });
    expect(plan.place(request(MOST_GROUPS + 1))).toMatchObject({ kind: 'joined', messageId: `m${MOST_GROUPS}` });
    expect(plan.state().groups.length).toBeLessThanOrEqual(MOST_GROUPS + 1);
  });

  it('does not join a summary that somebody has sent already', () => {
    const first = new ChannelPlan(EMPTY_PLAN, { ...FREE, quietHours: QUIET }, Date.UTC(2026, 10, 27, 4));
    const request = (messageId: string) => ({
      ...{ groupKey: 'a', groupWindowMs: WINDOW_MS, messageId },
      notification: { kind: 'alert' as const, severity: 'low' as const },
    });
    first.place(request('m1'));
    const nowMs = Date.UTC(2026, 10, 27, 5);
    const second = new ChannelPlan(first.state(), { ...FREE, quietHours: QUIET }, nowMs, new Set(['m1']));
    expect(second.place(request('m2'))).toMatchObject({ kind: 'opened', messageId: 'm2' });
  });
});

describe('quiet hours', () => {
  it('end where the clock says so, and hold for every minute before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * 365 * 24 * 60 }), fc.nat(59_999), (minute, ms) => {
        const timeMs = minute * MINUTE_MS + ms;
        const free = freeFromMs(QUIET, 'high', timeMs);
        // An independent clock: the time-zone data of the platform.
        const hour = Number(
          new Intl.DateTimeFormat('en-GB', { timeZone: 'America/Lima', hour: '2-digit', hourCycle: 'h23' }).format(
            free,
          ),
        );
        expect(hour >= 7 && hour < 22).toBe(true);
        expect(freeFromMs(QUIET, 'critical', timeMs)).toBe(timeMs);
        if (free !== timeMs) {
          expect(isWithinHours(QUIET, free - 1)).toBe(true);
          expect(free - timeMs).toBeLessThanOrEqual(9 * HOUR_MS);
        }
      }),
      { numRuns: 200 },
    );
  });
});
