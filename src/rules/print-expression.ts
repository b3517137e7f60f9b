// Writes a condition as text, so that what an editor changed as a tree can be read and kept as a rule file.
import type { Expression } from './node.ts';

/** How tightly a node holds together, as in parse-expression.ts; greater is tighter. */
function strength(node: Expression): number {
  switch (node.kind) {
    case 'any':
      return 1;
    case 'all':
      return 2;
    case 'not':
      return 3;
    case 'comparison':
    case 'between':
    case 'in':
    case 'known':
      return 4;
    case 'otherwise':
      return 5;
    case 'arithmetic':
      return node.operator === '+' || node.operator === '-' ? 6 : 7;
    case 'negative':
      return 8;
    case 'number':
      return node.value < 0 ? 8 : 9;
    default:
      return 9;
  }
}

/** Read again, the text gives the same tree but for the spans. */
export function printExpression(node: Expression): string {
  const inner = (child: Expression, least: number) =>
    strength(child) >= least ? printExpression(child) : `(${printExpression(child)})`;
  switch (node.kind) {
    case 'number':
      return printNumber(node.value, node.unit);
    case 'text':
      return `'${node.value.replaceAll("'", "''")}'`;
    case 'boolean':
      return String(node.value);
    case 'name':
      return node.name;
    case 'list':
      return `@${node.name}`;
    case 'set':
      return `(${node.items.map(printExpression).join(', ')})`;
    case 'not':
      return `not ${inner(node.operand, 3)}`;
    case 'negative':
      // '- 3' read again would be the number −3.
      return node.operand.kind === 'number' ? `-(${printExpression(node.operand)})` : `-${inner(node.operand, 8)}`;
    case 'all':
      return node.operands.map((operand) => inner(operand, 3)).join(' and ');
    case 'any':
      return node.operands.map((operand) => inner(operand, 2)).join(' or ');
    case 'comparison':
      return `${inner(node.left, 5)} ${node.operator} ${inner(node.right, 5)}`;
    case 'between':
      return `${inner(node.operand, 5)} between ${inner(node.low, 5)} and ${inner(node.high, 5)}`;
    case 'in':
      return `${inner(node.operand, 5)} in ${printExpression(node.of)}`;
    case 'known':
      return `${inner(node.operand, 5)} is known`;
    case 'otherwise':
      return `${inner(node.operand, 6)} ?? ${inner(node.instead, 5)}`;
    case 'arithmetic': {
      const own = strength(node);
      return `${inner(node.left, own)} ${node.operator} ${inner(node.right, own + 1)}`;
    }
    case 'call':
      return `${node.name}(${node.parameters.map(printExpression).join(', ')})`;
  }
}

const DURATIONS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
];

function printNumber(value: number, unit: Extract<Expression, { kind: 'number' }>['unit']): string {
  if (unit === 'duration') {
    const [suffix, size] = DURATIONS.find(([, size]) => Number.isInteger(value / size)) ?? DURATIONS[4];
    return `${value / size}${suffix}`;
  }
  if (unit === 'distance') return `${value}km`;
  if (unit === 'ratio') {
    const percent = `${Number((value * 100).toPrecision(15))}%`;
    return percent;
  }
  return String(value);
}
