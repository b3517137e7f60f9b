import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNELS, createTransaction, OPERATIONS, RAILS, type Transaction } from './transaction.ts';
import { transactionJsonSchema } from './transaction-schema.ts';

const validate = new Ajv2020({ strict: true, allErrors: true }).compile(transactionJsonSchema());

const GOOD = { id: 'T1', eventTimeMs: 1_793_000_000_000, amountMinor: 12_345, currency: 'PEN' };

const errorsOf = (value: unknown): string[] =>
  validate(value) ? [] : validate.errors!.map((error) => error.instancePath);

test('a transaction with the least that it needs is valid, and has every field of the schema in its order', () => {
  const tx = createTransaction(GOOD);
  expect(errorsOf(tx)).toEqual([]);
  expect(Object.keys(tx)).toEqual(Object.keys(transactionJsonSchema().properties as object));
});

test('any transaction of the type is valid', () => {
  const text = (maxLength: number) => fc.option(fc.string({ minLength: 1, maxLength }));
  const given = fc.record({
    id: fc.string({ minLength: 1, maxLength: 64 }),
    eventTimeMs: fc.integer(),
    amountMinor: fc.maxSafeInteger(),
    currency: fc.constantFrom('PEN', 'USD'),
    operation: fc.constantFrom(...OPERATIONS),
    rail: fc.option(fc.constantFrom(...RAILS)),
    channel: fc.option(fc.constantFrom(...CHANNELS)),
    payerId: text(64),
    payeeName: text(140),
    concept: text(280),
    latitude: fc.option(fc.double({ min: -90, max: 90, noNaN: true })),
    isFraud: fc.option(fc.boolean()),
  });
  fc.assert(
    fc.property(given, (fields) => {
      expect(errorsOf(JSON.parse(JSON.stringify(createTransaction(fields))))).toEqual([]);
    }),
  );
});

describe('what is wrong is named', () => {
  const bad: readonly (readonly [string, Partial<Record<keyof Transaction, unknown>>])[] = [
    ['/amountMinor', { amountMinor: 12.5 }],
    ['/amountMinor', { amountMinor: '12' }],
    ['/currency', { currency: 'soles' }],
    ['/operation', { operation: 'gift' }],
    ['/rail', { rail: 'pigeon' }],
    ['/mcc', { mcc: '541' }],
    ['/ubigeo', { ubigeo: '15010' }],
    ['/latitude', { latitude: 91 }],
    ['/concept', { concept: '' }],
    ['/concept', { concept: 'x'.repeat(281) }],
    ['/authFactors/0', { authFactors: ['luck'] }],
    ['/status', { status: null }],
  ];
  test.each(bad)('%s', (path, fields) => {
    expect(errorsOf({ ...createTransaction(GOOD), ...fields })).toContain(path);
  });

  test('an unknown field, a missing field', () => {
    const { id: _, ...withoutId } = createTransaction(GOOD);
    expect(errorsOf(withoutId)).toEqual(['']);
    expect(errorsOf({ ...createTransaction(GOOD), pan: '4111111111111111' })).toEqual(['']);
  });
});

test('the document is plain JSON, new each time, and has a name', () => {
  const schema = transactionJsonSchema();
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  expect(transactionJsonSchema()).not.toBe(schema);
  expect([schema.title, schema.$id]).toEqual(['Transaction', 'https://centinela.dev/schemas/transaction.json']);
});
