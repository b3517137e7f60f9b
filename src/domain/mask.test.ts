import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completeCci } from './cci.ts';
import { maskCci, maskDni, maskDocument, maskIp, maskName, maskPan, maskPansIn, maskPhone, maskRuc } from './mask.ts';
import { completeRuc } from './ruc.ts';

test.each([
  [maskPan, '4111111111111111', '411111******1111'],
  [maskPan, '3782 822463 10005', '378282*****0005'],
  [maskPan, '4111111111111112', '************'],
  [maskCci, '00219300000000505616', '002-193-********5056-**'],
  [maskCci, '002-193-000000005056-16', '002-193-********5056-**'],
  [maskCci, '12345', '*****'],
  [maskDni, '12345678', '****5678'],
  [maskDni, '10117410-2', '****7410'],
  [maskDni, 'x', '*'],
  [maskRuc, '20512333797', '20*****3797'],
  [maskRuc, '10101174102', '10****7410*'],
  [maskRuc, '2051', '****'],
  [maskDocument, '12345678', '****5678'],
  [maskDocument, '20512333797', '20*****3797'],
  [maskDocument, '001234567', '******567'],
  [maskDocument, 'AB12', '****'],
  [maskPhone, '+51 987 654 123', '9** *** 123'],
  [maskPhone, '014567890', '*********'],
  [maskName, ' María  Elena Ñahui ', 'M**** E**** Ñ****'],
  [maskName, '', ''],
  [maskIp, '190.43.12.7', '190.43.*.*'],
  [maskIp, '2800:200:e840:1::5', '2800:200:e840:*'],
  [maskIp, '2800:200::5', '***********'],
  [
    maskPansIn,
    'pago 4111 1111 1111 1111 y CCI 01136600010003254221',
    'pago 411111******1111 y CCI 01136600010003254221',
  ],
  [maskPansIn, 'sin tarjeta', 'sin tarjeta'],
] as const)('%o(%s) is %s', (mask, text, shown) => {
  expect(mask(text)).toBe(shown);
});

describe('what is hidden stays hidden', () => {
  const digits = (length: number) =>
    fc.array(fc.nat(9), { minLength: length, maxLength: length }).map((list) => list.join(''));

  test('a mask shows at most the digits that it may', () => {
    const shown = (text: string) => text.replace(/\D/g, '').length;
    fc.assert(
      fc.property(digits(18), digits(8), digits(8), (first18, dni, rest) => {
        expect(shown(maskCci(completeCci(first18)))).toBe(10);
        expect(shown(maskDni(dni))).toBe(4);
        expect(shown(maskRuc(completeRuc(`20${rest}`)))).toBe(6);
        expect(shown(maskRuc(completeRuc(`10${dni}`)))).toBe(6);
        expect(shown(maskPan(`96040000${rest}`))).toBeLessThanOrEqual(10);
      }),
    );
  });

  test('a text that is not what the mask expects is hidden whole', () => {
    const masks = [maskPan, maskCci, maskDni, maskRuc, maskPhone, maskIp];
    fc.assert(
      fc.property(fc.string({ maxLength: 7 }), fc.constantFrom(...masks), (text, mask) => {
        fc.pre(!/^\d+\.\d+\.\d+\.\d+$|:.*:.*:/.test(text));
        expect(mask(text)).toMatch(/^\**$/);
      }),
    );
  });
});
