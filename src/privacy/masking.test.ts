import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTransaction } from '../domain/transaction.ts';
import { HIDDEN, isPersonalField, maskFor, maskListed } from './masking.ts';
import { ID_FIELDS, SEALED_FIELDS } from './personal-fields.ts';
import { Scrubber } from './scrubber.ts';

const options = { mayRead: false, scrubber: new Scrubber() };
const transaction = createTransaction({
  ...{ id: 'T1', eventTimeMs: 1_790_000_000_000, amountMinor: 123_456_789_00, currency: 'PEN', concept: 'pago a Ana' },
  ...{ payerId: '40000001', payerName: 'NOMBRE APELLIDO', payerDocument: '40000001', payeeId: 'P7' },
  ...{ payerAccount: '00299900000000000118', payeeAccount: '19300000001234', cardId: '9604000000000019' },
  ...{ ipAddress: '190.43.1.2', latitude: -12.0464, longitude: -77.0428, ubigeo: '150101', mcc: '5411' },
});

describe('masking', () => {
  it('shows everything to who may read it', () => {
    expect(maskFor(transaction, { ...options, mayRead: true })).toBe(transaction);
  });

  it('masks field by field for others', () => {
    expect(maskFor(transaction, options)).toMatchObject({
      ...{ id: 'T1', eventTimeMs: 1_790_000_000_000, amountMinor: 123_456_789_00, currency: 'PEN', concept: HIDDEN },
      ...{ payerId: '****0001', payerName: 'N***** A*******', payerDocument: '****0001', payeeId: 'P7' },
      ...{ payerAccount: '002-999-********0001-**', payeeAccount: '**********1234', cardId: '960400******0019' },
      ...{ ipAddress: '190.43.*.*', latitude: null, longitude: null, ubigeo: '150101', mcc: '5411' },
    });
  });

  it('knows every personal field of a transaction', () => {
    for (const field of [...SEALED_FIELDS, ...ID_FIELDS]) expect(isPersonalField(field)).toBe(true);
  });

  it('hides a text whose field it does not know, at any depth, and a number that may be of somebody', () => {
    const masked = maskFor(
      { a: { b: [{ nickname: 'Ana' }] }, phoneNumber: 987_654_321, count: 12, risk: 0.5 },
      options,
    );
    expect(masked).toEqual({ a: { b: [{ nickname: HIDDEN }] }, phoneNumber: null, count: 12, risk: 0.5 });
  });

  it('masks an alert with its reasons, and what a known code turns out to be', () => {
    const alert = {
      ...{ transactionId: '9604000000000019', customerId: 'P1', rules: ['velocity@3'], risk: 0.97, atMs: 1.79e12 },
      reasons: [{ code: 'BENEFICIARIO_NUEVO', weight: 0.4, es: 'Primer pago a 987654321', en: 'First payment to P7' }],
      versions: { model: 'cards@12', rules: 'a3f9' },
      at: { partition: 3, offset: 987_654_321 },
    };
    expect(maskFor(alert, options)).toEqual({
      ...alert,
      transactionId: '960400******0019',
      reasons: [{ ...alert.reasons[0], es: 'Primer pago a [cel]' }],
    });
  });

  it('hides keys that are of somebody and what is no JSON', () => {
    const masked = maskFor({ counts: { '40000001': 3, P1: 2 }, bytes: new Uint8Array(3), when: new Date(0) }, options);
    expect(masked).toEqual({ counts: { [HIDDEN]: 3, P1: 2 }, bytes: HIDDEN, when: HIDDEN });
  });

  it('is not fooled by names of the language, nor by depth', () => {
    const nested = JSON.parse(`${'['.repeat(2000)}"Ana"${']'.repeat(2000)}`);
    expect(JSON.stringify(maskFor({ id: nested }, options))).toContain(HIDDEN);
    const odd = maskFor(JSON.parse('{"constructor":"Ana","toString":"Ana","hasOwnProperty":"Ana"}'), options);
    expect(JSON.stringify(odd)).not.toContain('Ana');
  });

  it('lets no personal value through, whatever else is in the object', () => {
    const secret = 'NOMBRESECRETO';
    fc.assert(
      fc.property(
        // Some names of letters alone, as short as `by`, are shown on purpose.
        fc.string().filter((name) => !/^[A-Za-z]+$/.test(name)),
        fc.constantFrom('payerName', 'payeeName', 'concept', 'payerDocument'),
        (other, field) => {
          const masked = maskFor({ [other]: secret, [field]: secret, list: [{ [field]: secret }] }, options);
          expect(JSON.stringify(masked)).not.toContain(secret);
        },
      ),
    );
  });
});

describe('a value of a kept list', () => {
  it.each([
    ['a document', '40000001', false, '****0001'],
    ['a CCI, however it is written', '002-999-000000000001-18', false, '002-999-********0001-**'],
    ['an account of the bank', '191-00012345', false, '********2345'],
    ['a name', 'NOMBRE APELLIDO', true, 'N***** A*******'],
    ['a name on an exact list', 'NOMBRE APELLIDO', false, 'N***** A*******'],
    ['a code of the bank', 'C-1042', false, 'C-1042'],
    ['a token', `dni_${'abcdefghijklmnop'.repeat(2)}`, false, `dni_${'abcdefghijklmnop'.repeat(2)}`],
    [
      'a token of a card',
      `pan_${'abcdefghijklmnop'.repeat(2)}_1234`,
      false,
      `pan_${'abcdefghijklmnop'.repeat(2)}_1234`,
    ],
  ])('%s is shown as far as it may be', (_, value, isName, shown) => {
    expect(maskListed(value, isName)).toBe(shown);
  });
});
