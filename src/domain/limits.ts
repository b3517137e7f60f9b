// Which limits are in force on a day, and whether an amount lies just below or above one.
import { civilOf, dayNumberOf, dayNumberOfIso } from './calendar.ts';
import { LIMIT_RULES, type LimitKind, type LimitRule, REFERENCE_RATES, UIT_SOLES } from './limits-data.ts';

/** A limit with its amount worked out for a day. */
export interface Threshold {
  readonly id: string;
  readonly kind: LimitKind;
  readonly rail: string | null;
  readonly channel: string | null;
  readonly currency: 'PEN' | 'USD';
  readonly amountMinor: number;
  readonly splitTarget: boolean;
  readonly uncertain: boolean;
  /** True where a dollar threshold was turned into soles with the year's reference rate. */
  readonly converted: boolean;
  readonly source: string;
}

const FIRST_YEAR = 2018;

function latestOf(table: Readonly<Record<number, number>>, year: number): number {
  const years = Object.keys(table).map(Number);
  const known = years.filter((candidate) => candidate <= year);
  return table[known.length > 0 ? Math.max(...known) : Math.min(...years)]!;
}

/** UIT in céntimos; a year beyond the table takes the last known, one before it the first. */
export function uitMinor(year: number): number {
  return latestOf(UIT_SOLES, year) * 100;
}

function resolve(rule: LimitRule, year: number): Threshold[] {
  const { id, kind, rail, channel, currency, splitTarget, uncertain, source } = rule;
  const amountMinor = rule.amount !== null ? rule.amount * 100 : (uitMinor(year) * rule.uitTenths!) / 10;
  const own = { id, kind, rail, channel, currency, amountMinor, splitTarget, uncertain, converted: false, source };
  if (!kind.startsWith('register') || currency !== 'USD') return [own];
  const inSoles = Math.round((amountMinor * latestOf(REFERENCE_RATES, year)) / 1000);
  return [own, { ...own, currency: 'PEN', amountMinor: inSoles, uncertain: true, converted: true }];
}

/** A stretch of days with unchanged limits. */
interface Period {
  readonly fromDay: number;
  readonly thresholds: readonly Threshold[];
}

// Limits change on a few days only: the first of each year (UIT, reference rate) and where a rule begins or ends.
const PERIODS: readonly Period[] = buildPeriods();

function buildPeriods(): Period[] {
  const lastYear = Math.max(...Object.keys(UIT_SOLES).map(Number));
  const days = new Set<number>();
  for (let year = FIRST_YEAR; year <= lastYear; year++) days.add(dayNumberOf(year, 1, 1));
  for (const rule of LIMIT_RULES) {
    days.add(dayNumberOfIso(rule.from));
    if (rule.to !== null) days.add(dayNumberOfIso(rule.to) + 1);
  }
  return [...days].sort((a, b) => a - b).map((fromDay) => ({ fromDay, thresholds: inForce(fromDay) }));
}

function inForce(dayNumber: number): Threshold[] {
  const { year } = civilOf(dayNumber);
  return LIMIT_RULES.filter(
    (rule) => dayNumberOfIso(rule.from) <= dayNumber && (rule.to === null || dayNumber <= dayNumberOfIso(rule.to)),
  ).flatMap((rule) => resolve(rule, year));
}

/**
 * The limits in force on a day, with their amounts.
 * Days before the first period (2018) get the first one's: the tables do not go further back.
 */
export function thresholdsOn(dayNumber: number): readonly Threshold[] {
  let index = PERIODS.length - 1;
  while (index > 0 && PERIODS[index]!.fromDay > dayNumber) index--;
  return PERIODS[index]!.thresholds;
}

function applies(threshold: Threshold, currency: string, rail: string | null, channel: string | null): boolean {
  return (
    threshold.currency === currency &&
    (threshold.rail === null || threshold.rail === rail) &&
    (threshold.channel === null || threshold.channel === channel)
  );
}

/**
 * The lowest threshold that an amount stays just below, at 80 % or more and under 100 % of it (the band of structuring,
 * Res. SBS 2660-2015), or null.
 * @param amountMinor minor units of `currency`
 */
export function thresholdJustAbove(
  amountMinor: number,
  currency: string,
  rail: string | null,
  dayNumber: number,
  channel: string | null = null,
): Threshold | null {
  let nearest: Threshold | null = null;
  for (const threshold of thresholdsOn(dayNumber)) {
    const limit = threshold.amountMinor;
    if (!threshold.splitTarget || amountMinor >= limit || amountMinor * 10 < limit * 8) continue;
    if (applies(threshold, currency, rail, channel) && (nearest === null || limit < nearest.amountMinor)) {
      nearest = threshold;
    }
  }
  return nearest;
}

/** True if an amount lies just below a threshold that people split amounts to avoid. See `thresholdJustAbove`. */
export function isNearThreshold(
  amountMinor: number,
  currency: string,
  rail: string | null,
  dayNumber: number,
  channel: string | null = null,
): boolean {
  return thresholdJustAbove(amountMinor, currency, rail, dayNumber, channel) !== null;
}

const isMaximum = (kind: LimitKind): boolean => kind === 'max-per-operation' || kind === 'max-per-day';
const RAILS_WITH_MAXIMUM: ReadonlySet<string | null> = new Set(
  LIMIT_RULES.filter((rule) => isMaximum(rule.kind) && rule.rail !== null).map((rule) => rule.rail),
);

/**
 * The limit per operation or per day of a rail that one operation exceeds by itself, or null. Limits by channel (cash
 * machines) differ from bank to bank and are not checked.
 */
export function limitExceededBy(
  amountMinor: number,
  currency: string,
  rail: string | null,
  dayNumber: number,
): Threshold | null {
  if (!RAILS_WITH_MAXIMUM.has(rail)) return null;
  for (const threshold of thresholdsOn(dayNumber)) {
    const isExceeded = amountMinor > threshold.amountMinor && isMaximum(threshold.kind);
    if (isExceeded && applies(threshold, currency, rail, null)) return threshold;
  }
  return null;
}
