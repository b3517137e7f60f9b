// Kept lists as rules ask about them: an entry counts while it is in force, by the time of the transaction.
import { expect, it } from 'vitest';
import type { RuleInput } from '../../src/decisions/rule-names.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import { ruleLists } from '../../src/jobs/rules/rule-lists.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';

const [definition] = STANDARD_LISTS;
const entry = (value: string, fromMs: number, untilMs: number | null) => ({
  ...{ value, reason: 'caso', source: 'Ana', fromMs, untilMs },
});
const STATE = { definition, entries: [entry('A', 100, 200), entry('B', 150, null), entry('C', 900, null)] };

function onListAt(timeMs: number, asOfMs: number | null): string {
  const transaction = createTransaction({ id: 't', eventTimeMs: timeMs, amountMinor: 1, currency: 'PEN' });
  const list = ruleLists([STATE], asOfMs).get(definition.name)!;
  return ['A', 'B', 'C'].filter((value) => list.has(value, { transaction } as RuleInput)).join('');
}

it('by the time of the transaction, so that nothing is known before it was', () => {
  expect([99, 100, 150, 199, 200, 900].map((timeMs) => onListAt(timeMs, null))).toEqual([
    ...['', 'A', 'AB', 'AB', 'B', 'BC'],
  ]);
});

it('as of one time for all of history, where that is asked for', () => {
  expect([0, 150, 5000].map((timeMs) => onListAt(timeMs, 500))).toEqual(['B', 'B', 'B']);
  expect(onListAt(0, 160)).toBe('AB');
});
