// Rules over transactions as they are folded, for those who look at a whole table afterwards: which rules fired on each row.
//
// There is no model yet, so the rules must not ask for its numbers. What fired is kept in typed arrays: four bytes a row and two
// more per rule that fired, at most `MOST_PER_ROW` of them.
import { codesOfMask, qualityMask } from '../decisions/data-quality.ts';
import type { FiredRows } from '../decisions/rule-evidence.ts';
import type { RuleInput } from '../decisions/rule-names.ts';
import { hitsOf, type VerdictInput } from '../decisions/verdict.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { FeatureEngine, FoldResult } from '../features/engine.ts';
import { GrowableColumn } from '../lib/growable-column.ts';
import type { Rule } from '../rules/rule.ts';
import type { RuleSet } from '../rules/rule-set.ts';

/** The rules of a set and the rows of a table that they fired on. */
export interface FiredRules {
  readonly rules: readonly Rule[];
  readonly fired: FiredRows;
}

/** Of more rules on one row the later ones are not kept. */
export const MOST_PER_ROW = 32;
const MOST_RULES = 65_535;
const NO_HITS: Pick<VerdictInput, 'hits' | 'silenced'> = { hits: [], silenced: [] };
const NO_SCORES = new Float64Array(0);
const NO_FINDINGS: readonly string[] = [];

/** @param doubts one per rule, of `doubtsOf` */
export function hitsOfRow(evaluated: FiredRules | null, row: number, doubts: Float64Array): typeof NO_HITS {
  if (evaluated === null) return NO_HITS;
  const { rules, fired } = evaluated;
  const [start, end] = [fired.starts[row], fired.starts[row + 1]];
  if (start === end) return NO_HITS;
  const which = new Uint8Array(rules.length);
  for (let i = start; i < end; i++) which[fired.rules[i]] = 1;
  return hitsOf(rules, which, doubts, () => false);
}

/** Takes the place of the engine where rows are folded. */
export class RuleWatch implements Pick<FeatureEngine, 'fold'> {
  readonly #engine: Pick<FeatureEngine, 'fold'>;
  readonly #set: RuleSet<RuleInput>;
  readonly #ends = new GrowableColumn((length) => new Uint32Array(length));
  readonly #rules = new GrowableColumn((length) => new Uint16Array(length));
  readonly #fired: Uint8Array;

  constructor(engine: Pick<FeatureEngine, 'fold'>, set: RuleSet<RuleInput>) {
    if (set.rules.length > MOST_RULES) throw new RangeError(`${set.rules.length} rules, at most ${MOST_RULES}`);
    this.#engine = engine;
    this.#set = set;
    this.#fired = new Uint8Array(set.rules.length);
    this.#ends.push(0);
  }

  fold(transaction: Transaction, features: Float64Array, offset = 0): FoldResult {
    const result = this.#engine.fold(transaction, features, offset);
    const fired = this.#fired;
    const mask = qualityMask(transaction);
    const findings = mask === 0 ? NO_FINDINGS : codesOfMask(mask);
    const input: RuleInput = {
      ...{ transaction, features, offset, findings, fired, risk: Number.NaN, scores: NO_SCORES },
    };
    if (this.#set.evaluate(input, transaction.eventTimeMs, fired) > 0) this.#keep();
    this.#ends.push(this.#rules.length);
    return result;
  }

  /** Of the rows so far, as views that are valid until the next row. */
  firedRules(): FiredRules {
    return { rules: this.#set.rules, fired: { starts: this.#ends.view(), rules: this.#rules.view() } };
  }

  #keep(): void {
    let kept = 0;
    for (let rule = 0; rule < this.#fired.length && kept < MOST_PER_ROW; rule++) {
      if (this.#fired[rule] !== 1 || this.#set.rules[rule].mode !== 'live') continue;
      this.#rules.push(rule);
      kept += 1;
    }
  }
}
