// Numbers of people in a text: cards, CCIs, RUCs, mobiles, and DNIs where the text says that they are. By hand and without
// regular expressions on the whole text, for it runs on every line of a log.
//
// Digits may be grouped by single spaces or hyphens. A card, a CCI and a RUC prove themselves by check digits; nine digits with
// a 9 in front are taken for a mobile wherever they stand alone, and eight for a DNI only beside a word that says so. Left
// alone: the digits of decimal fractions, of UUIDs and of hashes, and long numbers under the names of counters.
import { isValidCci } from '../domain/cci.ts';
import { findPans, passesLuhn } from '../domain/pan.ts';
import { isValidRuc } from '../domain/ruc.ts';
import { isNameLetter } from './known-names.ts';

export type NumberKind = 'pan' | 'cci' | 'ruc' | 'cel' | 'dni';

export interface NumberSpan {
  readonly kind: NumberKind;
  readonly start: number;
  /** exclusive */
  readonly end: number;
}

const MOST_CHUNKS = 16;
const LEAST_DIGITS = 8;
const CCI_DIGITS = 20;
const CONTEXT_BEFORE = 40;
const CONTEXT_AFTER = 12;
const DNI_WORD = /dni|docum|\bdoc\b|identi|\bcui\b/i;
/** What counters and measures are called in our own logs: their numbers may have any length. */
const COUNTER = /(?:ms|minor|bytes|offset|offsets|position|lag|records|rows|count|sequence|size|seed|pid|port)$/i;
const HASH_LENGTH = 16;
const UUID_LENGTH = 36;

const starts = new Int32Array(MOST_CHUNKS);
const ends = new Int32Array(MOST_CHUNKS);

/**
 * Looks at the digits that begin at `start`, with the groups that follow, and adds what it finds.
 *
 * @param start a digit without a digit before it
 * @returns where looking goes on: past the digits
 */
export function findNumbers(text: string, start: number, spans: NumberSpan[]): number {
  let chunks = 0;
  let digits = 0;
  let at = start;
  let end = start;
  for (;;) {
    end = at + 1;
    while (isDigit(text.charCodeAt(end))) end++;
    if (chunks < MOST_CHUNKS) {
      starts[chunks] = at;
      ends[chunks] = end;
      chunks++;
      digits += end - at;
    }
    const separator = text.charCodeAt(end);
    if ((separator !== SPACE && separator !== HYPHEN) || !isDigit(text.charCodeAt(end + 1))) break;
    if (chunks === MOST_CHUNKS) break;
    at = end + 1;
  }
  if (digits < LEAST_DIGITS || isFraction(text, start)) return end;
  for (let first = 0; first < chunks; first++) first = longestFrom(text, first, chunks, spans);
  return end;
}

/** @returns the last chunk of what was found, or `first` */
function longestFrom(text: string, first: number, chunks: number, spans: NumberSpan[]): number {
  let digits = 0;
  let last = first;
  while (last < chunks && digits + ends[last] - starts[last] <= CCI_DIGITS) {
    digits += ends[last] - starts[last];
    last++;
  }
  for (last--; last >= first; last--) {
    if (digits < LEAST_DIGITS) return first;
    const kind = kindOf(text, first, last, digits);
    if (kind !== null) {
      spans.push({ kind, start: starts[first], end: ends[last] });
      return last;
    }
    digits -= ends[last] - starts[last];
  }
  return first;
}

function kindOf(text: string, first: number, last: number, count: number): NumberKind | null {
  const start = starts[first];
  const end = ends[last];
  if (count === CCI_DIGITS) {
    return isValidCci(joined(text, first, last)) && !isHash(text, start, end) ? 'cci' : null;
  }
  if (count >= 13 && count < CCI_DIGITS) {
    if (first !== last && !isGroupedLikeCard(first, last)) return null;
    const number = joined(text, first, last);
    if (!passesLuhn(number)) return null;
    const [pan] = findPans(number);
    return pan?.digits.length === count && !isHash(text, start, end) ? 'pan' : null;
  }
  const isWeak = isGlued(text, start, end) || isHash(text, start, end);
  if (isWeak) return null;
  if (count === 11) return isRucOrMobile(text, first, last);
  if (count === 9 && text.charCodeAt(start) === NINE && isGroupedLikeMobile(first, last)) {
    return isCounter(text, start) && first === last ? null : 'cel';
  }
  return count === LEAST_DIGITS && first === last && isCalledDni(text, start, end) ? 'dni' : null;
}

function isRucOrMobile(text: string, first: number, last: number): NumberKind | null {
  const number = joined(text, first, last);
  const groups = last - first;
  const isBareCounter = groups === 0 && isCounter(text, starts[first]);
  const isPrefixed = number.startsWith('519') && (groups === 0 || isGroupedLikeMobile(first + 1, last));
  if (isPrefixed && (groups === 0 || ends[first] - starts[first] === 2)) return isBareCounter ? null : 'cel';
  const isGrouped = groups === 2 && ends[first] - starts[first] === 2 && ends[last] - starts[last] === 1;
  return (groups === 0 || isGrouped) && !isBareCounter && isValidRuc(number) ? 'ruc' : null;
}

/** 4-4-4-4, 4-6-5, 8-8 …: no group is longer than eight digits, none but the last shorter than two. */
function isGroupedLikeCard(first: number, last: number): boolean {
  for (let i = first; i <= last; i++) {
    const length = ends[i] - starts[i];
    if (length > 8 || (length < 2 && i < last)) return false;
  }
  return true;
}

/** 9, 3-3-3, 3-6 or 6-3. */
function isGroupedLikeMobile(first: number, last: number): boolean {
  for (let i = first; i <= last; i++) if ((ends[i] - starts[i]) % 3 !== 0) return false;
  return true;
}

function joined(text: string, first: number, last: number): string {
  let number = text.slice(starts[first], ends[first]);
  for (let i = first + 1; i <= last; i++) number += text.slice(starts[i], ends[i]);
  return number;
}

/** "0.987654321": what comes after a point that comes after a digit. */
function isFraction(text: string, start: number): boolean {
  return text.charCodeAt(start - 1) === POINT && isDigit(text.charCodeAt(start - 2));
}

/** A letter before ("P987654321", an id) or after, where it is not a word ("tel987654321") nor an escape ("\n987654321"). */
function isGlued(text: string, start: number, end: number): boolean {
  if (isNameLetter(text.charCodeAt(end))) return !isVerification(text, start, end);
  if (!isNameLetter(text.charCodeAt(start - 1))) return false;
  const beforeLetter = text.charCodeAt(start - 2);
  return beforeLetter !== BACKSLASH && !isNameLetter(beforeLetter);
}

/** "10117410G": a DNI with its letter. */
function isVerification(text: string, start: number, end: number): boolean {
  return end - start === LEAST_DIGITS && !isNameLetter(text.charCodeAt(end + 1)) && !isDigit(text.charCodeAt(end + 1));
}

/** Inside of 16 and more hexadecimal digits that are not all decimal, or of a UUID. */
function isHash(text: string, start: number, end: number): boolean {
  let from = start;
  let to = end;
  while (start - from < UUID_LENGTH && isHexOrHyphen(text.charCodeAt(from - 1))) from--;
  while (to - end < UUID_LENGTH && isHexOrHyphen(text.charCodeAt(to))) to++;
  if (to - from >= UUID_LENGTH && UUID.test(text.slice(from, to))) return true;
  from = start;
  to = end;
  while (start - from < HASH_LENGTH && isHex(text.charCodeAt(from - 1))) from--;
  while (to - end < HASH_LENGTH && isHex(text.charCodeAt(to))) to++;
  return to - from >= HASH_LENGTH && (from < start || to > end);
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** The word before the number, as in `"offset":987654321` and `offset 987654321`. */
function isCounter(text: string, start: number): boolean {
  let end = start;
  while (end > start - 4 && isBetween(text.charCodeAt(end - 1))) end--;
  let from = end;
  while (from > end - 24 && isNameLetter(text.charCodeAt(from - 1))) from--;
  return from < end && COUNTER.test(text.slice(from, end));
}

function isCalledDni(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - CONTEXT_BEFORE), start);
  return DNI_WORD.test(before) || DNI_WORD.test(text.slice(end, end + CONTEXT_AFTER));
}

const SPACE = 32;
const HYPHEN = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const BACKSLASH = 92;

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function isHex(code: number): boolean {
  const lower = code | 32;
  return isDigit(code) || (lower >= 97 && lower <= 102);
}

function isHexOrHyphen(code: number): boolean {
  return code === HYPHEN || isHex(code);
}

/** `"`, `:`, `=`, a space. */
function isBetween(code: number): boolean {
  return code === 34 || code === 58 || code === 61 || code === SPACE;
}
