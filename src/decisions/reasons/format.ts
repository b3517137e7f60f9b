// Numbers, money, durations and times as Peruvian and English readers write them.
//
// es-PE and English share the point for decimals and the comma for thousands, so most texts are the same in both.
import { formatMoney } from '../../domain/money.ts';

const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;

export interface Texts {
  readonly es: string;
  readonly en: string;
}

/** The same text in both languages. */
export function alike(text: string): Texts {
  return { es: text, en: text };
}

/** `12345.678` → `12,345.68`. @param decimals digits after the point, kept even when they are zeros. */
export function decimal(value: number, decimals: number): string {
  const size = Math.abs(value);
  if (size < 999 && value >= 0) return size.toFixed(decimals);
  const [whole, fraction] = size.toFixed(decimals).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return value < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

export function integer(value: number): string {
  return decimal(Math.round(value), 0);
}

/** `S/ 1,234.56` of a possibly fractional number of minor units (a mean, say). */
export function money(amountMinor: number, currency: string): string {
  return formatMoney(Math.round(amountMinor) + 0, currency);
}

/** A factor with as many digits as a reader needs: 1.6, 3.2, 14, 1,250. */
export function factor(value: number): string {
  if (value >= 9.95) return integer(value);
  const text = decimal(value, 1);
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

/** A share 0..1: `94 %` in Spanish, `94%` in English; tiny shares are `menos de 1 %`. */
export function percent(share: number): Texts {
  const hundredths = share * 100;
  if (hundredths > 0 && hundredths < 1) return { es: 'menos de 1 %', en: 'less than 1%' };
  // Rounding must not turn "nearly all" into "all".
  const rounded = share < 1 ? Math.min(99, Math.round(hundredths)) : Math.round(hundredths);
  const number = decimal(rounded, 0);
  return { es: `${number} %`, en: `${number}%` };
}

/** A duration in one unit: `40 s`, `5 min`, `24 h`, `7 días` / `7 days`. */
export function duration(ms: number): Texts {
  if (ms < MS_PER_MINUTE) return alike(`${integer(Math.max(0, ms) / MS_PER_SECOND)} s`);
  if (Math.round(ms / MS_PER_MINUTE) < 60) return alike(`${integer(ms / MS_PER_MINUTE)} min`);
  if (Math.round(ms / MS_PER_HOUR) < 48) return alike(`${integer(ms / MS_PER_HOUR)} h`);
  return days(ms);
}

/** A whole number of days: `1 día` / `1 day`, `30 días` / `30 days`. */
export function days(ms: number): Texts {
  const count = Math.round(ms / MS_PER_DAY);
  const number = integer(count);
  return count === 1 ? { es: '1 día', en: '1 day' } : { es: `${number} días`, en: `${number} days` };
}

/** `(t − delay − window, t − delay]` in words: `en 24 h`, or `entre hace 7 y 14 días` where the window is moved back. */
export function windowText(windowMs: number, delayMs: number): Texts {
  if (delayMs <= 0) {
    const length = duration(windowMs);
    return { es: `en ${length.es}`, en: `in ${length.en}` };
  }
  const from = delayMs / MS_PER_DAY;
  const to = (delayMs + windowMs) / MS_PER_DAY;
  if (Number.isInteger(from) && Number.isInteger(to)) {
    return {
      es: `entre hace ${integer(from)} y ${integer(to)} días`,
      en: `between ${integer(from)} and ${integer(to)} days ago`,
    };
  }
  const near = duration(delayMs);
  const far = duration(delayMs + windowMs);
  return { es: `entre hace ${near.es} y ${far.es}`, en: `between ${near.en} and ${far.en} ago` };
}

/** A count with its noun: `1 operación`, `12 operaciones`. */
export function counted(count: number, one: Texts, many: Texts): Texts {
  const noun = Math.round(count) === 1 ? one : many;
  const number = integer(count);
  return { es: `${number} ${noun.es}`, en: `${number} ${noun.en}` };
}
