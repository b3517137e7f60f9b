// Amounts straight from bytes to whole minor units, exactly: "S/ 1,234.56" → 123456. No floating-point step.
//
// Digits beyond the currency's decimals are rounded half to even and counted, because exports from floating-point
// columns write 57.160000000001. Grouping marks must stand at thousands: "12,34" is not 1234.
import { parseCurrency } from '../../domain/money.ts';

const MINUS = 45;
const PLUS = 43;
const MAX_CURRENCY_BYTES = 8;

const isDigit = (byte: number) => byte >= 48 && byte <= 57;

export class AmountParser {
  readonly #decimal: number;
  readonly #group: number;
  /** How many amounts had more decimals than their currency. */
  rounded = 0;
  /** Currency written beside the latest amount, null if none was. */
  currency: string | null = null;

  /** @param decimalMark the mark before the decimals; the other one groups thousands, as blanks and apostrophes do */
  constructor(decimalMark: '.' | ',') {
    this.#decimal = decimalMark === '.' ? 46 : 44;
    this.#group = decimalMark === '.' ? 44 : 46;
  }

  /** @returns minor units, NaN where the text is not an amount or exceeds 2^53 − 1 */
  parse(bytes: Uint8Array, start: number, end: number, exponent: number): number {
    this.currency = null;
    // The usual case, digits and one mark, first.
    let position = start;
    let negative = false;
    if (bytes[position] === MINUS) {
      negative = true;
      position += 1;
    }
    const from = position;
    let value = 0;
    while (position < end && isDigit(bytes[position])) {
      value = value * 10 + (bytes[position] - 48);
      position += 1;
    }
    const wholeDigits = position - from;
    let decimals = 0;
    if (position < end && bytes[position] === this.#decimal) {
      position += 1;
      while (position < end && decimals < exponent && isDigit(bytes[position])) {
        value = value * 10 + (bytes[position] - 48);
        position += 1;
        decimals += 1;
      }
    }
    if (position !== end || wholeDigits + decimals === 0 || wholeDigits > 15) {
      return this.#parseUnusual(bytes, start, end, exponent);
    }
    for (; decimals < exponent; decimals++) value *= 10;
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
    return negative && value !== 0 ? -value : value;
  }

  /** Signs at either end, parentheses, currencies, grouping, too many decimals, scientific notation. */
  #parseUnusual(bytes: Uint8Array, start: number, end: number, exponent: number): number {
    const text = new TextDecoder()
      .decode(bytes.subarray(start, end))
      .replaceAll('\u2212', '-')
      .replaceAll('\u00a0', ' ')
      .trim()
      // "S/.15" is fifteen soles: the point belongs to the sign.
      .replace(/S\/\.(?=\s*\d)/i, 'S/');
    const inParentheses = text.startsWith('(') && text.endsWith(')');
    const inner = inParentheses ? text.slice(1, -1).trim() : text;
    const match =
      /^([+-]?)\s*([^\d+\-(),.'’\s][^\d+-]*?|)\s*([+-]?)\s*((?:\d|[.,](?=\d)).*?)\s*([^\d+\-.,()\s]{1,8}|)\s*(-?)$/u.exec(
        inner,
      );
    if (!match) return Number.NaN;
    const signs = `${match[1]}${match[3]}${match[6]}${inParentheses ? '-' : ''}`;
    if (signs.length > 1) return Number.NaN;
    const symbol = `${match[2]}${match[5]}`.trim();
    if (symbol !== '') {
      if (symbol.length > MAX_CURRENCY_BYTES) return Number.NaN;
      this.currency = SIGNS[symbol] ?? parseCurrency(symbol);
      if (this.currency === null) return Number.NaN;
    }
    const plain = this.#plainDigits(match[4]);
    if (plain === null) return Number.NaN;
    const minor = this.#toMinor(plain.whole, plain.fraction, exponent);
    return signs === '-' && minor !== 0 ? -minor : minor;
  }

  #plainDigits(number: string): { whole: string; fraction: string } | null {
    const decimal = String.fromCharCode(this.#decimal);
    const group = String.fromCharCode(this.#group);
    const scientific = /^(\d+)(?:[.,](\d+))?[eE]([+-]?\d{1,2})$/.exec(number);
    if (scientific) return shift(scientific[1], scientific[2] ?? '', Number(scientific[3]));
    const at = number.lastIndexOf(decimal);
    const whole = at < 0 ? number : number.slice(0, at);
    const fraction = at < 0 ? '' : number.slice(at + 1);
    if (!/^\d*$/.test(fraction)) return null;
    for (const mark of [group, ' ', "'", '’', '\u202f']) {
      if (!whole.includes(mark)) continue;
      const groups = whole.split(mark);
      if (!/^\d{1,3}$/.test(groups[0]) || !groups.slice(1).every((part) => /^\d{3}$/.test(part))) return null;
      return { whole: groups.join(''), fraction };
    }
    return /^\d*$/.test(whole) && whole + fraction !== '' ? { whole, fraction } : null;
  }

  #toMinor(whole: string, fraction: string, exponent: number): number {
    const kept = fraction.slice(0, exponent).padEnd(exponent, '0');
    const beyond = fraction.slice(exponent);
    const minor = Number(`${whole}${kept}` === '' ? '0' : whole + kept);
    if (!Number.isSafeInteger(minor)) return Number.NaN;
    if (!/[1-9]/.test(beyond)) return minor;
    this.rounded += 1;
    const half = /^50*$/.test(beyond);
    const up = half ? minor % 2 === 1 : beyond[0] >= '5';
    return up ? minor + 1 : minor;
  }
}

const SIGNS: Readonly<Record<string, string>> = { '€': 'EUR', '£': 'GBP', '¥': 'JPY', USD$: 'USD', U$S: 'USD' };

/** Moves the decimal point of `whole.fraction` by `exponent` places. */
function shift(whole: string, fraction: string, exponent: number): { whole: string; fraction: string } {
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return { whole: '0', fraction: '0'.repeat(-point) + digits };
  return { whole: digits.slice(0, point).padEnd(point, '0'), fraction: digits.slice(point) };
}

/** A plain whole number, NaN for anything else. */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  const negative = bytes[position] === MINUS;
  if (negative || bytes[position] === PLUS) position += 1;
  if (position >= end) return Number.NaN;
  let value = 0;
  for (; position < end; position++) {
    if (!isDigit(bytes[position])) return Number.NaN;
    value = value * 10 + (bytes[position] - 48);
  }
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return negative && value !== 0 ? -value : value;
}

/** A decimal number, correctly rounded: digits below 2^53 divided by an exact power of ten. NaN for anything else. */
export function parseDecimal(bytes: Buffer, start: number, end: number, decimalMark: '.' | ','): number {
  const mark = decimalMark === '.' ? 46 : 44;
  let position = start;
  const negative = bytes[position] === MINUS;
  if (negative) position += 1;
  let mantissa = 0;
  let digits = 0;
  let power = -1;
  for (; position < end; position++) {
    const byte = bytes[position];
    if (isDigit(byte)) {
      mantissa = mantissa * 10 + (byte - 48);
      digits += 1;
      if (power >= 0) power += 1;
    } else if (byte === mark && power < 0) power = 0;
    else return parseWithEngine(bytes, start, end, decimalMark);
  }
  if (digits === 0) return Number.NaN;
  if (digits > 15) return parseWithEngine(bytes, start, end, decimalMark);
  const value = power > 0 ? mantissa / POWERS[power] : mantissa;
  return negative ? -value : value;
}

const POWERS = Array.from({ length: 16 }, (_, power) => Number(`1e${power}`));

function parseWithEngine(bytes: Buffer, start: number, end: number, decimalMark: '.' | ','): number {
  const text = bytes.toString('latin1', start, end);
  const pointed = decimalMark === ',' ? text.replace(',', '.') : text;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(pointed) ? Number(pointed) : Number.NaN;
}
