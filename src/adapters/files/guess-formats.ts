// Recognises how times and amounts are written from the first rows.
import { TIME_FORMATS, type TimeFormat, TimeParser } from './parse-time.ts';
import { openTimeZone } from './time-zone.ts';

/** Share of the texts that must be in a format for it to be recognised. */
const LEAST_SHARE = 0.8;
/** Epochs are looked for between these years, or every number would be a time. */
const EPOCH_FROM_MS = Date.UTC(1990, 0, 1);
const EPOCH_TO_MS = Date.UTC(2100, 0, 1);

export interface TimeGuess {
  readonly format: TimeFormat;
  /** 0–1 */
  readonly share: number;
}

/** The format most of the texts are in; where day and month may be exchanged, day first. Null: they are not times. */
export function timeFormatOf(texts: readonly string[]): TimeGuess | null {
  if (texts.length === 0) return null;
  const zone = openTimeZone('UTC');
  let best: TimeGuess | null = null;
  for (const format of TIME_FORMATS) {
    const parser = new TimeParser(format, zone);
    const fits = texts.filter((text) => {
      const bytes = Buffer.from(text);
      const timeMs = parser.parse(bytes, 0, bytes.length);
      return timeMs >= EPOCH_FROM_MS && timeMs <= EPOCH_TO_MS;
    }).length;
    const share = fits / texts.length;
    if (share >= LEAST_SHARE && share > (best?.share ?? 0)) best = { format, share };
  }
  return best;
}

/** ',' where more amounts can only be read with it ("1.234,50", "12,5") than with a point. */
export function decimalMarkOf(texts: readonly string[]): '.' | ',' {
  let comma = 0;
  let point = 0;
  for (const text of texts) {
    const number = text.replace(/[^\d.,]/g, '');
    if (/,\d{1,2}$/.test(number) && !/,\d+,|,\d+\./.test(number)) comma += 1;
    else if (/\.\d{1,2}$/.test(number) || /,\d{3}\b/.test(number)) point += 1;
  }
  return comma > point ? ',' : '.';
}
