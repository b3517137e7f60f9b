// A rule as an editor works on it: its condition as a tree and as text, and what it speaks of.
import { type Expression, walk } from './node.ts';
import { printExpression } from './print-expression.ts';
import { type Rule, ruleVersion } from './rule.ts';

export interface RuleOutline {
  /** `id@version` */
  readonly rule: string;
  /** The condition as one text, which the spans of `tree` speak of. */
  readonly source: string;
  readonly tree: Expression;
  /** The tree written out, always in the same form: read again it gives the same tree but for the spans. */
  readonly printed: string;
  /** Fields, features and scores; lists without their @; rules it asks about. Each once, in the order of the text. */
  readonly names: readonly string[];
  readonly lists: readonly string[];
  readonly rules: readonly string[];
}

export function outlineOf(rule: Rule): RuleOutline {
  const nodes = [...walk(rule.when)];
  const once = (pick: (node: Expression) => string | null) => [
    ...new Set(nodes.map(pick).filter((word) => word !== null)),
  ];
  return {
    ...{ rule: ruleVersion(rule), source: rule.source, tree: rule.when, printed: printExpression(rule.when) },
    names: once((node) => (node.kind === 'name' ? node.name : null)),
    lists: once((node) => (node.kind === 'list' ? node.name : null)),
    rules: once((node) => {
      const [asked] = node.kind === 'call' && node.name === 'fired' ? node.parameters : [];
      return asked?.kind === 'text' ? asked.value : null;
    }),
  };
}
