import { describe, expect, it } from 'vitest';
import { createTransaction, type Transaction } from '../../domain/transaction.ts';
import { catalogueNamed } from '../../features/catalogue/choose.ts';
import { createFeatureEngine } from '../../features/engine.ts';
import { createDecider, foldBatch } from '../../pipeline/decide-transactions.ts';
import { MOST_PER_ROW, RuleWatch } from '../../pipeline/rule-watch.ts';
import { type PlacedRule, readRules } from '../../rules/read-rules.ts';
import { NO_RULES, rulesOverFeatures } from './rules-over-features.ts';

const handbook = catalogueNamed('handbook');
const seesNoModel = { definitions: handbook, known: ['gbdt'], scored: null };

function placed(conditions: Readonly<Record<string, string>>): readonly PlacedRule[] {
  const text = Object.entries(conditions).map(
    ([id, when]) =>
      `  - { id: ${id}, version: 1, name: { es: a, en: a }, owner: o, reason: R, action: review, severity: low, when: "${when}" }\n`,
  );
  const { rules, problems } = readRules(`rules:\n${text.join('')}`, 'r.yaml', new Set(['R']));
  expect(problems).toEqual([]);
  return rules;
}

const evaluated = (conditions: Readonly<Record<string, string>>, detectors: readonly string[] = []) => ({
  ...NO_RULES,
  ...{ placed: placed(conditions), detectors },
});
const idsOf = (
  conditions: Readonly<Record<string, string>>,
  sees: Parameters<typeof rulesOverFeatures>[1],
  detectors: readonly string[] = [],
) => rulesOverFeatures(evaluated(conditions, detectors), sees).rules.map(({ id }) => id);

describe('rules over the features that are there', () => {
  it('are those that look at nothing else, also not through other rules', () => {
    const conditions = {
      ...{ here: 'amount > 5', elsewhere: 'pair_is_new ?? true', asks: "not fired('elsewhere') and amount > 5" },
      ...{ 'asks-again': "fired('asks') or amount > 5", knows: "fired('here') and amount > 7" },
    };
    expect(idsOf(conditions, seesNoModel)).toEqual(['here', 'knows']);
    expect(idsOf(conditions, { ...seesNoModel, definitions: catalogueNamed('default') })).toHaveLength(5);
  });

  it('see the model only where there is one', () => {
    const conditions = { risk: '(risk ?? 0) < 0.5', score: 'score_gbdt > 0.5', other: 'score_network > 0.5' };
    const known = ['gbdt', 'network'];
    expect(idsOf(conditions, seesNoModel, known)).toEqual([]);
    expect(idsOf(conditions, { ...seesNoModel, scored: ['gbdt'] }, known)).toEqual(['risk', 'score']);
  });

  it('with a name that no catalogue has are a mistake', () => {
    expect(() => idsOf({ wrong: 'amuont > 5' }, seesNoModel)).toThrow(/r\.yaml:2:\d+: wrong: .*amuont/);
  });
});

describe('the rules that fired on the rows of a table', () => {
  const definitions = catalogueNamed('default');
  const transactions: Transaction[] = Array.from({ length: 400 }, (_, row) =>
    createTransaction({
      ...{ id: String(row), eventTimeMs: Date.UTC(2026, 0, 5) + row * 60_000, amountMinor: (row % 50) * 10_000 },
      ...{ currency: 'PEN', operation: 'transfer', payerId: `c${row % 5}`, payeeId: `p${row % 37}` },
    }),
  );
  const conditions = { much: 'amount > 4000', again: 'payer_count_1h >= 3 and pair_is_new', asks: "fired('much')" };

  it('are those that a decision sees', () => {
    const set = rulesOverFeatures(evaluated(conditions), { ...seesNoModel, definitions });
    const watch = new RuleWatch(createFeatureEngine(definitions), set);
    const features = new Float64Array(definitions.length);
    for (const transaction of transactions) watch.fold(transaction, features);
    const { fired } = watch.firedRules();
    const policy = { thresholds: { reviewAtRisk: 1, holdAtRisk: 1 }, control: null, severest: null };
    const decider = createDecider({ rules: set, model: null, policy, overrides: [] }, definitions);
    const decide = decider.open(foldBatch(transactions, createFeatureEngine(definitions)));
    let total = 0;
    transactions.forEach((_, row) => {
      const seen = [...fired.rules.subarray(fired.starts[row], fired.starts[row + 1])];
      expect(seen.map((rule) => set.rules[rule].id)).toEqual(
        decide(row).verdict.hits.map(({ rule }) => rule.split('@')[0]),
      );
      total += seen.length;
    });
    expect(total).toBeGreaterThan(50);
  });

  it('are at most so many a row', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`r-${i}`, `amount > ${i}`]));
    const watch = new RuleWatch(
      createFeatureEngine(definitions),
      rulesOverFeatures(evaluated(many), { ...seesNoModel, definitions }),
    );
    for (const transaction of transactions.slice(0, 2)) watch.fold(transaction, new Float64Array(definitions.length));
    expect([...watch.firedRules().fired.starts]).toEqual([0, 0, MOST_PER_ROW]);
  });
});
