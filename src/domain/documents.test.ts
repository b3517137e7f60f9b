import fc from 'fast-check';
import { stdnum } from 'stdnum';
import { describe, expect, test } from 'vitest';
import { dniVerificationCharacter, isPlaceholderDni, parseDni } from './dni.ts';
import { documentKind, isForeignDocumentShape, isPlausibleDocument } from './documents.ts';
import { parseMobile } from './phone.ts';
import { completeRuc, dniOfRuc, isValidRuc, rucCheckDigit } from './ruc.ts';
import { isUbigeoShape } from './ubigeo.ts';

const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((list) => list.join(''));

describe('RUC', () => {
  const valid = [
    '20512333797',
    '20131312955',
    '20100070970',
    '20292005483',
    '20565449843',
    '20554133470',
    '10101174102',
  ];

  test.each(valid)('%s is valid', (ruc) => expect(isValidRuc(ruc)).toBe(true));

  test.each(['20600000081', '20600000030'])('%s, remainder 0 or 1, is valid', (ruc) => {
    expect(isValidRuc(ruc)).toBe(true);
  });

  test.each(['20512333798', '20131312950', '12345678901', '', '2051233379', '205123337970', '2051233379A'])(
    '%j is not valid',
    (ruc) => expect(isValidRuc(ruc)).toBe(false),
  );

  test.each(['11', '18', '21'])('prefix %s is not valid, whatever the check digit', (prefix) => {
    expect(isValidRuc(completeRuc(`${prefix}51233379`))).toBe(false);
  });

  test('agrees with stdnum on right and wrong numbers', () => {
    const prefix = fc.constantFrom('10', '15', '16', '17', '20');
    fc.assert(
      fc.property(prefix, digits(9), (start, rest) => {
        expect(isValidRuc(start + rest)).toBe(stdnum.PE!.ruc!.validate(start + rest).isValid);
        const complete = completeRuc((start + rest).slice(0, 10));
        expect(stdnum.PE!.ruc!.validate(complete).isValid).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('catches one wrong digit, but for remainders 0 and 10, which share check digit 1', () => {
    fc.assert(
      fc.property(digits(8), fc.nat(10), fc.integer({ min: 1, max: 9 }), (rest, index, shift) => {
        const ruc = completeRuc(`20${rest}`);
        const wrong = ruc.slice(0, index) + ((Number(ruc[index]) + shift) % 10) + ruc.slice(index + 1);
        if (isValidRuc(wrong)) expect([wrong[10], index === 10]).toEqual(['1', false]);
      }),
      { numRuns: 1000 },
    );
  });

  test('holds the DNI of a person', () => {
    expect(dniOfRuc('10101174102')).toBe('10117410');
    expect(dniOfRuc('20512333797')).toBeNull();
    expect(() => rucCheckDigit('1')).toThrow(/10 digits/);
  });
});

describe('DNI', () => {
  test.each(['10117410', '10117410-2', '101174102', '10117410-G', '10117410g', '12345678-1', '12345678E'])(
    '%s is right',
    (text) => expect(parseDni(text)).toBe(text.slice(0, 8)),
  );

  test.each(['10117410-3', '10117410-H', '1011741', '', '10117410-', '10117410-22', '1011741X', '10117410 2'])(
    '%j is wrong',
    (text) => expect(parseDni(text)).toBeNull(),
  );

  test.each([
    ['12345678', '1', 'E'],
    ['87654321', '0', 'D'],
    ['40000000', '5', 'J'],
    ['00000000', '6', 'K'],
  ])('%s has %s or %s', (dni, digit, letter) => {
    expect(dniVerificationCharacter(dni)).toEqual({ digit, letter });
  });

  test('agrees with stdnum on every digit (it does not take letters)', () => {
    fc.assert(
      fc.property(digits(8), fc.nat(9), (dni, digit) => {
        const isRight = stdnum.PE!.cui!.validate(`${dni}${digit}`).isValid;
        expect(parseDni(`${dni}${digit}`)).toBe(isRight ? dni : null);
      }),
    );
  });

  test('the letter catches every wrong digit', () => {
    fc.assert(
      fc.property(digits(8), fc.nat(7), fc.integer({ min: 1, max: 9 }), (dni, index, shift) => {
        const wrong = dni.slice(0, index) + ((Number(dni[index]) + shift) % 10) + dni.slice(index + 1);
        expect(parseDni(wrong + dniVerificationCharacter(dni).letter)).toBeNull();
      }),
    );
  });

  test('knows placeholders', () => {
    expect(['00000000', '12345678', '99999999', '87654321'].every(isPlaceholderDni)).toBe(true);
    expect(['10117410', '40000000', '12345679'].some(isPlaceholderDni)).toBe(false);
  });
});

describe('documents by their shape', () => {
  test.each([
    ['45678912', 'dni', true],
    ['12345678', 'dni', false],
    ['4567891', 'dni', false],
    ['12345', 'dni', false],
    ['1234', 'foreign', true],
    ['20512333797', 'ruc', true],
    ['20512333798', 'ruc', false],
    ['001234567', 'foreign', true],
    ['AB123456', 'foreign', true],
    ['A1', 'unknown', false],
    ['AB 123-456', 'unknown', false],
  ] as const)('%s is a %s, plausible: %s', (text, kind, plausible) => {
    expect(documentKind(text)).toBe(kind);
    expect(isPlausibleDocument(text)).toBe(plausible);
  });

  test('foreign documents have 4 to 12 letters or digits', () => {
    expect(['1234', 'X12345678901'].every(isForeignDocumentShape)).toBe(true);
    expect(['123', 'X123456789012', 'ÑAND'].some(isForeignDocumentShape)).toBe(false);
  });
});

test('mobiles are written in E.164', () => {
  const ways = ['987654321', '+51987654321', '51 987 654 321', '+51 (987) 654-321'];
  expect(ways.map(parseMobile)).toEqual(ways.map(() => '+51987654321'));
  expect(['887654321', '98765432', '+52987654321', '0051987654321', 'x987654321'].map(parseMobile)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('ubigeos have a department 01–25, a province and a district', () => {
  expect(['150101', '150122', '070101', '250101'].every(isUbigeoShape)).toBe(true);
  expect(['000101', '260101', '150001', '150100', '15010', '1501011', '15010a'].some(isUbigeoShape)).toBe(false);
});
