import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completeCci } from '../domain/cci.ts';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import { codesOfMask, QUALITY_CODES, type QualityCode, qualityFindings, qualityMask } from './data-quality.ts';

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 3, 17);

const CLEAN: Transaction = createTransaction({
  id: 'T1',
  eventTimeMs: NOON,
  ingestTimeMs: NOON + 800,
  amountMinor: 150_000,
  currency: 'PEN',
  operation: 'transfer',
  rail: 'cce-immediate',
  channel: 'app',
  payerId: 'C1',
  payerName: 'MARÍA ÑAHUI',
  payerDocument: '45678912',
  payerAccount: '01199900000000000108',
  payeeId: 'C2',
  payeeName: 'JOSÉ PEÑA',
  payeeDocument: '20512333797',
  payeeAccount: '00399900000000000108',
  concept: '¿alquiler? sí, de noviembre',
});

const findings = (fields: Partial<Transaction>) => qualityFindings({ ...CLEAN, ...fields });

test('a clean record has no finding', () => {
  expect(qualityMask(CLEAN)).toBe(0);
  expect(qualityFindings(CLEAN)).toEqual([]);
});

const SHOWS: readonly (readonly [QualityCode, string, Partial<Transaction>])[] = [
  ['CCI_INVALIDO', 'wrong control digits', { payeeAccount: '00399900000000000109' }],
  ['CCI_INVALIDO', 'of the payer', { payerAccount: '01136200010004650000' }],
  ['CCI_INVALIDO', 'whose currency then tells nothing', { payeeAccount: '00219310000000010099' }],
  ['CCI_INVALIDO', 'a lost zero', { payeeAccount: '0399900000000000108' }],
  ['CCI_INVALIDO', 'a spreadsheet', { payeeAccount: '3.999E+17' }],
  ['CCI_INVALIDO', 'a digit too many', { payeeAccount: '003999000000000001080' }],
  ['CCI_ENTIDAD_DESCONOCIDA', 'entity 999', { payeeAccount: completeCci('999001000000000001') }],
  ['RUC_INVALIDO', 'wrong check digit', { payeeDocument: '20512333798' }],
  ['RUC_INVALIDO', 'wrong prefix', { payerDocument: '12345678901' }],
  ['DNI_INVALIDO', 'a placeholder', { payerDocument: '00000000' }],
  ['DNI_INVALIDO', 'a lost zero', { payerDocument: '4567891' }],
  ['DNI_INVALIDO', 'wrong character', { payerDocument: '10117410-3' }],
  ['CONTRAPARTE_AUSENTE', 'nobody is paid', { payeeId: null, payeeDocument: null, payeeAccount: null }],
  ['CONTRAPARTE_AUSENTE', 'filled with zeros', { payeeId: '0000', payeeDocument: null, payeeAccount: null }],
  ['CONTRAPARTE_AUSENTE', 'a dash', { payeeId: '-', payeeDocument: null, payeeAccount: null }],
  ['CONTRAPARTE_AUSENTE', 'crosses', { payeeName: 'XXXX' }],
  ['CONTRAPARTE_AUSENTE', 'a name that is none', { payeeName: 'SIN NOMBRE' }],
  ['CONTRAPARTE_AUSENTE', 'nobody pays', { payerId: 'NULL', payerDocument: null, payerAccount: null }],
  ['FECHA_INCONSISTENTE', 'the epoch', { eventTimeMs: 0, ingestTimeMs: null }],
  ['FECHA_INCONSISTENTE', 'seconds taken for milliseconds', { eventTimeMs: 1_793_000_000, ingestTimeMs: null }],
  ['FECHA_INCONSISTENTE', '1900', { eventTimeMs: Date.UTC(1900, 0, 1), ingestTimeMs: null }],
  ['FECHA_INCONSISTENTE', 'the year 2999', { eventTimeMs: Date.UTC(2999, 0, 1), ingestTimeMs: null }],
  ['FECHA_INCONSISTENTE', 'from the future', { ingestTimeMs: NOON - 6 * 60_000 }],
  ['FECHA_INCONSISTENTE', 'Lima time read as UTC', { ingestTimeMs: NOON + 5 * HOUR_MS + 900 }],
  ['FECHA_INCONSISTENTE', 'a card stamped in the wrong zone', { rail: 'card', ingestTimeMs: NOON + 5 * HOUR_MS }],
  ['FECHA_INCONSISTENTE', 'a card file of two months ago', { rail: 'card', ingestTimeMs: NOON + 1500 * HOUR_MS }],
  ['FECHA_INCONSISTENTE', 'UTC read as Lima time', { ingestTimeMs: NOON - 5 * HOUR_MS }],
  ['FECHA_INCONSISTENTE', 'days late on an instant rail', { ingestTimeMs: NOON + 30 * HOUR_MS }],
  ['FECHA_INCONSISTENTE', 'months late', { rail: 'cce-deferred', ingestTimeMs: NOON + 1000 * HOUR_MS }],
  ['SIGNO_INVERTIDO', 'a negative transfer', { amountMinor: -150_000 }],
  ['POSIBLE_ERROR_DE_MONEDA', 'soles to a dollar account', { payeeAccount: completeCci('002193100000000100') }],
  [
    'POSIBLE_ERROR_DE_MONEDA',
    'dollars to a soles account',
    { payeeAccount: completeCci('002193100000000000'), currency: 'USD' },
  ],
  ['LIMITE_EXCEDIDO', 'above the immediate transfer', { amountMinor: 3_000_001 }],
  ['LIMITE_EXCEDIDO', 'above the wallet', { rail: 'yape', amountMinor: 200_100 }],
  ['CODIFICACION_ROTA', 'UTF-8 read as Windows-1252', { payerName: 'MARÃA Ã‘AHUI' }],
  ['CODIFICACION_ROTA', 'UTF-8 read as Latin-1', { concept: 'colaboraciÃ³n' }],
  ['CODIFICACION_ROTA', 'a sign after a stray Â', { concept: 'recibo NÂ° 5' }],
  ['CODIFICACION_ROTA', 'a replacement character', { payeeName: 'PE\ufffdA' }],
  ['CODIFICACION_ROTA', 'a question mark for Ñ', { payeeName: 'PE?A' }],
  ['CODIFICACION_ROTA', 'a control character', { concept: 'pago\u0000' }],
  ['DATOS_DE_PRUEBA', 'a test name', { payeeName: 'CLIENTE PRUEBA' }],
  ['DATOS_DE_PRUEBA', 'a test concept', { concept: 'Prueba 2', channel: 'batch' }],
  ['DATOS_DE_PRUEBA', 'a test card', { cardId: '411111******1111' }],
  ['DATOS_DE_PRUEBA', 'another test card', { cardId: '5555555555554444' }],
  ['ITF_INCORRECTO', 'no multiple of five céntimos', { operation: 'tax', concept: 'ITF', amountMinor: 7 }],
  ['ITF_INCORRECTO', 'a tax of nothing', { operation: 'tax', concept: 'cargo itf', amountMinor: 0 }],
];

test.each(SHOWS)('%s: %s', (code, _why, fields) => {
  expect(findings(fields)).toEqual([code]);
});

test('every code has an example above', () => {
  expect(new Set(SHOWS.map(([code]) => code))).toEqual(new Set(QUALITY_CODES));
});

test('the placeholder DNI 12345678 is test data as well', () => {
  expect(findings({ payerDocument: '12345678' })).toEqual(['DNI_INVALIDO', 'DATOS_DE_PRUEBA']);
});

const HONEST: readonly (readonly [string, Partial<Transaction>])[] = [
  [
    'an account of the same bank',
    { rail: 'internal', payerAccount: '19312345678012', payeeAccount: '001103660100032542' },
  ],
  ['a wallet alias', { rail: 'yape', payeeAccount: '987654321' }],
  ['a foreign document', { payerDocument: '001234567' }],
  ['a verification character', { payerDocument: '10117410-2' }],
  ['a purchase known by its terminal', { operation: 'purchase', payeeId: null, payeeAccount: null, terminalId: '42' }],
  ['customer number 0', { payerId: '0', payerDocument: null, payerAccount: null }],
  ['a cash withdrawal has no other side', { operation: 'cash-withdrawal', payeeId: null, payeeName: null }],
  ['no time of arrival', { ingestTimeMs: null }],
  ['a card file of last week', { rail: 'card', ingestTimeMs: NOON + 170 * HOUR_MS }],
  ['a batch five hours later', { rail: 'cce-deferred', ingestTimeMs: NOON + 5 * HOUR_MS }],
  ['a payroll file five hours later', { rail: 'internal', channel: 'batch', ingestTimeMs: NOON + 5 * HOUR_MS }],
  ['an instant rail after an outage', { ingestTimeMs: NOON + 7 * HOUR_MS }],
  ['a clock that drifts', { ingestTimeMs: NOON - 4 * 60_000 }],
  ['a refund with a minus', { operation: 'refund', amountMinor: -100 }],
  ['a reversal with a minus', { operation: 'reversal', amountMinor: -100 }],
  ['the longest own account of a bank', { payeeAccount: '001103660100032542' }],
  [
    'an exchange into a dollar account',
    { operation: 'currency-exchange', payeeAccount: completeCci('002193100000000100') },
  ],
  ['dollars to a dollar account', { payeeAccount: completeCci('002193100000000100'), currency: 'USD' }],
  ['above a limit but declined', { amountMinor: 3_000_001, status: 'declined' }],
  ['exactly the limit', { amountMinor: 3_000_000 }],
  ['Portuguese', { payeeName: 'JOÃO GUIMARÃES' }],
  ['quotation marks and a dash', { concept: '“pago” – cuota ½' }],
  ['a test of driving', { concept: 'prueba de manejo', channel: 'batch' }],
  ['a person trying a wallet', { concept: 'prueba' }],
  ['a surname', { payeeName: 'CONTESTI PRUEBAS' }],
  ['a synthetic card', { cardId: '9604000000000019' }],
  ['a right ITF', { operation: 'tax', concept: 'ITF', amountMinor: 60 }],
  ['another tax', { operation: 'tax', concept: 'SUNAT renta', amountMinor: 7 }],
];

test.each(HONEST)('no finding: %s', (_why, fields) => {
  expect(findings(fields)).toEqual([]);
});

describe('the mask', () => {
  test('holds the same findings as the list', () => {
    for (const [, , fields] of SHOWS) {
      expect(codesOfMask(qualityMask({ ...CLEAN, ...fields }))).toEqual(findings(fields));
    }
  });

  test('any text in any field has an answer', () => {
    const text = fc.option(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }));
    const given = fc.record({
      payerName: text,
      payeeName: text,
      concept: text,
      payeeAccount: text,
      payerDocument: text,
    });
    fc.assert(
      fc.property(given, fc.maxSafeInteger(), fc.maxSafeInteger(), (fields, amountMinor, eventTimeMs) => {
        const mask = qualityMask({ ...CLEAN, ...fields, amountMinor, eventTimeMs });
        expect(mask).toBeGreaterThanOrEqual(0);
        expect(mask).toBeLessThan(1 << QUALITY_CODES.length);
      }),
    );
  });

  test('a CCI is judged by its control digits alone', () => {
    const body = fc.array(fc.nat(9), { minLength: 15, maxLength: 15 }).map((list) => `003${list.join('')}`);
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 99 }), (first18, shift) => {
        const right = completeCci(first18);
        const control = String((Number(right.slice(18)) + shift) % 100).padStart(2, '0');
        expect(findings({ payeeAccount: right })).toEqual([]);
        expect(findings({ payeeAccount: first18 + control })).toEqual(['CCI_INVALIDO']);
      }),
    );
  });
});
