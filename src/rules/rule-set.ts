// A set of rules that go together: checked as a whole, put into an order and compiled.
import { checkTypes, type TypedExpression } from './check-types.ts';
import { type Condition, TRUE } from './closures.ts';
import { compileCondition, compileReaders } from './compile.ts';
import { createGuards } from './guards.ts';
import { asksLists, type ListedMatch, listedBy, NOT_LISTED } from './listed.ts';
import type { RuleVocabulary } from './names.ts';
import { rulesAsked } from './names-used.ts';
import type { ProblemCode } from './problem.ts';
import { findUnreachable } from './reachability.ts';
import type { PlacedProblem, PlacedRule, RulePlace, UnfinishedRule } from './read-rules.ts';
import type { Rule } from './rule.ts';
import { type TracedNode, traceCondition } from './trace.ts';

export interface RuleSet<Input> {
  /** In the order in which they are evaluated: a rule after those it asks about. */
  readonly rules: readonly Rule[];
  /**
   * Which rules fire.
   *
   * @param fired one element per rule, 1 where it fires; what the vocabulary's `fired` reads
   * @returns how many fired
   */
  evaluate(input: Input, timeMs: number, fired: Uint8Array): number;
  /** Entries of lists that the condition of a rule that fired found. */
  listed(rule: number, input: Input): readonly ListedMatch[];
  /** The values that one rule's condition looked at. */
  trace(rule: number, input: Input): readonly TracedNode[];
}

/** @param unfinished rules with problems: their conditions' types are checked too @returns null where there are problems */
export function compileRuleSet<Input>(
  placed: readonly PlacedRule[],
  vocabulary: RuleVocabulary<Input>,
  unfinished: readonly UnfinishedRule[] = [],
): { readonly set: RuleSet<Input> | null; readonly problems: readonly PlacedProblem[] } {
  const problems: PlacedProblem[] = [];
  const byId = new Map<string, PlacedRule>();
  for (const each of placed) {
    const other = byId.get(each.rule.id);
    if (other === undefined) byId.set(each.rule.id, each);
    else {
      const where = `${other.file}:${other.line}`;
      tell(
        each,
        'RULE_REPEATED',
        null,
        `there are two rules '${each.rule.id}'`,
        `The other stands in ${where}; give one another id`,
      );
    }
  }
  const ids = new Set([...byId.keys(), ...unfinished.map(({ id }) => id)]);
  const typed = new Map<PlacedRule, TypedExpression>();
  for (const each of placed) {
    const checked = checkTypes(each.rule.when, vocabulary, ids);
    for (const { code, offset, message, hint } of checked.problems) tell(each, code, offset, message, hint);
    if (checked.problems.length > 0) continue;
    for (const { code, offset, message, hint } of findUnreachable(each.rule.when, vocabulary)) {
      tell(each, code, offset, message, hint);
    }
    typed.set(each, checked.typed);
  }
  for (const each of unfinished) {
    const found = each.when === null ? [] : checkTypes(each.when, vocabulary, ids).problems;
    for (const { code, offset, message, hint } of found) tellAt(each, code, offset, `${each.id}: ${message}`, hint);
  }
  const ordered = inOrder(placed, byId, (each, cycle) =>
    tell(
      each,
      'RULES_IN_CIRCLE',
      null,
      `rules ask about each other in a circle: ${cycle.join(' → ')}`,
      'Take one fired(…) out',
    ),
  );
  if (problems.length > 0) return { set: null, problems };
  return { set: createRuleSet(ordered, typed, vocabulary), problems };

  function tell(each: PlacedRule, code: ProblemCode, offset: number | null, message: string, hint: string): void {
    tellAt(each, code, offset, `${each.rule.id}: ${message}`, hint);
  }

  function tellAt(each: RulePlace, code: ProblemCode, offset: number | null, message: string, hint: string): void {
    const { file, line, path } = each;
    problems.push({ file, code, ...(offset === null ? { line, column: 1, path } : each.place(offset)), message, hint });
  }
}

function createRuleSet<Input>(
  ordered: readonly PlacedRule[],
  typed: ReadonlyMap<PlacedRule, TypedExpression>,
  vocabulary: RuleVocabulary<Input>,
): RuleSet<Input> {
  const rules = ordered.map(({ rule }) => rule);
  const numbers = new Map(rules.map(({ id }, index) => [id, index]));
  const conditions: Condition<Input>[] = ordered.map((each) => compileCondition(typed.get(each)!, vocabulary, numbers));
  const guards = createGuards(
    ordered.map((each) => typed.get(each)!),
    vocabulary,
  );
  const rests = guards.rest.map((expression, rule): Condition<Input> => {
    const { types } = typed.get(ordered[rule])!;
    return expression === null ? () => TRUE : compileCondition({ expression, types }, vocabulary, numbers);
  });
  const askers = ordered.map((each) => {
    const whole = typed.get(each)!;
    if (!asksLists(each.rule.when)) return null;
    return listedBy(whole, compileReaders(whole, vocabulary, numbers), vocabulary.lists);
  });
  const fromMs = Float64Array.from(rules, (rule) => rule.fromMs ?? Number.NEGATIVE_INFINITY);
  const untilMs = Float64Array.from(rules, (rule) =>
    rule.mode === 'off' ? Number.NEGATIVE_INFINITY : (rule.untilMs ?? Number.POSITIVE_INFINITY),
  );
  return {
    rules,
    evaluate(input, timeMs, fired) {
      let count = 0;
      fired.fill(0);
      const candidates = guards.candidates(input);
      const tests = candidates === guards.all ? conditions : rests;
      for (let i = 0; i < candidates.length; i++) {
        const rule = candidates[i];
        if (timeMs < fromMs[rule] || timeMs >= untilMs[rule] || tests[rule](input) !== TRUE) continue;
        fired[rule] = 1;
        count++;
      }
      return count;
    },
    listed: (rule, input) => askers[rule]?.(input) ?? NOT_LISTED,
    trace(rule, input) {
      const each = typed.get(ordered[rule])!;
      return traceCondition(each, compileReaders(each, vocabulary, numbers), input);
    },
  };
}

/** File order, but a rule after those it asks about. */
function inOrder(
  placed: readonly PlacedRule[],
  byId: ReadonlyMap<string, PlacedRule>,
  onCycle: (each: PlacedRule, cycle: readonly string[]) => void,
): PlacedRule[] {
  const ordered: PlacedRule[] = [];
  const state = new Map<PlacedRule, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (each: PlacedRule): void => {
    if (state.get(each) === 'done') return;
    if (state.get(each) === 'open') {
      onCycle(each, [...path.slice(path.indexOf(each.rule.id)), each.rule.id]);
      return;
    }
    state.set(each, 'open');
    path.push(each.rule.id);
    for (const id of rulesAsked(each.rule)) {
      const other = byId.get(id);
      if (other !== undefined) visit(other);
    }
    path.pop();
    state.set(each, 'done');
    ordered.push(each);
  };
  for (const each of placed) visit(each);
  return ordered;
}
