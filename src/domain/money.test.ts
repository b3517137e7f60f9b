import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPossibleItf, itfMinor } from './itf.ts';
import { exponentOf, formatMinor, formatMoney, parseAmountMinor, parseCurrency } from './money.ts';

test.each([
  [123456, 'PEN', 'S/ 1,234.56'],
  [123456, 'USD', 'US$ 1,234.56'],
  [-500, 'PEN', '-S/ 5.00'],
  [7, 'PEN', 'S/ 0.07'],
  [0, 'PEN', 'S/ 0.00'],
  [100000000, 'PEN', 'S/ 1,000,000.00'],
  [1234, 'CLP', 'CLP 1,234'],
  [1234, 'KWD', 'KWD 1.234'],
  [Number.MAX_SAFE_INTEGER, 'PEN', 'S/ 90,071,992,547,409.91'],
] as const)('%d minor units of %s are written %s', (minor, currency, text) => {
  expect(formatMoney(minor, currency)).toBe(text);
});

test.each([
  ['1234.56', 2, 123456],
  ['1,234.5', 2, 123450],
  ['-0.01', 2, -1],
  ['+3', 2, 300],
  ['12.3400', 2, 1234],
  ['1234', 0, 1234],
  ['0.1', 3, 100],
  ['-0', 2, 0],
  ['90071992547409.91', 2, Number.MAX_SAFE_INTEGER],
  ['90071992547409.92', 2, null],
  ['12.345', 2, null],
  ['1,23.45', 2, null],
  ['1.5', 0, null],
  ['1e3', 2, null],
  ['', 2, null],
  ['.5', 2, null],
  ['NaN', 2, null],
  ['1.234,56', 2, null],
] as const)('%j with %d decimals is %s', (text, exponent, minor) => {
  expect(parseAmountMinor(text, exponent)).toBe(minor);
});

test('a decimal comma is read where it is said', () => {
  expect(parseAmountMinor('1.234,56', 2, ',')).toBe(123456);
  expect(parseAmountMinor('1,234.56', 2, ',')).toBeNull();
});

test('what is written is read back, and without going through a fraction', () => {
  const minor = fc.maxSafeInteger();
  fc.assert(
    fc.property(minor, fc.constantFrom('PEN', 'USD', 'JPY', 'KWD', 'CLF'), (amount, currency) => {
      const exponent = exponentOf(currency);
      expect(parseAmountMinor(formatMinor(amount, exponent), exponent)).toBe(amount === 0 ? 0 : amount);
    }),
  );
});

test('currencies are read from codes, numbers and usual names', () => {
  expect(['PEN', 'pen', '604', 'S/', 'S/.', 'soles', 'SOL'].map(parseCurrency)).toEqual(Array(7).fill('PEN'));
  expect(['USD', '840', 'US$', 'dólares'].map(parseCurrency)).toEqual(Array(4).fill('USD'));
  expect(['', '12', 'pesetas', '999'].map(parseCurrency)).toEqual([null, null, null, null]);
});

test.each([
  [99_999, 0],
  [100_000, 5],
  [199_999, 5],
  [200_000, 10],
  [1_234_567, 60],
  [3_000_000, 150],
  [0, 0],
])('the ITF of %d céntimos is %d', (amount, tax) => {
  expect(itfMinor(amount)).toBe(tax);
});

test('the ITF is the greatest multiple of S/ 0.05 within 0.005 %', () => {
  fc.assert(
    fc.property(fc.nat(2_000_000_000), (amount) => {
      const tax = itfMinor(amount);
      expect(tax % 5).toBe(0);
      expect(tax * 20_000).toBeLessThanOrEqual(amount);
      expect((tax + 5) * 20_000).toBeGreaterThan(amount);
      expect(isPossibleItf(tax)).toBe(tax > 0);
      expect(isPossibleItf(tax + 1)).toBe(false);
    }),
  );
});
