// Turns a checked condition into closures: no tree is walked and nothing is allocated while transactions pass.
//
// Missing values follow Kleene's three-valued logic: a comparison with something missing is neither true nor false, `and`
// and `or` decide where one side is enough, and a rule fires only on a plain true. Conditions have no effects, so those
// joined by `and` or `or` are looked at cheapest first; the result is the same in any order.
import { haversineKm } from '../domain/geo.ts';
import { plainText } from '../lib/plain-text.ts';
import type { TypedExpression } from './check-types.ts';
import {
  arithmetic,
  type Condition,
  conjunction,
  FALSE,
  type NumberOf,
  numberComparison,
  TRUE,
  UNKNOWN,
} from './closures.ts';
import { FUNCTIONS, hasWord, isLike } from './functions.ts';
import type { RuleVocabulary } from './names.ts';
import { childrenOf, type Expression } from './node.ts';
import type { NodeReaders } from './trace.ts';

type TextOf<Input> = (input: Input) => string | null;

/** @param ruleNumbers the number of each rule that `fired('…')` names, by id */
export function compileCondition<Input>(
  { expression, types }: TypedExpression,
  vocabulary: RuleVocabulary<Input>,
  ruleNumbers: ReadonlyMap<string, number>,
): Condition<Input> {
  return new Compiler(types, vocabulary, ruleNumbers).condition(expression);
}

/** Readers of the single nodes, for a trace. */
export function compileReaders<Input>(
  { types }: TypedExpression,
  vocabulary: RuleVocabulary<Input>,
  ruleNumbers: ReadonlyMap<string, number>,
): NodeReaders<Input> {
  const compiler = new Compiler(types, vocabulary, ruleNumbers);
  return {
    condition: (node) => compiler.condition(node),
    number: (node) => compiler.number(node),
    text: (node) => compiler.text(node),
    inOrder: (operands) => cheapestFirst(operands, vocabulary),
  };
}

/** How dear a condition is at most, in readings of one field. */
export function costOf<Input>(node: Expression, vocabulary: RuleVocabulary<Input>): number {
  const below = childrenOf(node).reduce((sum, child) => sum + costOf(child, vocabulary), 0);
  switch (node.kind) {
    case 'name':
      return vocabulary.names.get(node.name)?.cost ?? 1;
    case 'list':
      return vocabulary.lists.get(node.name)?.cost ?? 1;
    case 'call':
      return below + FUNCTIONS[node.name].cost;
    case 'number':
    case 'text':
    case 'boolean':
    case 'set':
      return 0;
    default:
      return below + 1;
  }
}

class Compiler<Input> {
  readonly #types: TypedExpression['types'];
  readonly #vocabulary: RuleVocabulary<Input>;
  readonly #ruleNumbers: ReadonlyMap<string, number>;

  constructor(
    types: TypedExpression['types'],
    vocabulary: RuleVocabulary<Input>,
    ruleNumbers: ReadonlyMap<string, number>,
  ) {
    this.#types = types;
    this.#vocabulary = vocabulary;
    this.#ruleNumbers = ruleNumbers;
  }

  condition(node: Expression): Condition<Input> {
    switch (node.kind) {
      case 'boolean': {
        const value = node.value ? TRUE : FALSE;
        return () => value;
      }
      case 'name': {
        const known = this.#vocabulary.names.get(node.name)!;
        if (known.type.kind !== 'boolean') throw new TypeError(`${node.name} is no condition`);
        const { read } = known as { read(input: Input): boolean | null };
        return (input) => {
          const value = read(input);
          return value === null ? UNKNOWN : value ? TRUE : FALSE;
        };
      }
      case 'not': {
        const operand = this.condition(node.operand);
        return (input) => {
          const value = operand(input);
          return value === UNKNOWN ? UNKNOWN : value === TRUE ? FALSE : TRUE;
        };
      }
      case 'all':
        return conjunction(this.#conditions(node.operands), FALSE, TRUE);
      case 'any':
        return conjunction(this.#conditions(node.operands), TRUE, FALSE);
      case 'known':
        return this.#known(node.operand);
      case 'otherwise': {
        const first = this.condition(node.operand);
        const second = this.condition(node.instead);
        return (input) => {
          const value = first(input);
          return value === UNKNOWN ? second(input) : value;
        };
      }
      case 'comparison':
        return this.#comparison(node);
      case 'between': {
        const value = this.number(node.operand);
        const low = this.number(node.low);
        const high = this.number(node.high);
        return (input) => {
          const x = value(input);
          const from = low(input);
          const to = high(input);
          if (x >= from && x <= to) return TRUE;
          return x < from || x > to ? FALSE : UNKNOWN;
        };
      }
      case 'in':
        return this.#in(node);
      case 'call':
        return this.#conditionCall(node);
      default:
        throw new TypeError(`${node.kind} is no condition`);
    }
  }

  #conditions(operands: readonly Expression[]): Condition<Input>[] {
    return cheapestFirst(operands, this.#vocabulary).map((operand) => this.condition(operand));
  }

  #kindOf(node: Expression): string {
    return this.#types.get(node)?.kind ?? 'texts';
  }

  #known(operand: Expression): Condition<Input> {
    switch (this.#kindOf(operand)) {
      case 'number': {
        const value = this.number(operand);
        return (input) => (Number.isNaN(value(input)) ? FALSE : TRUE);
      }
      case 'text': {
        const value = this.text(operand);
        return (input) => (value(input) === null ? FALSE : TRUE);
      }
      case 'boolean': {
        const value = this.condition(operand);
        return (input) => (value(input) === UNKNOWN ? FALSE : TRUE);
      }
      default: {
        const values = this.#texts(operand);
        return (input) => (values(input).length > 0 ? TRUE : FALSE);
      }
    }
  }

  #comparison({ operator, left, right }: Extract<Expression, { kind: 'comparison' }>): Condition<Input> {
    switch (this.#kindOf(left)) {
      case 'number':
        return numberComparison(operator, this.number(left), this.number(right), right);
      case 'text': {
        const a = this.text(left);
        const b = this.text(right);
        const equal = operator === '=' ? TRUE : FALSE;
        const different = operator === '=' ? FALSE : TRUE;
        return (input) => {
          const x = a(input);
          const y = b(input);
          return x === null || y === null ? UNKNOWN : x === y ? equal : different;
        };
      }
      default: {
        const a = this.condition(left);
        const b = this.condition(right);
        return (input) => {
          const x = a(input);
          const y = b(input);
          if (x === UNKNOWN || y === UNKNOWN) return UNKNOWN;
          return (x === y) === (operator === '=') ? TRUE : FALSE;
        };
      }
    }
  }

  #in({ operand, of }: Extract<Expression, { kind: 'in' }>): Condition<Input> {
    if (of.kind === 'list') {
      const list = this.#vocabulary.lists.get(of.name)!;
      const value = this.text(operand);
      return (input) => {
        const x = value(input);
        return x === null ? UNKNOWN : list.has(x, input) ? TRUE : FALSE;
      };
    }
    if (of.kind !== 'set') {
      const value = this.text(operand);
      const values = this.#texts(of);
      return (input) => {
        const x = value(input);
        return x === null ? UNKNOWN : values(input).includes(x) ? TRUE : FALSE;
      };
    }
    if (this.#kindOf(operand) === 'number') {
      const value = this.number(operand);
      const items = new Set(of.items.map((item) => (item.kind === 'number' ? item.value : Number.NaN)));
      return (input) => {
        const x = value(input);
        return Number.isNaN(x) ? UNKNOWN : items.has(x) ? TRUE : FALSE;
      };
    }
    const value = this.text(operand);
    const items = new Set(of.items.map((item) => (item.kind === 'text' ? item.value : '')));
    return (input) => {
      const x = value(input);
      return x === null ? UNKNOWN : items.has(x) ? TRUE : FALSE;
    };
  }

  #conditionCall({ name, parameters }: Extract<Expression, { kind: 'call' }>): Condition<Input> {
    if (name === 'fired') {
      const [rule] = parameters;
      const number = this.#ruleNumbers.get(rule.kind === 'text' ? rule.value : '')!;
      const vocabulary = this.#vocabulary;
      return (input) => (vocabulary.fired(input, number) ? TRUE : FALSE);
    }
    const text = this.text(parameters[0]);
    const test = this.#textTest(name, parameters);
    return (input) => {
      const value = text(input);
      if (value === null) return UNKNOWN;
      const holds = test(value, input);
      return holds === null ? UNKNOWN : holds ? TRUE : FALSE;
    };
  }

  #textTest(name: string, parameters: readonly Expression[]): (value: string, input: Input) => boolean | null {
    if (name === 'hasWord') {
      const words = new Set(parameters.slice(1).map((word) => plainText(word.kind === 'text' ? word.value : '')));
      return (value) => hasWord(value, words);
    }
    if (name === 'like') {
      const [, pattern] = parameters;
      const plain = plainText(pattern.kind === 'text' ? pattern.value : '');
      return (value) => isLike(plainText(value), plain);
    }
    const other = this.text(parameters[1]);
    const tests: Readonly<Record<string, (a: string, b: string) => boolean>> = {
      contains: (a, b) => plainText(a).includes(plainText(b)),
      startsWith: (a, b) => a.startsWith(b),
      endsWith: (a, b) => a.endsWith(b),
    };
    const test = tests[name];
    return (value, input) => {
      const second = other(input);
      return second === null ? null : test(value, second);
    };
  }

  number(node: Expression): NumberOf<Input> {
    switch (node.kind) {
      case 'number': {
        const { value } = node;
        return () => value;
      }
      case 'name': {
        const { read } = this.#vocabulary.names.get(node.name)! as { read(input: Input): number };
        return read;
      }
      case 'negative': {
        const operand = this.number(node.operand);
        return (input) => -operand(input);
      }
      case 'otherwise': {
        const first = this.number(node.operand);
        const second = this.number(node.instead);
        return (input) => {
          const value = first(input);
          return Number.isNaN(value) ? second(input) : value;
        };
      }
      case 'arithmetic':
        return arithmetic(node.operator, this.number(node.left), this.number(node.right));
      case 'call':
        return this.#numberCall(node);
      default:
        throw new TypeError(`${node.kind} is no number`);
    }
  }

  #numberCall({ name, parameters }: Extract<Expression, { kind: 'call' }>): NumberOf<Input> {
    if (name === 'length') {
      const text = this.text(parameters[0]);
      return (input) => text(input)?.length ?? Number.NaN;
    }
    if (name === 'nameSimilarity') {
      const text = this.text(parameters[0]);
      const [, list] = parameters;
      const known = this.#vocabulary.lists.get(list.kind === 'list' ? list.name : '')!;
      return (input) => {
        const value = text(input);
        return value === null ? Number.NaN : known.similarity(value, input);
      };
    }
    const values = parameters.map((parameter) => this.number(parameter));
    const [a, b, c, d] = values;
    switch (name) {
      case 'abs':
        return (input) => Math.abs(a(input));
      case 'round':
        return (input) => Math.round(a(input));
      case 'remainder':
        return (input) => a(input) % b(input);
      case 'min':
        return (input) => values.reduce((least, value) => Math.min(least, value(input)), Number.POSITIVE_INFINITY);
      case 'max':
        return (input) => values.reduce((most, value) => Math.max(most, value(input)), Number.NEGATIVE_INFINITY);
      case 'distanceKm':
        return (input) => haversineKm(a(input), b(input), c(input), d(input));
      default:
        throw new TypeError(`${name} gives no number`);
    }
  }

  text(node: Expression): TextOf<Input> {
    switch (node.kind) {
      case 'text': {
        const { value } = node;
        return () => value;
      }
      case 'name': {
        const { read } = this.#vocabulary.names.get(node.name)! as { read(input: Input): string | null };
        return read;
      }
      case 'otherwise': {
        const first = this.text(node.operand);
        const second = this.text(node.instead);
        return (input) => first(input) ?? second(input);
      }
      case 'call': {
        const operand = this.text(node.parameters[0]);
        return (input) => {
          const value = operand(input);
          return value === null ? null : plainText(value);
        };
      }
      default:
        throw new TypeError(`${node.kind} is no text`);
    }
  }

  #texts(node: Expression): (input: Input) => readonly string[] {
    if (node.kind !== 'name') throw new TypeError(`${node.kind} is not several texts`);
    const { read } = this.#vocabulary.names.get(node.name)! as { read(input: Input): readonly string[] };
    return read;
  }
}

function cheapestFirst<Input>(
  operands: readonly Expression[],
  vocabulary: RuleVocabulary<Input>,
): readonly Expression[] {
  return operands
    .map((operand, order) => ({ operand, order, cost: costOf(operand, vocabulary) }))
    .sort((a, b) => a.cost - b.cost || a.order - b.order)
    .map(({ operand }) => operand);
}
