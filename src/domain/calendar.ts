// The calendar of Peru in whole-number arithmetic: no Date object, because it runs once per transaction.
//
// America/Lima is UTC−5 all year (since April 1994). A "day number" counts days in Lima since 1970-01-01 (day 0, a Thursday).
import {
  EXTRA_NON_WORKING_DAYS,
  FIXED_HOLIDAYS,
  SALE_CAMPAIGNS,
  type SaleCampaign,
  USUAL_CAMPAIGNS,
} from './calendar-data.ts';

export const MS_PER_DAY = 86_400_000;
const MS_PER_HOUR = 3_600_000;
const LIMA_OFFSET_MS = 5 * MS_PER_HOUR;

export interface CivilDate {
  readonly year: number;
  /** 1–12 */
  readonly month: number;
  /** 1–31 */
  readonly day: number;
}

/** Days in Lima since 1970-01-01. @param timeMs milliseconds since 1970-01-01T00:00Z */
export function limaDayNumber(timeMs: number): number {
  return Math.floor((timeMs - LIMA_OFFSET_MS) / MS_PER_DAY);
}

/** Hour of the day in Lima, 0–23. */
export function limaHour(timeMs: number): number {
  return Math.floor(limaMsOfDay(timeMs) / MS_PER_HOUR);
}

/** Minute of the day in Lima, 0–1439. */
export function limaMinuteOfDay(timeMs: number): number {
  return Math.floor(limaMsOfDay(timeMs) / 60_000);
}

function limaMsOfDay(timeMs: number): number {
  const local = timeMs - LIMA_OFFSET_MS;
  return local - Math.floor(local / MS_PER_DAY) * MS_PER_DAY;
}

/** The first millisecond (UTC) of a day in Lima. */
export function startOfLimaDayMs(dayNumber: number): number {
  return dayNumber * MS_PER_DAY + LIMA_OFFSET_MS;
}

/** Day of the week, Monday 0 … Sunday 6. */
export function dayOfWeek(dayNumber: number): number {
  return (((dayNumber + 3) % 7) + 7) % 7;
}

/** Saturday or Sunday. */
export function isWeekend(dayNumber: number): boolean {
  return dayOfWeek(dayNumber) >= 5;
}

/**
 * Day number of a date of the Gregorian calendar.
 * Method: H. Hinnant, "chrono-compatible low-level date algorithms" (eras of 400 years starting on 1 March).
 */
export function dayNumberOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The date of a day number (inverse of `dayNumberOf`). */
export function civilOf(dayNumber: number): CivilDate {
  const z = dayNumber + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

export function daysInMonth(year: number, month: number): number {
  return month === 12 ? 31 : dayNumberOf(year, month + 1, 1) - dayNumberOf(year, month, 1);
}

/** `yyyy-mm-dd` of a day number. */
export function isoDate(dayNumber: number): string {
  const { year, month, day } = civilOf(dayNumber);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** Day number of a date written `yyyy-mm-dd`. */
export function dayNumberOfIso(date: string): number {
  return dayNumberOf(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10)));
}

/** When the day `YYYY-MM-DD` begins in Lima, ms UTC; null for what is no day. */
export function parseLimaDay(text: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const day = dayNumberOf(Number(match[1]), Number(match[2]), Number(match[3]));
  // 2026-02-30 would become 2 March.
  return isoDate(day) === text ? startOfLimaDayMs(day) : null;
}

/** Easter Sunday of the Gregorian calendar (J. Meeus, Astronomical Algorithms, 1991, ch. 8). */
export function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return dayNumberOf(year, Math.floor(n / 31), (n % 31) + 1);
}

/** Day numbers of the national holidays of a year, in order. */
export function holidaysOf(year: number): number[] {
  const fixed = FIXED_HOLIDAYS.filter((holiday) => year >= holiday.sinceYear).map((holiday) =>
    dayNumberOf(year, holiday.month, holiday.day),
  );
  const easter = easterSunday(year);
  return [...new Set([...fixed, easter - 3, easter - 2])].sort((x, y) => x - y);
}

// One byte of flags per day for the years that matter, so that a question costs one look-up.
const FIRST_TABLE_YEAR = 1990;
const LAST_TABLE_YEAR = 2079;
const TABLE_START = dayNumberOf(FIRST_TABLE_YEAR, 1, 1);
const HOLIDAY = 1;
const NON_WORKING = 2;
const QUINCENA = 4;
const MONTH_END = 8;
const SALE = 16;

const DAY_FLAGS = buildDayFlags();

function buildDayFlags(): Uint8Array {
  const flags = new Uint8Array(dayNumberOf(LAST_TABLE_YEAR + 1, 1, 1) - TABLE_START);
  for (const { date } of EXTRA_NON_WORKING_DAYS) mark(flags, dayNumberOfIso(date), dayNumberOfIso(date), NON_WORKING);
  for (const { from, to } of SALE_CAMPAIGNS) mark(flags, dayNumberOfIso(from), dayNumberOfIso(to), SALE);
  for (let year = FIRST_TABLE_YEAR; year <= LAST_TABLE_YEAR; year++) {
    for (const day of holidaysOf(year)) mark(flags, day, day, HOLIDAY);
    for (const { from, to } of usualCampaigns(year, SALE_CAMPAIGNS)) mark(flags, from, to, SALE);
  }
  const closed = (day: number): boolean => isWeekend(day) || ((flags[day - TABLE_START] ?? 0) & HOLIDAY) !== 0;
  for (let year = FIRST_TABLE_YEAR; year <= LAST_TABLE_YEAR; year++) {
    for (let month = 1; month <= 12; month++) markPaydays(flags, year, month, closed);
  }
  return flags;
}

function mark(flags: Uint8Array, from: number, to: number, flag: number): void {
  const last = Math.min(to - TABLE_START, flags.length - 1);
  for (let i = Math.max(from - TABLE_START, 0); i <= last; i++) flags[i]! |= flag;
}

function markPaydays(flags: Uint8Array, year: number, month: number, closed: (day: number) => boolean): void {
  const first = dayNumberOf(year, month, 1);
  const fifteenth = first + 14;
  const last = first + daysInMonth(year, month) - 1;
  mark(flags, Math.min(first + 12, onOrBefore(fifteenth, closed)), fifteenth, QUINCENA);
  mark(flags, Math.min(first + 27, onOrBefore(last, closed)), last, MONTH_END);
}

/**
 * First and last day of the campaigns that a year usually has, but for those whose dates are known.
 * @param known campaigns with their dates: one of the same name in the same month stands for the usual one
 */
export function usualCampaigns(year: number, known: readonly SaleCampaign[]): { from: number; to: number }[] {
  return USUAL_CAMPAIGNS.flatMap(({ name, month, monday, days }) => {
    const first = dayNumberOf(year, month, 1);
    const yearAndMonth = isoDate(first).slice(0, 7);
    if (known.some((sale) => sale.name === name && sale.from.startsWith(yearAndMonth))) return [];
    const from = first + ((7 - dayOfWeek(first)) % 7) + (monday - 1) * 7;
    return [{ from, to: from + days - 1 }];
  });
}

function onOrBefore(dayNumber: number, closed: (day: number) => boolean): number {
  let day = dayNumber;
  while (closed(day)) day--;
  return day;
}

function flagsOf(dayNumber: number): number {
  return DAY_FLAGS[dayNumber - TABLE_START] ?? 0;
}

/** One of Peru's national holidays (1990–2079; false outside). */
export function isHoliday(dayNumber: number): boolean {
  return (flagsOf(dayNumber) & HOLIDAY) !== 0;
}

/** A day declared non-working by decree for the public sector; banks usually open. */
export function isExtraNonWorkingDay(dayNumber: number): boolean {
  return (flagsOf(dayNumber) & NON_WORKING) !== 0;
}

/** Monday to Friday and no national holiday. */
export function isBusinessDay(dayNumber: number): boolean {
  return !isWeekend(dayNumber) && !isHoliday(dayNumber);
}

/** The nearest business day at or before a day: when a payment due on that day is made. */
export function businessDayOnOrBefore(dayNumber: number): number {
  return onOrBefore(dayNumber, (day) => !isBusinessDay(day));
}

/** The day that is `count` business days later (earlier if negative); 0 gives the day itself. */
export function addBusinessDays(dayNumber: number, count: number): number {
  const step = count < 0 ? -1 : 1;
  let day = dayNumber;
  for (let left = Math.abs(count); left > 0; ) {
    day += step;
    if (isBusinessDay(day)) left--;
  }
  return day;
}

/** Mid-month pay: days 13–15, from the business day before where the 15th is closed. */
export function isQuincena(dayNumber: number): boolean {
  return (flagsOf(dayNumber) & QUINCENA) !== 0;
}

/** Month-end pay: day 28 to the last, from the business day before where the last is closed. */
export function isMonthEndPay(dayNumber: number): boolean {
  return (flagsOf(dayNumber) & MONTH_END) !== 0;
}

/** Mid-month or month-end pay. */
export function isPaydayWindow(dayNumber: number): boolean {
  return (flagsOf(dayNumber) & (QUINCENA | MONTH_END)) !== 0;
}

/** The day on which mid-month pay is made: the 15th or the business day before. */
export function quincenaPayDay(year: number, month: number): number {
  return businessDayOnOrBefore(dayNumberOf(year, month, 15));
}

/** The day on which month-end pay is made: the last day or the business day before. */
export function monthEndPayDay(year: number, month: number): number {
  return businessDayOnOrBefore(dayNumberOf(year, month, daysInMonth(year, month)));
}

/** 1–15 July and 1–15 December: one more salary (Ley 27735). */
export function isGratificacionWindow(dayNumber: number): boolean {
  return isFirstHalfOf(dayNumber, 7, 12);
}

/** 1–15 May and 1–15 November: deposit of the CTS (DS 001-97-TR). */
export function isCtsWindow(dayNumber: number): boolean {
  return isFirstHalfOf(dayNumber, 5, 11);
}

function isFirstHalfOf(dayNumber: number, monthA: number, monthB: number): boolean {
  const { month, day } = civilOf(dayNumber);
  return day <= 15 && (month === monthA || month === monthB);
}

/** March and April: companies share profits (utilidades) with their workers. */
export function isUtilidadesWindow(dayNumber: number): boolean {
  const { month } = civilOf(dayNumber);
  return month === 3 || month === 4;
}

/** A day of an on-line sale campaign (Cyber Wow, Cyber Days, Black Friday): the known dates, else the usual week. */
export function isSaleCampaign(dayNumber: number): boolean {
  return (flagsOf(dayNumber) & SALE) !== 0;
}
