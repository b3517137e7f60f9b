import Holidays from 'date-holidays';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as calendar from './calendar.ts';

const day = calendar.dayNumberOfIso;
const dates = (numbers: readonly number[]) => numbers.map(calendar.isoDate);

const HOUR_MS = 3_600_000;
// Peru last moved its clocks in April 1994.
const FIRST_MS = Date.UTC(1995, 0, 1);
const LAST_MS = Date.UTC(2078, 0, 1);
const anyTime = fc.integer({ min: FIRST_MS, max: LAST_MS });
const anyDay = fc.integer({ min: day('1990-01-01'), max: day('2079-12-31') });

describe('time in Lima', () => {
  const clock = new Intl.DateTimeFormat('en-CA', {
    timeZone: 'America/Lima',
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  });

  test('date, hour, minute and weekday agree with the time zone database', () => {
    fc.assert(
      fc.property(anyTime, (timeMs) => {
        const parts = new Map(clock.formatToParts(timeMs).map((part) => [part.type, part.value]));
        const number = calendar.limaDayNumber(timeMs);
        expect(calendar.isoDate(number)).toBe(`${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`);
        expect(calendar.limaHour(timeMs)).toBe(Number(parts.get('hour')));
        expect(calendar.limaMinuteOfDay(timeMs) % 60).toBe(Number(parts.get('minute')));
        expect(calendar.dayOfWeek(number)).toBe((new Date(timeMs - 5 * HOUR_MS).getUTCDay() + 6) % 7);
      }),
    );
  });

  test('the day turns at 05:00 UTC', () => {
    const midnight = Date.UTC(2026, 10, 22, 5);
    expect(calendar.limaDayNumber(midnight) - calendar.limaDayNumber(midnight - 1)).toBe(1);
    expect([calendar.limaHour(midnight - 1), calendar.limaHour(midnight)]).toEqual([23, 0]);
    expect(calendar.startOfLimaDayMs(calendar.limaDayNumber(midnight))).toBe(midnight);
  });

  test('works before 1970', () => {
    expect(calendar.isoDate(calendar.limaDayNumber(Date.UTC(1900, 0, 1, 4)))).toBe('1899-12-31');
    expect(calendar.limaHour(Date.UTC(1900, 0, 1, 4))).toBe(23);
    expect(calendar.dayOfWeek(day('1900-01-01'))).toBe(0);
  });

  test('dates and day numbers are inverse', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (number) => {
        const { year, month, day: dayOfMonth } = calendar.civilOf(number);
        expect(calendar.dayNumberOf(year, month, dayOfMonth)).toBe(number);
        expect(dayOfMonth).toBeLessThanOrEqual(calendar.daysInMonth(year, month));
        const date = new Date(number * calendar.MS_PER_DAY);
        expect([year, month, dayOfMonth]).toEqual([date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]);
      }),
    );
  });
});

describe('holidays', () => {
  test('of 2026', () => {
    expect(dates(calendar.holidaysOf(2026))).toEqual([
      ...['2026-01-01', '2026-04-02', '2026-04-03', '2026-05-01', '2026-06-07', '2026-06-29', '2026-07-23'],
      ...['2026-07-28', '2026-07-29', '2026-08-06', '2026-08-30', '2026-10-08', '2026-11-01', '2026-12-08'],
      ...['2026-12-09', '2026-12-25'],
    ]);
  });

  test('Holy Week of three years', () => {
    expect(dates([2026, 2027, 2028].map((year) => calendar.easterSunday(year) - 3))).toEqual([
      '2026-04-02',
      '2027-03-25',
      '2028-04-13',
    ]);
  });

  // It counts Easter Sunday too, which Peru's law does not.
  const peru = new Holidays('PE');
  const theirs = (year: number): string[] =>
    peru
      .getHolidays(year)
      .filter((holiday) => holiday.type === 'public' && holiday.rule !== 'easter')
      .map((holiday) => holiday.date.slice(0, 10));
  test.each([2020, 2021, 2022, 2023, 2024, 2025, 2026, 2027, 2028, 2029, 2030])(
    'of %d agree with date-holidays',
    (year) => {
      const ours = dates(calendar.holidaysOf(year));
      expect(ours).toEqual([...new Set(theirs(year))].sort());
      expect(ours.every((date) => calendar.isHoliday(day(date)))).toBe(true);
    },
  );

  test('begin with their laws', () => {
    const first = (monthAndDay: string) =>
      [2020, 2021, 2022, 2023, 2024, 2025].find((year) => calendar.isHoliday(day(`${year}-${monthAndDay}`)));
    expect(['06-07', '07-23', '08-06', '12-09', '01-01'].map(first)).toEqual([2024, 2023, 2022, 2022, 2020]);
  });

  test('the quick table says what the list says', () => {
    fc.assert(
      fc.property(anyDay, (number) => {
        const { year } = calendar.civilOf(number);
        expect(calendar.isHoliday(number)).toBe(calendar.holidaysOf(year).includes(number));
      }),
    );
    expect([calendar.isHoliday(day('1989-12-25')), calendar.isHoliday(day('2080-01-01'))]).toEqual([false, false]);
  });

  test('days declared non-working are business days for banks', () => {
    expect(calendar.isExtraNonWorkingDay(day('2026-01-02'))).toBe(true);
    expect(calendar.isBusinessDay(day('2026-01-02'))).toBe(true);
    expect(calendar.isExtraNonWorkingDay(day('2026-01-03'))).toBe(false);
  });
});

describe('business days', () => {
  test('skip weekends and holidays both ways', () => {
    const from = day('2026-07-27');
    expect(dates([1, 2, 0, -1].map((count) => calendar.addBusinessDays(from, count)))).toEqual([
      '2026-07-30',
      '2026-07-31',
      '2026-07-27',
      '2026-07-24',
    ]);
  });

  test('going forth and back returns to a business day', () => {
    fc.assert(
      fc.property(fc.integer({ min: day('2000-01-01'), max: day('2060-01-01') }), fc.nat(40), (start, count) => {
        fc.pre(calendar.isBusinessDay(start));
        const later = calendar.addBusinessDays(start, count);
        expect(calendar.isBusinessDay(later)).toBe(true);
        expect(calendar.addBusinessDays(later, -count)).toBe(start);
      }),
    );
  });
});

describe('pay', () => {
  test('comes earlier where the day is closed', () => {
    expect(calendar.isoDate(calendar.quincenaPayDay(2026, 11))).toBe('2026-11-13');
    expect(calendar.isoDate(calendar.monthEndPayDay(2026, 10))).toBe('2026-10-30');
    expect(calendar.isoDate(calendar.monthEndPayDay(2026, 12))).toBe('2026-12-31');
  });

  test('its windows hold the pay day and the usual days', () => {
    const windowOf = (month: string, last: number, inside: (number: number) => boolean) =>
      Array.from({ length: last }, (_, i) => i + 1).filter((d) =>
        inside(day(`${month}-${String(d).padStart(2, '0')}`)),
      );
    expect(windowOf('2026-11', 30, calendar.isQuincena)).toEqual([13, 14, 15]);
    expect(windowOf('2026-02', 28, calendar.isMonthEndPay)).toEqual([27, 28]);
    expect(windowOf('2026-05', 31, calendar.isPaydayWindow)).toEqual([13, 14, 15, 28, 29, 30, 31]);
    // Holy Thursday and Friday of 2022 were 14 and 15 April: pay came on the 13th.
    expect(windowOf('2022-04', 30, calendar.isQuincena)).toEqual([13, 14, 15]);
    expect(windowOf('2025-08', 31, calendar.isMonthEndPay)).toEqual([28, 29, 30, 31]);
  });

  test('every pay day lies in its window and is a business day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1990, max: 2079 }), fc.integer({ min: 1, max: 12 }), (year, month) => {
        const [middle, end] = [calendar.quincenaPayDay(year, month), calendar.monthEndPayDay(year, month)];
        expect([middle, end].every(calendar.isBusinessDay)).toBe(true);
        expect([calendar.isQuincena(middle), calendar.isMonthEndPay(end)]).toEqual([true, true]);
      }),
    );
  });

  test('gratificación, CTS and utilidades have their weeks', () => {
    const within = (inside: (number: number) => boolean, ...list: string[]) => list.map((date) => inside(day(date)));
    expect(within(calendar.isGratificacionWindow, '2026-07-15', '2026-12-01', '2026-07-16', '2026-06-15')).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(within(calendar.isCtsWindow, '2026-05-01', '2026-11-15', '2026-11-16')).toEqual([true, true, false]);
    expect(within(calendar.isUtilidadesWindow, '2026-03-01', '2026-04-30', '2026-05-01')).toEqual([true, true, false]);
  });

  test('a campaign with known dates takes the place of the usual one', () => {
    const moved = { from: '2026-04-06', to: '2026-04-10', name: 'Cyber Wow', source: '' };
    const starts = (known: (typeof moved)[]) => dates(calendar.usualCampaigns(2026, known).map(({ from }) => from));
    expect(starts([])).toEqual(['2026-04-20', '2026-07-13', '2026-11-02']);
    expect(starts([moved])).toEqual(['2026-07-13', '2026-11-02']);
    expect(starts([{ ...moved, name: 'Cyber Days' }])).toHaveLength(3);
  });

  test('sale campaigns: known dates, and the usual week in other years', () => {
    const sales = ['2025-11-03', '2025-11-07', '2025-10-30', '2026-04-20', '2026-04-24', '2026-11-02'];
    expect(sales.map((date) => calendar.isSaleCampaign(day(date)))).toEqual(sales.map(() => true));
    const others = ['2025-11-08', '2026-04-19', '2026-04-25', '2026-11-07', '2025-10-31'];
    expect(others.map((date) => calendar.isSaleCampaign(day(date)))).toEqual(others.map(() => false));
  });
});
