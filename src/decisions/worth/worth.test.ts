import { describe, expect, it } from 'vitest';
import { readRules } from '../../rules/read-rules.ts';
import type { Rule } from '../../rules/rule.ts';
import { ruleVersion } from '../../rules/rule.ts';
import { DEFAULT_COSTS } from '../money-policy.ts';
import { decide, hitsOf, type VerdictPolicy } from '../verdict.ts';
import { intervalOf, REPLICATES, UnitSums } from './bootstrap.ts';
import { Comparison } from './comparison.ts';
import { proposalFor } from './proposals.ts';
import { RuleLedger, type RuleRecord } from './rule-ledger.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 5, 12);
const POLICY: VerdictPolicy = { thresholds: { reviewAtRisk: 1, holdAtRisk: 1 }, control: null, severest: null };

function rule(id: string, action: Rule['action'], mode: Rule['mode'] = 'live'): Rule {
  const text = `[{ id: ${id}, version: 1, name: { es: a, en: a }, owner: o, severity: low, reason: R, action: ${action}, mode: ${mode}, when: amount > 1 }]`;
  return readRules(text, 'r.yaml', new Set(['R'])).rules[0].rule;
}

describe('the bootstrap', () => {
  it('gives the spread that theory gives: a sum of n ones varies by √n', () => {
    const sums = new UnitSums(1);
    for (let unit = 0; unit < 400; unit++) sums.of(String(unit))[0] += 1;
    const replicates = sums.replicates(3).map(([sum]) => sum);
    const mean = replicates.reduce((a, b) => a + b, 0) / REPLICATES;
    const deviation = Math.sqrt(replicates.reduce((sum, each) => sum + (each - mean) ** 2, 0) / REPLICATES);
    expect(sums.total()[0]).toBe(400);
    expect(mean).toBeGreaterThan(396);
    expect(mean).toBeLessThan(404);
    expect(deviation).toBeGreaterThan(18);
    expect(deviation).toBeLessThan(22);
    expect(sums.replicates(3)).toEqual(sums.replicates(3));
  });

  it('is wider where what happens hangs together', () => {
    const apart = new UnitSums(1);
    const together = new UnitSums(1);
    for (let i = 0; i < 400; i++) {
      apart.of(String(i))[0] += 1;
      together.of(String(i % 20))[0] += 1;
    }
    const width = (sums: UnitSums) => {
      const { low, high } = intervalOf(sums.replicates(1).map(([sum]) => sum));
      return high - low;
    };
    expect(width(together)).toBeGreaterThan(3 * width(apart));
  });
});

describe('a comparison', () => {
  it('counts frauds, money, alerts and distinct good customers of both versions', () => {
    const comparison = new Comparison(DEFAULT_COSTS, 'customer');
    const add = (
      customer: string,
      label: boolean | null,
      worthMinor: number,
      live: Rule['action'],
      candidate: Rule['action'],
    ) => comparison.add({ timeMs: START_MS, inTime: true, customer, label, worthMinor, live, candidate });
    add('a', true, 100_000, 'approve', 'hold');
    add('b', true, 50_000, 'review', 'approve');
    add('c', false, 20_000, 'approve', 'review');
    add('c', false, 20_000, 'approve', 'challenge');
    add('d', null, 20_000, 'decline', 'approve');
    add('e', true, Number.NaN, 'approve', 'approve');
    comparison.add({
      ...{
        timeMs: 0,
        inTime: false,
        customer: 'f',
        label: false,
        worthMinor: 1,
        live: 'approve',
        candidate: 'approve',
      },
    });
    const { live, candidate, difference, ...facts } = comparison.result(1);
    expect(facts).toEqual({ transactions: 7, days: 1, frauds: 3, fraudMinor: 150_000, unlabelled: 1, unpriced: 1 });
    expect(live).toMatchObject({
      ...{ alerts: { value: 2 }, caughtMinor: { value: 50_000 }, missedMinor: { value: 100_000 } },
      ...{ goodCustomers: { value: 0 }, unlabelledAlerts: { value: 1 } },
    });
    expect(candidate).toMatchObject({
      ...{ alerts: { value: 3 }, caughtMinor: { value: 100_000 }, missedMinor: { value: 50_000 } },
      ...{ goodAlerts: { value: 2 }, goodCustomers: { value: 1 }, missedFrauds: { value: 2 } },
    });
    // Live: 90,000 lost, and a review of b at 450 + 5 % of 45,000. Candidate: 45,000 lost, two reviews at 450 + 5 % of 3,000.
    expect(live.costMinor.value).toBeCloseTo(90_000 + 450 + 2250);
    expect(candidate.costMinor.value).toBeCloseTo(45_000 + 2 * 600);
    expect(difference.costMinor.value).toBeCloseTo(candidate.costMinor.value - live.costMinor.value);
    expect(candidate.precision.value).toBeCloseTo(1 / 3);
  });
});

describe('the ledger', () => {
  const rules = [rule('one', 'hold'), rule('two', 'review'), rule('quiet', 'hold', 'shadow')];
  const ledgerOf = (rows: readonly { fired: readonly number[]; label: boolean; worth: number; day: number }[]) => {
    const ledger = new RuleLedger(rules, POLICY, DEFAULT_COSTS);
    rows.forEach(({ fired, label, worth, day }, index) => {
      const { hits, silenced } = hitsOf(
        rules,
        Uint8Array.from(rules, (_, i) => (fired.includes(i) ? 1 : 0)),
        new Float64Array(rules.length).fill(1),
        () => false,
      );
      const given = { id: String(index), modelRisk: Number.NaN, calibrated: false, amountMinor: worth, hits, silenced };
      const timeMs = START_MS + day * DAY_MS;
      ledger.add({ given, verdict: decide(given, POLICY), timeMs, inTime: true, customer: `c${index}`, label });
    });
    return ledger.records(1);
  };

  it('gives a rule what only it changes, and a shadow rule what it would change', () => {
    const [one, two, quiet] = ledgerOf([
      { fired: [0, 1], label: true, worth: 100_000, day: 0 },
      { fired: [0], label: true, worth: 10_000, day: 1 },
      { fired: [1], label: false, worth: 5000, day: 2 },
      { fired: [2], label: true, worth: 2000, day: 8 },
    ]);
    expect(one).toMatchObject({
      hits: 2,
      frauds: 2,
      uniqueFrauds: 1,
      uniqueMinor: 10_000,
      caughtMinor: 110_000,
      decisive: 2,
    });
    // Without it the first would be reviewed (450 + 5 % of 90,000) and the second lost (9,000); held, both cost nothing.
    expect(one.savedMinor).toBeCloseTo(450 + 4500 + 9000);
    expect(one.savedAloneMinor).toBeCloseTo(90_000 + 9000);
    expect(two).toMatchObject({ hits: 2, frauds: 1, uniqueFrauds: 0, goodCustomers: 1, precision: 0.5 });
    expect(two.savedMinor).toBeCloseTo(-(450 + 150));
    expect(two.overlaps).toEqual([{ rule: 'one@1', hits: 1, share: 0.5 }]);
    expect(quiet).toMatchObject({ hits: 1, uniqueFrauds: 1, mode: 'shadow' });
    expect(quiet.savedMinor).toBeCloseTo(1800);
    expect(quiet.weeks).toEqual([{ week: '2026-01-12', hits: 1, labelled: 1, frauds: 1, precision: 1 }]);
  });

  it('proposes to retire what costs, what others decide already, and to watch what gets worse', () => {
    const many = (count: number, row: { fired: readonly number[]; label: boolean; worth: number }, day = 0) =>
      Array.from({ length: count }, (_, i) => ({ ...row, day: day + (i % 14) }));
    const kinds = (rows: Parameters<typeof ledgerOf>[0]) => ledgerOf(rows).map(({ proposal }) => proposal.kind);
    expect(kinds(many(50, { fired: [1], label: false, worth: 1000 }))[1]).toBe('retire');
    expect(kinds(many(50, { fired: [0, 1], label: true, worth: 100_000 })).slice(0, 2)).toEqual(['keep', 'retire']);
    expect(kinds(many(50, { fired: [2], label: true, worth: 100_000 }))[2]).toBe('promote');
    const decayed = [
      ...many(60, { fired: [0], label: true, worth: 500_000 }),
      ...many(60, { fired: [0], label: false, worth: 1000 }, 28),
    ];
    expect(kinds(decayed)[0]).toBe('watch');
    expect(ledgerOf(decayed)[0].trend).toMatchObject({ earlier: 1, later: 0 });
  });

  it('waits for a rule that has not fired yet', () => {
    const record = { ...ledgerOf([])[0] } as RuleRecord;
    expect(record.rule).toBe(ruleVersion(rules[0]));
    expect(proposalFor(record, 10).kind).toBe('keep');
    expect(proposalFor(record, 60).kind).toBe('watch');
  });
});
