import { describe, expect, it } from 'vitest';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import { feature, features, value } from './catalogue/builder.ts';
import type { FeatureDefinition } from './definition.ts';
import { createFeatureEngine, restoreFeatureEngine } from './engine.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.UTC(2026, 6, 28, 17);

const at = (timeMs: number, given: Partial<Transaction> = {}) =>
  createTransaction({
    id: `${timeMs}`,
    eventTimeMs: timeMs,
    amountMinor: 100,
    currency: 'PEN',
    payerId: 'p',
    ...given,
  });

function run(definitions: readonly FeatureDefinition[], stream: readonly Transaction[], limits = {}): number[] {
  const engine = createFeatureEngine(definitions, limits);
  const out = new Float64Array(engine.width);
  for (const tx of stream) engine.fold(tx, out);
  return [...out];
}

describe('the rules of time', () => {
  const counts = features('payer', 'count', ['1h', '1d']);

  it('a window is open at its start and closed at its end', () => {
    expect(run(counts, [at(NOON_MS - DAY_MS), at(NOON_MS - 3_600_000), at(NOON_MS)])).toEqual([1, 2]);
    expect(run(counts, [at(NOON_MS - DAY_MS + 1), at(NOON_MS - 3_599_999), at(NOON_MS)])).toEqual([2, 3]);
  });

  it('of events with one time each sees those folded before it', () => {
    const engine = createFeatureEngine(counts);
    const out = new Float64Array(engine.width);
    const seen = [1, 2, 3].map(() => {
      engine.fold(at(NOON_MS), out);
      return out[0];
    });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('a late event does not see later ones, and the next event sees it', () => {
    const engine = createFeatureEngine(counts);
    const out = new Float64Array(engine.width);
    engine.fold(at(NOON_MS), out);
    expect(engine.fold(at(NOON_MS - 1000), out)).toBe('late');
    expect([...out]).toEqual([1, 1]);
    expect(engine.fold(at(NOON_MS + 1), out)).toBe('ok');
    expect([...out]).toEqual([3, 3]);
  });

  it('hours are local: Lima by default', () => {
    const hour = [value('hour', 'hour', 'hora', 'hour'), value('night', 'boolean', 'noche', 'night')];
    expect(run(hour, [at(Date.UTC(2026, 0, 1, 4))])).toEqual([23, 0]);
    expect(run(hour, [at(Date.UTC(2026, 0, 1, 4))], { utcOffsetMinutes: 0 })).toEqual([4, 1]);
  });

  it('amounts in other currencies count at the given rate', () => {
    const sum = [feature('payer', 'sum', '1d', { filter: 'approved' })];
    const stream = [at(NOON_MS), at(NOON_MS, { currency: 'USD' })];
    expect(run(sum, stream, { exchangeRates: { USD: 3.4 } })).toEqual([440]);
    expect(run(sum, stream)).toEqual([200]);
  });
});

describe('delayed labels', () => {
  const definitions = [
    feature('payer', 'fraud-count', '30d', { delayed: true }),
    feature('payer', 'fraud-run-length', '30d', { delayed: true }),
    feature('payer', 'time-since-fraud', '30d', { delayed: true }),
  ];

  it('are unseen until the delay has passed, to the millisecond', () => {
    const fraud = at(NOON_MS, { isFraud: true });
    expect(run(definitions, [fraud, at(NOON_MS + 7 * DAY_MS - 1)])).toEqual([0, 0, Number.NaN]);
    expect(run(definitions, [fraud, at(NOON_MS + 7 * DAY_MS)])).toEqual([1, 1, 7 * DAY_MS]);
  });

  it('that became known later than the delay count only once they are learnt', () => {
    const fraud = at(NOON_MS, { isFraud: true, labelTimeMs: NOON_MS + 20 * DAY_MS });
    const engine = createFeatureEngine(definitions);
    const out = new Float64Array(engine.width);
    engine.fold(fraud, out);
    engine.fold(at(NOON_MS + 10 * DAY_MS), out);
    expect(out[0]).toBe(0);
    expect(engine.learnLabel(fraud, true)).toBe(true);
    engine.fold(at(NOON_MS + 20 * DAY_MS), out);
    expect(out[0]).toBe(1);
    expect(engine.learnLabel(fraud, false)).toBe(true);
    engine.fold(at(NOON_MS + 20 * DAY_MS), out);
    expect(out[0]).toBe(0);
    expect(engine.learnLabel(at(NOON_MS + 1), true)).toBe(false);
  });
});

describe('the off-habit memory', () => {
  const definitions = [
    value('off-habit', 'boolean', 'fuera de hábito', 'off habit'),
    feature('payer', 'count', '7d', { filter: 'off-habit' }),
  ];
  const habit = Array.from({ length: 10 }, (_, i) => at(NOON_MS + i * DAY_MS, { amountMinor: 1000 + 40 * (i % 3) }));

  it('flags far larger payments, and a run of them does not raise the bar', () => {
    const large = [0, 1, 2, 3].map((i) => at(NOON_MS + (10 + i) * DAY_MS, { amountMinor: 5000 }));
    expect(run(definitions, [...habit, ...large])).toEqual([1, 4]);
    expect(run(definitions, [...habit, at(NOON_MS + 10 * DAY_MS, { amountMinor: 1900 })])).toEqual([0, 0]);
  });

  it('says nothing of a payer with little history', () => {
    expect(run(definitions, [...habit.slice(0, 4), at(NOON_MS + 5 * DAY_MS, { amountMinor: 90_000 })])).toEqual([0, 0]);
  });
});

describe('bad definitions and checkpoints are refused with a reason', () => {
  const count = feature('payer', 'count', '1d');
  const refused: readonly [string, FeatureDefinition[], RegExp][] = [
    ['the same id twice', [count, count], /payer_count_1d is defined twice/],
    ['an immediate label', [{ ...count, aggregate: 'fraud-count' }], /delayMs must be positive/],
    ['no window', [{ ...count, windowMs: null }], /count needs a window/],
    ['a window too many', [feature('payer', 'age', '1d')], /age has no window/],
    ['an unknown field', [feature('payer', 'distinct', '1d', { field: 'shoes' })], /cannot count distinct shoes/],
    [
      'an unknown property',
      [value('colour', 'category', 'color', 'colour')],
      /no such property of a transaction: colour/,
    ],
    ['a window of 60 days', [{ ...count, windowMs: 60 * DAY_MS }], /49 days/],
  ];
  it.each(refused)('%s', (_, definitions, message) => {
    expect(() => createFeatureEngine(definitions)).toThrow(message);
  });

  it('a checkpoint of other features, other limits, or cut off', () => {
    const engine = createFeatureEngine([count]);
    engine.fold(at(NOON_MS), new Float64Array(1));
    const bytes = engine.checkpoint();
    expect(() => restoreFeatureEngine([feature('payer', 'count', '1h')], bytes)).toThrow(/other feature definitions/);
    expect(() => restoreFeatureEngine([count], bytes, { latenessMs: 5 })).toThrow(/latenessMs = 86400000/);
    expect(() => restoreFeatureEngine([count], bytes.subarray(0, bytes.length - 8))).toThrow(/cut off/);
    expect(() => restoreFeatureEngine([count], new Uint8Array(20))).toThrow(/not a checkpoint/);
    expect(() => createFeatureEngine([count], { maxEventsPerEntity: 100 })).toThrow(/maxEventsPerEntity is 100/);
  });
});
