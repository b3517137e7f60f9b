// Every feature of every catalogue can be a reason: it has words in both languages, and other words for another value.
import { describe, expect, test } from 'vitest';
import { type Reason, reasonsFor } from '../../src/decisions/reasons/reasons.ts';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { cardsCatalogue } from '../../src/features/catalogue/cards.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { CATALOGUE_NAMES } from '../../src/features/catalogue/choose.ts';
import { handbookCatalogue } from '../../src/features/catalogue/handbook.ts';
import type { FeatureDefinition, Unit } from '../../src/features/definition.ts';
import { DAY } from './feature-definitions.ts';

const CATALOGUES: Readonly<Record<string, readonly FeatureDefinition[]>> = {
  default: defaultCatalogue,
  cards: cardsCatalogue,
  handbook: handbookCatalogue,
};

/** An ordinary value and one that is far out, in each unit. */
const VALUES: Readonly<Record<Unit, readonly [low: number, high: number]>> = {
  count: [0, 40],
  minor: [1_000, 900_000],
  ratio: [0.1, 25],
  deviations: [0.2, 12],
  ms: [400 * DAY, 30_000],
  'km/h': [20, 2_000],
  boolean: [0, 1],
  hour: [14, 3],
  bits: [3, 0.1],
  category: [1, 6],
};
/** Shares end at 1. */
const SHARE: readonly [low: number, high: number] = [0.05, 0.95];
const SHARES: ReadonlySet<string> = new Set([
  'share',
  'hour-share',
  'fraud-rate',
  'fraud-rate-smoothed',
  'pass-through',
]);

const AFTERNOON: Partial<Transaction> = {
  eventTimeMs: Date.UTC(2025, 10, 22, 19, 12),
  amountMinor: 1_000,
  operation: 'purchase',
  rail: 'card',
  channel: 'pos',
  entryMode: 'chip',
  status: 'approved',
  mcc: '5411',
};
const NIGHT: Partial<Transaction> = {
  eventTimeMs: Date.UTC(2025, 10, 22, 8, 12),
  amountMinor: 900_000,
  operation: 'transfer',
  rail: 'yape',
  channel: 'app',
  entryMode: 'fallback',
  status: 'declined',
  mcc: '7995',
  authFactors: ['password'],
};

function onlyReason(definition: FeatureDefinition, value: number, given: Partial<Transaction>): Reason {
  const transaction = createTransaction({
    id: 't1',
    eventTimeMs: 0,
    amountMinor: 0,
    currency: 'PEN',
    operation: 'purchase',
    payerId: 'c1',
    payeeId: 'b1',
    cardId: 'k1',
    deviceId: 'd1',
    terminalId: 't1',
    merchantId: 'm1',
    ubigeo: '150101',
    ...given,
  });
  const found = reasonsFor({
    definitions: [definition],
    values: Float64Array.of(value),
    contributions: Float64Array.of(1),
    transaction,
  });
  expect(found).toHaveLength(1);
  return found[0];
}

test('no catalogue is left out', () => {
  expect(Object.keys(CATALOGUES)).toEqual(CATALOGUE_NAMES);
});

describe.each(Object.entries(CATALOGUES))('the catalogue %s', (_, catalogue) => {
  test.each(catalogue.map((definition) => [definition.id, definition] as const))('%s has words', (id, definition) => {
    const [low, high] = SHARES.has(definition.aggregate) ? SHARE : VALUES[definition.unit];
    const ordinary = onlyReason(definition, low, AFTERNOON);
    const far = onlyReason(definition, high, NIGHT);
    for (const { es, en, features } of [ordinary, far]) {
      expect(features).toEqual([id]);
      expect(es.length).toBeGreaterThan(5);
      expect(en.length).toBeGreaterThan(5);
      expect(es).not.toBe(en);
    }
    expect(far.es).not.toBe(ordinary.es);
    expect(far.en).not.toBe(ordinary.en);
  });
});
