// Local time to UTC, for fixed offsets and for IANA zones with daylight saving time.
//
// The rule for the two odd hours of a year is the one of java.time and of Temporal's `compatible`: a local time that
// happens twice is its first occurrence; one that is skipped moves forward by the length of the gap.
import { InputError } from '../../lib/errors.ts';

const MINUTE_MS = 60_000;
/** Offsets change at multiples of 15 minutes, so one answer holds for a quarter of an hour of local time. */
const BLOCK_MS = 15 * MINUTE_MS;
const DAY_MS = 86_400_000;
const MAX_CACHED_BLOCKS = 1 << 17;

export interface TimeZone {
  readonly name: string;
  /** @param localMs the local clock's reading, as if it were UTC */
  toUtc(localMs: number): number;
  offsetMinutesAt(utcMs: number): number;
  /** How many local times so far happened twice or never. */
  oddTimes(): { readonly ambiguous: number; readonly skipped: number };
}

/** @param name `UTC`, `-05:00` or an IANA name @throws InputError TIME_ZONE_UNKNOWN */
export function openTimeZone(name: string): TimeZone {
  const fixed = parseFixedOffset(name);
  if (fixed !== null) return fixedZone(name, fixed);
  return ianaZone(name);
}

/** Offset in ms of `UTC`, `Z`, `+05:30`, `-0500`, `-05`; null for anything else. */
function parseFixedOffset(name: string): number | null {
  if (/^(utc|gmt|z)$/i.test(name)) return 0;
  const match = /^(?:UTC|GMT)?([+-−])(\d{1,2})(?::?(\d{2}))?$/.exec(name);
  if (!match) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  if (minutes > 14 * 60) return null;
  return (match[1] === '+' ? minutes : -minutes) * MINUTE_MS;
}

function fixedZone(name: string, offsetMs: number): TimeZone {
  return {
    name,
    toUtc: (localMs) => localMs - offsetMs,
    offsetMinutesAt: () => offsetMs / MINUTE_MS,
    oddTimes: () => ({ ambiguous: 0, skipped: 0 }),
  };
}

function ianaZone(name: string): TimeZone {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    throw new InputError(
      'TIME_ZONE_UNKNOWN',
      `'${name}' is not a time zone`,
      "Write an IANA name such as 'America/Lima' or an offset such as '-05:00'",
    );
  }
  const offsetAt = (utcMs: number) => readOffset(format.format(utcMs));
  const blocks = new Map<number, { offsetMs: number; odd: 'no' | 'ambiguous' | 'skipped' }>();
  let latestBlock = Number.NaN;
  let latest = { offsetMs: 0, odd: 'no' as 'no' | 'ambiguous' | 'skipped' };
  let ambiguous = 0;
  let skipped = 0;

  function toUtc(localMs: number): number {
    const block = Math.floor(localMs / BLOCK_MS);
    if (block !== latestBlock) {
      let known = blocks.get(block);
      if (known === undefined) {
        known = offsetOfLocal(block * BLOCK_MS, offsetAt);
        if (blocks.size >= MAX_CACHED_BLOCKS) blocks.clear();
        blocks.set(block, known);
      }
      latest = known;
      latestBlock = block;
    }
    if (latest.odd === 'ambiguous') ambiguous += 1;
    else if (latest.odd === 'skipped') skipped += 1;
    return localMs - latest.offsetMs;
  }
  return {
    name,
    toUtc,
    offsetMinutesAt: (utcMs) => offsetAt(utcMs) / MINUTE_MS,
    oddTimes: () => ({ ambiguous, skipped }),
  };
}

function offsetOfLocal(localMs: number, offsetAt: (utcMs: number) => number) {
  const before = offsetAt(localMs - DAY_MS);
  const after = offsetAt(localMs + DAY_MS);
  const holdsBefore = offsetAt(localMs - before) === before;
  const holdsAfter = offsetAt(localMs - after) === after;
  if (holdsBefore)
    return { offsetMs: before, odd: holdsAfter && before !== after ? ('ambiguous' as const) : ('no' as const) };
  if (holdsAfter) return { offsetMs: after, odd: 'no' as const };
  return { offsetMs: before, odd: 'skipped' as const };
}

/** Offset in ms from "1/5/2026, GMT-05:00". */
function readOffset(formatted: string): number {
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(formatted);
  if (match?.[1] === undefined) return 0;
  const ms = (Number(match[2]) * 60 + Number(match[3])) * MINUTE_MS + Number(match[4] ?? 0) * 1000;
  return match[1] === '-' ? -ms : ms;
}
