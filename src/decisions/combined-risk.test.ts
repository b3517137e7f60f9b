import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRules } from '../rules/read-rules.ts';
import type { Rule } from '../rules/rule.ts';
import { addRules, combinedRisk, doubtsOf, doubtsOfRows } from './combined-risk.ts';

const LABELLED = { stacking: { bias: 0, weights: [1] }, ruleEvidence: { 'known@2': 0.4 } };
const UNLABELLED = { stacking: null, ruleEvidence: null };

function rule(id: string, more: string, when = 'amount > 1'): Rule {
  const text = `[{ id: ${id}, version: 2, name: { es: a, en: a }, owner: o, reason: R, action: review, severity: high, when: "${when}", ${more} }]`;
  const { rules, problems } = readRules(text, 'r.yaml', new Set(['R']));
  expect(problems).toEqual([]);
  return rules[0].rule;
}

describe('what a rule leaves of the doubt', () => {
  it('is what was learnt of it, else what its severity is expected to be right', () => {
    const rules = [rule('known', 'notes: x'), rule('later', 'notes: x'), rule('mild', 'notes: x')];
    expect([...doubtsOf(rules, LABELLED)]).toEqual([0.6, 0.75, 0.75]);
    expect([...doubtsOf(rules, { ...LABELLED, ruleEvidence: null })]).toEqual([0.75, 0.75, 0.75]);
  });

  it('is all of it for rules that approve, that look at the model, and that ask about such a rule', () => {
    const approves = { ...rule('trusted', 'notes: x'), action: 'approve' } as const;
    const rules = [
      approves,
      rule('by-risk', 'notes: x', 'risk > 0.5'),
      rule('by-score', 'notes: x', 'score_gbdt > 0.5'),
      rule('asks', 'notes: x', "fired('by-risk') and amount > 5"),
      rule('asks-another', 'notes: x', "fired('trusted') and amount > 5"),
    ];
    for (const model of [LABELLED, UNLABELLED]) {
      const doubts = doubtsOf(rules, model);
      expect([...doubts.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
      expect(doubts[4]).toBeLessThan(1);
    }
  });

  it('without labels, is the odds of any transaction over those of the rule', () => {
    const [doubt] = doubtsOf([rule('known', 'notes: x')], UNLABELLED);
    expect(doubt).toBeCloseTo(1 / 999 / (0.25 / 0.75), 12);
    // So a wholly ordinary transaction is among the three in a thousand most unusual.
    expect(combinedRisk(0, doubt)).toBeGreaterThan(0.996);
  });
});

describe('the risk of model and rules', () => {
  it('is a noisy or, and the model’s to the bit where no rule fires', () => {
    expect(combinedRisk(0.5, 0.6 * 0.75)).toBe(Math.fround(1 - 0.5 * 0.6 * 0.75));
    expect(combinedRisk(0.1, 1)).toBe(0.1);
    expect(combinedRisk(Number.NaN, 0.5)).toBe(Number.NaN);
  });

  it('ranks rows by the risk, and rows of the same risk as the model does', () => {
    const row = fc.record({
      logOdds: fc.double({ min: -14, max: 30, noNaN: true }),
      doubt: fc.constantFrom(1, 1, 0.9, 0.5, 0.001),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), (rows) => {
        const ranking = Float32Array.from(rows, ({ logOdds }) => logOdds);
        const risk = ranking.map((each) => 1 / (1 + Math.exp(-each)));
        const added = addRules(
          { ranking, risk },
          rows.map(({ doubt }) => doubt),
        );
        for (let a = 0; a < rows.length; a++) {
          for (let b = 0; b < rows.length; b++) {
            const odds = (i: number) => Math.log(added.risk[i] / (1 - added.risk[i]));
            if (odds(a) > odds(b) + 0.03) expect(added.ranking[a]).toBeGreaterThan(added.ranking[b]);
            const same = rows[a].doubt === rows[b].doubt;
            if (same && ranking[a] > ranking[b]) expect(added.ranking[a]).toBeGreaterThanOrEqual(added.ranking[b]);
          }
        }
      }),
    );
  });

  it('changes nothing where no rule fired on any row', () => {
    const scores = { ranking: Float32Array.of(1, 2), risk: Float32Array.of(0.1, 0.2) };
    const fired = { starts: Uint32Array.of(0, 1, 1, 1), rules: Uint16Array.of(0) };
    const doubts = Float64Array.of(0.5);
    expect(addRules(scores, doubtsOfRows(doubts, fired, [1, 2]))).toEqual(scores);
    expect([...doubtsOfRows(doubts, fired, [0, 2])!]).toEqual([0.5, 1]);
  });
});
