import { describe, expect, test } from 'vitest';
import { counted, days, decimal, duration, factor, money, percent, windowText } from './format.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('numbers and money', () => {
  test.each([
    [0, 'PEN', 'S/ 0.00'],
    [5, 'PEN', 'S/ 0.05'],
    [123_456, 'PEN', 'S/ 1,234.56'],
    [100_000_000, 'USD', 'US$ 1,000,000.00'],
    [-500, 'PEN', '-S/ 5.00'],
    [1500, 'JPY', 'JPY 1,500'],
    [1500, 'KWD', 'KWD 1.500'],
    [1500, 'BOB', 'BOB 15.00'],
    [33.4, 'PEN', 'S/ 0.33'],
  ])('%d %s is %s', (minor, currency, text) => {
    expect(money(minor, currency)).toBe(text);
  });

  test('a negative number that rounds to zero carries no sign', () => {
    expect(decimal(-0.001, 2)).toBe('0.00');
    expect(money(-0, 'PEN')).toBe('S/ 0.00');
  });

  test.each([
    [1.64, '1.6'],
    [2, '2'],
    [9.96, '10'],
    [14.4, '14'],
    [12_345.6, '12,346'],
  ])('factor %d is %s', (value, text) => {
    expect(factor(value)).toBe(text);
  });

  test('a share is never rounded to nothing nor to all', () => {
    expect(percent(0.001)).toEqual({ es: 'menos de 1 %', en: 'less than 1%' });
    expect(percent(0.998)).toEqual({ es: '99 %', en: '99%' });
    expect(percent(1)).toEqual({ es: '100 %', en: '100%' });
    expect(percent(0)).toEqual({ es: '0 %', en: '0%' });
  });
});

describe('durations and windows', () => {
  test.each([
    [40_000, '40 s', '40 s'],
    [5 * 60_000, '5 min', '5 min'],
    [59.7 * 60_000, '1 h', '1 h'],
    [HOUR, '1 h', '1 h'],
    [DAY, '24 h', '24 h'],
    [2 * DAY, '2 días', '2 days'],
    [30 * DAY, '30 días', '30 days'],
  ])('%d ms', (ms, es, en) => {
    expect(duration(ms)).toEqual({ es, en });
  });

  test('one day is singular', () => {
    expect(days(DAY)).toEqual({ es: '1 día', en: '1 day' });
  });

  test('a window moved back says so', () => {
    expect(windowText(7 * DAY, 0)).toEqual({ es: 'en 7 días', en: 'in 7 days' });
    expect(windowText(7 * DAY, 7 * DAY)).toEqual({ es: 'entre hace 7 y 14 días', en: 'between 7 and 14 days ago' });
    expect(windowText(HOUR, 2 * HOUR)).toEqual({ es: 'entre hace 2 h y 3 h', en: 'between 2 h and 3 h ago' });
  });

  test('counted nouns agree in number', () => {
    const one = { es: 'pago', en: 'payment' };
    const many = { es: 'pagos', en: 'payments' };
    expect(counted(1, one, many)).toEqual({ es: '1 pago', en: '1 payment' });
    expect(counted(1200, one, many)).toEqual({ es: '1,200 pagos', en: '1,200 payments' });
  });
});
