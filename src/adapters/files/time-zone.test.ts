import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openTimeZone } from './time-zone.ts';

const local = (text: string) => Date.parse(`${text}Z`);
const utc = (zone: string, text: string) => new Date(openTimeZone(zone).toUtc(local(text))).toISOString();

it('knows fixed offsets', () => {
  expect(utc('-05:00', '2026-01-01T00:00:00')).toBe('2026-01-01T05:00:00.000Z');
  expect(utc('UTC', '2026-01-01T00:00:00')).toBe('2026-01-01T00:00:00.000Z');
  expect(utc('+0530', '2026-01-01T00:00:00')).toBe('2025-12-31T18:30:00.000Z');
});

it('keeps Lima at UTC−5 all year', () => {
  for (const month of ['01', '04', '07', '10'])
    expect(utc('America/Lima', `2026-${month}-15T12:00:00`)).toBe(`2026-${month}-15T17:00:00.000Z`);
});

it('follows daylight saving time', () => {
  expect(utc('America/New_York', '2026-01-15T12:00:00')).toBe('2026-01-15T17:00:00.000Z');
  expect(utc('America/New_York', '2026-07-15T12:00:00')).toBe('2026-07-15T16:00:00.000Z');
});

it('takes a local time that happens twice as the first, and counts it', () => {
  const zone = openTimeZone('America/New_York');
  expect(new Date(zone.toUtc(local('2026-11-01T01:30:00'))).toISOString()).toBe('2026-11-01T05:30:00.000Z');
  expect(new Date(zone.toUtc(local('2026-11-01T02:00:00'))).toISOString()).toBe('2026-11-01T07:00:00.000Z');
  expect(zone.oddTimes()).toEqual({ ambiguous: 1, skipped: 0 });
});

it('moves a local time that never happens forward by the gap, and counts it', () => {
  const zone = openTimeZone('America/New_York');
  expect(new Date(zone.toUtc(local('2026-03-08T02:30:00'))).toISOString()).toBe('2026-03-08T07:30:00.000Z');
  expect(new Date(zone.toUtc(local('2026-03-08T03:00:00'))).toISOString()).toBe('2026-03-08T07:00:00.000Z');
  expect(zone.oddTimes()).toEqual({ ambiguous: 0, skipped: 1 });
});

it.each(['America/New_York', 'America/Santiago', 'Europe/Madrid', 'Australia/Lord_Howe', 'America/Lima'])(
  'turns the local clock of %s back into the instant',
  (name) => {
    const zone = openTimeZone(name);
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1995, 0, 1), max: Date.UTC(2030, 0, 1) }), (instant) => {
        const offset = zone.offsetMinutesAt(instant) * 60_000;
        const back = zone.toUtc(instant + offset);
        // The second of two equal readings comes back as the first, an offset's change earlier.
        const second =
          back !== instant && zone.offsetMinutesAt(back) * 60_000 + back === instant + offset && back < instant;
        expect(back === instant || second).toBe(true);
      }),
    );
  },
);

it('refuses what is no zone, and says what one is', () => {
  expect(() => openTimeZone('Peru/Lima')).toThrow(/'Peru\/Lima' is not a time zone.*America\/Lima/);
  expect(() => openTimeZone('+25:00')).toThrow(/not a time zone/);
});
