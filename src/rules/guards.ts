// Which rules can fire at all on a transaction, known from a few of its words.
//
// Most rules begin with `operation = 'transfer'`, `rail in (…)` or `'…' in findings`. Those parts of a condition that speak of
// one name with a closed list of values, or of several texts of which there are none, are decided once per combination
// of values; what is left for a transaction is the rules that its combination lets through. A rule fires only where all its
// joined parts are true, so leaving it out where one of them is not changes nothing.
import type { TypedExpression } from './check-types.ts';
import { TRUE } from './closures.ts';
import { compileCondition } from './compile.ts';
import type { BooleanName, RuleName, RuleVocabulary, TextName, TextsName } from './names.ts';
import { type Expression, walk } from './node.ts';

export interface Guards<Input> {
  /** All rules, by number. */
  readonly all: Uint16Array;
  /** The rules that may fire, in rising order; `all` itself where nothing is known. */
  candidates(input: Input): Uint16Array;
  /** One per rule: what is left to ask of a candidate (unless they are `all`); null where nothing is. */
  readonly rest: readonly (Expression | null)[];
}

type GateName<Input> = TextName<Input> | TextsName<Input> | BooleanName<Input>;
/** null for missing; for several texts, for none of them. */
type GateValue = string | boolean | null;

/** A name by whose value rules are told apart. */
interface Gate<Input> {
  readonly name: string;
  readonly values: readonly GateValue[];
  /** The number of the value, −1 for one that is not on the list. */
  read(input: Input): number;
}

/** A part of a rule's condition that speaks of one name only, which may become a gate. */
interface GuardPart {
  readonly name: string;
  readonly node: Expression;
  /** Is it true when the name has this value? */
  holds(value: GateValue): boolean;
}

const NO_TEXTS: readonly string[] = [];
const MAX_COMBINATIONS = 20_000;

/** @param conditions one per rule, by number */
export function createGuards<Input>(
  conditions: readonly TypedExpression[],
  vocabulary: RuleVocabulary<Input>,
): Guards<Input> {
  const parts = conditions.map((condition) => guardParts(condition.expression, condition, vocabulary));
  const gates = chooseGates(parts.flat(), vocabulary);
  const names = new Set(gates.map(({ name }) => name));
  const all = Uint16Array.from(conditions.keys());
  const lists = new Array<Uint16Array | null>(gates.reduce((product, { values }) => product * values.length, 1));
  lists.fill(null);
  const list = (combination: number): Uint16Array => {
    let rest = combination;
    const values = new Map<string, GateValue>();
    for (const { name, values: possible } of gates) {
      values.set(name, possible[rest % possible.length]);
      rest = Math.floor(rest / possible.length);
    }
    return all.filter((rule) => parts[rule].every(({ name, holds }) => !values.has(name) || holds(values.get(name)!)));
  };
  return {
    all,
    candidates(input) {
      let combination = 0;
      let factor = 1;
      for (let i = 0; i < gates.length; i++) {
        const value = gates[i].read(input);
        if (value < 0) return all;
        combination += value * factor;
        factor *= gates[i].values.length;
      }
      const known = lists[combination];
      if (known !== null) return known;
      const made = list(combination);
      lists[combination] = made;
      return made;
    },
    rest: conditions.map(({ expression }, rule) => {
      const asked = new Set(parts[rule].flatMap(({ name, node }) => (names.has(name) ? [node] : [])));
      return without(expression, asked);
    }),
  };
}

function without(expression: Expression, asked: ReadonlySet<Expression>): Expression | null {
  if (asked.has(expression)) return null;
  if (expression.kind !== 'all') return expression;
  const operands = expression.operands.map((each) => without(each, asked)).filter((each) => each !== null);
  return operands.length > 1 ? { ...expression, operands } : (operands[0] ?? null);
}

/** The parts joined by `and` that speak of a single name which may be a gate, and of nothing else. */
function guardParts<Input>(
  expression: Expression,
  condition: TypedExpression,
  vocabulary: RuleVocabulary<Input>,
): GuardPart[] {
  if (expression.kind === 'all') {
    return expression.operands.flatMap((operand) => guardParts(operand, condition, vocabulary));
  }
  const nodes = [...walk(expression)];
  const names = new Set(nodes.flatMap((node) => (node.kind === 'name' ? [node.name] : [])));
  const [name] = names;
  if (names.size !== 1 || nodes.some(({ kind }) => kind === 'call' || kind === 'list')) return [];
  const known = vocabulary.names.get(name);
  return isGate(known) ? [{ name, node: expression, holds: guardTest(known, expression, condition) }] : [];
}

/** The part alone, compiled with a name that reads the value in question; each value is asked once. */
function guardTest<Input>(
  name: GateName<Input>,
  expression: Expression,
  { types }: TypedExpression,
): GuardPart['holds'] {
  let value: GateValue = null;
  const read = () => (name.type.kind === 'texts' ? NO_TEXTS : value);
  const names = new Map([[name.name, { ...name, read } as RuleName<null>]]);
  const holds = compileCondition({ expression, types }, { names, lists: new Map(), fired: () => false }, new Map());
  const known = new Map<GateValue, boolean>();
  return (asked) => {
    let answer = known.get(asked);
    if (answer === undefined) {
      value = asked;
      answer = holds(null) === TRUE;
      known.set(asked, answer);
    }
    return answer;
  };
}

function isGate<Input>(name: RuleName<Input> | undefined): name is GateName<Input> {
  if (name === undefined || name.type.kind === 'number') return false;
  return name.type.kind !== 'text' || ('values' in name && name.values !== undefined);
}

/** The names that most rules ask about, as long as the combinations stay few. */
function chooseGates<Input>(parts: readonly GuardPart[], vocabulary: RuleVocabulary<Input>): Gate<Input>[] {
  const uses = new Map<string, number>();
  for (const { name } of parts) uses.set(name, (uses.get(name) ?? 0) + 1);
  const gates: Gate<Input>[] = [];
  let combinations = 1;
  for (const [name] of [...uses].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    const gate = gateOf(vocabulary.names.get(name) as GateName<Input>);
    if (combinations * gate.values.length > MAX_COMBINATIONS) continue;
    combinations *= gate.values.length;
    gates.push(gate);
  }
  return gates;
}

function gateOf<Input>(known: GateName<Input>): Gate<Input> {
  const { name } = known;
  if (known.type.kind === 'texts') {
    const { read } = known as TextsName<Input>;
    // Of several texts only "none" is a value of its own: with any text, every rule is a candidate.
    return { name, values: [null], read: (input) => (read(input).length === 0 ? 0 : -1) };
  }
  if (known.type.kind === 'boolean') {
    const { read } = known as BooleanName<Input>;
    return {
      name,
      values: [null, false, true],
      read: (input) => {
        const value = read(input);
        return value === null ? 0 : value ? 2 : 1;
      },
    };
  }
  const { read, values = [] } = known as TextName<Input>;
  const numbers = new Map<string | null, number>([null, ...values].map((value, number) => [value, number]));
  return { name, values: [null, ...values], read: (input) => numbers.get(read(input)) ?? -1 };
}
