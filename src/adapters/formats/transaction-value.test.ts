import fc from 'fast-check';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { OPERATIONS, TransactionSchema } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import { decodeControl, decodeLabel } from './stream-values.ts';
import { decodeJsonTransaction, transactionOf } from './transaction-value.ts';

const REQUIRED = ['id', 'eventTimeMs', 'amountMinor', 'currency'];
/** The schema's own word, where fields may be left out. */
const oracle = Compile(
  Type.Object(
    Object.fromEntries(
      Object.entries(TransactionSchema.properties).map(([name, schema]) => [
        name,
        REQUIRED.includes(name) ? schema : Type.Optional(schema),
      ]),
    ),
    { additionalProperties: false },
  ),
);
const RIGHT = { id: 't-1', eventTimeMs: 1_760_000_000_000, amountMinor: 100, currency: 'PEN' };
const encoder = new TextEncoder();
const decode = (text: string) => decodeJsonTransaction(encoder.encode(text));

/** An answer or an InputError: nothing else may come of any bytes. */
function answer<T>(ask: () => T): T | InputError {
  try {
    return ask();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

const values = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    'PEN',
    'pen',
    -0,
    0.5,
    2 ** 53,
    -(2 ** 53),
    1e308,
    '1234',
    '150101',
    '\ud800',
  ),
  fc.constantFrom<unknown>('x'.repeat(64), 'x'.repeat(65), '😀'.repeat(33), '😀'.repeat(64), '😀'.repeat(65), [], {}, [
    'pin',
  ]),
  fc.constantFrom<unknown>(
    ...OPERATIONS,
    ['pin', 'otp-sms'],
    ['pin', 3],
    Array.from({ length: 9 }, () => 'pin'),
    90,
    -90.5,
  ),
  fc.string({ maxLength: 70 }),
  fc.integer(),
  fc.double(),
);
const fields = fc.constantFrom(...Object.keys(TransactionSchema.properties), 'amonut', 'constructor', 'toString');

describe('the value of a record', () => {
  it('is taken exactly where the schema takes it', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fields, values), { maxLength: 3 }), fc.subarray(REQUIRED), (changes, without) => {
        const value: Record<string, unknown> = { ...RIGHT, ...Object.fromEntries(changes) };
        if (without.length === 1) delete value[without[0]];
        const result = answer(() => transactionOf(value));
        expect(!(result instanceof InputError)).toBe(oracle.Check(value));
        if (!(result instanceof InputError)) taken++;
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it('is refused in words where it is hostile', () => {
    const json = JSON.stringify(RIGHT);
    const deep = '['.repeat(30_000);
    const texts = [
      ...['', 'null', '[]', '"x"', '1', `${deep}${']'.repeat(30_000)}`, deep, '{"a":'.repeat(10_000), `[${json}]`],
      ...[json.replace('{', '{"__proto__":{"id":"x"},'), json.replace('{', '{"constructor":1,')],
      ...[json.replace('100', '1e999'), json.replace('100', '9007199254740993'), json.replace('100', '1.5')],
      ...[json.replace('"t-1"', '{"toString":1}'), json.replace('"PEN"', '"PEN\\n"')],
    ];
    for (const text of texts) expect(() => decode(text), text.slice(0, 80)).toThrow(InputError);
    expect(() => decodeJsonTransaction(Uint8Array.of(0x7b, 0xff))).toThrow(/UTF-8/);
    expect(() => decode(JSON.stringify({ ...RIGHT, concept: 'x'.repeat(70_000) }))).toThrow(/bytes/);
  });

  it('does not let a prototype through in place of a field', () => {
    expect(() => decode('{"__proto__":{"id":"x","eventTimeMs":1,"amountMinor":1,"currency":"PEN"}}')).toThrow(
      InputError,
    );
    expect(({} as Record<string, unknown>).id).toBeUndefined();
  });

  it('names the fields that are wrong and never their values', () => {
    const error = answer(() => transactionOf({ ...RIGHT, payerName: 7, payerDocument: 'x'.repeat(17) })) as InputError;
    expect(error.message).toMatch(/payerName/);
    expect(error.message).not.toMatch(/xxxx/);
  });

  it('never holds a card number in clear', () => {
    expect(transactionOf({ ...RIGHT, cardId: '4111-1111-1111-1111' }).cardId).toMatch(/^tok_[0-9a-f]+_1111$/);
  });

  it('is an answer or an error in words for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const bytes = encoder.encode(text);
        for (const ask of [decodeJsonTransaction, decodeLabel, decodeControl]) answer<unknown>(() => ask(bytes));
      }),
    );
  });
});

describe('labels and changes', () => {
  const label = (value: unknown) => decodeLabel(encoder.encode(JSON.stringify(value)));
  const control = (value: unknown) => decodeControl(encoder.encode(JSON.stringify(value)));

  it('a label says true or false of a transaction and nothing else', () => {
    expect(label({ ...RIGHT, isFraud: true })).toMatchObject({ isFraud: true, transaction: RIGHT });
    for (const wrong of [
      RIGHT,
      { ...RIGHT, isFraud: 1 },
      { ...RIGHT, isFraud: true, payerName: 'x' },
      { isFraud: true },
    ]) {
      expect(() => label(wrong)).toThrow(InputError);
    }
  });

  it('a change names a model with its version: a name alone would be another one tomorrow', () => {
    expect(control({ model: 'peru@3' })).toEqual({ model: 'peru@3' });
    expect(control({ model: null, rules: [{ path: 'a', text: 'b' }] })).toMatchObject({ model: null });
    for (const wrong of [
      {},
      { model: 'peru' },
      { model: '../x@1' },
      { model: 7 },
      { rules: [{ path: 'a' }] },
      { modle: null },
    ]) {
      expect(() => control(wrong)).toThrow(InputError);
    }
  });

  it('a change of overrides and lists is whole, and says nothing else', () => {
    const override = { ruleId: 'a', field: 'payerId', value: 'C-1', untilMs: 5, reason: 'x' };
    const lists = { entry: 12, hash: 'a'.repeat(64) };
    expect(control({ overrides: [override], lists })).toEqual({ overrides: [override], lists });
    for (const wrong of [
      { overrides: [{ ...override, field: 'concept' }] },
      { overrides: [{ ...override, untilMs: 'x' }] },
      { overrides: override },
      { lists: { entry: 0, hash: lists.hash } },
      { lists: { entry: 1, hash: 'x' } },
      { lists: null },
    ]) {
      expect(() => control(wrong)).toThrow(InputError);
    }
  });
});
