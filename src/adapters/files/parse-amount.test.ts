import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AmountParser, parseDecimal, parseInteger } from './parse-amount.ts';

function parse(text: string, exponent = 2, mark: '.' | ',' = '.'): number {
  const bytes = Buffer.from(text);
  return new AmountParser(mark).parse(bytes, 0, bytes.length, exponent);
}

it.each([
  ['57.16', 5716],
  ['7.0', 700],
  ['154.11', 15411],
  ['0', 0],
  ['.5', 50],
  ['5.', 500],
  ['-12.30', -1230],
  ['12.30-', -1230],
  ['(12.30)', -1230],
  ['+12.3', 1230],
  ['\u221212.3', -1230],
  ['1,234.56', 123456],
  ['1 234 567.8', 123456780],
  ["1'234.56", 123456],
  ['S/ 1,234.56', 123456],
  ['S/. 1,234.56', 123456],
  ['S/.15', 1500],
  ['-S/ 20', -2000],
  ['US$ 10', 1000],
  ['12.50 PEN', 1250],
  ['12,50'.replace(',', '.'), 1250],
  ['1e3', 100000],
  ['1.5E+02', 15000],
  ['2.5e-1', 25],
  ['90071992547409.91', 9007199254740991],
])('reads %s as %d minor units', (text, minor) => {
  expect(parse(text)).toBe(minor);
});

it.each([
  '',
  '-',
  'abc',
  '12.3.4',
  '12,34',
  '1,2345.00',
  '--5',
  '5 abc def',
  '1.2e',
  'NaN',
  'Infinity',
  '0x10',
  '12 34',
  '90071992547409.92',
  '99999999999999999999',
  'S/',
  '1,,000',
  '(5',
  '-(5)',
  '5 $ 3',
])('refuses %j', (text) => {
  expect(parse(text)).toBeNaN();
});

it('reads the decimal comma where the mapping says so', () => {
  expect(parse('1.234,56', 2, ',')).toBe(123456);
  expect(parse('0,5', 2, ',')).toBe(50);
  expect(parse('12.50', 2, ',')).toBeNaN();
  expect(parse('12.345', 2, ',')).toBe(1234500);
});

it('follows the decimals of the currency', () => {
  expect(parse('1500', 0)).toBe(1500);
  expect(parse('1500.00', 0)).toBe(1500);
  expect(parse('1.234', 3)).toBe(1234);
});

it('rounds what is finer than the currency half to even, and counts it', () => {
  const parser = new AmountParser('.');
  const read = (text: string) => parser.parse(Buffer.from(text), 0, text.length, 2);
  expect([read('57.160000000001'), read('0.125'), read('0.135'), read('0.1251'), read('-0.015')]).toEqual([
    5716, 12, 14, 13, -2,
  ]);
  expect(parser.rounded).toBe(5);
  expect(read('1.5000')).toBe(150);
  expect(parser.rounded).toBe(5);
});

it('tells the currency written beside the amount', () => {
  const parser = new AmountParser('.');
  parser.parse(Buffer.from('US$ 10'), 0, 6, 2);
  expect(parser.currency).toBe('USD');
  parser.parse(Buffer.from('10'), 0, 2, 2);
  expect(parser.currency).toBeNull();
});

it('reads back every amount, plain or grouped', () => {
  const amount = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(
      amount,
      fc.constantFrom(0, 2, 3),
      fc.constantFrom<'.' | ','>('.', ','),
      fc.boolean(),
      (minor, exponent, mark, grouped) => {
        const digits = String(Math.abs(minor)).padStart(exponent + 1, '0');
        const whole = digits.slice(0, digits.length - exponent);
        const shown = grouped ? whole.replace(/\B(?=(?:\d{3})+$)/g, mark === '.' ? ',' : '.') : whole;
        const fraction = digits.slice(digits.length - exponent);
        const text = `${minor < 0 ? '-' : ''}${shown}${exponent === 0 ? '' : mark + fraction}`;
        expect(parse(text, exponent, mark)).toBe(minor);
      },
    ),
  );
});

it('reads decimals as the engine does', () => {
  fc.assert(
    fc.property(fc.double({ min: -180, max: 180, noNaN: true }), (value) => {
      const text = String(value);
      const bytes = Buffer.from(text);
      expect(parseDecimal(bytes, 0, bytes.length, '.')).toBe(Number(text));
    }),
  );
  const refused = ['', '-', '1.2.3', '1,5', 'x'].map((text) => parseDecimal(Buffer.from(text), 0, text.length, '.'));
  expect(refused).toEqual(refused.map(() => Number.NaN));
});

it('reads whole numbers only', () => {
  const read = (text: string) => parseInteger(Buffer.from(text), 0, text.length);
  expect([read('0'), read('-12'), read('9007199254740991')]).toEqual([0, -12, Number.MAX_SAFE_INTEGER]);
  expect([read(''), read('-'), read('1.0'), read('9007199254740992')]).toEqual([
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
});
