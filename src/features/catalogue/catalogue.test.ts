import { describe, expect, it } from 'vitest';
import { createTransaction, type Transaction } from '../../domain/transaction.ts';
import { createFeatureEngine } from '../engine.ts';
import { catalogueFor, defaultCatalogue } from './catalogue.ts';
import { definitionsFor } from './choose.ts';
import { handbookCatalogue } from './handbook.ts';

const fields = (...names: (keyof Transaction)[]) => new Set<keyof Transaction>(names);
const CARD_FIELDS = fields('id', 'eventTimeMs', 'amountMinor', 'currency', 'payerId', 'terminalId', 'isFraud');

describe.each([
  ['default', defaultCatalogue],
  ['handbook', handbookCatalogue],
] as const)('the %s catalogue', (_, catalogue) => {
  it('has unique ids and a meaning in both languages without gaps', () => {
    expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
    for (const { id, meaning } of catalogue) {
      expect(id).toMatch(/^[a-z0-9_]+$/);
      for (const text of [meaning.es, meaning.en]) expect(text).toMatch(/^[^{}]{3,120}$/);
      expect(meaning.es).not.toBe(meaning.en);
    }
  });

  it('compiles, and is all finite or missing on a bare event', () => {
    const engine = createFeatureEngine(catalogue);
    const out = new Float64Array(engine.width);
    const tx = createTransaction({ id: 'a', eventTimeMs: 1_780_000_000_000, amountMinor: 100, currency: 'PEN' });
    expect(engine.fold(tx, out)).toBe('ok');
    for (const value of out) expect(Number.isFinite(value) || Number.isNaN(value)).toBe(true);
  });
});

describe('catalogueFor', () => {
  it('keeps the features whose inputs the data has', () => {
    const kept = catalogueFor(CARD_FIELDS);
    const entities = new Set(kept.map(({ entity }) => entity));
    expect(entities).toEqual(new Set(['transaction', 'payer', 'pair', 'terminal']));
    expect(kept.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'amount',
        'payer_z_score_30d',
        'payer_off_habit_count_7d',
        'terminal_fraud_run_length_30d',
      ]),
    );
    expect(kept.some(({ field, aggregate }) => field === 'rail' || aggregate === 'speed')).toBe(false);
    expect(catalogueFor(CARD_FIELDS, handbookCatalogue)).toEqual(handbookCatalogue);
  });

  it('leaves out what needs labels where there are none', () => {
    const unlabelled = new Set(CARD_FIELDS);
    unlabelled.delete('isFraud');
    expect(catalogueFor(unlabelled).some(({ id }) => id.includes('fraud') || id.includes('genuine'))).toBe(false);
  });

  it('names the catalogues there are', () => {
    expect(definitionsFor('handbook', CARD_FIELDS)).toHaveLength(15);
    expect(() => definitionsFor('best', CARD_FIELDS)).toThrow(
      /no catalogue named best: there are default, cards, handbook/,
    );
  });
});
