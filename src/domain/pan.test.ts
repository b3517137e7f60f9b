import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findPans, isTestPan, isValidPan, parsePan, passesLuhn } from './pan.ts';

const SYNTHETIC = ['9604000000000019', '9604123456789016'];
const PUBLISHED = ['4111111111111111', '5555555555554444', '378282246310005'];

function withLuhn(payload: string): string {
  for (let digit = 0; digit <= 9; digit++) if (passesLuhn(`${payload}${digit}`)) return `${payload}${digit}`;
  throw new Error('one of ten digits always passes');
}

const pan = fc
  .tuple(fc.constantFrom('4', '51', '34', '9604'), fc.array(fc.nat(9), { minLength: 9, maxLength: 14 }))
  .map(([prefix, rest]) => withLuhn((prefix + rest.join('')).padEnd(12, '0')));

test.each([...SYNTHETIC, ...PUBLISHED])('%s is a valid number, known to be for tests', (number) => {
  expect(isValidPan(number)).toBe(true);
  expect(isTestPan(number)).toBe(true);
});

test.each(['4111111111111112', '411111111111', '41111111111111111115', '', '4111-1111-1111-1111', '411111111111111x'])(
  '%j is not valid',
  (number) => {
    expect(isValidPan(number)).toBe(false);
    expect(isTestPan(number)).toBe(false);
  },
);

test('keeps eight digits of the issuer and the last four', () => {
  expect(parsePan('9604 1234 5678 9016')).toEqual({ bin8: '96041234', last4: '9016', length: 16 });
  expect(parsePan('9604 1234 5678 9017')).toBeNull();
});

test('Luhn catches every wrong digit and every swap of neighbours but 0 and 9', () => {
  fc.assert(
    fc.property(pan, fc.nat(18), fc.integer({ min: 1, max: 9 }), (number, at, shift) => {
      const index = at % (number.length - 1);
      const wrong = number.slice(0, index) + ((Number(number[index]) + shift) % 10) + number.slice(index + 1);
      expect(passesLuhn(wrong)).toBe(false);
      const [a, b] = [number[index]!, number[index + 1]!];
      const swapped = number.slice(0, index) + b + a + number.slice(index + 2);
      expect(passesLuhn(swapped)).toBe(a === b || Math.abs(Number(a) - Number(b)) === 9);
    }),
  );
});

describe('finding numbers in free text', () => {
  test.each([
    ['pago con 4111111111111111 ayer', '4111111111111111'],
    ['tarjeta 4111 1111 1111 1111, vence', '4111111111111111'],
    ['4111-1111-1111-1111', '4111111111111111'],
    ['cuota 12 4111 1111 1111 1111', '4111111111111111'],
    ['amex 3782 822463 10005.', '378282246310005'],
    ['n° 9604123456789016', '9604123456789016'],
  ])('%s', (text, digits) => {
    const found = findPans(text);
    expect(found.map((span) => span.digits)).toEqual([digits]);
    expect(text.slice(found[0]!.start, found[0]!.end).replace(/\D/g, '')).toBe(digits);
  });

  test.each([
    'CCI 01136600010003254221',
    'hora 1767225600009',
    'RUC 20512333797',
    'celular 987654321 y 912345678',
    'tarjeta 4111111111111112',
    '',
  ])('%j has none', (text) => expect(findPans(text)).toEqual([]));

  test('what is found does not overlap, though a number may hold another', () => {
    const [longer, ...others] = findPans('42 4111111111111111');
    expect([longer?.digits, others]).toEqual(['424111111111111111', []]);
  });

  test('every number is found wherever it stands, and two are two', () => {
    const words = fc.constantFrom('', 'pago ', 'ref: ', 'visa n°');
    fc.assert(
      fc.property(words, pan, pan, (before, first, second) => {
        const found = findPans(`${before}${first}; ${second}.`);
        expect(found.map((span) => span.digits)).toEqual([first, second]);
      }),
    );
  });
});
