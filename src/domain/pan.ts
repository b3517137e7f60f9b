// PAN (the number of a card, ISO/IEC 7812): Luhn, its parts, and finding one in free text so that it can be masked.
import { digitAt, isDigits } from './digits.ts';

const MIN_LENGTH = 13;
const MAX_LENGTH = 19;

export interface Pan {
  /** First 8 digits (issuer identification number, 8 digits since 2022). */
  readonly bin8: string;
  readonly last4: string;
  /** 13–19 */
  readonly length: number;
}

/** A stretch of text that is a PAN. */
export interface PanSpan {
  readonly start: number;
  /** exclusive */
  readonly end: number;
  readonly digits: string;
}

/** True if the last digit is the Luhn digit of the others. @param digits digits only */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digitAt(digits, i);
    const product = double ? digit * 2 : digit;
    sum += product > 9 ? product - 9 : product;
  }
  return sum % 10 === 0;
}

/** True if `text` is 13–19 digits without separators and passes Luhn. */
export function isValidPan(text: string): boolean {
  return text.length >= MIN_LENGTH && text.length <= MAX_LENGTH && isDigits(text, text.length) && passesLuhn(text);
}

/** What may be kept of a PAN (PCI DSS 3.4.1, 3.5.1): never the PAN itself. Null if it is not valid. */
export function parsePan(text: string): Pan | null {
  const digits = text.replace(/[ -]/g, '');
  if (!isValidPan(digits)) return null;
  return { bin8: digits.slice(0, 8), last4: digits.slice(-4), length: digits.length };
}

/** Numbers that schemes and processors publish for tests, and the ranges that no scheme can issue (9604: Peru's). */
const TEST_PANS: ReadonlySet<string> = new Set([
  '4111111111111111',
  '4012888888881881',
  '4242424242424242',
  '5555555555554444',
  '5105105105105100',
  '378282246310005',
  '371449635398431',
  '6011111111111117',
  '30569309025904',
]);

/** True for a published test number or a synthetic one (major industry 9, country 604). */
export function isTestPan(digits: string): boolean {
  return TEST_PANS.has(digits) || (digits.startsWith('9604') && isValidPan(digits));
}

/** Ranges issued by Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay and Maestro; and 9604. */
const ISSUED = /^(?:4|5[0-8]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-5]|[689])|35|6|9604)/;

const DIGIT_RUNS = /\d+(?:[ -]\d+)*/g;
const CHUNK = /\d+/g;

/**
 * Finds card numbers in free text: 13–19 digits, alone or in groups joined by single spaces or hyphens, that pass Luhn
 * and begin like an issued card. Longer runs (a CCI has 20) and times in milliseconds (they begin with 1) are not taken.
 * One number in about ten with a card's beginning passes Luhn by chance: a finding is a reason to mask, not a proof.
 */
export function findPans(text: string): PanSpan[] {
  const spans: PanSpan[] = [];
  for (const run of text.matchAll(DIGIT_RUNS)) {
    if (run[0].length >= MIN_LENGTH) findInRun(run[0], run.index, spans);
  }
  return spans;
}

function findInRun(run: string, offset: number, spans: PanSpan[]): void {
  const chunks = [...run.matchAll(CHUNK)].map((chunk) => ({ digits: chunk[0], at: offset + chunk.index }));
  for (let first = 0; first < chunks.length; first++) {
    const last = lastChunkOfPan(chunks, first);
    if (last === null) continue;
    const end = chunks[last.index]!.at + chunks[last.index]!.digits.length;
    spans.push({ start: chunks[first]!.at, end, digits: last.digits });
    first = last.index;
  }
}

/** The longest PAN that starts at a chunk and ends with one. */
function lastChunkOfPan(
  chunks: readonly { readonly digits: string }[],
  first: number,
): { index: number; digits: string } | null {
  let digits = '';
  let found: { index: number; digits: string } | null = null;
  for (let index = first; index < chunks.length; index++) {
    digits += chunks[index]!.digits;
    if (digits.length > MAX_LENGTH) break;
    if (isValidPan(digits) && ISSUED.test(digits)) found = { index, digits };
  }
  return found;
}
