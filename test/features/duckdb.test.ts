// The engine against DuckDB's RANGE windows: on random streams, and on the Handbook's first rows.
import { existsSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTransaction, SECURITY_OPERATIONS, type Transaction } from '../../src/domain/transaction.ts';
import { feature, features } from '../../src/features/catalogue/builder.ts';
import { handbookCatalogue } from '../../src/features/catalogue/handbook.ts';
import { createFeatureEngine } from '../../src/features/engine.ts';
import { connect, featuresBySql } from './duckdb-oracle.ts';
import { randomStream, streamShapes } from './streams.ts';

const HANDBOOK = '../shared/data/handbook/transactions.csv.gz';
const TOLERANCE = 1e-9;

const approved = { filter: 'approved' } as const;
const definitions = [
  ...features('payer', 'count', ['1h', '1d', '30d']),
  ...features('payer', 'sum', ['1d', '7d'], approved),
  ...features('payer', 'mean', ['1h', '30d'], approved),
  ...features('payer', 'std', ['1d', '30d'], approved),
  ...features('payer', 'min', ['7d'], approved),
  ...features('payer', 'max', ['1h', '30d'], approved),
  ...features('payer', 'distinct', ['1d', '30d'], { field: 'device' }),
  feature('payer', 'distinct', '7d', { field: 'country' }),
  feature('card', 'count', '1d', { filter: 'declined' }),
  feature('card', 'share', '7d', { filter: 'security' }),
  feature('device', 'count', '7d', { filter: 'cross-border' }),
  ...features('device', 'distinct', ['1h', '7d'], { field: 'payer' }),
  ...features('payee', 'std', ['7d']),
  ...features('terminal', 'count', ['1d', '7d', '30d'], { delayed: true }),
  ...features('terminal', 'fraud-count', ['1d', '30d'], { delayed: true }),
  ...features('terminal', 'fraud-rate', ['7d', '30d'], { delayed: true }),
  feature('terminal', 'fraud-rate-smoothed', '30d', { delayed: true, smoothing: { prior: 0.01, weight: 10 } }),
];

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await connect();
});
afterAll(() => connection.closeSync());

const quote = (text: string | null) => (text === null ? 'NULL' : `'${text}'`);

async function load(stream: readonly Transaction[]): Promise<void> {
  const rows = stream.map((tx, row) =>
    [
      row,
      `make_timestamp(${tx.eventTimeMs} * 1000)`,
      tx.amountMinor,
      quote(tx.status),
      SECURITY_OPERATIONS.has(tx.operation),
      tx.isFraud ?? 'NULL',
      ...[tx.country, tx.payerId, tx.cardId, tx.deviceId, tx.payeeId, tx.terminalId ?? tx.merchantId].map(quote),
    ].join(','),
  );
  await connection.run(
    `CREATE OR REPLACE TABLE events ("row" INTEGER, happened TIMESTAMP, amount BIGINT, status TEXT, security BOOLEAN, fraud BOOLEAN,
     country TEXT, payer TEXT, card TEXT, device TEXT, payee TEXT, terminal TEXT)`,
  );
  await connection.run(`INSERT INTO events VALUES ${rows.map((row) => `(${row})`).join(',')}`);
}

/** SQL shows an event all others of its time, so only the last one of each time can agree. */
function isLastOfItsTime(stream: readonly Transaction[], row: number): boolean {
  return row + 1 === stream.length || stream[row + 1]!.eventTimeMs !== stream[row]!.eventTimeMs;
}

describe('exact windows', () => {
  it('agree with DuckDB on random streams', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(streamShapes(250), async (given) => {
        const stream = randomStream({ ...given, lateOneIn: 0 });
        await load(stream);
        const expected = await featuresBySql(connection, definitions);
        const engine = createFeatureEngine(definitions);
        const out = new Float64Array(engine.width);
        stream.forEach((tx, row) => {
          engine.fold(tx, out);
          if (!isLastOfItsTime(stream, row)) return;
          definitions.forEach(({ id }, f) => {
            expectClose(out[f]!, expected[f]![row]!, `${id} of ${tx.id}`);
          });
        });
      }),
      { numRuns: 8 },
    );
  });

  // Needs ../shared/data, and takes some seconds.
  it.runIf(existsSync(HANDBOOK) && process.env.CENTINELA_LONG_TESTS === '1')(
    "agree with DuckDB on the Handbook's first 200,000 rows",
    { timeout: 120_000 },
    async () => {
      await connection.run(
        `CREATE OR REPLACE TABLE events AS SELECT TRANSACTION_ID AS "row", TX_DATETIME::TIMESTAMP AS happened,
         round(TX_AMOUNT * 100)::BIGINT AS amount, TX_FRAUD = 1 AS fraud, CUSTOMER_ID::TEXT AS payer,
         TERMINAL_ID::TEXT AS terminal, 'approved' AS status, false AS security
         FROM read_csv('${HANDBOOK}') ORDER BY TRANSACTION_ID LIMIT 200000`,
      );
      const expected = await featuresBySql(connection, handbookCatalogue);
      const input = await connection.runAndReadAll(
        'SELECT epoch_ms(happened)::DOUBLE, amount::DOUBLE, fraud, payer, terminal FROM events ORDER BY "row"',
      );
      const [times, amounts, frauds, payers, terminals] = input.getColumns();
      const engine = createFeatureEngine(handbookCatalogue, { utcOffsetMinutes: 0 });
      const out = new Float64Array(engine.width);
      const lastOfPayer = new Map<unknown, number>();
      const different = new Set<number>();
      const tied = new Set<number>();
      for (let row = 0; row < times!.length; row++) {
        engine.fold(
          createTransaction({
            id: String(row),
            eventTimeMs: Number(times![row]),
            amountMinor: Number(amounts![row]),
            currency: 'USD',
            payerId: String(payers![row]),
            terminalId: String(terminals![row]),
            isFraud: frauds![row] === true,
          }),
          out,
        );
        const earlier = lastOfPayer.get(payers![row]);
        if (earlier !== undefined && times![earlier] === times![row]) tied.add(earlier);
        lastOfPayer.set(payers![row], row);
        for (let f = 0; f < handbookCatalogue.length; f++) {
          const sql = expected[f]![row]!;
          const value = Number.isNaN(sql) ? handbookCatalogue[f]!.missing : sql;
          if (Math.abs(out[f]! - value) > TOLERANCE * Math.max(1, Math.abs(value))) different.add(row);
        }
      }
      // The first of two payments that a customer made in the same second: SQL already shows it the second one.
      expect([...different].filter((row) => !tied.has(row))).toEqual([]);
      expect(tied.size).toBeLessThan(30);
      expect(different.size).toBeGreaterThan(0);
    },
  );
});

function expectClose(actual: number, expected: number, what: string): void {
  if (Object.is(actual, expected) || Math.abs(actual - expected) <= TOLERANCE * Math.max(1, Math.abs(expected))) return;
  throw new Error(`${what} is ${actual} but DuckDB says ${expected}`);
}
