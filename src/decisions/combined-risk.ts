// A model and the rules that fired in one risk: every rule takes a part of the doubt that the model leaves.
//
// With labels the risk is a probability, and the doubt is that of innocence: 1 − (1 − p) ∏ (1 − q_r), a noisy or, with the
// q_r that were learnt beside this model (rule-evidence.ts). A rule of which nothing was learnt, a later one say, counts as
// its severity is expected to be right.
//
// Without labels the risk is 1 − p, where p is a p-value: how rare so unusual a transaction is. A noisy or over it would be
// neither a probability nor a p-value, and would hardly move an ordinary transaction where a rule is sure. But a rule of an
// expected precision q says how many times likelier a fraud has become, q/(1 − q) over the odds of any transaction; so many
// times rarer than it looks the transaction is taken to be: p / ratio for each rule. Where frauds are one in a thousand, a
// rule of high severity moves an ordinary transaction among the three in a thousand most unusual ones, one of low severity
// to the most unusual twentieth, and several together further. Where no rule fires, the risk stays what it was.
//
// Rules that approve, and rules that look at the model's own numbers, add nothing: those speak of trust, these repeat the
// model. Both still ask for their action.
import { namesUsed, rulesAsked } from '../rules/names-used.ts';
import { type Rule, ruleVersion } from '../rules/rule.ts';
import type { RiskModel, RiskScores } from './risk-model.ts';
import { EXPECTED, type FiredRows } from './rule-evidence.ts';
import { RISK_NAME, SCORE_PREFIX } from './rule-names.ts';

/** Share of the transactions that are fraud or error, where nothing is known of it. */
const ASSUMED_FRAUD_SHARE = 0.001;
/** Nearer to 1 than this a risk is 1 in 32 bits. */
const LEAST_DOUBT = 2 ** -25;
/** So little, against log odds, that only rows of the same risk are put in order by it. */
const ORDER_WEIGHT = 0.01;

type Combining = Pick<RiskModel, 'stacking' | 'ruleEvidence'>;

/**
 * For each rule the part of the doubt that it leaves, in (0, 1]; 1 where it adds nothing.
 *
 * @param rules a rule after those it asks about, as in a `RuleSet`
 */
export function doubtsOf(rules: readonly Rule[], model: Combining | null): Float64Array {
  const fromModel = new Set<string>();
  return Float64Array.from(rules, (rule) => {
    if (readsModel(rule) || rulesAsked(rule).some((id) => fromModel.has(id))) {
      fromModel.add(rule.id);
      return 1;
    }
    if (rule.action === 'approve') return 1;
    const expected = EXPECTED[rule.severity];
    if (model === null || model.stacking === null) return oddsOf(ASSUMED_FRAUD_SHARE) / oddsOf(expected);
    return 1 - (model.ruleEvidence?.[ruleVersion(rule)] ?? expected);
  });
}

/** A rule of which something can be learnt: with a say, and a knowledge of its own. */
export function addsEvidence(rule: Rule, doubt: number): boolean {
  return rule.mode === 'live' && doubt < 1;
}

/**
 * In 32 bits, as the model's is, so that thresholds that were chosen on stored risks mean the same here.
 *
 * @param modelRisk in [0, 1], NaN without a model
 * @param doubt product over the rules that fired
 */
export function combinedRisk(modelRisk: number, doubt: number): number {
  return doubt === 1 ? modelRisk : Math.fround(1 - (1 - modelRisk) * doubt);
}

/** Row by row the product of the doubts that the rules leave; null where no row has a rule. */
export function doubtsOfRows(doubts: Float64Array, { starts, rules }: FiredRows, rows: ArrayLike<number>) {
  const product = new Float64Array(rows.length).fill(1);
  let any = false;
  for (let index = 0; index < rows.length; index++) {
    for (let i = starts[rows[index]]; i < starts[rows[index] + 1]; i++) product[index] *= doubts[rules[i]];
    any ||= product[index] < 1;
  }
  return any ? product : null;
}

/** Risk and ranking of rows with their rules. Where no row has one, they are the model's, to the bit. */
export function addRules(
  { risk, ranking }: Pick<RiskScores, 'risk' | 'ranking'>,
  doubts: ArrayLike<number> | null,
): Pick<RiskScores, 'risk' | 'ranking'> {
  if (doubts === null) return { risk, ranking };
  return {
    risk: risk.map((each, row) => combinedRisk(each, doubts[row])),
    // Log odds of the risk; rows of the same risk in the model's finer order.
    ranking: ranking.map((order, row) => {
      const doubt = Math.max(LEAST_DOUBT, 1 - risk[row]) * doubts[row];
      return Math.log(Math.max(Number.MIN_VALUE, 1 - doubt) / doubt) + ORDER_WEIGHT * (order / (1 + Math.abs(order)));
    }),
  };
}

function readsModel(rule: Rule): boolean {
  return [...namesUsed([rule])].some((name) => name === RISK_NAME || name.startsWith(SCORE_PREFIX));
}

function oddsOf(probability: number): number {
  return probability / (1 - probability);
}
