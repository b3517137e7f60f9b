// Types and units of a condition: unknown names, wrong types, numbers that measure different things, values that a closed
// list does not have. Everything that is wrong is told, not only the first thing.
import { FUNCTIONS, type ParameterType } from './functions.ts';
import { describeType, type RuleVocabulary, type ValueType } from './names.ts';
import type { Expression, RuleUnit } from './node.ts';
import { type Problem, type ProblemCode, suggestion } from './problem.ts';

export interface TypedExpression {
  readonly expression: Expression;
  /** Of every node that has a value; sets and lists have none. */
  readonly types: ReadonlyMap<Expression, ValueType>;
}

const BOOLEAN: ValueType = { kind: 'boolean' };
const TEXT: ValueType = { kind: 'text' };
const number = (unit: RuleUnit): ValueType => ({ kind: 'number', unit });

/** @param ruleIds the rules that `fired('…')` may name */
export function checkTypes<Input>(
  expression: Expression,
  vocabulary: RuleVocabulary<Input>,
  ruleIds: ReadonlySet<string>,
): { readonly typed: TypedExpression; readonly problems: readonly Problem[] } {
  const checker = new Checker(vocabulary, ruleIds);
  checker.expect(expression, 'boolean', 'a rule needs a condition');
  return { typed: { expression, types: checker.types }, problems: checker.problems };
}

class Checker<Input> {
  readonly types = new Map<Expression, ValueType>();
  readonly problems: Problem[] = [];
  readonly #vocabulary: RuleVocabulary<Input>;
  readonly #ruleIds: ReadonlySet<string>;

  constructor(vocabulary: RuleVocabulary<Input>, ruleIds: ReadonlySet<string>) {
    this.#vocabulary = vocabulary;
    this.#ruleIds = ruleIds;
  }

  /** null where a problem was told below: one mistake is not told again at every level above it. */
  expect(node: Expression, kind: ValueType['kind'], why: string): ValueType | null {
    const type = this.#typeOf(node);
    if (type === null || type.kind === kind) return type;
    const hint =
      kind === 'boolean' && type.kind === 'number'
        ? 'Compare it with something, for example … > 0'
        : kind === 'boolean' && type.kind === 'text'
          ? "Compare it with something, for example … = 'PEN'"
          : 'Use a value of that type';
    this.#tell('TYPE_MISMATCH', node, `${why}, and this is ${describeType(type)}`, hint);
    return null;
  }

  #tell(code: ProblemCode, node: Expression, message: string, hint: string): null {
    this.problems.push({ code, offset: node.span.from, message, hint });
    return null;
  }

  #typeOf(node: Expression): ValueType | null {
    const type = this.#compute(node);
    if (type !== null) this.types.set(node, type);
    return type;
  }

  #compute(node: Expression): ValueType | null {
    switch (node.kind) {
      case 'number':
        return number(node.unit ?? 'plain');
      case 'text':
        return TEXT;
      case 'boolean':
        return BOOLEAN;
      case 'name':
        return this.#name(node);
      case 'list':
        return this.#tell(
          'TYPE_MISMATCH',
          node,
          `the list @${node.name} stands where a value is expected`,
          'Write … in @list',
        );
      case 'set':
        return this.#tell('TYPE_MISMATCH', node, 'values stand where one value is expected', "Write … in ('a', 'b')");
      case 'not':
        this.expect(node.operand, 'boolean', "'not' needs a condition");
        return BOOLEAN;
      case 'all':
      case 'any':
        for (const operand of node.operands) this.expect(operand, 'boolean', "'and' and 'or' join conditions");
        return BOOLEAN;
      case 'negative':
        return this.expect(node.operand, 'number', "'-' needs a number");
      case 'known':
        this.#typeOf(node.operand);
        return BOOLEAN;
      case 'otherwise':
        return this.#same(node.operand, node.instead, "both sides of '??' must be of one type");
      case 'arithmetic':
        return this.#arithmetic(node);
      case 'comparison':
        return this.#comparison(node);
      case 'between': {
        const type = this.expect(node.operand, 'number', "'between' needs a number");
        for (const end of [node.low, node.high]) {
          const other = this.expect(end, 'number', "'between' needs numbers");
          if (type !== null && other !== null) this.#units(node.operand, type, end, other);
        }
        return BOOLEAN;
      }
      case 'in':
        return this.#in(node);
      case 'call':
        return this.#call(node);
    }
  }

  #name(node: Extract<Expression, { kind: 'name' }>): ValueType | null {
    const known = this.#vocabulary.names.get(node.name);
    if (known !== undefined) return known.type;
    const hint = suggestion(
      node.name,
      this.#vocabulary.names.keys(),
      'centinela rules names lists what there is; texts stand between quotes',
    );
    return this.#tell('NAME_UNKNOWN', node, `there is no field, feature or score '${node.name}'`, hint);
  }

  #same(left: Expression, right: Expression, why: string): ValueType | null {
    const a = this.#typeOf(left);
    const b = this.#typeOf(right);
    if (a === null || b === null) return null;
    if (a.kind !== b.kind) {
      return this.#tell(
        'TYPE_MISMATCH',
        right,
        `${why}: ${describeType(a)} and ${describeType(b)}`,
        'Use values of one type',
      );
    }
    return a.kind === 'number' && b.kind === 'number' ? this.#units(left, a, right, b) : a;
  }

  /** The common unit; a bare literal takes the other's, but a duration's. */
  #units(left: Expression, a: ValueType, right: Expression, b: ValueType): ValueType | null {
    if (a.kind !== 'number' || b.kind !== 'number' || a.unit === b.unit) return a;
    for (const [node, own, other] of [
      [left, a, b],
      [right, b, a],
    ] as const) {
      if (own.unit !== 'plain') continue;
      if (other.unit !== 'duration') return other;
      if (isZero(node)) return other;
      return this.#tell(
        'UNIT_MISMATCH',
        node,
        'a duration is compared with a bare number',
        'Give it a unit: 30s, 5min, 24h, 7d',
      );
    }
    return this.#tell(
      'UNIT_MISMATCH',
      right,
      `${a.unit} and ${b.unit} do not measure the same`,
      'Compare numbers of one unit; a quotient of two of the same unit has none',
    );
  }

  #arithmetic(node: Extract<Expression, { kind: 'arithmetic' }>): ValueType | null {
    const a = this.expect(node.left, 'number', `'${node.operator}' needs numbers`);
    const b = this.expect(node.right, 'number', `'${node.operator}' needs numbers`);
    if (a?.kind !== 'number' || b?.kind !== 'number') return null;
    if (node.operator === '+' || node.operator === '-') return this.#units(node.left, a, node.right, b);
    const scales = (unit: RuleUnit) => unit === 'plain' || unit === 'ratio' || unit === 'count';
    if (node.operator === '/' && a.unit === b.unit) return number('ratio');
    if (scales(b.unit)) return a;
    if (node.operator === '*' && scales(a.unit)) return b;
    return number('plain');
  }

  #comparison(node: Extract<Expression, { kind: 'comparison' }>): ValueType {
    const type = this.#same(node.left, node.right, `'${node.operator}' compares values of one type`);
    if (type === null) return BOOLEAN;
    const equality = node.operator === '=' || node.operator === '!=';
    if (type.kind === 'texts') {
      this.#tell('TYPE_MISMATCH', node, 'several texts cannot be compared', "Write 'text' in name");
    } else if (!equality && type.kind !== 'number') {
      this.#tell(
        'TYPE_MISMATCH',
        node,
        `'${node.operator}' needs numbers`,
        `${describeType(type)} can only be = or !=`,
      );
    }
    if (equality) {
      this.#closed(node.left, node.right);
      this.#closed(node.right, node.left);
    }
    return BOOLEAN;
  }

  /** A name with a closed list of values against a literal that is not one of them. */
  #closed(name: Expression, literal: Expression): void {
    if (name.kind !== 'name' || literal.kind !== 'text') return;
    const known = this.#vocabulary.names.get(name.name);
    if (known === undefined || !('values' in known) || known.values === undefined) return;
    if (known.values.includes(literal.value)) return;
    const shown =
      known.values.length > 24 ? `one of ${known.values.length} codes` : `one of ${known.values.join(', ')}`;
    const hint = suggestion(literal.value, known.values, `It is ${shown}`);
    this.#tell('VALUE_IMPOSSIBLE', literal, `${name.name} is never '${literal.value}'`, hint);
  }

  #in(node: Extract<Expression, { kind: 'in' }>): ValueType {
    const { operand, of } = node;
    if (of.kind === 'list') {
      this.expect(operand, 'text', 'a list holds texts');
      this.#list(of);
    } else if (of.kind === 'set') {
      const type = this.#typeOf(operand);
      for (const item of of.items) {
        if (item.kind !== 'text' && item.kind !== 'number' && item.kind !== 'negative') {
          this.#tell(
            'TYPE_MISMATCH',
            item,
            "only values stand in the parentheses of 'in'",
            'Write numbers, or texts between quotes',
          );
          continue;
        }
        const other = this.#typeOf(item);
        if (type === null || other === null) continue;
        if (type.kind !== other.kind) {
          this.#tell(
            'TYPE_MISMATCH',
            item,
            `${describeType(other)} is looked for in ${describeType(type)}`,
            'Use values of one type',
          );
        } else if (type.kind === 'number') this.#units(operand, type, item, other);
        this.#closed(operand, item);
      }
    } else {
      this.expect(operand, 'text', "before 'in' a text is expected");
      const type = this.expect(of, 'texts', "after 'in' several values are expected");
      if (type !== null) this.#closed(of, operand);
    }
    return BOOLEAN;
  }

  #list(node: Expression): void {
    if (node.kind !== 'list') {
      this.#tell('TYPE_MISMATCH', node, 'a list is expected here', 'Write @ and its name');
    } else if (!this.#vocabulary.lists.has(node.name)) {
      const hint = suggestion(node.name, this.#vocabulary.lists.keys(), 'Make the list first');
      this.#tell('LIST_UNKNOWN', node, `there is no list @${node.name}`, hint);
    }
  }

  #call(node: Extract<Expression, { kind: 'call' }>): ValueType | null {
    const known = Object.hasOwn(FUNCTIONS, node.name) ? FUNCTIONS[node.name] : undefined;
    if (known === undefined) {
      const all = Object.keys(FUNCTIONS);
      return this.#tell(
        'FUNCTION_UNKNOWN',
        node,
        `there is no function ${node.name}(…)`,
        suggestion(node.name, all, `There are ${all.join(', ')}`),
      );
    }
    const { parameters, variadic } = known;
    const given = node.parameters.length;
    if (given < parameters.length || (given > parameters.length && !variadic)) {
      const wanted = `${parameters.length}${variadic ? ' or more' : ''}`;
      this.#tell('TYPE_MISMATCH', node, `${node.name}(…) takes ${wanted} values, not ${given}`, known.meaning.en);
      return null;
    }
    const types = node.parameters.map((parameter, index) =>
      this.#parameter(node.name, parameter, parameters[Math.min(index, parameters.length - 1)]),
    );
    if (known.result !== 'number') return known.result === 'text' ? TEXT : BOOLEAN;
    if (known.unit !== 'first') return number(known.unit);
    return types.reduce<ValueType | null>((common, type, index) => {
      if (common === null || type === null) return null;
      return index === 0 ? type : this.#units(node.parameters[0], common, node.parameters[index], type);
    }, types[0]);
  }

  #parameter(name: string, node: Expression, wanted: ParameterType): ValueType | null {
    switch (wanted) {
      case 'number':
      case 'text':
        return this.expect(node, wanted, `${name}(…) needs ${wanted === 'number' ? 'a number' : 'a text'} here`);
      case 'list':
        this.#list(node);
        return null;
      case 'constant-text':
        if (node.kind !== 'text')
          this.#tell('TYPE_MISMATCH', node, `${name}(…) needs a text between quotes here`, 'Write it out');
        return TEXT;
      case 'rule':
        if (node.kind !== 'text')
          this.#tell('TYPE_MISMATCH', node, `${name}(…) needs the id of a rule between quotes`, 'Write it out');
        else if (!this.#ruleIds.has(node.value)) {
          const hint = suggestion(node.value, this.#ruleIds, 'Name a rule of this set');
          this.#tell('RULE_UNKNOWN', node, `there is no rule '${node.value}'`, hint);
        }
        return TEXT;
    }
  }
}

function isZero(node: Expression): boolean {
  return node.kind === 'number' && node.value === 0;
}
