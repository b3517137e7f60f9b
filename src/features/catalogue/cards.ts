// A short catalogue for card purchases at terminals whose labels come days later: payer, amount, terminal, label and
// nothing else. On such data most of the default catalogue is noise: this list ranks better and costs a third.
//
// Chosen on validation weeks of the Fraud Detection Handbook's data (first training days 2018-06-20 … 2018-07-11), by
// leaving out one family at a time. What carries it: the amount against the payer's own habit, the payer's recent
// payments far above it (a card that is being emptied), and the terminal's run of frauds among payments that their amount
// does not explain (a terminal that copies cards).
import type { FeatureDefinition } from '../definition.ts';
import { feature, features, value } from './builder.ts';

const approved = { filter: 'approved' } as const;
const habit = { filter: 'habit' } as const;
const offHabit = { filter: 'off-habit' } as const;
const delayedHabit = { delayed: true, filter: 'habit' } as const;
const delayed = { delayed: true } as const;

export const cardsCatalogue: readonly FeatureDefinition[] = [
  value('amount', 'minor', 'monto', 'amount'),
  ...features('payer', 'mean', ['7d', '30d'], approved),
  feature('payer', 'std', '30d', approved),
  feature('payer', 'ratio-to-mean', '30d', approved),
  feature('payer', 'ratio-to-median', '30d', approved),
  feature('payer', 'ratio-to-max', '30d', approved),
  feature('payer', 'z-score', '30d', approved),
  feature('payer', 'ratio-to-mean', '30d', habit),
  feature('payer', 'z-score', '30d', habit),
  ...features('payer', 'count', ['1d', '7d', '14d'], offHabit),
  feature('payer', 'time-since-last', null, offHabit),
  ...features('terminal', 'fraud-rate', ['7d', '30d'], delayed),
  ...features('terminal', 'fraud-count', ['7d', '30d'], delayedHabit),
  ...features('terminal', 'fraud-rate', ['7d', '30d'], delayedHabit),
  feature('terminal', 'fraud-run-length', '30d', delayedHabit),
  feature('terminal', 'fraud-run-age', '30d', delayedHabit),
  feature('terminal', 'time-since-genuine', '30d', delayedHabit),
  feature('terminal', 'time-since-fraud', '30d', delayedHabit),
];
