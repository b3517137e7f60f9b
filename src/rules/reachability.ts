// Conditions that can never or must always hold, and branches that add nothing: mistakes that no test data would show.
//
// A condition is brought into disjunctive normal form; each branch is a list of atoms about one quantity each (an interval,
// a set of texts, a truth), and a branch without contradiction can hold. What an atom says of a quantity it does not know
// (a function of two names) is opaque: it only contradicts its own negation. The test is sound: what it reports is so.
import type { RuleName, RuleVocabulary } from './names.ts';
import type { ComparisonOperator, Expression } from './node.ts';
import { printExpression } from './print-expression.ts';
import type { Problem, ProblemCode } from './problem.ts';

interface Atom {
  readonly node: Expression;
  readonly holds: boolean;
}

/** Branches beyond this number are not looked at: nothing is reported then. */
const MAX_BRANCHES = 256;
/** Atoms looked at for one condition; beyond, wide conditions are taken to be sound. */
const MAX_ATOMS = 20_000;

export function findUnreachable<Input>(expression: Expression, vocabulary: RuleVocabulary<Input>): Problem[] {
  const facts = new FactChecker(vocabulary.names);
  if (!facts.canHold([atom(expression, true)])) {
    return [problem('NEVER_HOLDS', expression, 'the condition can never hold', 'Two of its parts exclude each other')];
  }
  if (!facts.canHold([atom(expression, false)])) {
    return [
      problem(
        'ALWAYS_HOLDS',
        expression,
        'the condition always holds',
        'Such a rule would stop every transaction: narrow it',
      ),
    ];
  }
  const problems: Problem[] = [];
  inspect(expression, [], true);
  return problems;

  function inspect(node: Expression, context: readonly Atom[], holds: boolean): void {
    if (node.kind === 'not') inspect(node.operand, context, !holds);
    if (node.kind !== 'all' && node.kind !== 'any') return;
    const joins = (node.kind === 'all') === holds;
    node.operands.forEach((operand, index) => {
      const own = atom(operand, holds);
      const others = node.operands.filter((_, other) => other !== index).map((other) => atom(other, holds));
      if (joins) {
        if (!facts.canHold([negated(own)])) {
          problems.push(
            problem('ALWAYS_HOLDS', operand, `'${printExpression(operand)}' always holds`, 'Remove it, or correct it'),
          );
        } else inspect(operand, [...context, ...others], holds);
        return;
      }
      if (!facts.canHold([...context, own])) {
        problems.push(
          problem('NEVER_HOLDS', operand, `'${printExpression(operand)}' can never be reached`, 'Remove this branch'),
        );
        return;
      }
      const earlier = node.operands.slice(0, index).map((other) => negated(atom(other, holds)));
      if (index > 0 && !facts.canHold([...context, own, ...earlier])) {
        const message = `'${printExpression(operand)}' adds nothing: what stands before it covers it`;
        problems.push(problem('ADDS_NOTHING', operand, message, 'Remove this branch, or correct it'));
        return;
      }
      inspect(operand, context, holds);
    });
  }
}

const atom = (node: Expression, holds: boolean): Atom => ({ node, holds });
const negated = ({ node, holds }: Atom): Atom => ({ node, holds: !holds });
const problem = (code: ProblemCode, node: Expression, message: string, hint: string): Problem => ({
  code,
  offset: node.span.from,
  message,
  hint,
});

/** All branches of the conjunction of the atoms; null where there are too many. */
function branchesOf(atoms: readonly Atom[]): Atom[][] | null {
  let branches: Atom[][] = [[]];
  for (const each of atoms) {
    const own = expand(each);
    if (own === null || branches.length * own.length > MAX_BRANCHES) return null;
    branches = branches.flatMap((branch) => own.map((more) => [...branch, ...more]));
  }
  return branches;
}

function expand({ node, holds }: Atom): Atom[][] | null {
  if (node.kind === 'not') return expand(atom(node.operand, !holds));
  if (node.kind !== 'all' && node.kind !== 'any') return [[atom(node, holds)]];
  const operands = node.operands.map((operand) => atom(operand, holds));
  if ((node.kind === 'all') === holds) return branchesOf(operands);
  const branches: Atom[][] = [];
  for (const operand of operands) {
    const own = expand(operand);
    if (own === null || branches.length + own.length > MAX_BRANCHES) return null;
    branches.push(...own);
  }
  return branches;
}

/** What a branch says of one quantity. */
interface Fact {
  low: number;
  high: number;
  lowOpen: boolean;
  highOpen: boolean;
  readonly whole: boolean;
  /** Texts (or printed numbers) that it can be; null for any. */
  allowed: Set<string> | null;
  readonly excluded: Set<string>;
  /** As a condition, or as known (true) or missing (false). */
  truth: boolean | null;
  isKnown: boolean | null;
}

class FactChecker<Input> {
  readonly #names: ReadonlyMap<string, RuleName<Input>>;
  readonly #keys = new Map<Expression, string>();
  #atomsLeft = MAX_ATOMS;

  constructor(names: ReadonlyMap<string, RuleName<Input>>) {
    this.#names = names;
  }

  /** false only where it is certain that all atoms together cannot be true. */
  canHold(atoms: readonly Atom[]): boolean {
    this.#atomsLeft -= atoms.length;
    if (this.#atomsLeft < 0) return true;
    const branches = branchesOf(atoms);
    return branches === null || branches.some((branch) => this.#isConsistent(branch));
  }

  #isConsistent(branch: readonly Atom[]): boolean {
    this.#atomsLeft -= branch.length;
    if (this.#atomsLeft < 0) return true;
    const facts = new Map<string, Fact>();
    return branch.every((each) => this.#learn(each, facts)) && [...facts.values()].every(isPossible);
  }

  #keyOf(node: Expression): string {
    let key = this.#keys.get(node);
    if (key === undefined) {
      key = printExpression(node);
      this.#keys.set(node, key);
    }
    return key;
  }

  #factOf(node: Expression, facts: Map<string, Fact>): Fact {
    const key = this.#keyOf(node);
    let fact = facts.get(key);
    if (fact === undefined) {
      const name = node.kind === 'name' ? this.#names.get(node.name) : undefined;
      const numeric = name !== undefined && 'whole' in name ? name : undefined;
      const low =
        name !== undefined && 'low' in name ? (name.low ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY;
      const high =
        name !== undefined && 'high' in name ? (name.high ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
      const values = name !== undefined && name.type.kind === 'text' && 'values' in name ? name.values : undefined;
      fact = {
        ...{ low, high, lowOpen: false, highOpen: false, whole: numeric?.whole === true },
        ...{ allowed: values === undefined ? null : new Set(values), excluded: new Set<string>() },
        ...{ truth: null, isKnown: null },
      };
      facts.set(key, fact);
    }
    return fact;
  }

  /** @returns false on a contradiction that shows at once */
  #learn({ node, holds }: Atom, facts: Map<string, Fact>): boolean {
    switch (node.kind) {
      case 'boolean':
        return node.value === holds;
      case 'known': {
        const fact = this.#factOf(node.operand, facts);
        if (fact.isKnown !== null && fact.isKnown !== holds) return false;
        fact.isKnown = holds;
        return true;
      }
      case 'comparison':
        return this.#learnComparison(node, holds, facts);
      case 'between': {
        const { low, high, operand } = node;
        if (low.kind !== 'number' || high.kind !== 'number') return learnTruth(this.#factOf(node, facts), holds);
        const fact = this.#factOf(operand, facts);
        // Outside is two intervals: only its extremes would say something, so it is left open.
        if (!holds) return true;
        return learnBound(fact, '>=', low.value) && learnBound(fact, '<=', high.value) && learnKnown(fact);
      }
      case 'in': {
        if (node.of.kind !== 'set') return learnTruth(this.#factOf(node, facts), holds);
        const values = node.of.items.map((item) => printExpression(item));
        return learnValues(this.#factOf(node.operand, facts), values, holds);
      }
      default:
        return learnTruth(this.#factOf(node, facts), holds);
    }
  }

  #learnComparison(
    node: Extract<Expression, { kind: 'comparison' }>,
    holds: boolean,
    facts: Map<string, Fact>,
  ): boolean {
    const literalLeft = isLiteral(node.left);
    const literal = literalLeft ? node.left : node.right;
    const quantity = literalLeft ? node.right : node.left;
    if (literalLeft && isLiteral(node.right)) return true;
    if (!isLiteral(literal)) return learnTruth(this.#factOf(node, facts), holds);
    const fact = this.#factOf(quantity, facts);
    const turned = literalLeft ? TURNED[node.operator] : node.operator;
    const operator = holds ? turned : OPPOSITE[turned];
    if (literal.kind === 'boolean') return learnTruth(fact, literal.value === (operator === '='));
    if (operator === '=' || operator === '!=') {
      if (literal.kind === 'number' && operator === '=') {
        return learnBound(fact, '>=', literal.value) && learnBound(fact, '<=', literal.value) && learnKnown(fact);
      }
      return learnValues(fact, [printExpression(literal)], operator === '=');
    }
    return literal.kind !== 'number' || (learnBound(fact, operator, literal.value) && learnKnown(fact));
  }
}

const OPPOSITE: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};
const TURNED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function isLiteral(node: Expression): node is Extract<Expression, { kind: 'number' | 'text' | 'boolean' }> {
  return node.kind === 'number' || node.kind === 'text' || node.kind === 'boolean';
}

function learnKnown(fact: Fact): boolean {
  if (fact.isKnown === false) return false;
  fact.isKnown = true;
  return true;
}

function learnTruth(fact: Fact, truth: boolean): boolean {
  if (fact.truth !== null && fact.truth !== truth) return false;
  fact.truth = truth;
  return learnKnown(fact);
}

function learnBound(fact: Fact, operator: ComparisonOperator, value: number): boolean {
  if (operator === '>' || operator === '>=') {
    const open = operator === '>';
    if (value > fact.low || (value === fact.low && open)) {
      fact.low = value;
      fact.lowOpen = open;
    }
  } else {
    const open = operator === '<';
    if (value < fact.high || (value === fact.high && open)) {
      fact.high = value;
      fact.highOpen = open;
    }
  }
  return true;
}

function learnValues(fact: Fact, values: readonly string[], holds: boolean): boolean {
  if (holds) {
    fact.allowed = new Set(
      values.filter(
        (value) => fact.allowed === null || fact.allowed.has(value.replace(/^'|'$/g, '')) || fact.allowed.has(value),
      ),
    );
  } else for (const value of values) fact.excluded.add(value);
  return learnKnown(fact);
}

function isPossible(fact: Fact): boolean {
  const { excluded, allowed, whole } = fact;
  if (allowed !== null) {
    const bare = (value: string) => value.replace(/^'|'$/g, '');
    const left = [...allowed].some((value) => ![...excluded].some((each) => bare(each) === bare(value)));
    if (!left && fact.isKnown === true) return false;
  }
  const low = whole ? (fact.lowOpen ? Math.floor(fact.low) + 1 : Math.ceil(fact.low)) : fact.low;
  const high = whole ? (fact.highOpen ? Math.ceil(fact.high) - 1 : Math.floor(fact.high)) : fact.high;
  if (low > high) return false;
  if (low === high && !whole && (fact.lowOpen || fact.highOpen)) return false;
  return !(low === high && excluded.has(String(low)));
}
