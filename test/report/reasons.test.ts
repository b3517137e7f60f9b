// The sentences an analyst reads: golden texts, and what must hold for any feature and any value.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reasonText } from '../../src/decisions/reason-codes.ts';
import { reasonsFor } from '../../src/decisions/reasons/reasons.ts';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import type { FeatureDefinition } from '../../src/features/definition.ts';
import { AMOUNT, DAY, definition, EVERY_DEFINITION, HOUR, MINUTE } from './feature-definitions.ts';

/** 2025-11-22 03:12 in Lima */
const NIGHT_MS = Date.UTC(2025, 10, 22, 8, 12);

const payment = (given: Partial<Transaction> = {}): Transaction =>
  createTransaction({
    id: 't1',
    eventTimeMs: NIGHT_MS,
    amountMinor: 140_000,
    currency: 'PEN',
    operation: 'transfer',
    payerId: 'c1',
    payeeId: 'b1',
    cardId: 'k1',
    deviceId: 'd1',
    terminalId: 't1',
    merchantId: 'm1',
    ubigeo: '150101',
    ...given,
  });

type Given = readonly [FeatureDefinition, value: number, contribution?: number];

function reasons(given: readonly Given[], transaction = payment(), limit = 3) {
  return reasonsFor({
    definitions: given.map(([each]) => each),
    values: Float64Array.from(given, ([, value]) => value),
    contributions: Float64Array.from(given, ([, , contribution]) => contribution ?? 1),
    transaction,
    limit,
  });
}

interface Golden {
  readonly name: string;
  readonly given: readonly Given[];
  readonly transaction?: Transaction;
  readonly code: string;
  readonly es: string;
  readonly en: string;
}

const count = (windowMs: number, given: Partial<FeatureDefinition> = {}) =>
  definition('payer', 'count', { windowMs, ...given });

const GOLDEN: readonly Golden[] = [
  {
    name: 'ratio to the mean',
    given: [[definition('payer', 'ratio-to-mean'), 14]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto 14 veces el promedio de 30 días del cliente (S/ 1,400.00 frente a S/ 100.00)',
    en: "Amount 14 times the customer's 30-day average (S/ 1,400.00 against S/ 100.00)",
  },
  {
    name: 'ratio to the median in dollars, of a customer at a merchant',
    given: [[definition('pair', 'ratio-to-median', { windowMs: 7 * DAY }), 2.55]],
    transaction: payment({ currency: 'USD', payeeId: null }),
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto 2.5 veces la mediana de 7 días del cliente en este comercio (US$ 1,400.00 frente a US$ 549.02)',
    en: "Amount 2.5 times the customer's 7-day median at this merchant (US$ 1,400.00 against US$ 549.02)",
  },
  {
    name: 'an amount far below is never called high',
    given: [[definition('payer', 'ratio-to-mean'), 0.01]],
    transaction: payment({ amountMinor: 100 }),
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto muy por debajo del promedio de 30 días del cliente (S/ 1.00 frente a S/ 100.00)',
    en: "Amount far below the customer's 30-day average (S/ 1.00 against S/ 100.00)",
  },
  {
    name: 'mean, with the amount as the feature that raised the score',
    given: [
      [AMOUNT, 140_000, 2],
      [definition('payer', 'mean'), 35_000, -0.1],
    ],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto 4 veces el promedio de 30 días del cliente (S/ 1,400.00 frente a S/ 350.00)',
    en: "Amount 4 times the customer's 30-day average (S/ 1,400.00 against S/ 350.00)",
  },
  {
    name: 'z-score with an absurd value',
    given: [[definition('card', 'z-score'), 1e7]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto de S/ 1,400.00, más de 50 desviaciones por encima del promedio de 30 días de la tarjeta',
    en: "Amount of S/ 1,400.00, more than 50 deviations above the card's 30-day average",
  },
  {
    name: 'ratio to the habitual payments',
    given: [[definition('payer', 'ratio-to-mean', { filter: 'habit' }), 14]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto 14 veces el promedio habitual de 30 días del cliente (S/ 1,400.00 frente a S/ 100.00)',
    en: "Amount 14 times the customer's 30-day habitual average (S/ 1,400.00 against S/ 100.00)",
  },
  {
    name: 'a filtered average says which payments it is of',
    given: [[definition('payer', 'ratio-to-mean', { filter: 'cash' }), 14]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Monto 14 veces el promedio de 30 días del cliente en operaciones en efectivo (S/ 1,400.00 frente a S/ 100.00)',
    en: "Amount 14 times the customer's 30-day average over cash transactions (S/ 1,400.00 against S/ 100.00)",
  },
  {
    name: 'largest amount',
    given: [[definition('payer', 'ratio-to-max'), 7]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'El mayor monto de 30 días del cliente: S/ 1,400.00; el máximo anterior fue S/ 200.00',
    en: "The customer's 30-day largest amount: S/ 1,400.00; the previous maximum was S/ 200.00",
  },
  {
    name: 'a total against the habit',
    given: [
      [definition('payer', 'sum', { windowMs: DAY }), 500_000],
      [definition('payer', 'sum', { windowMs: 30 * DAY }), 1_370_000, 0],
    ],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Acumulado de 24 h del cliente: S/ 5,000.00; lo habitual son S/ 300.00',
    en: "The customer's 24-hour total: S/ 5,000.00; usually S/ 300.00",
  },
  {
    name: 'a burst against the habit',
    given: [
      [count(HOUR), 12],
      [count(30 * DAY), 72, 0],
    ],
    code: 'FRECUENCIA_ALTA',
    es: '12 operaciones del cliente en 1 h; lo habitual son 2 al día',
    en: '12 transactions of the customer in 1 h; usually 2 a day',
  },
  {
    name: 'a burst where one a week is usual',
    given: [
      [count(DAY), 8],
      [count(30 * DAY), 12, 0],
    ],
    code: 'FRECUENCIA_ALTA',
    es: '8 operaciones del cliente en 24 h; lo habitual es 1 a la semana',
    en: '8 transactions of the customer in 24 h; usually 1 a week',
  },
  {
    name: 'nothing else in a month',
    given: [[count(30 * DAY), 1]],
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Ninguna otra operación del cliente en 30 días',
    en: 'No other transaction of the customer in 30 days',
  },
  {
    name: 'one decline, singular',
    given: [[definition('card', 'count', { windowMs: HOUR, filter: 'declined' }), 1]],
    code: 'RECHAZOS_PREVIOS',
    es: '1 rechazo de la tarjeta en 1 h',
    en: '1 decline of the card in 1 h',
  },
  {
    name: 'off-habit payments of several customers at a terminal',
    given: [[definition('terminal', 'count', { windowMs: 7 * DAY, filter: 'off-habit' }), 4]],
    code: 'RIESGO_DEL_TERMINAL',
    es: '4 pagos muy por encima del hábito de su cliente en el terminal en 7 días',
    en: "4 payments far above their customer's habit at the terminal in 7 days",
  },
  {
    name: 'an uncommon payment shortly before',
    given: [[definition('payer', 'time-since-last', { filter: 'off-habit' }), 2 * HOUR]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'Pago muy por encima de lo habitual del cliente hace 2 h',
    en: 'Payment far above the habitual of the customer 2 h ago',
  },
  {
    name: 'fan-out to payees and shops',
    given: [[definition('payer', 'distinct', { field: 'counterparty', windowMs: DAY }), 9]],
    code: 'ABANICO_SALIDA',
    es: 'El cliente pagó a 9 destinos distintos en 24 h',
    en: 'The customer paid 9 different destinations in 24 h',
  },
  {
    name: 'two countries in a day',
    given: [[definition('card', 'distinct', { field: 'country', windowMs: DAY }), 2]],
    code: 'PAIS_NUEVO',
    es: 'La tarjeta operó en 2 países distintos en 24 h',
    en: 'The card operated in 2 different countries in 24 h',
  },
  {
    name: 'most of the balance',
    given: [[definition('transaction', 'value', { field: 'balance-share', unit: 'ratio' }), 0.92]],
    code: 'MONTO_FUERA_DE_PERFIL',
    es: 'El pago toma el 92 % del saldo de la cuenta',
    en: "The payment takes 92% of the account's balance",
  },
  {
    name: 'an invalid CCI',
    given: [[definition('transaction', 'value', { field: 'invalid-payee-account', unit: 'boolean' }), 1]],
    code: 'CCI_INVALIDO',
    es: 'El CCI del beneficiario no es válido',
    en: "The payee's CCI is not valid",
  },
  {
    name: 'a stale date',
    given: [[definition('transaction', 'value', { field: 'ingest-lag', unit: 'ms' }), 5 * HOUR]],
    code: 'FECHA_INCONSISTENTE',
    es: 'Recibida 5 h después de su fecha',
    en: 'Received 5 h after its date',
  },
  {
    name: 'one factor on a digital channel',
    given: [[definition('transaction', 'value', { field: 'auth-factors', unit: 'count' }), 1]],
    transaction: payment({ channel: 'app', authFactors: ['password'] }),
    code: 'SIN_SEGUNDO_FACTOR',
    es: 'Canal digital con un solo factor de autenticación',
    en: 'Digital channel with a single authentication factor',
  },
  {
    name: 'share of declines',
    given: [[definition('card', 'share', { windowMs: DAY, filter: 'declined' }), 0.6]],
    code: 'RECHAZOS_PREVIOS',
    es: 'El 60 % de las operaciones de la tarjeta en 24 h fueron rechazadas',
    en: '60% of the transactions of the card in 24 h were declined',
  },
  {
    name: 'first payment to a payee',
    given: [[definition('pair', 'is-new'), 1]],
    code: 'BENEFICIARIO_NUEVO',
    es: 'Primera vez que paga a este beneficiario',
    en: 'First payment to this payee',
  },
  {
    name: 'first purchase at a merchant',
    given: [[definition('pair', 'is-new'), 1]],
    transaction: payment({ payeeId: null }),
    code: 'COMERCIO_NUEVO',
    es: 'Primera vez que compra en este comercio',
    en: 'First purchase at this merchant',
  },
  {
    name: 'a young account',
    given: [[definition('payer', 'age'), 3 * DAY]],
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'El historial del cliente empieza hace solo 3 días',
    en: 'The history of the customer starts only 3 days ago',
  },
  {
    name: 'a dormant account',
    given: [[definition('payer', 'time-since-last'), 95 * DAY]],
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Sin operaciones del cliente desde hace 95 días',
    en: 'No transactions of the customer for 95 days',
  },
  {
    name: 'a moment after the last one',
    given: [[definition('card', 'time-since-last'), 40_000]],
    code: 'FRECUENCIA_ALTA',
    es: 'Otra operación de la tarjeta hace 40 s',
    en: 'Another transaction of the card 40 s ago',
  },
  {
    name: 'a security event before',
    given: [[definition('payer', 'time-since-last', { filter: 'security' }), 12 * MINUTE]],
    code: 'CAMBIO_DE_CREDENCIALES',
    es: 'Evento de seguridad del cliente hace 12 min',
    en: 'Security event of the customer 12 min ago',
  },
  {
    name: 'no history',
    given: [[definition('payer', 'ratio-to-mean'), Number.NaN]],
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Sin historial previo del cliente en 30 días',
    en: 'No previous history of the customer in 30 days',
  },
  {
    name: 'a rare hour',
    given: [[definition('payer', 'hour-share'), 0.02]],
    code: 'HORA_INUSUAL',
    es: 'Operación a las 03:12, hora en la que el cliente casi nunca opera',
    en: 'Transaction at 03:12, an hour when the customer hardly ever operates',
  },
  {
    name: 'an hour never used',
    given: [[definition('payer', 'hour-share'), 0]],
    code: 'HORA_INUSUAL',
    es: 'Operación a las 03:12, hora en la que el cliente no operó en 30 días',
    en: 'Transaction at 03:12, an hour when the customer did not operate in 30 days',
  },
  {
    name: 'impossible travel',
    given: [[definition('card', 'speed'), 912]],
    code: 'DESPLAZAMIENTO_IMPOSIBLE',
    es: '912 km/h entre dos operaciones: desplazamiento imposible',
    en: '912 km/h between two transactions: impossible travel',
  },
  {
    name: 'pass-through',
    given: [[definition('payer', 'pass-through', { windowMs: DAY }), 0.94]],
    code: 'PASO_RAPIDO',
    es: 'El cliente reenvió el 94 % de lo recibido en 24 h',
    en: 'The customer sent on 94% of the money received in 24 h',
  },
  {
    name: 'the same amount again within minutes',
    given: [[definition('pair', 'same-amount', { windowMs: 5 * MINUTE }), 2]],
    code: 'DUPLICADO',
    es: '2 operaciones del cliente con este beneficiario por el mismo monto (S/ 1,400.00) en 5 min',
    en: '2 transactions of the customer with this payee for the same amount (S/ 1,400.00) in 5 min',
  },
  {
    name: 'fan-out',
    given: [[definition('payer', 'distinct', { field: 'payee', windowMs: DAY }), 14]],
    code: 'ABANICO_SALIDA',
    es: 'El cliente pagó a 14 beneficiarios distintos en 24 h',
    en: 'The customer paid 14 different payees in 24 h',
  },
  {
    name: 'card testing',
    given: [[definition('terminal', 'distinct', { field: 'card', windowMs: HOUR }), 40]],
    code: 'PRUEBA_DE_TARJETAS',
    es: '40 tarjetas distintas operaron en el terminal en 1 h',
    en: '40 different cards operated at the terminal in 1 h',
  },
  {
    name: 'confirmed frauds at a terminal',
    given: [[definition('terminal', 'fraud-count', { windowMs: 7 * DAY, delayMs: 7 * DAY }), 6]],
    code: 'RIESGO_DEL_TERMINAL',
    es: 'El terminal tuvo 6 fraudes confirmados entre hace 7 y 14 días',
    en: 'The terminal had 6 confirmed frauds between 7 and 14 days ago',
  },
  {
    name: 'one confirmed fraud',
    given: [[definition('terminal', 'fraud-count', { windowMs: 7 * DAY, delayMs: 7 * DAY }), 1]],
    code: 'RIESGO_DEL_TERMINAL',
    es: 'El terminal tuvo 1 fraude confirmado entre hace 7 y 14 días',
    en: 'The terminal had 1 confirmed fraud between 7 and 14 days ago',
  },
  {
    name: 'fraud rate',
    given: [[definition('terminal', 'fraud-rate', { windowMs: 30 * DAY, delayMs: 7 * DAY }), 0.125]],
    code: 'RIESGO_DEL_TERMINAL',
    es: 'El 13 % de las operaciones del terminal entre hace 7 y 37 días fue fraude confirmado',
    en: '13% of the transactions of the terminal between 7 and 37 days ago were confirmed fraud',
  },
  {
    name: 'a run of frauds',
    given: [[definition('terminal', 'fraud-run-length', { delayMs: 7 * DAY }), 3]],
    code: 'RIESGO_DEL_TERMINAL',
    es: 'Las últimas 3 operaciones del terminal con resultado conocido fueron fraude',
    en: 'The last 3 transactions of the terminal with a known outcome were fraud',
  },
  {
    name: 'ordinary values are stated plainly',
    given: [
      [AMOUNT, 140_000],
      [definition('payer', 'std', { meaning: { es: 'dispersión del monto', en: 'spread of the amount' } }), 5_000, 0.5],
    ],
    code: 'COMBINACION_INUSUAL',
    es: 'Combinación poco común: monto: S/ 1,400.00; dispersión del monto: S/ 50.00',
    en: 'Uncommon combination: amount: S/ 1,400.00; spread of the amount: S/ 50.00',
  },
];

describe('golden sentences', () => {
  test.each(GOLDEN)('$name', ({ given, transaction, code, es, en }) => {
    const [reason] = reasons(given, transaction ?? payment());
    expect({ code: reason?.code, es: reason?.es, en: reason?.en }).toEqual({ code, es, en });
  });
});

describe('choice of reasons', () => {
  test('windows of one thing become one reason with the weight of all', () => {
    const given: Given[] = [
      [definition('payer', 'ratio-to-mean', { windowMs: DAY }), 3, 1],
      [definition('payer', 'ratio-to-mean', { windowMs: 30 * DAY }), 14, 2],
      [definition('pair', 'is-new'), 1, 1],
    ];
    const found = reasons(given);
    expect(found.map(({ code, weight }) => [code, weight])).toEqual([
      ['MONTO_FUERA_DE_PERFIL', 0.75],
      ['BENEFICIARIO_NUEVO', 0.25],
    ]);
    expect(found[0].es).toContain('14 veces');
    expect(found[0].features).toHaveLength(2);
  });

  test('the amount lends its weight to the sentence on the amount', () => {
    const given: Given[] = [
      [AMOUNT, 140_000, 3],
      [definition('payer', 'ratio-to-mean'), 14, 1],
    ];
    expect(reasons(given)).toMatchObject([{ code: 'MONTO_FUERA_DE_PERFIL', weight: 1 }]);
  });

  test('what did not raise the score is no reason', () => {
    const given: Given[] = [
      [definition('pair', 'is-new'), 1, -1],
      [definition('card', 'speed'), 900, 1],
    ];
    expect(reasons(given).map(({ code }) => code)).toEqual(['DESPLAZAMIENTO_IMPOSIBLE']);
    expect(reasons([[definition('pair', 'is-new'), 1, -1]])).toEqual([]);
    expect(reasons([[definition('pair', 'is-new'), 1, Number.NaN]])).toEqual([]);
  });

  test.each([
    ['ratio near one', definition('payer', 'ratio-to-mean'), 1.1],
    ['no frauds', definition('terminal', 'fraud-count', { delayMs: 7 * DAY }), 0],
    ['not new', definition('pair', 'is-new'), 0],
    ['a slow trip', definition('card', 'speed'), 60],
    ['a low count', definition('payer', 'count', { windowMs: HOUR }), 2],
    ['a busy terminal', definition('terminal', 'count', { windowMs: HOUR }), 500],
    ['this off-habit payment alone', definition('terminal', 'count', { windowMs: DAY, filter: 'off-habit' }), 1],
    ['a busy terminal before the delay', definition('terminal', 'count', { windowMs: 7 * DAY, delayMs: 7 * DAY }), 90],
    ['an old customer', definition('payer', 'age'), 400 * DAY],
    ['little forwarded', definition('payer', 'pass-through'), 0.1],
  ])('%s is ordinary: stated plainly, never as unusual', (_, each, value) => {
    expect(reasons([[each, value]])).toMatchObject([
      { code: 'COMBINACION_INUSUAL', es: expect.stringMatching(/^Dato /) },
    ]);
  });

  test('a busy customer is compared with their own habit', () => {
    const given: Given[] = [
      [count(HOUR), 5],
      [count(30 * DAY), 3_600, 0],
    ];
    expect(reasons(given)[0].code).toBe('COMBINACION_INUSUAL');
  });

  test('a feature of something that the transaction does not name is not called new', () => {
    const given: Given[] = [
      [definition('device', 'is-new', { meaning: { es: 'dispositivo nuevo', en: 'new device' } }), 1],
    ];
    expect(reasons(given, payment({ deviceId: null }))[0].es).toBe('La operación no indica el dispositivo');
  });

  test('a combination says each thing once: not by its windows, nor by what the transaction does not name', () => {
    const given: Given[] = [
      [definition('payer', 'std', { windowMs: DAY, meaning: { es: 'dispersión', en: 'spread' } }), 5_000, 2],
      [definition('payer', 'std', { meaning: { es: 'dispersión larga', en: 'long spread' } }), 4_000, 1],
      [definition('device', 'count'), Number.NaN, 1],
      [definition('device', 'distinct', { field: 'payer' }), Number.NaN, 0.5],
    ];
    const [reason, ...others] = reasons(given, payment({ deviceId: null }));
    expect(others).toEqual([]);
    expect(reason.es).toBe('Combinación poco común: dispersión: S/ 50.00; la operación no indica el dispositivo');
    expect(reason.weight).toBe(1);
    expect(reason.features).toHaveLength(4);
  });

  test('a category is said in words, and one that is missing is not called a lack of history', () => {
    const channel: Given = [definition('transaction', 'value', { field: 'channel', unit: 'category' }), 2];
    const texts = (transaction: Transaction) => reasons([channel], transaction)[0].es;
    expect(texts(payment({ channel: 'atm' }))).toMatch(/: cajero automático$/);
    const missing: Given = [definition('transaction', 'value', { field: 'concept-length' }), Number.NaN];
    expect(reasons([missing])[0].es).toMatch(/: sin dato en la operación$/);
  });

  test('clock times follow the time zone of the file', () => {
    const definitions = [definition('payer', 'hour-share')];
    const [reason] = reasonsFor({
      definitions,
      values: Float64Array.of(0.01),
      contributions: Float64Array.of(1),
      transaction: payment(),
      utcOffsetMinutes: 0,
    });
    expect(reason.es).toContain('a las 08:12');
  });

  test('the hour of the row tells the time zone where it was not said', () => {
    const hour = (value: number): Given => [
      definition('transaction', 'value', { field: 'hour', unit: 'hour' }),
      value,
      0,
    ];
    const share: Given = [definition('payer', 'hour-share'), 0.01];
    expect(reasons([hour(8), share])[0].es).toContain('a las 08:12');
    expect(reasons([hour(23), share])[0].es).toContain('a las 23:12');
    expect(reasons([hour(Number.NaN), share])[0].es).toContain('a las 03:12');
  });
});

describe('the beginning of the data', () => {
  const at = (historyStartMs: number, given: readonly Given[]) =>
    reasonsFor({
      definitions: given.map(([each]) => each),
      values: Float64Array.from(given, ([, value]) => value),
      contributions: Float64Array.from(given, () => 1),
      transaction: payment(),
      historyStartMs,
    })[0].code;

  test('a customer as old as the data is not young', () => {
    const age: Given[] = [[definition('payer', 'age'), 14 * DAY]];
    expect(at(NIGHT_MS - 15 * DAY, age)).toBe('COMBINACION_INUSUAL');
    expect(at(NIGHT_MS - 60 * DAY, age)).toBe('CUENTA_NUEVA_O_DORMIDA');
  });

  test('in the first days nothing is called new', () => {
    expect(at(NIGHT_MS - DAY, [[definition('pair', 'is-new'), 1]])).toBe('COMBINACION_INUSUAL');
    expect(at(NIGHT_MS - 9 * DAY, [[definition('pair', 'is-new'), 1]])).toBe('BENEFICIARIO_NUEVO');
  });

  test('a habit is not thinned out over days that the data does not have', () => {
    const given: Given[] = [
      [count(DAY), 8],
      [count(30 * DAY), 38],
    ];
    expect(at(NIGHT_MS - 60 * DAY, given)).toBe('FRECUENCIA_ALTA');
    expect(at(NIGHT_MS - 7 * DAY, given)).toBe('COMBINACION_INUSUAL');
  });
});

const anyValue = fc.oneof(
  fc.constantFrom(
    Number.NaN,
    0,
    1,
    -1,
    0.5,
    2,
    1e12,
    -1e12,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e-9,
    1e300,
  ),
  fc.double({ min: 0, max: 20, noNaN: true }),
  fc.double({ min: 0, max: 1e11, noNaN: true }),
  fc.nat({ max: 500 }),
);

const anyPayment = fc.record({
  amountMinor: fc.oneof(fc.constantFrom(0, 1, -500), fc.nat({ max: 1e9 })),
  currency: fc.constantFrom('PEN', 'USD', 'JPY', 'EUR', 'XTS'),
  payerId: fc.constantFrom('c1', null),
  payeeId: fc.constantFrom('b1', null),
  terminalId: fc.constantFrom('t1', null),
  merchantId: fc.constantFrom('m1', null),
  deviceId: fc.constantFrom('d1', null),
  ubigeo: fc.constantFrom('150101', null),
});

const BAD =
  /NaN|undefined|null|Infinity|\[object| {2}|(^|[^\d.,])0 (veces|times)\b|\( *\)|\d{16}|[;:,]\s*$|^\s|\s$|e\+\d/;

function expectWellFormed(found: ReturnType<typeof reasonsFor>): void {
  expect(new Set(found.map(({ code }) => code)).size).toBe(found.length);
  for (const reason of found) {
    for (const text of [reason.es, reason.en]) {
      expect(text).not.toMatch(BAD);
      expect(text).toMatch(/^[\p{Lu}\d]/u);
      expect(text.length).toBeLessThan(400);
    }
    expect(reasonText(reason.code)).not.toBeNull();
    expect(reason.weight).toBeGreaterThan(0);
    expect(reason.weight).toBeLessThanOrEqual(1);
    expect(reason.features.length).toBeGreaterThan(0);
  }
}

describe('any feature, any value', () => {
  test('alone, it gives one well-formed reason', () => {
    const definitions = [...defaultCatalogue, ...EVERY_DEFINITION];
    fc.assert(
      fc.property(fc.constantFrom(...definitions), anyValue, anyPayment, (each, value, given) => {
        const found = reasons([[each, value]], payment(given));
        expect(found).toHaveLength(1);
        expectWellFormed(found);
      }),
      { numRuns: 2500 },
    );
  });

  test('in a whole row, the reasons differ and their weights are shares', () => {
    const row = [AMOUNT, ...defaultCatalogue, ...EVERY_DEFINITION.filter((_, index) => index % 17 === 0)];
    const numbers = fc.array(anyValue, { minLength: row.length, maxLength: row.length });
    fc.assert(
      fc.property(
        numbers,
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: row.length, maxLength: row.length }),
        anyPayment,
        (values, contributions, given) => {
          const found = reasons(
            row.map((each, index): Given => [each, values[index], contributions[index]]),
            payment(given),
          );
          expectWellFormed(found);
          expect(found.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(1 + 1e-9);
          // Reasons of under 5 % are dropped, so a row whose weight is spread thin may have none.
          if (!contributions.some((contribution) => contribution > 0)) expect(found).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
