// Pages by keyset: a cursor says after which row the next page begins, so that a page costs the same wherever it is, and rows that
// come meanwhile are neither missed nor told twice.
import { InputError } from '../../lib/errors.ts';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Cursor of the next page; null where this is the last. */
  readonly next: string | null;
}

/** Of the last row: the number by which rows are sorted, and its id. */
export type PagePlace = readonly [key: number, id: string];

export const MOST_PAGE = 500;

/** @param rows one more than asked for, where there are more @param order that the cursor is of */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  order: string,
  placeOf: (row: Row) => PagePlace,
): Page<Row> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isLast = rows.length <= limit || last === undefined;
  return { rows: shown, next: isLast ? null : writeCursor(order, placeOf(last)) };
}

function writeCursor(order: string, place: PagePlace): string {
  return Buffer.from(JSON.stringify([order, ...place])).toString('base64url');
}

/** @throws InputError where it is no cursor of this order */
export function readCursor(cursor: string, order: string): PagePlace {
  const parts = parsed(Buffer.from(cursor, 'base64url').toString());
  if (Array.isArray(parts) && parts.length === 3) {
    const [of, key, id] = parts as readonly unknown[];
    if (of === order && typeof key === 'number' && typeof id === 'string' && !id.includes('\0')) return [key, id];
  }
  throw new InputError('CURSOR_INVALID', 'The cursor is not of this list', 'Begin with the first page');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
