// What is written is read back equal, in every format: simulate → detect loses nothing.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTableWriter } from '../../src/adapters/files/write-table.ts';
import { createTransactionWriter } from '../../src/adapters/files/write-transactions.ts';
import {
  AUTH_FACTORS,
  CHANNELS,
  createTransaction,
  ENTRY_MODES,
  OPERATIONS,
  RAILS,
  STATUSES,
  type Transaction,
  TransactionSchema,
} from '../../src/domain/transaction.ts';
import { failureOf, NOW_MS, readAll, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const FORMATS = ['csv', 'csv.gz', 'ndjson', 'ndjson.gz', 'json', 'parquet'];

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 3 });
const text = (maxLength: number) =>
  nullable(
    fc.oneof(
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: Math.min(maxLength, 20) })
        .map((value) => value.toWellFormed()),
      fc
        .constantFrom('NULL', '"', 'a,b', ' x ', 'línea\r\nnueva', '\n', '=1+1', '0', '00123', 'NaN', "'")
        .filter((value) => value.length <= maxLength),
    ),
    // DuckDB's client drops a byte order mark at the beginning of a text.
  ).map((value) => (value === null ? null : [...value.replace(/^\ufeff/, 'x')].slice(0, maxLength).join('')));
const time = fc.integer({ min: 0, max: NOW_MS });
const minor = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const degrees = (limit: number) =>
  nullable(fc.double({ min: -limit, max: limit, noNaN: true }).map((value) => value + 0));

const transaction: fc.Arbitrary<Transaction> = fc.record({
  id: fc.uuid(),
  eventTimeMs: time,
  ingestTimeMs: nullable(time),
  amountMinor: minor,
  currency: fc.constantFrom('PEN', 'USD', 'JPY'),
  operation: fc.constantFrom(...OPERATIONS),
  rail: nullable(fc.constantFrom(...RAILS)),
  channel: nullable(fc.constantFrom(...CHANNELS)),
  payerId: text(64),
  payerName: text(140),
  payerDocument: text(16),
  payerAccount: text(34),
  payeeId: text(64),
  payeeName: text(140),
  payeeDocument: text(16),
  payeeAccount: text(34),
  cardId: nullable(fc.stringMatching(/^tok_[0-9a-f]{16}_\d{4}$/)),
  deviceId: text(64),
  ipAddress: nullable(fc.ipV4()),
  terminalId: text(64),
  merchantId: text(64),
  mcc: nullable(fc.stringMatching(/^\d{4}$/)),
  entryMode: nullable(fc.constantFrom(...ENTRY_MODES)),
  ubigeo: nullable(fc.stringMatching(/^\d{6}$/)),
  latitude: degrees(90),
  longitude: degrees(180),
  country: nullable(fc.stringMatching(/^[A-Z]{2}$/)),
  concept: text(280),
  authFactors: fc.uniqueArray(fc.constantFrom(...AUTH_FACTORS), { maxLength: 8 }),
  status: fc.constantFrom(...STATUSES),
  responseCode: text(8),
  externalId: text(64),
  balanceAfterMinor: nullable(minor),
  isFraud: nullable(fc.boolean()),
  typology: text(32),
  authExemption: text(32),
  labelTimeMs: nullable(time),
});

async function writeAll(path: string, transactions: readonly Transaction[]): Promise<number> {
  const writer = await createTransactionWriter(path);
  await writer.write(transactions);
  return (await writer.close()).rows;
}

describe.each(FORMATS)('%s', (format) => {
  it('brings every transaction back as it was', async () => {
    const path = folder.path(`any.${format}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(transaction, { minLength: 1, maxLength: format === 'parquet' ? 100 : 20 }),
        async (transactions) => {
          expect(await writeAll(path, transactions)).toBe(transactions.length);
          const read = await readAll(path, { mapping: 'canonical' });
          expect(read.summary.firstExamples).toEqual([]);
          expect(read.transactions).toEqual(transactions);
          expect(Object.keys(read.transactions[0])).toEqual(Object.keys(TransactionSchema.properties));
        },
      ),
      { numRuns: format === 'parquet' ? 2 : 25 },
    );
  });

  it('crosses blocks and batches in order, twice', async () => {
    const transactions = Array.from({ length: 9000 }, (_, i) =>
      createTransaction({ id: `n${i}`, eventTimeMs: i, amountMinor: i, currency: 'PEN', payerId: `p${i % 7}` }),
    );
    const path = folder.path(`many.${format}`);
    await writeAll(path, transactions);
    const { reader, transactions: first } = await readAll(path, { mapping: 'canonical', batchSize: 1000 });
    expect(first).toEqual(transactions);
    const again: Transaction[] = [];
    for await (const batch of reader) {
      expect(batch.length).toBeLessThanOrEqual(1000);
      again.push(...batch);
    }
    expect(again).toEqual(first);
    expect(reader.progress()).toBe(1);
    expect(reader.summary()).toMatchObject({ rows: 9000, accepted: 9000, rejected: 0 });
  });

  it('is recognised without a mapping', async () => {
    const path = folder.path(`guess.${format}`);
    await writeAll(path, [createTransaction({ id: '1', eventTimeMs: 5, amountMinor: 7, currency: 'USD' })]);
    const { reader, transactions } = await readAll(path);
    expect(reader.mapping).toMatchObject({ name: 'canonical', guessed: true });
    expect(transactions[0]).toMatchObject({ id: '1', eventTimeMs: 5, amountMinor: 7, currency: 'USD' });
  });

  it('leaves nothing behind when it is given up', async () => {
    const path = folder.path(`aborted.${format}`);
    const writer = await createTableWriter(path, [{ name: 'a', type: 'number' }]);
    await writer.write([[1], [2]]);
    await writer.abort();
    await writer.abort();
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith('aborted'))).toEqual([]);
  });
});

it('writes missing numbers as missing', async () => {
  const path = folder.path('numbers.csv');
  const writer = await createTableWriter(path, [
    { name: 'id', type: 'text' },
    { name: 'x', type: 'number' },
    { name: 'y', type: 'boolean' },
  ]);
  await writer.write([
    ['a', Number.NaN, true],
    [null, 0.1, null],
  ]);
  expect(await writer.close()).toMatchObject({ rows: 2 });
  expect(readFileSync(path, 'utf8')).toBe('id,x,y\na,,true\n,0.1,\n');
});

it('says which endings it can write, and that a folder is no file', async () => {
  const columns = [{ name: 'a', type: 'number' as const }];
  expect(await failureOf(createTableWriter(folder.path('x.xlsx'), columns))).toMatchObject({ code: 'FORMAT_UNKNOWN' });
  mkdirSync(folder.path('folder.csv'));
  expect(await failureOf(createTableWriter(folder.path('folder.csv'), columns))).toMatchObject({
    code: 'OUTPUT_FORBIDDEN',
  });
});
