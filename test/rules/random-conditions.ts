// A small vocabulary and random conditions over it, for the tests of the rule language.
import fc from 'fast-check';
import type { RuleName, RuleVocabulary } from '../../src/rules/names.ts';
import type { Expression } from '../../src/rules/node.ts';

/** Values by name; a missing one is not there. */
export type SampleInput = Readonly<Record<string, number | string | boolean | undefined>>;

const meaning = { es: '', en: '' };
const NUMBERS = [
  { name: 'amount', unit: 'money' },
  { name: 'hour', unit: 'hour', low: 0, high: 23, whole: true },
  { name: 'age', unit: 'duration', low: 0 },
  { name: 'count', unit: 'count', low: 0, whole: true },
] as const;
export const OPERATION_VALUES = ['transfer', 'purchase', 'refund'] as const;

const names: RuleName<SampleInput>[] = [
  ...NUMBERS.map(
    ({ name, unit, ...range }): RuleName<SampleInput> => ({
      ...{ name, cost: 1, meaning, type: { kind: 'number', unit }, ...range },
      read: (input) => (input[name] as number | undefined) ?? Number.NaN,
    }),
  ),
  {
    ...{ name: 'operation', cost: 2, meaning, type: { kind: 'text' }, values: OPERATION_VALUES },
    read: (input) => (input.operation as string | undefined) ?? null,
  },
  {
    ...{ name: 'concept', cost: 2, meaning, type: { kind: 'text' } },
    read: (input) => (input.concept as string | undefined) ?? null,
  },
  {
    ...{ name: 'isNew', cost: 1, meaning, type: { kind: 'boolean' } },
    read: (input) => (input.isNew as boolean | undefined) ?? null,
  },
];

export const sampleVocabulary: RuleVocabulary<SampleInput> = {
  names: new Map(names.map((name) => [name.name, name])),
  lists: new Map([
    [
      'blocked',
      {
        name: 'blocked',
        cost: 5,
        has: (value) => value === 'x',
        similarity: () => 0.5,
        placeOf: (value) => (value === 'x' ? 0 : 1),
      },
    ],
  ]),
  fired: () => false,
};

const span = { from: 0, to: 0 };
const quantity = fc.constantFrom<Expression>(
  { kind: 'name', name: 'amount', span },
  { kind: 'name', name: 'hour', span },
  { kind: 'name', name: 'count', span },
);
const literal = fc
  .integer({ min: -2, max: 25 })
  .map((value): Expression => ({ kind: 'number', value, unit: null, span }));
const text = fc.constantFrom(...OPERATION_VALUES).map((value): Expression => ({ kind: 'text', value, span }));
const operation: Expression = { kind: 'name', name: 'operation', span };
const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=' as const);

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  fc.record({
    kind: fc.constant('comparison' as const),
    operator: comparison,
    left: quantity,
    right: literal,
    span: fc.constant(span),
  }),
  fc.record({
    kind: fc.constant('between' as const),
    operand: quantity,
    low: literal,
    high: literal,
    span: fc.constant(span),
  }),
  fc
    .tuple(fc.constantFrom('=', '!=' as const), text)
    .map(([operator, right]): Expression => ({ kind: 'comparison', operator, left: operation, right, span })),
  fc
    .array(text, { minLength: 1, maxLength: 3 })
    .map((items): Expression => ({ kind: 'in', operand: operation, of: { kind: 'set', items, span }, span })),
  fc
    .array(literal, { minLength: 1, maxLength: 3 })
    .chain((items) =>
      quantity.map((operand): Expression => ({ kind: 'in', operand, of: { kind: 'set', items, span }, span })),
    ),
  quantity.map((operand): Expression => ({ kind: 'known', operand, span })),
  fc.constant<Expression>({ kind: 'name', name: 'isNew', span }),
);

/** Well-typed conditions; their spans mean nothing. */
export const anyCondition: fc.Arbitrary<Expression> = fc.letrec<{ condition: Expression }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('condition').map((operand): Expression => ({ kind: 'not', operand, span })),
    fc
      .array(tie('condition'), { minLength: 2, maxLength: 3 })
      .map((operands): Expression => ({ kind: 'all', operands, span })),
    fc
      .array(tie('condition'), { minLength: 2, maxLength: 3 })
      .map((operands): Expression => ({ kind: 'any', operands, span })),
  ),
})).condition;

export const anyInput: fc.Arbitrary<SampleInput> = fc.record(
  {
    amount: fc.integer({ min: -3, max: 26 }),
    hour: fc.integer({ min: 0, max: 23 }),
    count: fc.integer({ min: 0, max: 26 }),
    operation: fc.constantFrom(...OPERATION_VALUES),
    isNew: fc.boolean(),
  },
  { requiredKeys: [] },
);
