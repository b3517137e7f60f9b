// Money as whole minor units (céntimos) with an ISO 4217 currency. No floating point: a sum of céntimos is exact.

/** Decimal places of the currencies that reach a Peruvian bank (ISO 4217, exponent). Others are taken as 2. */
const EXPONENTS: Readonly<Record<string, number>> = {
  PEN: 2,
  USD: 2,
  EUR: 2,
  GBP: 2,
  CHF: 2,
  CAD: 2,
  AUD: 2,
  CNY: 2,
  MXN: 2,
  BRL: 2,
  ARS: 2,
  BOB: 2,
  COP: 2,
  UYU: 2,
  VES: 2,
  JPY: 0,
  KRW: 0,
  CLP: 0,
  PYG: 0,
  ISK: 0,
  VND: 0,
  CLF: 4,
  BHD: 3,
  KWD: 3,
  OMR: 3,
  JOD: 3,
  TND: 3,
};

const SYMBOLS: Readonly<Record<string, string>> = { PEN: 'S/', USD: 'US$', EUR: '€', GBP: '£' };

/** ISO 4217 numeric codes that ISO 8583 messages carry (DE49). */
const ALPHABETIC_BY_NUMERIC: Readonly<Record<string, string>> = {
  '604': 'PEN',
  '840': 'USD',
  '978': 'EUR',
  '826': 'GBP',
  '152': 'CLP',
  '986': 'BRL',
  '032': 'ARS',
  '068': 'BOB',
  '170': 'COP',
  '484': 'MXN',
  '392': 'JPY',
  '156': 'CNY',
  '756': 'CHF',
  '124': 'CAD',
};

/** How Peruvian files and people write a currency, folded to upper case. */
const ALIASES: Readonly<Record<string, string>> = {
  'S/': 'PEN',
  'S/.': 'PEN',
  SOL: 'PEN',
  SOLES: 'PEN',
  'NUEVOS SOLES': 'PEN',
  US$: 'USD',
  $: 'USD',
  DOLAR: 'USD',
  DOLARES: 'USD',
  DÓLARES: 'USD',
};

/** Decimal places of a currency: 2 where the table does not say otherwise. */
export function exponentOf(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

/** The alphabetic code of "PEN", "604", "S/", "soles" …; null if it is none of them. */
export function parseCurrency(text: string): string | null {
  const folded = text.trim().toUpperCase();
  if (/^[A-Z]{3}$/.test(folded) && folded !== 'SOL') return folded;
  return ALPHABETIC_BY_NUMERIC[folded] ?? ALIASES[folded] ?? null;
}

const DECIMAL_POINT = /^([+-]?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d*))?$/;
const DECIMAL_COMMA = /^([+-]?)(\d+|\d{1,3}(?:\.\d{3})+)(?:,(\d*))?$/;

/**
 * Minor units of an amount written in decimal, exactly: "1,234.5" → 123450 with exponent 2.
 * Null where the text is not a number, has significant digits beyond the exponent, or exceeds 2^53 − 1 minor units.
 * @param decimalMark the mark before the decimals; the other one may group thousands
 */
export function parseAmountMinor(text: string, exponent: number, decimalMark: '.' | ',' = '.'): number | null {
  const match = (decimalMark === '.' ? DECIMAL_POINT : DECIMAL_COMMA).exec(text.trim());
  if (!match) return null;
  const fraction = (match[3] ?? '').padEnd(exponent, '0');
  for (let i = exponent; i < fraction.length; i++) if (fraction[i] !== '0') return null;
  const whole = match[2]!.replace(/[.,]/g, '');
  const minor = Number(whole + fraction.slice(0, exponent));
  if (!Number.isSafeInteger(minor)) return null;
  return match[1] === '-' && minor !== 0 ? -minor : minor;
}

/** "1,234.56" from 123456: thousands with a comma, decimals with a point, as in Peru and in English. */
export function formatMinor(amountMinor: number, exponent: number): string {
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const grouped = whole.length <= 3 ? whole : whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  const sign = amountMinor < 0 ? '-' : '';
  return exponent === 0 ? sign + grouped : `${sign}${grouped}.${digits.slice(digits.length - exponent)}`;
}

/** "S/ 1,234.56", "US$ 1,234.56", "-S/ 5.00", "CLP 1,234": the same in es-PE and en. */
export function formatMoney(amountMinor: number, currency: string): string {
  const sign = amountMinor < 0 ? '-' : '';
  return `${sign}${SYMBOLS[currency] ?? currency} ${formatMinor(Math.abs(amountMinor), exponentOf(currency))}`;
}
