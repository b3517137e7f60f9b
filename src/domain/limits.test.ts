import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayNumberOfIso } from './calendar.ts';
import { isNearThreshold, limitExceededBy, thresholdJustAbove, thresholdsOn, uitMinor } from './limits.ts';
import { LIMIT_RULES } from './limits-data.ts';
import { RAILS } from './transaction.ts';

const TODAY = dayNumberOfIso('2026-11-02');
const soles = (date: string, id: string) =>
  thresholdsOn(dayNumberOfIso(date)).find((threshold) => threshold.id === id && threshold.currency === 'PEN')
    ?.amountMinor;

test('limits in UIT follow the UIT of the year', () => {
  expect([2024, 2025, 2026].map(uitMinor)).toEqual([515_000, 535_000, 550_000]);
  expect([uitMinor(2000), uitMinor(2050)]).toEqual([415_000, 550_000]);
  expect([soles('2025-12-31', 'yape-max-month-in'), soles('2026-01-01', 'yape-max-month-in')]).toEqual([
    2_675_000, 2_750_000,
  ]);
  expect([soles('2026-03-11', 'e-money-max'), soles('2026-03-12', 'e-money-max')]).toEqual([169_500, 330_000]);
  expect(soles('2026-03-12', 'e-money-month')).toBe(1_540_000);
});

test('a limit begins and ends on its days', () => {
  expect([soles('2022-12-31', 'yape-max-day'), soles('2023-01-01', 'yape-max-day')]).toEqual([50_000, 200_000]);
  expect([soles('2022-03-31', 'means-of-payment'), soles('2022-04-01', 'means-of-payment')]).toEqual([
    350_000, 200_000,
  ]);
  expect(soles('2022-12-31', 'yape-otp')).toBeUndefined();
});

test('a threshold in dollars is placed in soles too, and says so', () => {
  const [dollars, inSoles] = thresholdsOn(TODAY).filter((threshold) => threshold.id === 'ro-single');
  expect([dollars!.amountMinor, dollars!.converted]).toEqual([1_000_000, false]);
  expect([inSoles!.currency, inSoles!.amountMinor, inSoles!.converted]).toEqual(['PEN', 3_360_000, true]);
});

describe('just below a threshold', () => {
  test.each([
    [2_399_999, 'PEN', 'cce-immediate', null, null],
    [2_400_000, 'PEN', 'cce-immediate', null, 'tin-max'],
    [2_999_999, 'PEN', 'cce-immediate', null, 'tin-max'],
    [3_000_000, 'PEN', 'cce-immediate', null, 'ro-single'],
    [49_000, 'PEN', 'yape', null, 'yape-otp'],
    [50_000, 'PEN', 'yape', null, null],
    [199_000, 'PEN', 'yape', null, 'yape-max-day'],
    [199_000, 'PEN', 'plin', null, null],
    [199_000, 'PEN', 'cash', 'branch', 'means-of-payment'],
    [290_000, 'PEN', 'card', 'atm', 'atm-max-day'],
    [290_000, 'PEN', 'card', 'pos', null],
    [950_000, 'USD', null, null, 'ro-single'],
    [950_000, 'EUR', null, null, null],
    [-49_000, 'PEN', 'yape', null, null],
  ] as const)('%d %s by %s at %s: %s', (amount, currency, rail, channel, id) => {
    expect(thresholdJustAbove(amount, currency, rail, TODAY, channel)?.id ?? null).toBe(id);
    expect(isNearThreshold(amount, currency, rail, TODAY, channel)).toBe(id !== null);
  });

  test('means at 80 % or more and under 100 % of the threshold named', () => {
    const rail = fc.constantFrom(null, ...RAILS);
    fc.assert(
      fc.property(
        fc.nat(60_000_000),
        fc.constantFrom('PEN', 'USD'),
        rail,
        fc.integer({ min: 17_000, max: 22_000 }),
        (amount, currency, by, day) => {
          const threshold = thresholdJustAbove(amount, currency, by, day);
          if (threshold === null) return;
          expect(amount / threshold.amountMinor).toBeGreaterThanOrEqual(0.8);
          expect(amount).toBeLessThan(threshold.amountMinor);
          expect([threshold.currency, threshold.splitTarget]).toEqual([currency, true]);
        },
      ),
    );
  });
});

test.each([
  [3_000_000, 'PEN', 'cce-immediate', null],
  [3_000_001, 'PEN', 'cce-immediate', 'tin-max'],
  [1_000_001, 'USD', 'cce-immediate', 'tin-max'],
  [200_001, 'PEN', 'yape', 'yape-max-day'],
  [50_001, 'PEN', 'yape', null],
  [330_001, 'PEN', 'e-money', 'e-money-max'],
  [900_000_000, 'PEN', 'lbtr', null],
  [900_000_000, 'PEN', 'card', null],
  [900_000_000, 'PEN', null, null],
] as const)('%d %s by %s exceeds %s', (amount, currency, rail, id) => {
  expect(limitExceededBy(amount, currency, rail, TODAY)?.id ?? null).toBe(id);
});

test('the table is whole: an amount or a UIT multiple, a source, dates in order, a known rail', () => {
  for (const rule of LIMIT_RULES) {
    expect([rule.id, (rule.amount === null) !== (rule.uitTenths === null)]).toEqual([rule.id, true]);
    expect([rule.id, rule.source.length > 0]).toEqual([rule.id, true]);
    expect([rule.id, rule.to === null || rule.from < rule.to]).toEqual([rule.id, true]);
    expect([null, ...RAILS]).toContain(rule.rail);
  }
});
