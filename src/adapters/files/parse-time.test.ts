import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type TimeFormat, TimeParser } from './parse-time.ts';
import { openTimeZone } from './time-zone.ts';

function parse(text: string, format: TimeFormat = 'iso', zone = 'America/Lima'): number {
  const bytes = Buffer.from(text);
  return new TimeParser(format, openTimeZone(zone)).parse(bytes, 0, bytes.length);
}

it.each<[string, TimeFormat, string]>([
  ['2026-11-22 10:20:30', 'iso', '2026-11-22T15:20:30.000Z'],
  ['2026-11-22T10:20:30.1239', 'iso', '2026-11-22T15:20:30.123Z'],
  ['2026-11-22T10:20:30Z', 'iso', '2026-11-22T10:20:30.000Z'],
  ['2026-11-22T10:20:30+05:30', 'iso', '2026-11-22T04:50:30.000Z'],
  ['2026-11-22 10:20:30+00', 'iso', '2026-11-22T10:20:30.000Z'],
  ['2026-11-22T10:20:30-0400', 'iso', '2026-11-22T14:20:30.000Z'],
  ['2026/11/22 10:20', 'iso', '2026-11-22T15:20:00.000Z'],
  ['2026-11-22', 'iso', '2026-11-22T05:00:00.000Z'],
  ['20261122 102030', 'iso', '2026-11-22T15:20:30.000Z'],
  ['20261122T102030Z', 'iso', '2026-11-22T10:20:30.000Z'],
  ['2016-12-31T23:59:60Z', 'iso', '2017-01-01T00:00:00.000Z'],
  ['2024-02-29', 'iso', '2024-02-29T05:00:00.000Z'],
  ['22/11/2026 10:20:30', 'day-month-year', '2026-11-22T15:20:30.000Z'],
  ['2/1/26', 'day-month-year', '2026-01-02T05:00:00.000Z'],
  ['22-11-2026 3:05 p. m.', 'day-month-year', '2026-11-22T20:05:00.000Z'],
  ['22.11.2026 12:05:01 AM', 'day-month-year', '2026-11-22T05:05:01.000Z'],
  ['11/22/2026 10:20:30 PM', 'month-day-year', '2026-11-23T03:20:30.000Z'],
  ['1795353300', 'epoch-seconds', '2026-11-22T13:15:00.000Z'],
  ['1795353300.25', 'epoch-seconds', '2026-11-22T13:15:00.250Z'],
  ['1795353300123', 'epoch-milliseconds', '2026-11-22T13:15:00.123Z'],
  ['1795353300123456', 'epoch-microseconds', '2026-11-22T13:15:00.123Z'],
])('reads %s as %s → %s', (text, format, expected) => {
  expect(new Date(parse(text, format)).toISOString()).toBe(expected);
});

it.each<[string, TimeFormat]>([
  ['', 'iso'],
  ['2026-13-01', 'iso'],
  ['2026-02-29', 'iso'],
  ['1900-02-29', 'iso'],
  ['2026-11-22 24:00:00', 'iso'],
  ['2026-11-22 10:60', 'iso'],
  ['2026-11-22 10:20:30 x', 'iso'],
  ['2026-11-22 10:20:30+25:00', 'iso'],
  ['2026-11', 'iso'],
  ['22/11/2026', 'iso'],
  ['31/04/2026', 'day-month-year'],
  ['1/2/123', 'day-month-year'],
  ['22/11/2026 13:00 PM', 'day-month-year'],
  ['12:00', 'day-month-year'],
  ['-', 'epoch-seconds'],
  ['12a', 'epoch-seconds'],
  ['1.2.3', 'epoch-milliseconds'],
])('refuses %j as %s', (text, format) => {
  expect(parse(text, format)).toBeNaN();
});

it('reads every instant as the engine writes it', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1970-01-02'), max: new Date('2199-12-31'), noInvalidDate: true }), (date) => {
      expect(parse(date.toISOString())).toBe(date.getTime());
      expect(parse(date.toISOString().slice(0, -1), 'iso', 'UTC')).toBe(date.getTime());
      expect(parse(date.toISOString().slice(0, -1), 'iso', '-05:00')).toBe(date.getTime() + 5 * 3_600_000);
      expect(parse(String(date.getTime()), 'epoch-milliseconds')).toBe(date.getTime());
    }),
  );
});

it('puts a date and a clock time of two fields together', () => {
  const parser = new TimeParser('day-month-year', openTimeZone('America/Lima'));
  const read = (date: string, clock: string) => {
    const bytes = Buffer.from(`${date}${clock}`);
    return parser.parseParts(bytes, 0, date.length, date.length, bytes.length);
  };
  expect(new Date(read('22/11/2026', '08:15:00')).toISOString()).toBe('2026-11-22T13:15:00.000Z');
  expect(new Date(read('22/11/2026 00:00:00', '8:15 pm')).toISOString()).toBe('2026-11-23T01:15:00.000Z');
  expect(read('22/11/2026 09:00:00', '8:15')).toBeNaN();
  expect(read('22/11/2026', 'x')).toBeNaN();
});

it('notices that the written offset changes', () => {
  const parser = new TimeParser('iso', openTimeZone('UTC'));
  for (const text of ['2026-01-01T00:00:00-05:00', '2026-01-01T00:00:00-04:00', '2026-01-01T00:00:00-04:00']) {
    parser.parse(Buffer.from(text), 0, text.length);
  }
  expect(parser.offsetChanges).toBe(1);
});
