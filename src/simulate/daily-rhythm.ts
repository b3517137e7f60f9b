// When in the day things happen, and how a day of the year differs from another.
import {
  civilOf,
  dayNumberOf,
  dayOfWeek,
  isHoliday,
  isPaydayWindow,
  isSaleCampaign,
  isWeekend,
} from '../domain/calendar.ts';
import type { Prng } from '../lib/prng.ts';
import { createWeightTable, drawWeighted, type WeightTable } from './sampling.ts';

const MS_PER_HOUR = 3_600_000;
const LAST_MS = 24 * MS_PER_HOUR - 1;

/** Relative volume per hour, 0–23 h: peaks at 12–14 and 18–21 h (docs/simulator.md). */
const HOURS = {
  wallet: [7, 4, 2, 2, 2, 6, 16, 30, 42, 48, 52, 60, 78, 80, 64, 52, 52, 60, 78, 84, 80, 60, 34, 16],
  shop: [2, 1, 0, 0, 0, 2, 8, 20, 32, 44, 54, 64, 82, 84, 62, 50, 50, 58, 78, 86, 76, 44, 18, 6],
  web: [10, 6, 3, 2, 2, 3, 8, 16, 30, 44, 52, 56, 62, 60, 52, 50, 50, 52, 60, 72, 84, 82, 60, 28],
  cash: [2, 1, 0, 0, 1, 4, 16, 36, 56, 72, 80, 84, 88, 80, 64, 58, 60, 66, 74, 70, 48, 24, 10, 4],
  office: [0, 0, 0, 0, 0, 0, 2, 8, 34, 80, 96, 92, 70, 56, 66, 84, 80, 62, 30, 10, 4, 2, 0, 0],
  evening: [2, 0, 0, 0, 0, 0, 0, 2, 6, 8, 10, 12, 16, 16, 14, 14, 18, 30, 60, 90, 90, 60, 26, 8],
} as const;
export type Rhythm = keyof typeof HOURS;

const TABLES: Readonly<Record<Rhythm, WeightTable>> = {
  wallet: quarterHours(HOURS.wallet),
  shop: quarterHours(HOURS.shop),
  web: quarterHours(HOURS.web),
  cash: quarterHours(HOURS.cash),
  office: quarterHours(HOURS.office),
  evening: quarterHours(HOURS.evening),
};

function quarterHours(hours: readonly number[]): WeightTable {
  const quarters: number[] = [];
  for (let hour = 0; hour < 24; hour++) {
    const next = hours[(hour + 1) % 24]!;
    for (let quarter = 0; quarter < 4; quarter++) quarters.push((hours[hour]! * (4 - quarter) + next * quarter) / 4);
  }
  return createWeightTable(quarters);
}

/** A moment of the day, ms since midnight in Lima; `shiftMs` is the person's own rhythm. */
export function drawMoment(prng: Prng, rhythm: Rhythm, shiftMs: number): number {
  const moment = (drawWeighted(prng, TABLES[rhythm]) * 900 + prng.nextFloat() * 900) * 1000 + shiftMs;
  return Math.floor(moment < 0 ? moment + LAST_MS : moment > LAST_MS ? moment - LAST_MS : moment);
}

export interface DayFactors {
  readonly everyday: number;
  readonly shop: number;
  readonly web: number;
  readonly cash: number;
  readonly gifts: number;
}

/** Monday to Sunday: Saturday is high, Sunday is markets and food. */
const WEEK_SHOP = [0.9, 0.92, 0.95, 0.98, 1.12, 1.28, 1.05];
const WEEK_EVERYDAY = [0.97, 0.97, 0.98, 1, 1.1, 1.14, 0.95];

/** Multipliers of a day; Cyber Wow, Mother's Day, Fiestas Patrias and Christmas as assumed in docs/simulator.md. */
export function dayFactors(day: number): DayFactors {
  const weekday = dayOfWeek(day);
  const payday = isPaydayWindow(day) ? 1.15 : 1;
  const { month, day: date } = civilOf(day);
  const christmas = month === 12 && date >= 10 && date <= 24 ? 1.35 : 1;
  const patrias = month === 7 && date >= 24 && date <= 29 ? 1.2 : 1;
  const school = (month === 2 && date >= 15) || (month === 3 && date <= 20) ? 1.08 : 1;
  const gifts = isMothersDay(day) || (month === 12 && date === 24) ? 1.6 : 1;
  return {
    everyday: WEEK_EVERYDAY[weekday]! * patrias * payday,
    shop: WEEK_SHOP[weekday]! * christmas * school * payday * gifts,
    web: (isSaleCampaign(day) ? 2.8 : 1) * christmas * (isWeekend(day) ? 0.95 : 1) * payday,
    cash: payday * (isHoliday(day) ? 0.8 : 1) * WEEK_EVERYDAY[weekday]!,
    gifts,
  };
}

/** Second Sunday of May, its Saturday too. */
function isMothersDay(day: number): boolean {
  const { year, month } = civilOf(day);
  if (month !== 5) return false;
  const first = dayNumberOf(year, 5, 1);
  const sunday = first + ((6 - dayOfWeek(first) + 7) % 7) + 7;
  return day === sunday || day === sunday - 1;
}
