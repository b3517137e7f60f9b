// Dates and times as the report shows them: in Lima, which is UTC−5 all year.
import { civilOf, isoDate, limaDayNumber, limaMinuteOfDay } from '../domain/calendar.ts';
import type { Bilingual } from './report-data.ts';

const MONTHS_ES = ['ene', 'feb', 'mar', 'abr', 'may', 'jun', 'jul', 'ago', 'set', 'oct', 'nov', 'dic'];
const MONTHS_EN = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (value: number): string => String(value).padStart(2, '0');

/** `03:12` */
export function limaClock(timeMs: number): string {
  const minute = limaMinuteOfDay(timeMs);
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** `2025-11-22 03:12:45`, which sorts as text. */
export function limaTimestamp(timeMs: number): string {
  const second = Math.floor((((timeMs % 60_000) + 60_000) % 60_000) / 1000);
  return `${isoDate(limaDayNumber(timeMs))} ${limaClock(timeMs)}:${two(second)}`;
}

/** `2025-11-22T03:12:45-05:00`, ISO 8601 with the offset of Lima. */
export function limaIso(timeMs: number): string {
  return `${limaTimestamp(timeMs).replace(' ', 'T')}-05:00`;
}

/** `22/11/2025` / `22 Nov 2025` */
export function limaDate(timeMs: number): Bilingual {
  const { year, month, day } = civilOf(limaDayNumber(timeMs));
  return { es: `${two(day)}/${two(month)}/${year}`, en: `${day} ${MONTHS_EN[month - 1]} ${year}` };
}

/** `22 nov` / `22 Nov` */
export function limaDayMonth(timeMs: number): Bilingual {
  const { month, day } = civilOf(limaDayNumber(timeMs));
  return { es: `${day} ${MONTHS_ES[month - 1]}`, en: `${day} ${MONTHS_EN[month - 1]}` };
}
