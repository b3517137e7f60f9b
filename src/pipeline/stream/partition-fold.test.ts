import { describe, expect, it } from 'vitest';
import { decodeControl, decodeLabel } from '../../adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../adapters/formats/transaction-value.ts';
import { DEFAULT_GOVERNOR } from '../../decisions/governor.ts';
import { createRuleVocabulary } from '../../decisions/rule-names.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { handbookCatalogue } from '../../features/catalogue/handbook.ts';
import { createFeatureEngine } from '../../features/engine.ts';
import type { StreamRecord } from '../../ports.ts';
import { compileRuleSet } from '../../rules/rule-set.ts';
import { createDecider } from '../decide-transactions.ts';
import { type FoldOutput, type LiveVersion, PartitionFold } from './partition-fold.ts';
import { kindHeader, type RecordKind } from './record-kinds.ts';

const DAY_MS = 86_400_000;
const DEFINITIONS = handbookCatalogue;
const set = compileRuleSet([], createRuleVocabulary(DEFINITIONS, [], new Map())).set!;
const policy = { thresholds: { reviewAtRisk: 1, holdAtRisk: 1 }, control: null, severest: null };
const VERSION: LiveVersion = {
  ...{
    decider: createDecider({ rules: set, model: null, policy, overrides: [] }, DEFINITIONS),
    model: null,
    rules: 'none',
    thresholds: null,
  },
};

function openFold(): PartitionFold {
  const decoders = { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl };
  const settings = { governor: DEFAULT_GOVERNOR, wording: { referenceCurrency: 'PEN' as const }, maxIds: 8192 };
  return new PartitionFold(createFeatureEngine(DEFINITIONS), decoders, settings);
}

function record(offset: number, value: unknown, kind?: RecordKind): StreamRecord {
  const bytes = value === null ? null : new TextEncoder().encode(JSON.stringify(value));
  return { offset, timestampMs: 0, key: null, value: bytes, headers: kind === undefined ? [] : [kindHeader(kind)] };
}

const tx = (id: string, more: Partial<Transaction> = {}) => ({
  ...{ id, eventTimeMs: 20_000 * DAY_MS, amountMinor: 100, currency: 'PEN', payerId: 'p', terminalId: 't', ...more },
});

const idsOf = ({ decided }: FoldOutput) => decided.map(({ decision }) => decision.transaction.id);

describe('a partition as a fold', () => {
  it('decides each id once, also across batches', () => {
    const fold = openFold();
    expect(idsOf(fold.take([record(0, tx('a')), record(1, tx('a')), record(2, tx('b'))], VERSION))).toEqual(['a', 'b']);
    const again = fold.take([record(3, tx('b', { amountMinor: 5 })), record(4, tx('c'))], VERSION);
    expect(idsOf(again)).toEqual(['c']);
    expect(again.counts).toMatchObject({ transactions: 1, duplicates: 1 });
  });

  it('refuses one record and goes on; a refused id may come again', () => {
    const fold = openFold();
    const wrong = [
      record(0, { id: 'a' }),
      record(1, null),
      record(2, tx('x'), 'gossip' as RecordKind),
      record(3, tx('a')),
    ];
    const output = fold.take(wrong, VERSION);
    expect(output.refused.map(({ record: { offset }, refusal: { code } }) => [offset, code])).toEqual([
      ...[
        [0, 'VALUE_INVALID'],
        [1, 'VALUE_MISSING'],
        [2, 'KIND_UNKNOWN'],
      ],
    ]);
    expect(idsOf(output)).toEqual(['a']);
  });

  it('stops after a change, and keeps it only where it was made', () => {
    const fold = openFold();
    const records = [record(0, tx('a')), record(1, { model: 'm@1' }, 'control'), record(2, tx('b'))];
    const output = fold.take(records, VERSION);
    expect(output).toMatchObject({ taken: 2, change: { model: 'm@1' } });
    expect(fold.head().change).toBeNull();
    fold.keep({ model: 'm@1' });
    fold.keep({ rules: [] });
    expect(fold.head().change).toEqual({ model: 'm@1', rules: [] });
  });

  it('is the same state however the records are cut into batches', () => {
    const records = Array.from({ length: 60 }, (_, i) => {
      const earlier = tx(`t${i - 20}`, { eventTimeMs: (20_000 + i - 20) * DAY_MS });
      if (i % 7 === 6 && i > 20) return record(i, { ...earlier, isFraud: true }, 'label');
      return record(i, tx(`t${i}`, { eventTimeMs: (20_000 + i) * DAY_MS }));
    });
    const [whole, cut] = [openFold(), openFold()];
    const one = whole.take(records, VERSION);
    const other = [0, 1, 9, 30, 31].flatMap(
      (from, i, cuts) => cut.take(records.slice(from, cuts[i + 1]), VERSION).decided,
    );
    expect(JSON.stringify(other)).toBe(JSON.stringify(one.decided));
    expect(one.counts.labels).toBeGreaterThan(3);
    expect(cut.engine.checkpoint()).toEqual(whole.engine.checkpoint());
    expect(cut.head()).toEqual(whole.head());
  });
});
