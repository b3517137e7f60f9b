import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endedBefore, keptUntil, planDeletions, type RetentionItem, retentionMonths } from './retention.ts';
import { RETENTION_CLASS_IDS, RETENTION_CLASSES } from './retention-data.ts';

const MONTHS = retentionMonths();
const at = (text: string) => Date.parse(text);

describe('retention', () => {
  it('keeps records against money laundering for ten years, to the end of the day in Lima', () => {
    const untilMs = keptUntil('cases', at('2026-11-26T23:30:00-05:00'), MONTHS);
    expect(new Date(untilMs).toISOString()).toBe('2036-11-27T05:00:00.000Z');
  });

  it('knows the ends of months and leap years', () => {
    const until = (from: string) => new Date(keptUntil('sessions', at(from), MONTHS) - 1).toISOString().slice(0, 10);
    expect(until('2026-01-31T12:00:00-05:00')).toBe('2026-03-01');
    expect(until('2028-01-31T12:00:00-05:00')).toBe('2028-03-01');
    expect(until('2026-12-31T12:00:00-05:00')).toBe('2027-02-01');
  });

  it('what ended before is what is kept no longer, on every day and for every class', () => {
    const days = fc.integer({ min: 0, max: 36_500 });
    const apart = fc.integer({ min: -4, max: 4 });
    fc.assert(
      fc.property(days, apart, fc.constantFrom(...RETENTION_CLASS_IDS), (day, off, classId) => {
        const nowMs = day * 86_400_000 + 43_200_000;
        const beforeMs = endedBefore(classId, nowMs, MONTHS);
        const endedMs = beforeMs + off * 43_200_000 + (off > 0 ? -1 : 0);
        return endedMs < beforeMs === keptUntil(classId, endedMs, MONTHS) <= nowMs;
      }),
    );
  });

  it('agrees with the calendar of the platform over all days of a century', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 36_500 }), fc.constantFrom(...RETENTION_CLASS_IDS), (day, classId) => {
        const from = new Date(day * 86_400_000);
        const wanted = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + MONTHS[classId], 1));
        const last = new Date(Date.UTC(wanted.getUTCFullYear(), wanted.getUTCMonth() + 1, 0)).getUTCDate();
        wanted.setUTCDate(Math.min(from.getUTCDate(), last));
        const noonInLima = day * 86_400_000 + 17 * 3_600_000;
        expect(keptUntil(classId, noonInLima, MONTHS)).toBe(wanted.getTime() + 29 * 3_600_000);
      }),
    );
  });

  const item = (change: Partial<RetentionItem>): RetentionItem => ({
    ...{ classId: 'cases', id: 'c1', newestMs: at('2010-01-01'), subjects: ['cli_a'] },
    ...change,
  });
  const plan = (one: RetentionItem, held: readonly string[] = []) =>
    planDeletions([one], new Set(held), MONTHS, at('2026-11-26'));

  it('deletes what is old, and keeps what is young, open or held', () => {
    expect(plan(item({})).deletions).toHaveLength(1);
    expect(plan(item({ newestMs: at('2020-01-01') })).retained[0].because).toBe('kept');
    expect(plan(item({ newestMs: null })).retained[0].because).toBe('open');
    expect(plan(item({}), ['cli_a']).retained[0]).toMatchObject({ because: 'held', subject: 'cli_a' });
    expect(plan(item({}), ['cli_b']).deletions).toHaveLength(1);
  });

  it('deletes from the first moment after the time, and not a moment before', () => {
    const one = item({});
    const untilMs = keptUntil('cases', one.newestMs!, MONTHS);
    expect(planDeletions([one], new Set(), MONTHS, untilMs - 1).deletions).toEqual([]);
    expect(planDeletions([one], new Set(), MONTHS, untilMs).deletions).toEqual([one]);
  });

  it('keeps what may be of somebody who is held, and deletes what is of nobody', () => {
    expect(plan(item({ subjects: null }), ['cli_b']).retained[0]).toMatchObject({ because: 'held', subject: null });
    expect(plan(item({ classId: 'rules', subjects: null }), ['cli_b']).deletions).toHaveLength(1);
  });

  it('never deletes before the time or what is held, and forgets nothing', () => {
    const anyItem = fc.record({
      ...{ classId: fc.constantFrom(...RETENTION_CLASS_IDS), id: fc.string() },
      newestMs: fc.option(fc.integer({ min: 0, max: 3e12 })),
      subjects: fc.option(fc.subarray(['cli_a', 'cli_b', 'cli_c'])),
    });
    fc.assert(
      fc.property(
        fc.array(anyItem),
        fc.subarray(['cli_a', 'cli_b']),
        fc.integer({ min: 0, max: 4e12 }),
        (all, held, now) => {
          const { deletions, retained } = planDeletions(all, new Set(held), MONTHS, now);
          expect(deletions.length + retained.length).toBe(all.length);
          for (const { classId, newestMs, subjects } of deletions) {
            expect(newestMs).not.toBeNull();
            expect(now - newestMs!).toBeGreaterThan((MONTHS[classId] / 12) * 365 * 86_400_000 - 4 * 86_400_000);
            if (RETENTION_CLASSES[classId].isHeld && held.length > 0) {
              expect(subjects !== null && !subjects.some((each) => held.includes(each))).toBe(true);
            }
          }
        },
      ),
    );
  });

  it('takes changes within what the law asks', () => {
    expect(retentionMonths({ cases: 180, sessions: 2 })).toMatchObject({ cases: 180, sessions: 2, alerts: 120 });
    for (const wrong of [{ cases: 12 }, { audit: 11 }, { sessions: 0 }, { sessions: 1.5 }, { toString: 5 }]) {
      expect(() => retentionMonths(wrong as Record<string, number>)).toThrow(/kept for|no class/);
    }
  });

  it('has a row for every class', () => {
    expect(Object.keys(RETENTION_CLASSES).sort()).toEqual([...RETENTION_CLASS_IDS].sort());
  });
});
