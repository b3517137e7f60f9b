// Truth of three values and the closures that conditions are compiled to: joins, comparisons, arithmetic.
import type { ArithmeticOperator, ComparisonOperator, Expression } from './node.ts';

/** False, true, or unknown since something is missing. */
export type Truth = 0 | 1 | 2;
export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

export type Condition<Input> = (input: Input) => Truth;
/** NaN is missing. */
export type NumberOf<Input> = (input: Input) => number;

/** `and` where `decisive` is false, `or` where it is true. */
export function conjunction<Input>(
  conditions: readonly Condition<Input>[],
  decisive: Truth,
  neutral: Truth,
): Condition<Input> {
  if (conditions.length === 2) {
    const [first, second] = conditions;
    return (input) => {
      const a = first(input);
      if (a === decisive) return decisive;
      const b = second(input);
      if (b === decisive) return decisive;
      return a === UNKNOWN || b === UNKNOWN ? UNKNOWN : neutral;
    };
  }
  return (input) => {
    let result: Truth = neutral;
    for (let i = 0; i < conditions.length; i++) {
      const value = conditions[i](input);
      if (value === decisive) return decisive;
      if (value === UNKNOWN) result = UNKNOWN;
    }
    return result;
  };
}

export function arithmetic<Input>(
  operator: ArithmeticOperator,
  left: NumberOf<Input>,
  right: NumberOf<Input>,
): NumberOf<Input> {
  switch (operator) {
    case '+':
      return (input) => left(input) + right(input);
    case '-':
      return (input) => left(input) - right(input);
    case '*':
      return (input) => left(input) * right(input);
    case '/':
      // A quotient by 0 is as good as missing: a rule must not fire on an infinity.
      return (input) => {
        const divisor = right(input);
        return divisor === 0 ? Number.NaN : left(input) / divisor;
      };
  }
}

/** NaN compares as neither. */
export function numberComparison<Input>(
  operator: ComparisonOperator,
  left: NumberOf<Input>,
  right: NumberOf<Input>,
  rightNode: Expression,
): Condition<Input> {
  if (rightNode.kind === 'number') {
    const y = rightNode.value;
    switch (operator) {
      case '<':
        return (input) => {
          const x = left(input);
          return x < y ? TRUE : x >= y ? FALSE : UNKNOWN;
        };
      case '<=':
        return (input) => {
          const x = left(input);
          return x <= y ? TRUE : x > y ? FALSE : UNKNOWN;
        };
      case '>':
        return (input) => {
          const x = left(input);
          return x > y ? TRUE : x <= y ? FALSE : UNKNOWN;
        };
      case '>=':
        return (input) => {
          const x = left(input);
          return x >= y ? TRUE : x < y ? FALSE : UNKNOWN;
        };
    }
  }
  const holds: Readonly<Record<ComparisonOperator, (x: number, y: number) => boolean>> = {
    '=': (x, y) => x === y,
    '!=': (x, y) => x !== y,
    '<': (x, y) => x < y,
    '<=': (x, y) => x <= y,
    '>': (x, y) => x > y,
    '>=': (x, y) => x >= y,
  };
  const test = holds[operator];
  return (input) => {
    const x = left(input);
    const y = right(input);
    if (Number.isNaN(x) || Number.isNaN(y)) return UNKNOWN;
    return test(x, y) ? TRUE : FALSE;
  };
}
