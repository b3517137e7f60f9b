// Which entries of kept lists a rule's condition found: looked up once more for the few rules that fired, so that nothing is
// recorded while transactions pass.
import type { TypedExpression } from './check-types.ts';
import { type Condition, TRUE } from './closures.ts';
import type { RuleList } from './names.ts';
import { type Expression, walk } from './node.ts';
import { type NodeReaders, operandsOf } from './trace.ts';

export interface ListedMatch {
  /** Without its @. */
  readonly list: string;
  /** Its place on the list, which it keeps; what stands there is somebody's. */
  readonly entry: number;
}

interface Asked<Input> {
  /** The smallest condition in which the list is asked. */
  readonly holds: Condition<Input>;
  text(input: Input): string | null;
  readonly list: RuleList<Input>;
}

/** Of one rule; further ones are not told. */
const MOST_MATCHES = 16;
export const NOT_LISTED: readonly ListedMatch[] = [];

export function asksLists(when: Expression): boolean {
  for (const { kind } of walk(when)) if (kind === 'list') return true;
  return false;
}

/** @returns for an input the entries where what asks a list holds, each once */
export function listedBy<Input>(
  { expression, types }: TypedExpression,
  readers: NodeReaders<Input>,
  lists: ReadonlyMap<string, RuleList<Input>>,
): (input: Input) => readonly ListedMatch[] {
  const asked: Asked<Input>[] = [];
  visit(expression, expression);
  return (input) => {
    const found = new Map<string, ListedMatch>();
    for (const { holds, text, list } of asked) {
      const value = text(input);
      const entry = value === null || holds(input) !== TRUE ? -1 : list.placeOf(value, input);
      if (entry >= 0 && found.size < MOST_MATCHES) found.set(`${list.name} ${entry}`, { list: list.name, entry });
    }
    return found.size === 0 ? NOT_LISTED : [...found.values()];
  };

  function visit(node: Expression, within: Expression): void {
    const condition = types.get(node)?.kind === 'boolean' ? node : within;
    const [value, of] = node.kind === 'in' ? [node.operand, node.of] : node.kind === 'call' ? node.parameters : [];
    if (of?.kind === 'list') {
      asked.push({ holds: readers.condition(condition), text: readers.text(value), list: lists.get(of.name)! });
    }
    const operands = node.kind === 'all' || node.kind === 'any' ? node.operands : operandsOf(node);
    for (const operand of operands) visit(operand, condition);
  }
}
