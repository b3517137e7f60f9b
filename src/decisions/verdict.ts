// From a model's risk and the rules that fired to one risk and one verdict: what is done, who decided, and everything it needs to be
// executed again. Pure: the same inputs and versions give the same bits.
//
// The severest voice decides: the rules' actions, and what the risk of model and rules together asks for. A rule that approves (a trusted payee) silences the model, never another rule; overrides and
// shadow rules are written down without a say. A small control group is let through although the verdict was severe, so that
// labels stay unbiased; it is drawn by the transaction's id, so a second execution draws the same.
import { hashText, mixWords } from '../lib/hash.ts';
import { type ListedMatch, NOT_LISTED } from '../rules/listed.ts';
import { ACTIONS, type Rule, type RuleAction, ruleVersion, type Severity } from '../rules/rule.ts';
import { combinedRisk } from './combined-risk.ts';
import { type DecisionThresholds, decideAction } from './decision.ts';
import { expectedCostOfAction } from './money-policy.ts';
import { DEFAULT_UNSCORED, type UnscoredPolicy, unscoredAction } from './unscored-policy.ts';

export interface RuleHit {
  /** `id@version` */
  readonly rule: string;
  readonly action: RuleAction;
  readonly severity: Severity;
  /** A code of reason-codes.ts. */
  readonly reason: string;
  /** The part of the model's doubt that it leaves where it has a say, in (0, 1]; see combined-risk.ts. */
  readonly doubt: number;
  /** Entries of lists that its condition found; left out where there are none. */
  readonly listed?: readonly ListedMatch[];
}

/** Why a rule that fired had no say. */
export type Silence = 'shadow' | 'override';

export interface SilencedHit extends RuleHit {
  readonly silence: Silence;
}

/** For a while a rule does not count for an entity: an analyst has looked, and it was a false alarm. */
export interface RuleOverride {
  /** Without the version: it holds for later versions too. */
  readonly ruleId: string;
  /** The field of the transaction that names the entity. */
  readonly field: 'payerId' | 'payeeId' | 'cardId' | 'deviceId' | 'terminalId' | 'merchantId';
  readonly value: string;
  /** Counts for events before it. */
  readonly untilMs: number;
  readonly reason: string;
}

export interface ControlGroup {
  /** Share of the severe verdicts that are let through, in [0, 0.1]. */
  readonly share: number;
  /** Greater amounts are never let through, céntimos of soles. */
  readonly maxAmountMinor: number;
  /** Another seed, another group. */
  readonly seed: number;
}

export interface VerdictPolicy {
  readonly thresholds: DecisionThresholds;
  readonly control: ControlGroup | null;
  /** Verdicts are no severer than this while the governor is in its fallback; null at all other times. */
  readonly severest: RuleAction | null;
  /** For what should have a risk and has none; `DEFAULT_UNSCORED` where left out. */
  readonly unscored?: UnscoredPolicy;
}

export interface VerdictInput {
  readonly id: string;
  /** The model's own; NaN without a model. */
  readonly modelRisk: number;
  /** There is a model, and its risk is not known: none of its detectors answered. */
  readonly unscored?: boolean;
  readonly calibrated: boolean;
  /** Worth in céntimos of soles, NaN where it is not known. */
  readonly amountMinor: number;
  readonly hits: readonly RuleHit[];
  readonly silenced: readonly SilencedHit[];
}

/** `model`: the risk, in which rules have their part too; `unscored`: the amount, for want of it. */
export type DecidedBy = 'model' | 'unscored' | 'rules' | 'trust' | 'control-group' | 'governor';

export interface Verdict {
  readonly action: RuleAction;
  /** What would have been done without the control group and the governor. */
  readonly intended: RuleAction;
  readonly by: DecidedBy;
  /** Of the model and the rules with a say; NaN without a model. */
  readonly risk: number;
  readonly modelRisk: number;
  /** Of letting it through, in céntimos of soles; null without a probability or a known amount. */
  readonly expectedLossMinor: number | null;
  readonly hits: readonly RuleHit[];
  readonly silenced: readonly SilencedHit[];
  /** Reason codes of the rules that had a say, severest first, each once. */
  readonly ruleReasons: readonly string[];
}

const SEVERE_FROM = ACTIONS.indexOf('challenge');
const UINT32 = 2 ** 32;
const low = new Int32Array(1);
const high = new Int32Array(1);

export function decide(input: VerdictInput, policy: VerdictPolicy): Verdict {
  const { thresholds, control, severest, unscored = DEFAULT_UNSCORED } = policy;
  const { modelRisk, calibrated, amountMinor, hits } = input;
  const risk = combinedRisk(modelRisk, doubtLeft(hits));
  const isUnscored = input.unscored === true && Number.isNaN(risk);
  const byModel = isUnscored
    ? unscoredAction(amountMinor, unscored)
    : Number.isNaN(risk)
      ? 'approve'
      : decideAction(risk, calibrated, amountMinor, thresholds);
  const ordered = [...hits].sort((a, b) => rank(b.action) - rank(a.action));
  const byRules = ordered[0]?.action ?? null;
  const isTrusted = hits.some(({ action }) => action === 'approve');
  const voice = isTrusted ? 'approve' : byModel;
  const rulesDecide = byRules !== null && byRules !== 'approve' && rank(byRules) >= rank(voice);
  const intended = rulesDecide ? byRules : voice;
  const by: DecidedBy = rulesDecide ? 'rules' : isTrusted ? 'trust' : isUnscored ? 'unscored' : 'model';
  const drawn = drawControl(input.id, intended, amountMinor, control);
  const afterControl = drawn ? 'approve' : intended;
  const action = severest !== null && rank(afterControl) > rank(severest) ? severest : afterControl;
  const expectedLossMinor =
    calibrated && !isUnscored && amountMinor >= 0 && thresholds.costs !== undefined
      ? expectedCostOfAction('approve', risk, amountMinor, thresholds.costs)
      : null;
  return {
    ...{ action, intended, by: action !== afterControl ? 'governor' : drawn ? 'control-group' : by },
    ...{ risk, modelRisk, expectedLossMinor, hits, silenced: input.silenced },
    ruleReasons: [...new Set(ordered.map(({ reason }) => reason))],
  };
}

/**
 * The rules that fired, parted into those with a say and those without.
 *
 * @param doubts one per rule, of `doubtsOf`
 * @param listedBy what a rule that fired found on lists
 */
export function hitsOf(
  rules: readonly Rule[],
  fired: Uint8Array,
  doubts: Float64Array,
  isOverridden: (rule: Rule) => boolean,
  listedBy: (rule: number) => readonly ListedMatch[] = () => NOT_LISTED,
): Pick<VerdictInput, 'hits' | 'silenced'> {
  const hits: RuleHit[] = [];
  const silenced: SilencedHit[] = [];
  rules.forEach((rule, index) => {
    if (fired[index] !== 1) return;
    const { action, severity, reason } = rule;
    const listed = listedBy(index);
    const named = { rule: ruleVersion(rule), action, severity, reason, doubt: doubts[index] };
    const hit = listed.length === 0 ? named : { ...named, listed };
    if (rule.mode === 'shadow') silenced.push({ ...hit, silence: 'shadow' });
    else if (isOverridden(rule)) silenced.push({ ...hit, silence: 'override' });
    else hits.push(hit);
  });
  return { hits, silenced };
}

/** What the rules leave of the model's doubt. */
export function doubtLeft(hits: readonly RuleHit[]): number {
  return hits.reduce((doubt, hit) => doubt * hit.doubt, 1);
}

function rank(action: RuleAction): number {
  return ACTIONS.indexOf(action);
}

/** Security against large losses first: an amount that is not known, or too large, is never let through. */
function drawControl(id: string, intended: RuleAction, amountMinor: number, control: ControlGroup | null): boolean {
  if (control === null || control.share === 0 || rank(intended) < SEVERE_FROM) return false;
  if (!(amountMinor <= control.maxAmountMinor)) return false;
  hashText(id, low, high, 0);
  return (mixWords(mixWords(low[0], control.seed), high[0]) >>> 0) / UINT32 < control.share;
}
