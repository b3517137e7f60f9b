// Points in time straight from bytes.
//
// A written offset (Z, −05:00) wins; without one the mapping's time zone says what the local clock meant. Fractions
// finer than a millisecond are cut off. A second of 60 (leap second) is the first second of the next minute.
import type { TimeZone } from './time-zone.ts';

export const TIME_FORMATS = [
  /** 2026-11-22T10:20:30.123-05:00, `/` for `-`, a blank for `T`, parts from the right may be missing; 20261122 102030 */
  'iso',
  /** 22/11/2026 10:20:30, also 22-11-26, 22.11.2026 3:05 p. m. */
  'day-month-year',
  'month-day-year',
  'epoch-seconds',
  'epoch-milliseconds',
  'epoch-microseconds',
] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const NO_OFFSET = Number.MAX_SAFE_INTEGER;

const isDigit = (byte: number) => byte >= 48 && byte <= 57;

/** Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
function daysOfDate(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

export class TimeParser {
  readonly #format: TimeFormat;
  readonly #zone: TimeZone;
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #end = 0;
  #offsetMs = NO_OFFSET;
  #lastWrittenOffset = NO_OFFSET;
  /** How often a written offset differed from the one written before it. */
  offsetChanges = 0;

  constructor(format: TimeFormat, zone: TimeZone) {
    this.#format = format;
    this.#zone = zone;
  }

  /** @returns milliseconds since 1970 UTC, NaN where the text is not a time in the format */
  parse(bytes: Uint8Array, start: number, end: number): number {
    if (this.#format === 'epoch-seconds') return parseEpoch(bytes, start, end, 1000);
    if (this.#format === 'epoch-milliseconds') return parseEpoch(bytes, start, end, 1);
    if (this.#format === 'epoch-microseconds') return parseEpoch(bytes, start, end, 0.001);
    this.#begin(bytes, start, end);
    const days = this.#date();
    const clock = this.#position < end ? this.#clockAfterDate() : 0;
    return this.#toUtc(days, clock);
  }

  /** The same for a date and a clock time in two fields. */
  parseParts(bytes: Uint8Array, start: number, end: number, clockStart: number, clockEnd: number): number {
    this.#begin(bytes, start, end);
    const days = this.#date();
    // A date cell of a spreadsheet often carries a midnight of its own.
    if (this.#position < end && this.#clockAfterDate() !== 0) return Number.NaN;
    this.#begin(bytes, clockStart, clockEnd);
    const clock = clockStart === clockEnd ? 0 : this.#clock();
    return this.#toUtc(days, clock);
  }

  #begin(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#offsetMs = NO_OFFSET;
  }

  #toUtc(days: number, clockMs: number): number {
    const localMs = days * DAY_MS + clockMs;
    if (Number.isNaN(localMs) || this.#position !== this.#end) return Number.NaN;
    if (this.#offsetMs === NO_OFFSET) return this.#zone.toUtc(localMs);
    if (this.#offsetMs !== this.#lastWrittenOffset) {
      if (this.#lastWrittenOffset !== NO_OFFSET) this.offsetChanges += 1;
      this.#lastWrittenOffset = this.#offsetMs;
    }
    return localMs - this.#offsetMs;
  }

  /** Up to `most` digits, at least `least`; NaN where there are fewer. */
  #number(least: number, most: number): number {
    const from = this.#position;
    let value = 0;
    while (this.#position < this.#end && this.#position - from < most && isDigit(this.#bytes[this.#position])) {
      value = value * 10 + (this.#bytes[this.#position] - 48);
      this.#position += 1;
    }
    return this.#position - from < least ? Number.NaN : value;
  }

  #peek(): number {
    return this.#position < this.#end ? this.#bytes[this.#position] : 0;
  }

  #dateMark(): boolean {
    const byte = this.#peek();
    if (byte !== 45 && byte !== 47 && byte !== 46) return false;
    this.#position += 1;
    return true;
  }

  #date(): number {
    let year: number;
    let month: number;
    let day: number;
    if (this.#format === 'iso') {
      year = this.#number(4, 4);
      const marked = this.#dateMark();
      month = this.#number(marked ? 1 : 2, 2);
      if (marked && !this.#dateMark()) return Number.NaN;
      day = this.#number(marked ? 1 : 2, 2);
    } else {
      const first = this.#number(1, 2);
      if (!this.#dateMark()) return Number.NaN;
      const second = this.#number(1, 2);
      if (!this.#dateMark()) return Number.NaN;
      const from = this.#position;
      year = this.#number(2, 4);
      const digits = this.#position - from;
      if (digits === 3) return Number.NaN;
      if (digits === 2) year += year < 70 ? 2000 : 1900;
      day = this.#format === 'day-month-year' ? first : second;
      month = this.#format === 'day-month-year' ? second : first;
    }
    if (!(month >= 1 && month <= 12 && day >= 1 && day <= DAYS_IN_MONTH[month - 1])) return Number.NaN;
    if (month === 2 && day === 29 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0))) return Number.NaN;
    return daysOfDate(year, month, day);
  }

  #clockAfterDate(): number {
    const byte = this.#peek();
    if (byte === 84 || byte === 116 || byte === 32) this.#position += 1;
    else if (!isDigit(byte)) return Number.NaN;
    while (this.#peek() === 32) this.#position += 1;
    return this.#clock();
  }

  /** Milliseconds since midnight; reads an offset too. */
  #clock(): number {
    let hour = this.#number(1, 2);
    let marked = this.#peek() === 58;
    if (marked) this.#position += 1;
    const minute = marked || isDigit(this.#peek()) ? this.#number(2, 2) : 0;
    let second = 0;
    marked = this.#peek() === 58;
    if (marked) this.#position += 1;
    if (marked || isDigit(this.#peek())) second = this.#number(2, 2);
    const fraction = this.#fraction();
    while (this.#peek() === 32) this.#position += 1;
    hour = this.#halfOfDay(hour);
    this.#offset();
    if (!(hour <= 23 && minute <= 59 && second <= 60)) return Number.NaN;
    return hour * 3_600_000 + minute * MINUTE_MS + second * 1000 + fraction;
  }

  /** Milliseconds of ".123456" or ",123". */
  #fraction(): number {
    const byte = this.#peek();
    if (byte !== 46 && byte !== 44) return 0;
    this.#position += 1;
    let scale = 100;
    let value = 0;
    if (!isDigit(this.#peek())) return Number.NaN;
    while (isDigit(this.#peek())) {
      value += (this.#peek() - 48) * scale;
      scale = scale >= 1 ? Math.floor(scale / 10) : 0;
      this.#position += 1;
    }
    return value;
  }

  /** "PM", "p.m.", "p. m.", "a m". */
  #halfOfDay(hour: number): number {
    const letter = this.#peek() | 32;
    if (letter !== 97 && letter !== 112) return hour;
    this.#position += 1;
    while (this.#peek() === 46 || this.#peek() === 32) this.#position += 1;
    if ((this.#peek() | 32) !== 109 || hour < 1 || hour > 12) return Number.NaN;
    this.#position += 1;
    if (this.#peek() === 46) this.#position += 1;
    return (hour % 12) + (letter === 112 ? 12 : 0);
  }

  #offset(): void {
    const byte = this.#peek();
    if (byte === 90 || byte === 122) {
      this.#position += 1;
      this.#offsetMs = 0;
      return;
    }
    if (byte !== 43 && byte !== 45) return;
    this.#position += 1;
    const hours = this.#number(2, 2);
    if (this.#peek() === 58) this.#position += 1;
    const minutes = isDigit(this.#peek()) ? this.#number(2, 2) : 0;
    // Offsets in use go from −12:00 to +14:00.
    if (!(hours <= 14 && minutes <= 59)) this.#position = -1;
    this.#offsetMs = (byte === 45 ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
  }
}

/** A plain or decimal number of units of `unitMs` milliseconds. */
function parseEpoch(bytes: Uint8Array, start: number, end: number, unitMs: number): number {
  let position = start;
  const negative = bytes[position] === 45;
  if (negative) position += 1;
  const from = position;
  let value = 0;
  while (position < end && isDigit(bytes[position])) {
    value = value * 10 + (bytes[position] - 48);
    position += 1;
  }
  if (position === from || value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  let ms = unitMs >= 1 ? value * unitMs : Math.floor(value * unitMs);
  if (position < end) {
    if (bytes[position] !== 46) return Number.NaN;
    position += 1;
    let scale = unitMs;
    let fraction = 0;
    for (; position < end; position++) {
      if (!isDigit(bytes[position])) return Number.NaN;
      scale /= 10;
      if (scale >= 1) fraction += (bytes[position] - 48) * scale;
    }
    ms += fraction;
  }
  return negative ? -ms : ms;
}
