// Reads a condition: `amount > 3000 and payee_is_new and operation in ('transfer', 'remittance')`.
//
// Precedence, from the loosest: or, and, not, comparisons (= != < <= > >=, between … and …, in, is missing), ??, + −, * /,
// unary −. Top-down operator precedence (Pratt, POPL 1973). Depth is limited, so no text can exhaust the stack.
import type { ArithmeticOperator, ComparisonOperator, Expression, Span } from './node.ts';
import type { Problem } from './problem.ts';
import { RESERVED, type Token, tokenize } from './tokens.ts';

export const MAX_EXPRESSION_LENGTH = 20_000;
const MAX_DEPTH = 64;
/** Sums and products are nested to the left, one level an operator. */
const MAX_CHAIN = 100;
const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);

/** The tree is null where there are problems. Never throws. */
export function parseExpression(source: string): {
  readonly expression: Expression | null;
  readonly problems: readonly Problem[];
} {
  if (source.length > MAX_EXPRESSION_LENGTH) {
    const message = `the condition has ${source.length} characters, the limit is ${MAX_EXPRESSION_LENGTH}`;
    return {
      expression: null,
      problems: [{ code: 'LIMIT_EXCEEDED', offset: 0, message, hint: 'Split it into several rules, or use a list' }],
    };
  }
  const { tokens, problems } = tokenize(source);
  if (problems.length > 0) return { expression: null, problems };
  try {
    return { expression: new Parser(tokens).parse(), problems: [] };
  } catch (error) {
    if (error instanceof SyntaxProblem) return { expression: null, problems: [error.problem] };
    throw error;
  }
}

class SyntaxProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Expression {
    if (this.#tokens.length === 1) this.#fail('the condition is empty', 'Write one, for example amount > 3000');
    const expression = this.#or();
    const after = this.#next;
    if (after.kind !== 'end') this.#fail(`${shown(after)} is not expected here`, 'Join conditions with and, or');
    return expression;
  }

  get #next(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)];
  }

  #take(): Token {
    const token = this.#next;
    this.#at++;
    return token;
  }

  #accept(text: string): boolean {
    const { kind } = this.#next;
    if ((kind !== 'symbol' && kind !== 'word') || this.#next.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string, where: string): void {
    if (!this.#accept(text)) this.#fail(`'${text}' is missing ${where}`, `Found ${shown(this.#next)} instead`);
  }

  #fail(message: string, hint: string, token: Token = this.#next): never {
    throw new SyntaxProblem({ code: 'SYNTAX_INVALID', offset: token.from, message, hint });
  }

  #deeper<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.#fail(`conditions are nested deeper than ${MAX_DEPTH}`, 'Split the rule');
    this.#depth++;
    const result = read();
    this.#depth--;
    return result;
  }

  #joined(kind: 'all' | 'any', words: readonly string[], read: () => Expression): Expression {
    const operands = [read()];
    while (words.some((word) => this.#accept(word))) operands.push(read());
    return operands.length === 1 ? operands[0] : { kind, operands, span: over(operands[0], operands.at(-1)!) };
  }

  #or(): Expression {
    return this.#deeper(() => this.#joined('any', ['or', '||'], () => this.#and()));
  }

  #and(): Expression {
    return this.#joined('all', ['and', '&&'], () => this.#not());
  }

  #not(): Expression {
    const token = this.#next;
    if (!this.#accept('not') && !this.#accept('!')) return this.#comparison();
    const operand = this.#deeper(() => this.#not());
    return { kind: 'not', operand, span: { from: token.from, to: operand.span.to } };
  }

  #comparison(): Expression {
    const left = this.#otherwise();
    const token = this.#next;
    if (token.kind === 'symbol' && COMPARISONS.has(token.text)) {
      this.#take();
      const right = this.#otherwise();
      if (this.#next.kind === 'symbol' && COMPARISONS.has(this.#next.text)) {
        this.#fail('comparisons cannot be chained', 'Write a < b and b < c, or b between a and c');
      }
      return { kind: 'comparison', operator: token.text as ComparisonOperator, left, right, span: over(left, right) };
    }
    if (this.#accept('is')) return this.#isKnown(left);
    const negated = this.#accept('not');
    const condition = this.#accept('between') ? this.#between(left) : this.#accept('in') ? this.#in(left) : null;
    if (condition === null) {
      if (negated) this.#fail("after 'not' here, 'in' or 'between' is expected", 'Write x not in (…)');
      return left;
    }
    return negated ? { kind: 'not', operand: condition, span: condition.span } : condition;
  }

  #isKnown(operand: Expression): Expression {
    const negated = this.#accept('not');
    const word = this.#take();
    const span = { from: operand.span.from, to: word.to };
    const known: Expression = { kind: 'known', operand, span };
    if (word.text !== 'missing' && word.text !== 'known') {
      this.#fail("after 'is', 'missing' or 'known' is expected", 'Equality is written with =', word);
    }
    return (word.text === 'known') === negated ? { kind: 'not', operand: known, span } : known;
  }

  #between(operand: Expression): Expression {
    const low = this.#otherwise();
    this.#expect('and', 'after the first end of between');
    const high = this.#otherwise();
    return { kind: 'between', operand, low, high, span: over(operand, high) };
  }

  #in(operand: Expression): Expression {
    const token = this.#next;
    if (token.kind === 'list') {
      this.#take();
      const of: Expression = { kind: 'list', name: token.text, span: spanOf(token) };
      return { kind: 'in', operand, of, span: over(operand, of) };
    }
    if (token.kind === 'word' && !RESERVED.has(token.text)) {
      const of = this.#primary();
      return { kind: 'in', operand, of, span: over(operand, of) };
    }
    const closing = this.#accept('(') ? ')' : this.#accept('[') ? ']' : null;
    if (closing === null) this.#fail("after 'in', values or a list are expected", "Write in ('a', 'b') or in @list");
    const items: Expression[] = [];
    do items.push(this.#otherwise());
    while (this.#accept(','));
    const end = this.#next;
    this.#expect(closing, "at the end of 'in'");
    const of: Expression = { kind: 'set', items, span: { from: token.from, to: end.to } };
    return { kind: 'in', operand, of, span: over(operand, of) };
  }

  #otherwise(): Expression {
    const operand = this.#sum();
    if (!this.#accept('??')) return operand;
    const instead = this.#deeper(() => this.#otherwise());
    return { kind: 'otherwise', operand, instead, span: over(operand, instead) };
  }

  #sum(): Expression {
    return this.#arithmetic(['+', '-'], () => this.#arithmetic(['*', '/'], () => this.#unary()));
  }

  #arithmetic(operators: readonly ArithmeticOperator[], read: () => Expression): Expression {
    let left = read();
    for (let length = 0; ; length++) {
      const operator = operators.find((each) => this.#accept(each));
      if (operator === undefined) return left;
      if (length === MAX_CHAIN) this.#fail(`more than ${MAX_CHAIN} terms are joined`, 'Split the rule');
      const right = read();
      left = { kind: 'arithmetic', operator, left, right, span: over(left, right) };
    }
  }

  #unary(): Expression {
    const token = this.#next;
    if (!this.#accept('-')) return this.#primary();
    const operand = this.#deeper(() => this.#unary());
    const span = { from: token.from, to: operand.span.to };
    return operand.kind === 'number'
      ? { ...operand, value: -operand.value, span }
      : { kind: 'negative', operand, span };
  }

  #primary(): Expression {
    const token = this.#take();
    const span = spanOf(token);
    switch (token.kind) {
      case 'number':
        return { kind: 'number', value: token.value, unit: token.unit, span };
      case 'text':
        return { kind: 'text', value: token.text, span };
      case 'list':
        return { kind: 'list', name: token.text, span };
      case 'word':
        if (token.text === 'true' || token.text === 'false')
          return { kind: 'boolean', value: token.text === 'true', span };
        if (!RESERVED.has(token.text)) {
          return this.#next.text === '(' && this.#next.kind === 'symbol'
            ? this.#call(token)
            : { kind: 'name', name: token.text, span };
        }
        break;
      case 'symbol':
        if (token.text === '(') {
          const inner = this.#or();
          this.#expect(')', 'at the end of the group');
          return inner;
        }
    }
    const what = token.kind === 'end' ? 'the condition ends too early' : `${shown(token)} is not expected here`;
    return this.#fail(what, 'A field, a feature, a number, a text or a group in parentheses is expected', token);
  }

  #call(name: Token): Expression {
    this.#expect('(', 'after the function');
    const parameters: Expression[] = [];
    if (this.#next.text !== ')' || this.#next.kind !== 'symbol') {
      do parameters.push(this.#or());
      while (this.#accept(','));
    }
    const end = this.#next;
    this.#expect(')', `at the end of ${name.text}(…)`);
    return { kind: 'call', name: name.text, parameters, span: { from: name.from, to: end.to } };
  }
}

const spanOf = ({ from, to }: Token): Span => ({ from, to });
const over = (first: Expression, last: Expression): Span => ({ from: first.span.from, to: last.span.to });
const shown = (token: Token): string => (token.kind === 'end' ? 'the end' : `'${token.text}'`);
