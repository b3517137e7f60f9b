// Why a rule fired or did not: the value of every part of its condition that was looked at.
//
// Conditions are pure, so nothing is recorded while transactions pass: the few that fired are evaluated once more here, in
// the same order and with the same values.
import type { TypedExpression } from './check-types.ts';
import { type Condition, FALSE, TRUE, type Truth, UNKNOWN } from './closures.ts';
import type { Expression } from './node.ts';

export interface TracedNode {
  /** Characters of the expression. */
  readonly from: number;
  readonly to: number;
  /** null is missing. */
  readonly value: number | string | boolean | null;
}

/** How each node of an expression is read; made once a rule. */
export interface NodeReaders<Input> {
  condition(node: Expression): Condition<Input>;
  number(node: Expression): (input: Input) => number;
  text(node: Expression): (input: Input) => string | null;
  /** Operands in the order in which they are looked at. */
  inOrder(operands: readonly Expression[]): readonly Expression[];
}

/** @returns what was looked at, a part before what it is made of */
export function traceCondition<Input>(
  { expression, types }: TypedExpression,
  readers: NodeReaders<Input>,
  input: Input,
): TracedNode[] {
  const traced: TracedNode[] = [];
  visit(expression);
  return traced;

  function visit(node: Expression): Truth {
    const { from, to } = node.span;
    const type = types.get(node);
    if (type === undefined || node.kind === 'number' || node.kind === 'text' || node.kind === 'boolean') {
      return UNKNOWN;
    }
    const at = traced.length;
    let truth: Truth = UNKNOWN;
    if (type.kind === 'boolean') {
      truth = readers.condition(node)(input);
      traced.push({ from, to, value: truth === UNKNOWN ? null : truth === TRUE });
    } else if (type.kind === 'number') {
      const value = readers.number(node)(input);
      traced.push({ from, to, value: Number.isNaN(value) ? null : value });
    } else if (type.kind === 'text') {
      traced.push({ from, to, value: readers.text(node)(input) });
    }
    if (node.kind === 'all' || node.kind === 'any') {
      const decisive = node.kind === 'all' ? FALSE : TRUE;
      for (const operand of readers.inOrder(node.operands)) if (visit(operand) === decisive) break;
      return traced[at].value === null ? UNKNOWN : traced[at].value === true ? TRUE : FALSE;
    }
    for (const child of operandsOf(node)) visit(child);
    return truth;
  }
}

/** But for those of `all` and `any`. */
export function operandsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'not':
    case 'negative':
    case 'known':
      return [node.operand];
    case 'otherwise':
      return [node.operand, node.instead];
    case 'arithmetic':
    case 'comparison':
      return [node.left, node.right];
    case 'between':
      return [node.operand, node.low, node.high];
    case 'in':
      return [node.operand, node.of];
    case 'call':
      return node.parameters;
    default:
      return [];
  }
}
