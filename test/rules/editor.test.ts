// What a rule editor relies on: rules as JSON, their conditions as trees and back, and problems that lead to the place in the
// document that it holds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../../src/decisions/reason-codes.ts';
import { createRuleVocabulary } from '../../src/decisions/rule-names.ts';
import { catalogueNamed } from '../../src/features/catalogue/choose.ts';
import { checkRules } from '../../src/jobs/rules/check-rules.ts';
import { emptyRuleLists } from '../../src/jobs/rules/rule-lists.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';
import type { Expression } from '../../src/rules/node.ts';
import { outlineOf } from '../../src/rules/outline.ts';
import { PROBLEM_CODES } from '../../src/rules/problem.ts';
import { type PlacedRule, readRules } from '../../src/rules/read-rules.ts';
import { anyCondition } from './random-conditions.ts';

const vocabulary = createRuleVocabulary(catalogueNamed('default'), [], emptyRuleLists(STANDARD_LISTS));
const REASONS = new Set(Object.keys(REASON_CODES));
const RULE = {
  ...{ id: 'edited', version: 1, name: { es: 'Prueba', en: 'Test' }, owner: 'fraude', severity: 'low' },
  ...{ reason: 'MONTO_REDONDO', action: 'review', typologies: ['F01'] },
};

function read(when: unknown): PlacedRule {
  const { rules, problems } = readRules(JSON.stringify({ rules: [{ ...RULE, when }] }), 'edited.json', REASONS);
  expect(problems).toEqual([]);
  return rules[0];
}

/** Without the places, which depend on how it is written. */
function plain(node: Expression): unknown {
  return JSON.parse(JSON.stringify(node, (key, value) => (key === 'span' ? undefined : value)));
}

describe('a rule as JSON', () => {
  it.each([
    "amount > 3000 and operation in ('transfer', 'remittance')",
    { all: ['amount > 3000', { any: ['payee_age < 2h', { not: 'payeeId in @confiables' }] }] },
    { not: { any: ["fired('other')", "hasWord(concept, 'cupo')"] } },
    'balance_share > 80% or (payer_amount_mean_30d ?? 0) * 3 < amount',
  ])('%j is read, printed and read again as the same tree', (when) => {
    const { tree, printed } = outlineOf(read(when).rule);
    const again = outlineOf(read(printed).rule);
    expect(plain(again.tree)).toEqual(plain(tree));
    expect(again.printed).toBe(printed);
    // What an editor got as JSON is as good as what the program holds.
    expect(outlineOf({ ...read(when).rule, when: JSON.parse(JSON.stringify(tree)) as Expression }).printed).toBe(
      printed,
    );
  });

  it('any condition is', () => {
    fc.assert(
      fc.property(anyCondition, (condition) => {
        const first = outlineOf({ ...read('amount > 1').rule, when: condition }).printed;
        const again = outlineOf(read(first).rule);
        expect(again.printed).toBe(first);
        expect(plain(again.tree)).toEqual(plain(outlineOf(read(again.printed).rule).tree));
      }),
      { numRuns: 200 },
    );
  });

  it('says what its condition speaks of, each once', () => {
    const { rule } = read("amount > 1 and amount < 9 and payeeId in @bloqueados and fired('other')");
    expect(outlineOf(rule)).toMatchObject({
      ...{ rule: 'edited@1', names: ['amount', 'payeeId'], lists: ['bloqueados'], rules: ['other'] },
    });
  });
});

describe('a problem', () => {
  const problemsOf = (rule: Record<string, unknown>, tests: unknown = null) =>
    checkRules(
      {
        rules: [
          {
            path: 'edited.json',
            text: JSON.stringify({ rules: [{ ...RULE, id: 'first', when: 'amount > 7' }, rule] }),
          },
        ],
        tests: tests === null ? [] : [{ path: 'edited.test.json', text: JSON.stringify({ tests }) }],
      },
      vocabulary,
    ).problems.map(({ code, path }) => `${code} ${path}`);

  it.each([
    [{ ...RULE, when: 'amuont > 1' }, 'NAME_UNKNOWN /rules/1/when'],
    [
      { ...RULE, when: { all: ['amount > 1', { any: ['pair_is_new', 'amount >'] }] } },
      'SYNTAX_INVALID /rules/1/when/all/1/any/1',
    ],
    [{ ...RULE, when: { all: ['amount > 1', { not: 'concept in @nadie' }] } }, 'LIST_UNKNOWN /rules/1/when/all/1/not'],
    [{ ...RULE, when: { all: ['amount > 1', 'hour >= 0'] } }, 'ALWAYS_HOLDS /rules/1/when/all/1'],
    [{ ...RULE, when: { any: ['amount > 1', 'amount > 2'] } }, 'ADDS_NOTHING /rules/1/when/any/1'],
    [{ ...RULE, when: 'amount > 2 and amount < 1' }, 'NEVER_HOLDS /rules/1/when'],
    [{ ...RULE, when: 'payee_age > 5' }, 'UNIT_MISMATCH /rules/1/when'],
    [{ ...RULE, when: "operation = 'transfr'" }, 'VALUE_IMPOSSIBLE /rules/1/when'],
    [{ ...RULE, when: "fired('nobody')" }, 'RULE_UNKNOWN /rules/1/when'],
    [{ ...RULE, when: 'amont(1) > 1' }, 'FUNCTION_UNKNOWN /rules/1/when'],
    [{ ...RULE, action: 'stop', when: 'amount > 1' }, 'VALUE_INVALID /rules/1/action'],
    [{ ...RULE, name: { es: 'x' }, when: 'amount > 1' }, 'KEY_MISSING /rules/1/name'],
    [{ ...RULE }, 'KEY_MISSING /rules/1'],
    [{ ...RULE, 'w/e': 1, when: 'amount > 1' }, 'KEY_UNKNOWN /rules/1/w~1e'],
    [{ ...RULE, reason: 'NADA', when: 'amount > 1' }, 'REASON_UNKNOWN /rules/1/reason'],
    [{ ...RULE, typologies: ['F01', 'X1'], when: 'amount > 1' }, 'VALUE_INVALID /rules/1/typologies/1'],
    [{ ...RULE, id: 'first', when: 'amount > 1' }, 'RULE_REPEATED /rules/1'],
  ])('of %j is %s', (rule, problem) => {
    expect(problemsOf(rule)).toEqual([problem]);
    const [code] = problem.split(' ');
    expect(Object.keys(PROBLEM_CODES)).toContain(code);
  });

  it('of a test leads to it', () => {
    const rule = { ...RULE, when: 'amount > 1' };
    expect(problemsOf(rule, [{ name: 'a', given: { amount: 0 }, fires: ['edited'] }])).toEqual([
      'TEST_FAILED /tests/0',
    ]);
    expect(problemsOf(rule, [{ name: 'a', given: { amuont: 0 }, fires: ['edited'] }])).toEqual([
      'NAME_UNKNOWN /tests/0/given/amuont',
    ]);
  });
});
