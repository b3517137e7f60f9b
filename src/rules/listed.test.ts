// Entries of lists that rules found: of a condition's parts that hold, whichever of them decided.
import { expect, it } from 'vitest';
import { createRuleVocabulary, type RuleInput } from '../decisions/rule-names.ts';
import { createTransaction } from '../domain/transaction.ts';
import { createKeptList, ruleListOf } from '../lists/kept-list.ts';
import { readRules } from './read-rules.ts';
import { compileRuleSet } from './rule-set.ts';

const kept = (name: string, match: 'exact' | 'name', values: readonly string[]) =>
  ruleListOf<RuleInput>(
    createKeptList(
      { name, purpose: 'watch', match, threshold: match === 'exact' ? 1 : 0.9 },
      values.map((value, n) => ({ value, reason: '', source: '', fromMs: 0, untilMs: n === 0 ? 10 : null })),
    ),
    ({ transaction }) => transaction.eventTimeMs,
  );
const lists = new Map([
  ['mulas', kept('mulas', 'exact', ['A-1', 'A-1', 'A-2'])],
  ['pep', kept('pep', 'name', ['Luz Ocaña Prieto', 'Rosaura Tarqui Illanes'])],
]);
const vocabulary = createRuleVocabulary([], [], lists);

function listed(when: string, more: object, timeMs = 100): unknown {
  const text = JSON.stringify([
    {
      ...{ id: 'a', version: 1, owner: 'f', severity: 'high', reason: 'X', name: { es: 'a', en: 'b' } },
      ...{ action: 'hold', when },
    },
  ]);
  const { set, problems } = compileRuleSet(readRules(text, 'rule', new Set(['X'])).rules, vocabulary);
  expect(problems).toEqual([]);
  const transaction = createTransaction({
    ...{ id: 't', eventTimeMs: timeMs, amountMinor: 1200, currency: 'PEN' },
    ...more,
  });
  const input: RuleInput = {
    ...{ transaction, features: new Float64Array(), offset: 0, risk: Number.NaN, scores: new Float64Array() },
    ...{ findings: [], fired: new Uint8Array(1) },
  };
  expect(set!.evaluate(input, timeMs, input.fired)).toBe(1);
  return set!.listed(0, input);
}

it('the entry that was in force at the time of the transaction, by its place', () => {
  const when = 'payeeAccount in @mulas';
  expect(listed(when, { payeeAccount: 'A-1' })).toEqual([{ list: 'mulas', entry: 1 }]);
  expect(listed(when, { payeeAccount: 'A-1' }, 5)).toEqual([{ list: 'mulas', entry: 0 }]);
  expect(listed(when, { payeeAccount: 'A-2' })).toEqual([{ list: 'mulas', entry: 2 }]);
});

it('of every part that holds, each entry once, and of none that does not', () => {
  const when = 'originalAmount = 12 or payeeAccount in @mulas or payerAccount in @mulas or payeeName in @pep';
  expect(listed(when, { payeeAccount: 'A-9', payeeName: 'Otro Nombre Cualquiera' })).toEqual([]);
  expect(listed(when, { payeeAccount: 'A-2', payerAccount: 'A-2', payeeName: 'Tarqui Illanes Rosaura' })).toEqual([
    { list: 'mulas', entry: 2 },
    { list: 'pep', entry: 1 },
  ]);
  expect(listed('not (payeeAccount in @mulas)', { payeeAccount: 'A-9' })).toEqual([]);
  expect(listed('originalAmount = 12', { payeeAccount: 'A-2' })).toEqual([]);
});

it('by likeness where the comparison holds', () => {
  const when = 'originalAmount = 12 or nameSimilarity(payeeName, @pep) > 0.5';
  expect(listed(when, { payeeName: 'Rosaura Tarqui Yllanes' })).toEqual([{ list: 'pep', entry: 1 }]);
  expect(listed(when, { payeeName: 'Luis Paredes Soto' })).toEqual([]);
});
