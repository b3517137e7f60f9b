// How a model's decisions are set, on rows later than those it learned from: by share, by the analysts' capacity, by how
// rarely a genuine transaction may be flagged, or by money.
import type { DecisionThresholds } from '../../decisions/decision.ts';
import { DEFAULT_HOLD_AT_RISK } from '../../decisions/decision.ts';
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import { InputError } from '../../lib/errors.ts';
import { conformalThreshold, fitConformal } from '../../models/conformal.ts';
import { type Interval, wilsonInterval } from '../metrics/wilson-interval.ts';
import { type CapacityThreshold, chooseByCapacity } from './capacity.ts';

export type ThresholdWish =
  | { readonly by: 'share'; readonly reviewShare: number }
  /** Alerts a day that the analysts can look at. */
  | { readonly by: 'capacity'; readonly reviewCapacityPerDay: number }
  /** Of this many transactions that are no fraud, one is flagged. */
  | { readonly by: 'one-in'; readonly flagOneIn: number }
  /** Levels that people set: a risk, another for what moves no money, and a loss that is looked at whatever the risk. */
  | {
      readonly by: 'risk';
      readonly reviewAtRisk: number;
      readonly reviewAtRiskWithoutMoney: number;
      readonly reviewAtLossMinor: number;
    }
  /** The share is for transactions without a worth. */
  | { readonly by: 'cost'; readonly reviewShare: number };

/** Scored by a model that learned from earlier rows only. */
export interface LaterRows {
  readonly risk: Float32Array;
  /** The risk is a probability. */
  readonly calibrated: boolean;
  /** Rules have moved risks: where they are no probabilities, they are no p-values either. */
  readonly movedByRules: boolean;
  /** Rows that an uncalibrated risk was compared with. */
  readonly referenceRows: number;
  /** 1, 0, or −1 for unknown. */
  readonly labels: Int8Array;
  readonly timesMs: Float64Array;
  /** Where the first day begins, and where the rows end. */
  readonly startMs: number;
  readonly endMs: number;
}

/** The wish and how it came out on the later rows. */
export type ChosenThresholds =
  | Extract<ThresholdWish, { by: 'share' | 'risk' }>
  | (Extract<ThresholdWish, { by: 'capacity' }> & Omit<CapacityThreshold, 'threshold'>)
  | (Extract<ThresholdWish, { by: 'one-in' }> & { readonly measured: FlaggedShare })
  | (Extract<ThresholdWish, { by: 'cost' }> & { readonly costs: DecisionCosts });

/** Counted on rows that the threshold was not chosen on; known frauds are not among them where there are labels. */
export interface FlaggedShare {
  readonly rows: number;
  readonly flagged: number;
  readonly share: number;
  readonly interval: Interval;
}

export interface Choice {
  readonly decide: DecisionThresholds;
  readonly chosen: ChosenThresholds;
}

/** @throws InputError where the rows cannot tell what is wished */
export function chooseThresholds(later: LaterRows, wish: ThresholdWish, costs: DecisionCosts): Choice {
  const { risk, timesMs, startMs, endMs } = later;
  if (wish.by === 'share') return { decide: reviewAt(thresholdByShare(risk, wish.reviewShare)), chosen: wish };
  if (wish.by === 'risk') {
    const { by: _, ...levels } = wish;
    return { decide: { ...levels, holdAtRisk: DEFAULT_HOLD_AT_RISK }, chosen: wish };
  }
  if (wish.by === 'capacity') {
    const { threshold, ...chosen } = chooseByCapacity(risk, timesMs, startMs, endMs, wish.reviewCapacityPerDay);
    return { decide: reviewAt(threshold), chosen: { ...wish, ...chosen } };
  }
  if (wish.by === 'one-in') {
    const { threshold, measured } =
      later.calibrated || later.movedByRules ? amongGenuine(later, wish.flagOneIn) : byPValue(later, wish.flagOneIn);
    return { decide: reviewAt(threshold), chosen: { ...wish, measured } };
  }
  if (!later.calibrated) {
    throw new InputError(
      'COSTS_NEED_LABELS',
      'Decisions by cost need probabilities, and there are too few labelled frauds to learn them',
      'Use a file with more labels, or --thresholds share',
    );
  }
  return {
    decide: { ...reviewAt(thresholdByShare(risk, wish.reviewShare)), costs },
    chosen: { ...wish, costs },
  };
}

function reviewAt(reviewAtRisk: number): DecisionThresholds {
  return { reviewAtRisk, holdAtRisk: DEFAULT_HOLD_AT_RISK };
}

function thresholdByShare(risk: Float32Array, share: number): number {
  const ordered = Float32Array.from(risk).sort();
  const flagged = Math.max(1, Math.round(ordered.length * share));
  return ordered[Math.max(0, ordered.length - flagged)];
}

/** The risk is 1 − p already, and nothing has to be chosen: the later rows only show whether it holds. */
function byPValue({ risk, referenceRows }: LaterRows, oneIn: number) {
  if (referenceRows + 1 < oneIn) throw tooRare(oneIn, referenceRows);
  // Rounded as the risks are, so that a p-value of exactly 1 in N is flagged.
  const threshold = Math.fround(1 - 1 / oneIn);
  return { threshold, measured: flaggedShare(risk, threshold) };
}

/** The conformal threshold on the genuine rows; measured on the later half of them with the threshold of the earlier. */
function amongGenuine({ risk, labels }: LaterRows, oneIn: number) {
  const genuine = risk.filter((_, row) => labels[row] !== 1);
  const middle = genuine.length >>> 1;
  const [threshold, earlier] = [genuine, genuine.subarray(0, middle)].map((rows) =>
    rows.length === 0 ? null : conformalThreshold(fitConformal(rows), 1 / oneIn),
  );
  if (threshold === null || earlier === null) throw tooRare(oneIn, middle);
  return { threshold, measured: flaggedShare(genuine.subarray(middle), earlier) };
}

function flaggedShare(risk: Float32Array, threshold: number): FlaggedShare {
  const flagged = risk.reduce((count, each) => count + Number(each >= threshold), 0);
  const rows = risk.length;
  return { rows, flagged, share: flagged / rows, interval: wilsonInterval(flagged, rows) };
}

function tooRare(oneIn: number, rows: number): InputError {
  return new InputError(
    'TOO_RARE_TO_TELL',
    `What happens once in ${oneIn} transactions cannot be told from ${rows} of them`,
    `Train on more transactions, or give a --flag-one-in of at most ${rows + 1}`,
  );
}
