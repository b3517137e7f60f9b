// The engine under load: a hot terminal, a flood of entities that come once, months of time, and events it refuses.
import { describe, expect, it } from 'vitest';
import { createTransaction, type RequiredFields, type Transaction } from '../../src/domain/transaction.ts';
import { feature, features } from '../../src/features/catalogue/builder.ts';
import { createFeatureEngine, type FeatureEngine } from '../../src/features/engine.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { NaiveFeatures } from './naive-features.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
const LONG = process.env.CENTINELA_LONG_TESTS === '1';

const make = (index: number, timeMs: number, given: Partial<Transaction> & Partial<RequiredFields> = {}) =>
  createTransaction({ id: `t${index}`, eventTimeMs: timeMs, amountMinor: 1000, currency: 'PEN', ...given });

function featureOf(engine: FeatureEngine, out: Float64Array, id: string): number {
  return out[engine.definitions.findIndex((definition) => definition.id === id)]!;
}

describe('a hot terminal', () => {
  const definitions = [
    ...features('terminal', 'count', ['1h', '1d']),
    feature('terminal', 'distinct', '1d', { field: 'payer' }),
    ...features('terminal', 'max', ['1h', '1d'], { filter: 'approved' }),
    feature('terminal', 'z-score', '1d', { filter: 'approved' }),
    feature('payer', 'count', '1d'),
  ];

  it('has exact windows over rings of thousands, late events included', () => {
    const prng = createPrng(5);
    const engine = createFeatureEngine(definitions);
    const oracle = new NaiveFeatures(definitions, -300);
    const out = new Float64Array(engine.width);
    for (let i = 0; i < 6000; i++) {
      const late = i % 50 === 7 ? prng.nextBelow(DAY_MS / 2) : 0;
      const tx = make(i, START_MS + i * 12_000 - late, {
        amountMinor: 1_000_000 - i * 100 + prng.nextBelow(3000),
        terminalId: 'hot',
        payerId: `p${prng.nextBelow(700)}`,
        status: i % 9 === 0 ? 'declined' : 'approved',
      });
      engine.fold(tx, out);
      const check = i % 97 === 0 || late > 0;
      const expected = check ? oracle.fold(tx) : oracle.remember(tx);
      if (expected === null) continue;
      expected.forEach((value, f) => {
        const same = Object.is(out[f], value) || Math.abs(out[f]! - value) <= 1e-9 * Math.max(1, Math.abs(value));
        expect(same, `${definitions[f]!.id} at ${i}: ${out[f]}, not ${value}`).toBe(true);
      });
    }
    expect(engine.counters().late).toBeGreaterThan(100);
  });

  it.runIf(LONG)('of 10^6 events in a window costs others nothing', { timeout: 120_000 }, () => {
    const engine = createFeatureEngine(definitions);
    const out = new Float64Array(engine.width);
    const events = 1_000_000;
    for (let i = 0; i < events; i++) {
      engine.fold(make(i, START_MS + i * 50, { terminalId: 'hot', payerId: `p${i % 5000}` }), out);
    }
    expect(featureOf(engine, out, 'terminal_count_1d')).toBe(events);
    expect(featureOf(engine, out, 'terminal_count_1h')).toBe(72_000);
    expect(featureOf(engine, out, 'terminal_distinct_payer_1d')).toBe(5000);
    expect(engine.counters().truncated).toBe(0);
    expect(engine.memoryBytes()).toBeLessThan(160e6);
    engine.fold(make(events, START_MS + events * 50, { terminalId: 'calm', payerId: 'p1' }), out);
    expect(featureOf(engine, out, 'terminal_count_1d')).toBe(1);
  });

  it('beyond its limit drops the oldest events and says so', () => {
    const engine = createFeatureEngine(definitions, { maxEventsPerEntity: 64 });
    const out = new Float64Array(engine.width);
    for (let i = 0; i < 1000; i++)
      engine.fold(make(i, START_MS + i, { terminalId: 'hot', payerId: `p${i % 200}` }), out);
    expect(featureOf(engine, out, 'terminal_count_1d')).toBe(64);
    expect(featureOf(engine, out, 'terminal_distinct_payer_1d')).toBe(64);
    expect(engine.counters()).toMatchObject({ truncated: 936, retainedEvents: 1000 - 936 + 1000 });
  });
});

describe('bounded memory', () => {
  const definitions = [
    ...features('payer', 'count', ['1d', '7d']),
    feature('payer', 'distinct', '1d', { field: 'device' }),
    feature('payer', 'is-new', null),
  ];

  it('forgets entities that do not come back', () => {
    const engine = createFeatureEngine(definitions, { idleMs: 10 * DAY_MS });
    const out = new Float64Array(engine.width);
    const peaks: number[] = [];
    const perDay = 600;
    for (let i = 0; i < 60 * perDay; i++) {
      engine.fold(make(i, START_MS + i * (DAY_MS / perDay), { payerId: `p${i}`, deviceId: `d${i}` }), out);
      if (i % (20 * perDay) === 20 * perDay - 1) peaks.push(engine.memoryBytes());
    }
    const { evictedEntities, entities } = engine.counters();
    expect(peaks[2]).toBeLessThanOrEqual(peaks[0]! * 1.01);
    expect(entities.payer).toBeLessThan(20 * perDay);
    expect(evictedEntities).toBeGreaterThan(60 * perDay);
  });

  it('at the limit of a kind forgets the longest idle', () => {
    const engine = createFeatureEngine(definitions, { maxEntitiesPerKind: 100 });
    const out = new Float64Array(engine.width);
    for (let i = 0; i < 1000; i++) engine.fold(make(i, START_MS + i, { payerId: `p${i}`, deviceId: 'd' }), out);
    expect(engine.counters()).toMatchObject({ evictedEarly: 900, entities: { payer: 100, device: 1 } });
    engine.fold(make(1000, START_MS + 1000, { payerId: 'p999' }), out);
    expect(featureOf(engine, out, 'payer_is_new')).toBe(0);
  });

  it('stays exact and the same size over months', () => {
    const months = [...features('payer', 'std', ['1d', '30d']), ...features('payer', 'sum', ['7d'])];
    const engine = createFeatureEngine(months);
    const out = new Float64Array(engine.width);
    const prng = createPrng(2);
    let bytes = 0;
    for (let i = 0; i < 40_000; i++) {
      const amountMinor = prng.nextBelow(3) === 0 ? 90_000_000_000 : prng.nextBelow(1000);
      engine.fold(make(i, START_MS + i * 600_000, { payerId: `p${i % 3}`, amountMinor }), out);
      if (i === 10_000) bytes = engine.memoryBytes();
    }
    expect(engine.memoryBytes()).toBe(bytes);
    // After a month of one constant amount, nothing of the earlier ones is left: the spread is exactly zero.
    for (let i = 0; i < 5000; i++) {
      engine.fold(make(i, START_MS + (40_000 + i) * 600_000, { payerId: 'p0', amountMinor: 123_457 }), out);
    }
    expect(featureOf(engine, out, 'payer_amount_std_30d')).toBe(0);
    expect(featureOf(engine, out, 'payer_amount_sum_7d')).toBe(123_457 * 7 * 144);
  });
});

describe('events that are not folded', () => {
  const definitions = [
    ...features('payer', 'count', ['1d', '7d']),
    ...features('payer', 'sum', ['1d']),
    feature('payer', 'distinct', '7d', { field: 'device' }),
    feature('payer', 'time-since-last', null),
    feature('terminal', 'count', '7d', { delayed: true }),
  ];
  const at = (days: number, given: Partial<Transaction> = {}) =>
    make(days * 1000, START_MS + days * DAY_MS, { payerId: 'p', deviceId: 'd', terminalId: 't', ...given });

  it('are scored over what is retained, counted, and leave no trace', () => {
    const engine = createFeatureEngine(definitions);
    const out = new Float64Array(engine.width);
    for (let day = 0; day < 12; day++) expect(engine.fold(at(day), out)).toBe('ok');
    expect(engine.fold(at(9.5, { deviceId: 'other' }), out)).toBe('too-late');
    // Days 0 to 3 are past the horizon of 8 days: of the seven days before 9.5, days 4 to 9 are left, and the event itself.
    expect(featureOf(engine, out, 'payer_count_7d')).toBe(7);
    expect(featureOf(engine, out, 'payer_distinct_device_7d')).toBe(2);
    expect(engine.fold(at(9.5, { payerId: 'stranger' }), out)).toBe('too-late');
    expect(featureOf(engine, out, 'payer_count_7d')).toBe(1);
    expect(engine.fold(at(500, { ingestTimeMs: START_MS + 12 * DAY_MS }), out)).toBe('too-early');
    expect(featureOf(engine, out, 'payer_count_7d')).toBe(1);
    expect(engine.counters()).toMatchObject({ tooLate: 2, tooEarly: 1, folded: 12, entities: { payer: 1 } });
    const other = createFeatureEngine(definitions);
    const expected = new Float64Array(other.width);
    for (let day = 0; day < 12; day++) other.fold(at(day), expected);
    engine.fold(at(12), out);
    other.fold(at(12), expected);
    expect(out).toEqual(expected);
  });

  it('follow the stream when it has really moved on', () => {
    const engine = createFeatureEngine(definitions, { jumpConfirmations: 3 });
    const out = new Float64Array(engine.width);
    engine.fold(at(0), out);
    const results = [400, 400.1, 400.2, 400.3].map((day) => engine.fold(at(day), out));
    expect(results).toEqual(['too-early', 'too-early', 'ok', 'ok']);
  });

  it('say what is wrong with a time that is no number', () => {
    const engine = createFeatureEngine(definitions);
    expect(() => engine.fold(at(Number.NaN), new Float64Array(engine.width))).toThrow(/eventTimeMs \(NaN\)/);
  });
});
