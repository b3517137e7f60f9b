// Times of one report: in its own time zone, Lima where the data does not say another.
import { limaClock, limaDate } from './lima-time.ts';
import type { Bilingual, ReportSummary } from './report-data.ts';
import { TEXTS } from './texts.ts';

const LIMA_OFFSET_MINUTES = -300;

export interface Clock {
  /** Added to a time so that Lima's calendar reads as the file's own. */
  readonly shiftMs: number;
  /** `hora de Lima`, or `UTC+01:00`. */
  readonly zone: Bilingual;
  date(timeMs: number): Bilingual;
  time(timeMs: number): string;
}

export function clockOf({ utcOffsetMinutes = LIMA_OFFSET_MINUTES }: Pick<ReportSummary, 'utcOffsetMinutes'>): Clock {
  const shiftMs = (utcOffsetMinutes - LIMA_OFFSET_MINUTES) * 60_000;
  return {
    shiftMs,
    zone: utcOffsetMinutes === LIMA_OFFSET_MINUTES ? TEXTS.lima : utcText(utcOffsetMinutes),
    date: (timeMs) => limaDate(timeMs + shiftMs),
    time: (timeMs) => limaClock(timeMs + shiftMs),
  };
}

function utcText(offsetMinutes: number): Bilingual {
  const size = Math.abs(offsetMinutes);
  const clock = `${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
  const text = offsetMinutes === 0 ? 'UTC' : `UTC${offsetMinutes < 0 ? '−' : '+'}${clock}`;
  return { es: text, en: text };
}
