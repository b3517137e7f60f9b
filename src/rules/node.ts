// The syntax tree of a rule's condition: readonly nodes told apart by `kind`. It is what is checked, compiled, explained
// and, as JSON, what a rule editor works on.

/** Where a node stands in its expression, in characters. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * What a number measures. Numbers of different units are not compared or added; a bare literal fits any unit but time.
 * Money is in soles (major units), durations in milliseconds.
 */
export const UNITS = [
  'money',
  'duration',
  'count',
  'ratio',
  'deviations',
  'speed',
  'distance',
  'hour',
  'plain',
] as const;
export type RuleUnit = (typeof UNITS)[number];

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/';

export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly unit: RuleUnit | null; readonly span: Span }
  | { readonly kind: 'text'; readonly value: string; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  /** A field of the transaction, a feature, a score. */
  | { readonly kind: 'name'; readonly name: string; readonly span: Span }
  /** A kept list of values, written `@name`. */
  | { readonly kind: 'list'; readonly name: string; readonly span: Span }
  | { readonly kind: 'set'; readonly items: readonly Expression[]; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Expression; readonly span: Span }
  | { readonly kind: 'negative'; readonly operand: Expression; readonly span: Span }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'comparison';
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  /** Both ends count. */
  | {
      readonly kind: 'between';
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly span: Span;
    }
  | { readonly kind: 'in'; readonly operand: Expression; readonly of: Expression; readonly span: Span }
  | { readonly kind: 'known'; readonly operand: Expression; readonly span: Span }
  /** The second where the first is missing. */
  | { readonly kind: 'otherwise'; readonly operand: Expression; readonly instead: Expression; readonly span: Span }
  | { readonly kind: 'all'; readonly operands: readonly Expression[]; readonly span: Span }
  | { readonly kind: 'any'; readonly operands: readonly Expression[]; readonly span: Span }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly parameters: readonly Expression[];
      readonly span: Span;
    };

/** The nodes right below, in the order in which they are written. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'number':
    case 'text':
    case 'boolean':
    case 'name':
    case 'list':
      return [];
    case 'set':
      return node.items;
    case 'not':
    case 'negative':
    case 'known':
      return [node.operand];
    case 'arithmetic':
    case 'comparison':
      return [node.left, node.right];
    case 'between':
      return [node.operand, node.low, node.high];
    case 'in':
      return [node.operand, node.of];
    case 'otherwise':
      return [node.operand, node.instead];
    case 'all':
    case 'any':
      return node.operands;
    case 'call':
      return node.parameters;
  }
}

/** The node and everything below it, parents first. */
export function* walk(node: Expression): Generator<Expression> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}
