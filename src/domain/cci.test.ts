import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cciCheckDigits, cciCurrencyHint, completeCci, isValidCci, looksLikeCci, parseCci } from './cci.ts';
import { ENTITIES, entityOf } from './entities.ts';

// Examples printed by vendors and libraries (docs/domain.md): checksum strings only, never to be used as accounts.
const PUBLISHED = [
  ['01136600010003254221', '011'],
  ['01124100019000658270', '011'],
  ['01135600020019445039', '011'],
  ['00392401319240299683', '003'],
  ['00928021280006298996', '009'],
  ['03810110700064503226', '038'],
  ['04947900601503257899', '049'],
  ['01800000400588058608', '018'],
] as const;

const SYNTHETIC = [
  ...['00299900000000000118', '00399900000000000108', '00999900000000000148', '01199900000000000108'],
  ...['01899900000000000138', '03599900000000000128', '03899900000000000198', '04999900000000000168'],
  ...['05399900000000000198', '05499900000000000188', '05599900000000000178', '05699900000000000168'],
  ...['80399900000000000128', '80899900000000000178'],
];

const WRONG = [
  ...['01136200010004650000', '00219313660082002414', '00320000300123456745', '00219400234567810012'],
  ...['00219400205509302290', '01800000000012345602'],
];

const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((list) => list.join(''));
const validCci = digits(18).map(completeCci);

function replaceAt(text: string, index: number, by: string): string {
  return text.slice(0, index) + by + text.slice(index + by.length);
}

describe('published numbers', () => {
  test.each(PUBLISHED)('%s is valid and belongs to entity %s', (cci, entity) => {
    expect(isValidCci(cci)).toBe(true);
    expect(parseCci(cci)?.entity).toBe(entity);
    expect(entityOf(cci)?.certain).toBe(true);
  });

  test.each(SYNTHETIC)('%s (synthetic) is valid, of a known entity', (cci) => {
    expect(isValidCci(cci)).toBe(true);
    expect(entityOf(cci)).not.toBeNull();
  });

  test.each(WRONG)('%s is not valid', (cci) => {
    expect(isValidCci(cci)).toBe(false);
    expect(looksLikeCci(cci)).toBe(true);
    expect(parseCci(cci)).toBeNull();
  });

  test('the right control digits of two misprinted examples', () => {
    expect(cciCheckDigits('011362000100046500')).toBe('13');
    expect(cciCheckDigits('002193136600820024')).toBe('12');
  });
});

describe('shape', () => {
  test.each([
    '',
    '0113660001000325422',
    '011366000100032542210',
    '0113660001000325422A',
    '０１１３６６０００１０００３２５４２２１',
  ])('%j is no CCI', (text) => {
    expect(isValidCci(text)).toBe(false);
    expect(looksLikeCci(text)).toBe(false);
  });

  test('separators are for parsing only', () => {
    expect(isValidCci('011-366-000100032542-21')).toBe(false);
    expect(parseCci('011-366-000100032542-21')).toEqual({
      entity: '011',
      office: '366',
      account: '000100032542',
      control: '21',
      currencyHint: null,
    });
  });

  test('asks for 18 digits', () => {
    expect(() => cciCheckDigits('123')).toThrow(/18 digits/);
  });
});

describe('what the control digits catch', () => {
  test('every substitution of one digit', () => {
    fc.assert(
      fc.property(validCci, fc.nat(19), fc.integer({ min: 1, max: 9 }), (cci, index, shift) => {
        const wrong = replaceAt(cci, index, String((Number(cci[index]) + shift) % 10));
        expect(isValidCci(wrong)).toBe(false);
      }),
    );
  });

  test('every swap of neighbours but 0 and 9 inside one block', () => {
    fc.assert(
      fc.property(validCci, fc.nat(18), (cci, index) => {
        const [a, b] = [cci[index]!, cci[index + 1]!];
        const swapped = replaceAt(cci, index, b + a);
        const insideBlock = index < 17 && index !== 5;
        const isBlindSpot = insideBlock && Math.abs(Number(a) - Number(b)) === 9;
        expect(isValidCci(swapped)).toBe(a === b || isBlindSpot);
      }),
      { numRuns: 500 },
    );
  });

  test('but not the office of another account: the digits do not tell who owns it', () => {
    fc.assert(
      fc.property(validCci, validCci, (a, b) => {
        expect(isValidCci(b.slice(0, 6) + a.slice(6, 18) + b[18] + a[19])).toBe(true);
      }),
    );
  });
});

test('BCP numbers tell their currency', () => {
  expect(cciCurrencyHint(completeCci('002193100000000000'))).toBe('PEN');
  expect(cciCurrencyHint(completeCci('002193100000000100'))).toBe('USD');
  expect(cciCurrencyHint(completeCci('002193100000000700'))).toBeNull();
  expect(cciCurrencyHint(completeCci('011193100000000100'))).toBeNull();
  expect(cciCurrencyHint(completeCci('002999100000000100'))).toBeNull();
});

test('the table of entities has no code twice, and an unknown code is unknown', () => {
  expect(new Set(ENTITIES.map((entity) => entity.code)).size).toBe(ENTITIES.length);
  expect(entityOf('999')).toBeNull();
});
