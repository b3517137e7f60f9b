// One bit per filter, stored with every event in a ring; two more bits hold the label once it is known.
import { FILTERS, type Filter } from './definition.ts';

export const FLAG_ALL = flagOf('all');
export const FLAG_OFF_HABIT = flagOf('off-habit');
export const FLAG_HABIT = flagOf('habit');
export const FLAG_GENUINE = 1 << 14;
export const FLAG_FRAUD = 1 << 15;
export const FLAG_LABELS = FLAG_GENUINE | FLAG_FRAUD;

export function flagOf(filter: Filter): number {
  return 1 << FILTERS.indexOf(filter);
}
