import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { qualityMask } from '../../src/decisions/data-quality.ts';
import {
  AUTH_FACTORS,
  CHANNELS,
  createTransaction,
  OPERATIONS,
  RAILS,
  STATUSES,
  type Transaction,
  TransactionSchema,
} from '../../src/domain/transaction.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { createFeatureEngine } from '../../src/features/engine.ts';
import { DataKeys } from '../../src/privacy/data-keys.ts';
import { EnvelopeError } from '../../src/privacy/envelope.ts';
import { ID_FIELDS, OPEN_FIELDS, SEALED_FIELDS } from '../../src/privacy/personal-fields.ts';
import { TransactionCodec } from '../../src/privacy/sealed-transaction.ts';
import { Tokens } from '../../src/privacy/tokens.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { MemoryKeyTable } from './memory-key-table.ts';

const NOW_MS = 1_790_000_000_000;

function open(table = new MemoryKeyTable()) {
  const masters = new LocalMasterKeys('file', [randomBytes(32)]);
  const keys = new DataKeys({ table, masters });
  return { table, keys, codec: new TransactionCodec(keys, new Tokens(randomBytes(32))) };
}

const text = (maxLength: number) => fc.option(fc.string({ minLength: 1, maxLength, unit: 'binary' }));
const id = fc.option(
  fc.oneof(
    fc.string({ minLength: 1, maxLength: 64 }),
    fc.constantFrom('9604000000000019', '40000001', '987654321', '00299900000000000118', 'a@b.pe', '10101174102', 'P1'),
  ),
);
const amount = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const degrees = (most: number) =>
  fc.option(fc.double({ min: -most, max: most, noNaN: true }).map((value) => value + 0));
const anyTransaction: fc.Arbitrary<Transaction> = fc
  .record({
    ...{
      id: fc.string({ minLength: 1, maxLength: 64 }),
      eventTimeMs: fc.integer(),
      ingestTimeMs: fc.option(fc.integer()),
    },
    ...{ amountMinor: amount, currency: fc.constantFrom('PEN', 'USD'), operation: fc.constantFrom(...OPERATIONS) },
    ...{ rail: fc.option(fc.constantFrom(...RAILS)), channel: fc.option(fc.constantFrom(...CHANNELS)) },
    ...{ payerId: id, payeeId: id, cardId: id, deviceId: id, terminalId: id, merchantId: id, externalId: id },
    ...{ payerName: text(140), payerDocument: text(16), payerAccount: text(34) },
    ...{ payeeName: text(140), payeeDocument: text(16), payeeAccount: text(34), concept: text(280) },
    ...{ ipAddress: fc.option(fc.ipV4()), latitude: degrees(90), longitude: degrees(180) },
    ...{ mcc: fc.option(fc.constant('5411')), ubigeo: fc.option(fc.constant('150101')) },
    ...{ authFactors: fc.subarray([...AUTH_FACTORS]), status: fc.constantFrom(...STATUSES) },
    ...{
      balanceAfterMinor: fc.option(amount),
      isFraud: fc.option(fc.boolean()),
      typology: fc.option(fc.constant('F02')),
      authExemption: fc.option(fc.constant('trusted-payee')),
    },
  })
  .map((fields) => createTransaction(fields as Parameters<typeof createTransaction>[0]));

describe('a sealed transaction', () => {
  it('names every field of the schema once', () => {
    const named = [...SEALED_FIELDS, ...ID_FIELDS, ...OPEN_FIELDS].sort();
    expect(named).toEqual(Object.keys(TransactionSchema.properties).sort());
  });

  it('opens to the transaction that it was', async () => {
    const { codec } = open();
    await fc.assert(
      fc.asyncProperty(anyTransaction, async (transaction) => {
        const [sealed] = await codec.sealAll([transaction], NOW_MS);
        expect(codec.open(sealed)).toEqual({ transaction, erased: false });
        const again = codec.seal(transaction, NOW_MS)!;
        expect(again).not.toEqual(sealed);
        expect(await codec.openAll([again, sealed])).toEqual([
          { transaction, erased: false },
          { transaction, erased: false },
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('shows nothing personal, and says null where the key is not at hand', async () => {
    const { codec, keys } = open();
    const transaction = createTransaction({
      ...{ id: 'T1', eventTimeMs: NOW_MS, amountMinor: 100, currency: 'PEN', concept: 'pago de alquiler' },
      ...{ payerId: '40000001', payerName: 'NOMBRE DE PRUEBA UNO', payerDocument: '40000001', payeeId: '987654321' },
      ...{ payerAccount: '00299900000000000118', payeeName: 'NOMBRE DE PRUEBA DOS', cardId: '9604000000000019' },
      ...{ ipAddress: '190.43.1.2', latitude: -12.0464, longitude: -77.0428, payeeAccount: '00399900000000000108' },
    });
    expect(codec.seal(transaction, NOW_MS)).toBeNull();
    await codec.prepare([transaction], NOW_MS);
    const sealed = codec.seal(transaction, NOW_MS)!;
    const shown = Buffer.from(sealed).toString();
    for (const field of [...SEALED_FIELDS, 'payerId', 'payeeId', 'cardId'] as const) {
      expect(shown).not.toContain(String(transaction[field] ?? 'PRUEBA'));
    }
    expect(JSON.parse(shown)).toMatchObject({
      ...{
        id: 'T1',
        amountMinor: 100,
        payerId: expect.stringMatching(/^dni_/),
        payeeId: expect.stringMatching(/^cel_/),
      },
      cardId: expect.stringMatching(/^pan_[a-p]{32}_0019$/),
    });
    keys.forget(codec.subjectOf(transaction));
    expect(codec.open(sealed)).toBeNull();
  });

  it('comes back without what was sealed once the key is destroyed, and new data has a new key', async () => {
    const { codec, table, keys } = open();
    const fields = { eventTimeMs: NOW_MS, amountMinor: 100, currency: 'PEN', payerId: '40000001', payerName: 'NOMBRE' };
    const [mine, later] = [createTransaction({ id: 'T1', ...fields }), createTransaction({ id: 'T2', ...fields })];
    const other = createTransaction({ ...fields, id: 'T3', payerId: 'P2' });
    const sealed = await codec.sealAll([mine, other], NOW_MS);
    const subject = codec.subjectOf(mine);
    table.erase(subject, NOW_MS);
    keys.forget(subject);
    const [gone, kept] = await codec.openAll(sealed);
    expect(kept).toEqual({ transaction: other, erased: false });
    expect(gone.erased).toBe(true);
    expect(gone.transaction).toMatchObject({ id: 'T1', amountMinor: 100, payerName: null });
    expect(gone.transaction.payerId).toMatch(/^dni_[a-p]{32}$/);
    const [next] = await codec.sealAll([later], NOW_MS + 1);
    expect(codec.open(next)).toEqual({ transaction: later, erased: false });
  });

  it('does not open in the place of another transaction', async () => {
    const { codec } = open();
    const fields = { eventTimeMs: NOW_MS, amountMinor: 100, currency: 'PEN', payerId: 'P1' };
    const [one, two] = await codec.sealAll(
      [createTransaction({ id: 'T1', ...fields, payerName: 'UNO' }), createTransaction({ id: 'T2', ...fields })],
      NOW_MS,
    );
    const { sealed } = JSON.parse(Buffer.from(one).toString());
    const moved = { ...JSON.parse(Buffer.from(two).toString()), sealed };
    expect(() => codec.open(Buffer.from(JSON.stringify(moved)))).toThrow(EnvelopeError);
    for (const broken of ['', '[]', '{', '{"id":"T1"}', '{"id":"T1","sealedBy":2,"sealed":"AAAA"}', 'null']) {
      expect(() => codec.open(Buffer.from(broken))).toThrow(EnvelopeError);
    }
  });

  it('gives the same features and findings, bit for bit, opened or with public ids', async () => {
    const { codec } = open();
    const all = [...createSimulator({ customers: 60, days: 6, seed: 11 }).batches()].flat().slice(0, 4000);
    // Every third customer is known to the bank by a mobile or a DNI.
    const numbered = new Map<string, string>();
    const numberOf = (own: string | null) => {
      if (own === null) return null;
      const known = numbered.get(own) ?? (numbered.size % 3 === 0 ? String(900_000_000 + numbered.size) : own);
      numbered.set(own, known);
      return known;
    };
    const given = all.map((t) => ({ ...t, payerId: numberOf(t.payerId), payeeId: numberOf(t.payeeId) }));
    const opened = (await codec.openAll(await codec.sealAll(given, NOW_MS))).map(({ transaction }) => transaction);
    expect(opened.length).toBeGreaterThan(500);
    const features = (transactions: readonly Transaction[]) => {
      const engine = createFeatureEngine(defaultCatalogue);
      const out = new Float64Array(engine.width * transactions.length);
      transactions.forEach((t, row) => {
        engine.fold(t, out, row * engine.width);
      });
      return Buffer.from(out.buffer).toString('base64');
    };
    const before = features(given);
    expect(features(opened)).toBe(before);
    const shown = given.map((t) => codec.withPublicIds(t));
    expect(shown.some((t, row) => t !== given[row])).toBe(true);
    expect(features(shown)).toBe(before);
    expect(shown.map(qualityMask)).toEqual(given.map(qualityMask));
  });
});
