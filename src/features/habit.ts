// When a payment is off its payer's habit: an unlabelled memory of recent anomalies.
//
// The habit is the payer's approved payments of the last 30 days that were not themselves off-habit, so that a run of
// large payments does not raise the bar for the next one. It heals: where a new level stays, the old habit leaves the
// window within 30 days, too few payments remain, and nothing is flagged until the new habit is known.
import type { FeatureDefinition } from './definition.ts';
import { DAY_MS } from './limits.ts';

export const OFF_HABIT = {
  /** Fewer habitual payments than this say nothing. */
  minimumEvents: 5,
  /** Above mean + this many standard deviations (three-sigma rule) … */
  deviations: 3,
  /** … and above this multiple of the mean. */
  multiple: 2,
  definition: {
    id: 'payer habit',
    aggregate: 'z-score',
    field: 'amount',
    windowMs: 30 * DAY_MS,
    delayMs: 0,
    filter: 'habit',
  },
} as const satisfies {
  minimumEvents: number;
  deviations: number;
  multiple: number;
  definition: Pick<FeatureDefinition, 'id' | 'aggregate' | 'field' | 'windowMs' | 'delayMs' | 'filter'>;
};

/** @param mean @param std of the habitual amounts, minor units; `events` how many there are. */
export function isOffHabit(amountMinor: number, events: number, mean: number, std: number): boolean {
  return (
    events >= OFF_HABIT.minimumEvents &&
    amountMinor > mean + OFF_HABIT.deviations * std &&
    amountMinor > OFF_HABIT.multiple * mean
  );
}
