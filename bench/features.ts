// `bench features`: how fast the feature engine folds, and how much memory an account takes.
//
// Transactions are made in memory first, so that reading is not measured. Each speed is the best of a few runs, because
// other work on the machine can only slow a run down.
import { existsSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { createTransaction, type Transaction } from '../src/domain/transaction.ts';
import { defaultCatalogue } from '../src/features/catalogue/catalogue.ts';
import { handbookCatalogue } from '../src/features/catalogue/handbook.ts';
import type { FeatureDefinition } from '../src/features/definition.ts';
import { createFeatureEngine } from '../src/features/engine.ts';
import { createPrng } from '../src/lib/prng.ts';

export interface FeatureBenchOptions {
  /** Events of each speed measurement. */
  readonly events: number;
  readonly runs: number;
  /** Accounts of the memory measurement (bytes per account fall slightly with more), each with `eventsPerAccount` events. */
  readonly accounts: number;
  readonly eventsPerAccount: number;
  readonly seed: number;
}

const DEFAULTS: FeatureBenchOptions = {
  events: 400_000,
  runs: 5,
  accounts: 100_000,
  eventsPerAccount: 60,
  seed: 1,
};

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);

const HANDBOOK = new URL('../../shared/data/handbook/transactions.csv.gz', import.meta.url);

/** The Handbook's own first rows where the file is at hand, otherwise payments like them. */
async function handbookTransactions(options: FeatureBenchOptions): Promise<Transaction[]> {
  if (!existsSync(HANDBOOK)) return handbookLike(options);
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const rows = await connection.runAndReadAll(
    `SELECT TRANSACTION_ID::TEXT, epoch_ms(TX_DATETIME::TIMESTAMP)::DOUBLE, round(TX_AMOUNT * 100)::DOUBLE,
     CUSTOMER_ID::TEXT, TERMINAL_ID::TEXT, TX_FRAUD::DOUBLE
     FROM read_csv('${HANDBOOK.pathname}') ORDER BY TRANSACTION_ID LIMIT ${options.events}`,
  );
  connection.closeSync();
  return rows.getRows().map(([id, timeMs, amountMinor, payerId, terminalId, fraud]) =>
    createTransaction({
      id: String(id),
      eventTimeMs: Number(timeMs),
      amountMinor: Number(amountMinor),
      currency: 'EUR',
      payerId: String(payerId),
      terminalId: String(terminalId),
      isFraud: fraud === 1,
    }),
  );
}

/** Card payments as in the Handbook: 5,000 customers who pay at some of 10,000 terminals, about 9,600 a day. */
function handbookLike({ events, seed }: FeatureBenchOptions): Transaction[] {
  const prng = createPrng(seed);
  let timeMs = START_MS;
  return Array.from({ length: events }, (_, index) => {
    timeMs += prng.nextBelow(18_000);
    const customer = prng.nextBelow(5000);
    return createTransaction({
      id: String(index),
      eventTimeMs: timeMs,
      amountMinor: 100 + prng.nextBelow(20_000),
      currency: 'EUR',
      payerId: String(customer),
      terminalId: String((customer * 7 + prng.nextBelow(40)) % 10_000),
      isFraud: prng.nextBelow(120) === 0,
    });
  });
}

/** Payments with every field that the catalogue reads: habitual payees, terminals and devices, some declined. */
function fullTransactions({ events, seed }: FeatureBenchOptions): Transaction[] {
  const prng = createPrng(seed);
  const accounts = 20_000;
  let timeMs = START_MS;
  return Array.from({ length: events }, (_, index) => {
    timeMs += prng.nextBelow(9000);
    const payer = prng.nextBelow(accounts);
    const usual = prng.nextBelow(5) > 0;
    const card = prng.nextBelow(2) === 0;
    return createTransaction({
      id: String(index),
      eventTimeMs: timeMs,
      ingestTimeMs: timeMs + prng.nextBelow(2000),
      amountMinor: 100 + prng.nextBelow(40_000),
      currency: 'PEN',
      operation: prng.nextBelow(25) === 0 ? 'login-failed' : card ? 'purchase' : 'transfer',
      rail: card ? 'card' : 'yape',
      channel: card ? 'pos' : 'app',
      payerId: `cuenta-${payer}`,
      payeeId: `cuenta-${(payer * 7 + prng.nextBelow(usual ? 6 : accounts)) % accounts}`,
      cardId: card ? `tarjeta-${payer}` : null,
      deviceId: card ? null : `equipo-${payer}`,
      terminalId: card ? `terminal-${(payer * 3 + prng.nextBelow(usual ? 8 : 4000)) % 8000}` : null,
      ipAddress: card ? null : `10.${payer >> 8}.${payer & 255}.1`,
      mcc: card ? '5411' : null,
      entryMode: card ? 'chip' : null,
      ubigeo: `1501${10 + (payer % 30)}`,
      latitude: -12 - (payer % 30) / 100,
      longitude: -77 - (payer % 30) / 100,
      country: 'PE',
      concept: card ? null : 'pago de almuerzo',
      status: prng.nextBelow(30) === 0 ? 'declined' : 'approved',
      balanceAfterMinor: 100_000 + prng.nextBelow(1_000_000),
      isFraud: prng.nextBelow(200) === 0,
    });
  });
}

/** Events per second of the best run. */
function speed(definitions: readonly FeatureDefinition[], stream: readonly Transaction[], runs: number): number {
  let best = 0;
  for (let run = 0; run < runs; run++) {
    const engine = createFeatureEngine(definitions);
    const out = new Float64Array(engine.width);
    const started = process.hrtime.bigint();
    for (let i = 0; i < stream.length; i++) engine.fold(stream[i]!, out);
    best = Math.max(best, stream.length / (Number(process.hrtime.bigint() - started) / 1e9));
  }
  return best;
}

/** Bytes of state for each account that has its events inside the longest window. */
function accountMemory({ accounts, eventsPerAccount }: FeatureBenchOptions): number {
  const definitions = defaultCatalogue.filter(
    ({ entity, aggregate }) => entity === 'payer' && aggregate !== 'pass-through',
  );
  const engine = createFeatureEngine(definitions);
  const out = new Float64Array(engine.width);
  for (let round = 0; round < eventsPerAccount; round++) {
    for (let account = 0; account < accounts; account++) {
      const index = round * accounts + account;
      engine.fold(
        createTransaction({
          id: 'x',
          eventTimeMs: START_MS + Math.floor((index / (accounts * eventsPerAccount)) * 29 * DAY_MS),
          amountMinor: 100 + ((index * 7919) % 50_000),
          currency: 'PEN',
          operation: 'transfer',
          payerId: String(account),
          payeeId: String((account + (round % 8)) % 5000),
          deviceId: String(account % 50_000),
        }),
        out,
      );
    }
  }
  return engine.memoryBytes() / accounts;
}

export interface FeatureBenchFigures {
  /** With the Handbook's fifteen features. */
  readonly handbookEventsPerSecond: number;
  /** With the whole default catalogue on full transactions. */
  readonly catalogueEventsPerSecond: number;
  readonly catalogueFeatures: number;
  /** State of the catalogue's payer features, for an account with 60 events in 30 days. */
  readonly bytesPerAccount: number;
}

export async function benchFeatures(options: Partial<FeatureBenchOptions> = {}): Promise<FeatureBenchFigures> {
  const chosen = { ...DEFAULTS, ...options };
  const handbook = speed(handbookCatalogue, await handbookTransactions(chosen), chosen.runs);
  const catalogue = speed(defaultCatalogue, fullTransactions(chosen), chosen.runs);
  const memory = accountMemory(chosen);
  return {
    handbookEventsPerSecond: Math.round(handbook),
    catalogueEventsPerSecond: Math.round(catalogue),
    catalogueFeatures: defaultCatalogue.length,
    bytesPerAccount: Math.round(memory),
  };
}
