// The archive of decisions as the rest of the program asks for it.
import { parseLimaDay } from '../../domain/calendar.ts';
import { InputError } from '../../lib/errors.ts';
import { type ArchivedDecision, conditionsOf, type DecisionFilter, decisionOf } from './decisions-table.ts';
import type { ArchiveSearch } from './search.ts';
import type { RowPlace } from './table.ts';

export interface DecisionPage {
  /** Newest first. */
  readonly decisions: readonly ArchivedDecision[];
  /** For the next page; null where there is no more. A page may be short and not be the last: a list looks into 31 days at once. */
  readonly next: string | null;
}

const MOST_AT_ONCE = 1000;

export class DecisionsArchive {
  readonly #search: ArchiveSearch;

  constructor(search: ArchiveSearch) {
    this.#search = search;
  }

  /**
   * What was decided of a transaction; the newest where it was decided again. null where it is not in the archive.
   *
   * @param dayHint the Lima day (`2026-01-31`) on which it was probably decided: that is looked at first, and what is found
   *   there is it
   * @throws InputError DAY_INVALID
   */
  async findDecision(id: string, { dayHint }: { readonly dayHint?: string } = {}): Promise<ArchivedDecision | null> {
    if (dayHint !== undefined && parseLimaDay(dayHint) === null) {
      throw new InputError('DAY_INVALID', `'${dayHint}' is no day`, 'Write it as 2026-01-31');
    }
    const row = await this.#search.find(id, dayHint ?? null);
    return row === null ? null : decisionOf(row);
  }

  /**
   * @param cursor `next` of the page before, with the same filter; null for the newest
   * @param limit 1 to 1000
   * @throws InputError CURSOR_INVALID, LIMIT_INVALID
   */
  async listDecisions(filter: DecisionFilter, cursor: string | null, limit: number): Promise<DecisionPage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_AT_ONCE) {
      throw new InputError('LIMIT_INVALID', `A page of ${limit} cannot be`, `Ask for 1 to ${MOST_AT_ONCE}`);
    }
    const { fromMs = Number.MIN_SAFE_INTEGER, untilMs = Number.MAX_SAFE_INTEGER } = filter;
    const after = cursor === null ? null : readCursor(cursor);
    const { rows, next } = await this.#search.list({ fromMs, untilMs, conditions: conditionsOf(filter), after, limit });
    return { decisions: rows.map(decisionOf), next: next === null ? null : writeCursor(next) };
  }
}

function writeCursor({ recordedMs, partition, offset }: RowPlace): string {
  return Buffer.from(`${recordedMs}.${partition}.${offset}`).toString('base64url');
}

function readCursor(cursor: string): RowPlace {
  const found = /^(-?\d{1,16})\.(-1|\d{1,5})\.(-1|\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (found === null) {
    throw new InputError('CURSOR_INVALID', 'That is no place in a list of decisions', 'Give what the page before told');
  }
  const [recordedMs, partition, offset] = found.slice(1).map(Number);
  return { recordedMs, partition, offset };
}
