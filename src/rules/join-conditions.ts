// Conditions that YAML lists piece by piece (all, any, not) as one condition with one text, whose places lead back to the file.
import type { Expression, Span } from './node.ts';

/** A condition put together from the pieces of a YAML tree, and where each piece stands in the file. */
export interface PlacedCondition {
  readonly expression: Expression;
  readonly source: string;
  placeOffset(offset: number): number;
}

/** The pieces as one condition with one text; places in that text lead back to the piece's own. */
export function joined(kind: 'all' | 'any' | 'not', pieces: readonly PlacedCondition[]): PlacedCondition {
  const starts: number[] = [];
  let source = kind === 'not' ? 'not ' : '';
  const operands = pieces.map(({ expression, source: own }, index) => {
    if (index > 0) source += kind === 'all' ? ' and ' : ' or ';
    const wrapped = kind === 'not' || pieces.length > 1;
    starts.push(source.length + (wrapped ? 1 : 0));
    source += wrapped ? `(${own})` : own;
    return shifted(expression, starts[index]);
  });
  const span: Span = { from: 0, to: source.length };
  const expression: Expression = kind === 'not' ? { kind, operand: operands[0], span } : { kind, operands, span };
  return {
    expression,
    source,
    placeOffset(offset) {
      const index = Math.max(
        0,
        starts.findLastIndex((start) => start <= offset),
      );
      return pieces[index].placeOffset(Math.max(0, offset - starts[index]));
    },
  };
}

function shifted(node: Expression, by: number): Expression {
  const span = { from: node.span.from + by, to: node.span.to + by };
  const move = (child: Expression) => shifted(child, by);
  switch (node.kind) {
    case 'set':
      return { ...node, items: node.items.map(move), span };
    case 'not':
    case 'negative':
    case 'known':
      return { ...node, operand: move(node.operand), span };
    case 'arithmetic':
    case 'comparison':
      return { ...node, left: move(node.left), right: move(node.right), span };
    case 'between':
      return { ...node, operand: move(node.operand), low: move(node.low), high: move(node.high), span };
    case 'in':
      return { ...node, operand: move(node.operand), of: move(node.of), span };
    case 'otherwise':
      return { ...node, operand: move(node.operand), instead: move(node.instead), span };
    case 'all':
    case 'any':
      return { ...node, operands: node.operands.map(move), span };
    case 'call':
      return { ...node, parameters: node.parameters.map(move), span };
    default:
      return { ...node, span };
  }
}
