// Options that say how risks become decisions.
import { DEFAULT_COSTS, type DecisionCosts } from '../decisions/money-policy.ts';
import type { ThresholdWish } from '../training/thresholds/choose-thresholds.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';

const MINOR_PER_SOL = 100;

/** What decisions cost, in soles. */
export const COST_OPTIONS = {
  'cost-review': {
    type: 'number',
    value: 'SOLES',
    help: "an analyst's time for one alert",
    default: DEFAULT_COSTS.reviewMinor / MINOR_PER_SOL,
    minimum: 0,
  },
  'cost-wrong-decline': {
    type: 'number',
    value: 'SOLES',
    help: 'what holding a genuine transaction costs',
    default: DEFAULT_COSTS.wrongDeclineMinor / MINOR_PER_SOL,
    minimum: 0,
  },
  'loss-given-fraud': {
    type: 'number',
    help: "share of an approved fraud's amount that is lost",
    default: DEFAULT_COSTS.lossGivenFraudShare,
    minimum: 0,
    maximum: 1,
  },
  'analyst-accuracy': {
    type: 'number',
    help: 'share of the alerts that analysts decide rightly',
    default: DEFAULT_COSTS.analystAccuracyShare,
    minimum: 0.5,
    maximum: 1,
  },
} as const satisfies Record<string, OptionSpec>;

export function costsOf(options: OptionValues): DecisionCosts {
  const minor = (name: keyof typeof COST_OPTIONS) => Math.round((options[name] as number) * MINOR_PER_SOL);
  return {
    reviewMinor: minor('cost-review'),
    wrongDeclineMinor: minor('cost-wrong-decline'),
    lossGivenFraudShare: options['loss-given-fraud'] as number,
    analystAccuracyShare: options['analyst-accuracy'] as number,
  };
}

/** How a model to be registered decides. */
export const THRESHOLD_OPTIONS = {
  thresholds: {
    type: 'text',
    value: 'BY',
    help: 'what sets the decisions; share when none of the options for it is given',
    choices: ['share', 'capacity', 'one-in', 'risk', 'cost'],
  },
  'review-capacity-per-day': {
    type: 'number',
    help: 'alerts a day that the analysts can look at (--thresholds capacity)',
    minimum: 0.01,
  },
  'flag-one-in': {
    type: 'number',
    help: 'flag one of N transactions that are no fraud (--thresholds one-in)',
    minimum: 1,
  },
  'review-at-risk': {
    type: 'number',
    help: 'review from this risk on (--thresholds risk)',
    minimum: 0,
    maximum: 1,
  },
  'review-at-risk-without-money': {
    type: 'number',
    help: 'with it: the level for what moves no money, such as look-ups and claims; the same when not given',
    minimum: 0,
    maximum: 1,
  },
  'review-at-loss': {
    type: 'number',
    value: 'SOLES',
    help: 'with it: also review where risk × amount is at least this',
    minimum: 0,
  },
  ...COST_OPTIONS,
} as const satisfies Record<string, OptionSpec>;

const OPTION_OF = {
  ...{ capacity: 'review-capacity-per-day', 'one-in': 'flag-one-in', risk: 'review-at-risk' },
} as const;
/** What goes with --review-at-risk only. */
const WITH_RISK = ['review-at-risk-without-money', 'review-at-loss'] as const;

/** @throws UsageError where options contradict each other or one is missing */
export function thresholdWish(options: OptionValues): ThresholdWish {
  const given = (Object.keys(OPTION_OF) as (keyof typeof OPTION_OF)[]).filter(
    (by) => options[OPTION_OF[by]] !== undefined,
  );
  const asked = (options.thresholds ?? given[0] ?? 'share') as ThresholdWish['by'];
  for (const by of given) {
    if (by === asked) continue;
    throw new UsageError(`--${OPTION_OF[by]} goes with --thresholds ${by}, not with '${asked}': give one of them`);
  }
  const stray = asked === 'risk' ? undefined : WITH_RISK.find((name) => options[name] !== undefined);
  if (stray !== undefined) throw new UsageError(`--${stray} goes with --review-at-risk: give that too`);
  const reviewShare = options['review-share'] as number;
  if (asked === 'share' || asked === 'cost') return { by: asked, reviewShare };
  const value = options[OPTION_OF[asked]] as number | undefined;
  if (value === undefined) throw new UsageError(`--thresholds ${asked} needs --${OPTION_OF[asked]} N`);
  if (asked === 'capacity') return { by: asked, reviewCapacityPerDay: value };
  if (asked === 'one-in') return { by: asked, flagOneIn: value };
  const [withoutMoney = value, loss = Number.MAX_SAFE_INTEGER / MINOR_PER_SOL] = WITH_RISK.map(
    (name) => options[name] as number | undefined,
  );
  const reviewAtLossMinor = Math.round(loss * MINOR_PER_SOL);
  return { by: asked, reviewAtRisk: value, reviewAtRiskWithoutMoney: withoutMoney, reviewAtLossMinor };
}
