import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBusinessDay, limaDayNumber, limaMinuteOfDay } from '../domain/calendar.ts';
import { afterHours, claimDueMs, clockState, DEFAULT_SERVICE_LEVELS, dueOf, rosDueMs } from './service-levels.ts';
import { priorityOf, severityOf } from './severity.ts';

const HOUR = 3_600_000;
/** A time of the clocks in Lima (UTC−5). */
const lima = (text: string) => Date.parse(`${text}:00-05:00`);

describe('service levels', () => {
  it('count the hours of the bank where a level says so: no nights, weekends and holidays', () => {
    expect(afterHours(lima('2026-01-13T10:00'), HOUR, DEFAULT_SERVICE_LEVELS)).toBe(lima('2026-01-13T11:00'));
    expect(afterHours(lima('2026-01-13T17:30'), HOUR, DEFAULT_SERVICE_LEVELS)).toBe(lima('2026-01-14T09:30'));
    // Friday evening; the 29th of June (Saint Peter and Saint Paul) is a Monday in 2026.
    expect(afterHours(lima('2026-06-26T20:00'), 9 * HOUR, DEFAULT_SERVICE_LEVELS)).toBe(lima('2026-06-30T18:00'));
    expect(dueOf('critical', lima('2026-06-26T20:00')).firstLookDueMs).toBe(lima('2026-06-26T20:15'));
  });

  it('end within opening hours, and longer terms never end earlier', () => {
    const start = fc.integer({ min: lima('2026-01-01T00:00'), max: lima('2027-01-01T00:00') });
    const length = fc.integer({ min: 1, max: 100 * HOUR });
    fc.assert(
      fc.property(start, length, length, (startMs, a, b) => {
        const end = afterHours(startMs, a, DEFAULT_SERVICE_LEVELS);
        expect(isBusinessDay(limaDayNumber(end))).toBe(true);
        expect(limaMinuteOfDay(end - 1)).toBeGreaterThanOrEqual(9 * 60);
        expect(limaMinuteOfDay(end - 1)).toBeLessThan(18 * 60);
        expect(end).toBeGreaterThanOrEqual(startMs + a);
        expect(afterHours(startMs, a + b, DEFAULT_SERVICE_LEVELS)).toBe(afterHours(end, b, DEFAULT_SERVICE_LEVELS));
      }),
    );
  });

  it("give the law's terms: 24 hours for a ROS, the end of the fifteenth business day for a claim", () => {
    expect(rosDueMs(lima('2026-07-27T23:00'))).toBe(lima('2026-07-28T23:00'));
    // Of the days after the 15th of July 2026, the 23rd, 28th and 29th are holidays, and the 6th of August.
    expect(claimDueMs(lima('2026-07-15T08:00'))).toBe(lima('2026-08-12T00:00') - 1);
  });

  it('say whether a clock runs, is near its end, is over, or was stopped in time', () => {
    const clock = { startMs: 0, dueMs: 100, stoppedMs: null };
    expect([0, 79, 80, 100, 101].map((nowMs) => clockState(clock, nowMs))).toEqual([
      ...['running', 'running', 'near', 'near', 'breached'],
    ]);
    expect(clockState({ ...clock, stoppedMs: 100 }, 500)).toBe('met');
    expect(clockState({ ...clock, stoppedMs: 101 }, 500)).toBe('met-late');
  });
});

describe('severity and priority', () => {
  const record = { intended: 'review', risk: null, solesMinor: 100, reasons: [] } as const;

  it('give points to action, risk and amount', () => {
    expect(severityOf(record)).toBe('low');
    expect(severityOf({ ...record, risk: 0.6 })).toBe('medium');
    expect(severityOf({ ...record, intended: 'decline', risk: 0.5 })).toBe('high');
    expect(severityOf({ ...record, intended: 'decline', risk: 0.95, solesMinor: 500_000 })).toBe('critical');
    const reasons = [{ code: 'OPERACION_POST_BLOQUEO', weight: 0.1, es: '', en: '' }];
    expect(severityOf({ ...record, reasons })).toBe('critical');
  });

  it('order a queue as loss × risk × age doubled every four hours, at any time the same', () => {
    const one = fc.record({
      loss: fc.integer({ min: 0, max: 1e9 }),
      risk: fc.double({ min: 0.01, max: 1, noNaN: true }),
      at: fc.integer({ min: 0, max: 100 * HOUR }),
    });
    fc.assert(
      fc.property(one, one, fc.integer({ min: 0, max: 1000 * HOUR }), (a, b, nowMs) => {
        const weight = (of: typeof a) => (1 + of.loss / 100) * of.risk * 2 ** ((nowMs - of.at) / (4 * HOUR));
        const byWeight = Math.log2(weight(a)) - Math.log2(weight(b));
        if (Math.abs(byWeight) < 1e-6) return;
        const kept = (of: typeof a) => priorityOf('low', of.loss, of.risk, of.at);
        expect(Math.sign(kept(a) - kept(b))).toBe(Math.sign(byWeight));
      }),
    );
  });
});
