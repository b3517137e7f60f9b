import { expect, it } from 'vitest';
import { DEFAULT_COSTS } from '../decisions/money-policy.ts';
import { parseCommand } from './command.ts';
import { costsOf, thresholdWish } from './threshold-options.ts';
import { trainCommand } from './train.ts';

const optionsOf = (...words: string[]) => parseCommand(trainCommand, ['file.csv', ...words]).options;
const wishOf = (...words: string[]) => thresholdWish(optionsOf(...words));

it.each([
  [[], { by: 'share', reviewShare: 0.005 }],
  [['--review-share', '0.01', '--thresholds', 'share'], { by: 'share', reviewShare: 0.01 }],
  [['--review-capacity-per-day', '50'], { by: 'capacity', reviewCapacityPerDay: 50 }],
  [['--flag-one-in', '1000', '--thresholds', 'one-in'], { by: 'one-in', flagOneIn: 1000 }],
  [['--thresholds', 'cost'], { by: 'cost', reviewShare: 0.005 }],
])('%j', (words, wish) => {
  expect(wishOf(...words)).toEqual(wish);
});

it.each([
  [['--thresholds', 'capacity'], '--thresholds capacity needs --review-capacity-per-day N'],
  [['--thresholds', 'one-in'], '--thresholds one-in needs --flag-one-in N'],
  [['--thresholds', 'cost', '--flag-one-in', '9'], '--flag-one-in goes with --thresholds one-in'],
  [['--review-capacity-per-day', '5', '--flag-one-in', '9'], '--flag-one-in goes with --thresholds one-in'],
  [['--thresholds', 'money'], 'must be one of share, capacity, one-in, risk, cost'],
])('%j is refused', (words, message) => {
  expect(() => wishOf(...words)).toThrow(message);
});

it('costs are given in soles', () => {
  expect(costsOf(optionsOf())).toEqual(DEFAULT_COSTS);
  expect(costsOf(optionsOf('--cost-review', '4.55', '--analyst-accuracy', '1'))).toEqual({
    ...DEFAULT_COSTS,
    reviewMinor: 455,
    analystAccuracyShare: 1,
  });
});
