// One bit per filter, stored with every event in a ring; four more bits hold the label once it is known: the label of
// any event, and again for events within the payer's habit, so that both can be counted by one test of a bit.

import { assert } from '../lib/assert.ts';
import { FILTERS, type Filter } from './definition.ts';

export const FLAG_ALL = flagOf('all');
export const FLAG_OFF_HABIT = flagOf('off-habit');
export const FLAG_HABIT = flagOf('habit');
const FLAG_HABITUAL_GENUINE = 1 << 12;
const FLAG_HABITUAL_FRAUD = 1 << 13;
const FLAG_GENUINE = 1 << 14;
const FLAG_FRAUD = 1 << 15;
export const FLAG_LABELS = FLAG_GENUINE | FLAG_FRAUD | FLAG_HABITUAL_GENUINE | FLAG_HABITUAL_FRAUD;

assert(FILTERS.length <= 12, 'the bits above the twelfth belong to the labels');

/** The bits of a label of an event that has these flags. */
export function labelBits(isFraud: boolean, flags: number): number {
  const habitual = (flags & FLAG_HABIT) !== 0;
  if (isFraud) return habitual ? FLAG_FRAUD | FLAG_HABITUAL_FRAUD : FLAG_FRAUD;
  return habitual ? FLAG_GENUINE | FLAG_HABITUAL_GENUINE : FLAG_GENUINE;
}

/** The bit that says that an event has this label and passes the filter, which is all or habit. */
export function labelFlagOf(isFraud: boolean, flag: number): number {
  if (flag === FLAG_HABIT) return isFraud ? FLAG_HABITUAL_FRAUD : FLAG_HABITUAL_GENUINE;
  return isFraud ? FLAG_FRAUD : FLAG_GENUINE;
}

export function flagOf(filter: Filter): number {
  return 1 << FILTERS.indexOf(filter);
}
