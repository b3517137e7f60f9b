// The same rules for other engines. Their logic has two values: "true" and "false" of a condition are written apart, negations
// are pushed down to the comparisons, and a comparison with something missing is neither.
import { Environment } from '@marcbachmann/cel-js';
import { Engine, type NestedCondition, type TopLevelCondition } from 'json-rules-engine';
import type { ComparisonOperator, Expression } from '../src/rules/node.ts';
import type { Rule } from '../src/rules/rule.ts';

export type PeerFacts = Record<string, number | string | boolean | null | readonly string[]>;
/** @returns the numbers of the rules that fire */
type Peer = (facts: PeerFacts) => Set<number> | Promise<Set<number>>;

const OPPOSITE: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  ...{ '=': '!=', '!=': '=', '<': '>=' },
  ...{ '<=': '>', '>': '<=', '>=': '<' },
};

export function celPeer(rules: readonly Rule[]): Peer {
  const environment = new Environment({ unlistedVariablesAreDyn: true });
  const programs = rules.map(({ when }) => environment.parse(celText(when, true)));
  return (facts) => {
    const fired = new Set<number>();
    programs.forEach((program, rule) => {
      if (program(facts) === true) fired.add(rule);
    });
    return fired;
  };
}

/** An expression that is true where the condition is true (`holds`), or where it is false. */
function celText(node: Expression, holds: boolean): string {
  switch (node.kind) {
    case 'not':
      return celText(node.operand, !holds);
    case 'all':
    case 'any':
      return `(${node.operands.map((each) => celText(each, holds)).join((node.kind === 'all') === holds ? ' && ' : ' || ')})`;
    case 'name':
      return `${node.name} == ${holds}`;
    case 'comparison': {
      const operator = holds ? node.operator : OPPOSITE[node.operator];
      const text = `${celValue(node.left)} ${operator === '=' ? '==' : operator} ${celValue(node.right)}`;
      return operator === '!=' ? `(${celValue(node.left)} != null && ${text})` : text;
    }
    case 'between': {
      const [value, low, high] = [node.operand, node.low, node.high].map(celValue);
      return holds ? `(${value} >= ${low} && ${value} <= ${high})` : `(${value} < ${low} || ${value} > ${high})`;
    }
    case 'in': {
      const text = `${celValue(node.operand)} in ${celValue(node.of)}`;
      return holds ? text : `(${celValue(node.operand)} != null && !(${text}))`;
    }
    default:
      throw new TypeError(`${node.kind} is not written in CEL`);
  }
}

function celValue(node: Expression): string {
  switch (node.kind) {
    case 'number':
      return Number.isInteger(node.value) ? `${node.value}.0` : String(node.value);
    case 'text':
      return JSON.stringify(node.value);
    case 'name':
      return node.name;
    case 'set':
      return `[${node.items.map(celValue).join(', ')}]`;
    default:
      throw new TypeError(`${node.kind} is no value in CEL`);
  }
}

export function jsonRulesPeer(rules: readonly Rule[]): Peer {
  const engine = new Engine([], { allowUndefinedFacts: true });
  rules.forEach(({ when }, rule) => {
    const condition = jsonCondition(when, true);
    const conditions = ('fact' in condition ? { all: [condition] } : condition) as TopLevelCondition;
    engine.addRule({ conditions, event: { type: String(rule) } });
  });
  return async (facts) => {
    const { events } = await engine.run(facts);
    return new Set(events.map(({ type }) => Number(type)));
  };
}

const JSON_OPERATORS: Readonly<Record<ComparisonOperator, string>> = {
  ...{ '=': 'equal', '!=': 'notEqual', '<': 'lessThan' },
  ...{ '<=': 'lessThanInclusive', '>': 'greaterThan', '>=': 'greaterThanInclusive' },
};

function jsonCondition(node: Expression, holds: boolean): NestedCondition {
  const leaf = (fact: Expression, operator: string, value: unknown): NestedCondition => {
    if (fact.kind !== 'name') throw new TypeError(`${fact.kind} is no fact of json-rules-engine`);
    return { fact: fact.name, operator, value };
  };
  const known = (fact: Expression) => leaf(fact, 'notEqual', null);
  switch (node.kind) {
    case 'not':
      return jsonCondition(node.operand, !holds);
    case 'all':
    case 'any': {
      const operands = node.operands.map((each) => jsonCondition(each, holds));
      return (node.kind === 'all') === holds ? { all: operands } : { any: operands };
    }
    case 'name':
      return leaf(node, 'equal', holds);
    case 'comparison': {
      const operator = holds ? node.operator : OPPOSITE[node.operator];
      const condition = leaf(node.left, JSON_OPERATORS[operator], jsonValue(node.right));
      return operator === '!=' ? { all: [known(node.left), condition] } : condition;
    }
    case 'between': {
      const [low, high] = [jsonValue(node.low), jsonValue(node.high)];
      return holds
        ? { all: [leaf(node.operand, 'greaterThanInclusive', low), leaf(node.operand, 'lessThanInclusive', high)] }
        : { any: [leaf(node.operand, 'lessThan', low), leaf(node.operand, 'greaterThan', high)] };
    }
    case 'in': {
      if (node.of.kind === 'name') return leaf(node.of, holds ? 'contains' : 'doesNotContain', jsonValue(node.operand));
      const condition = leaf(node.operand, holds ? 'in' : 'notIn', jsonValue(node.of));
      return holds ? condition : { all: [known(node.operand), condition] };
    }
    default:
      throw new TypeError(`${node.kind} is not written for json-rules-engine`);
  }
}

function jsonValue(node: Expression): unknown {
  if (node.kind === 'set') return node.items.map(jsonValue);
  if (node.kind === 'number' || node.kind === 'text' || node.kind === 'boolean') return node.value;
  throw new TypeError(`${node.kind} is no value of json-rules-engine`);
}
