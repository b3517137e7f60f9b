// Which entries of a book are in the audit: the mark moves in the transaction that writes them, so each is there once.
import type { Kysely } from 'kysely';
import { InputError } from '../../lib/errors.ts';
import type { Database } from '../database.ts';

export type BookName = 'rules' | 'lists';

export interface BookMark {
  /** 0: none of its entries. */
  readonly number: number;
  readonly hash: string;
}

interface BookEntry {
  readonly number: number;
  readonly hash: string;
}

export async function bookMark(db: Kysely<Database>, book: BookName): Promise<BookMark> {
  const row = await db
    .selectFrom('audited_books')
    .select(['number', 'hash'])
    .where('book', '=', book)
    .executeTakeFirst();
  return row ?? { number: 0, hash: '' };
}

/**
 * Those that are not in the audit yet. What the audit knows of the book must be in it: a history that was cut off at its
 * end, or put back from an older copy, is whole by its own chain.
 *
 * @param entries all of the book, in their order
 * @throws InputError BOOK_BROKEN
 */
export function afterMark<Entry extends BookEntry>(
  entries: readonly Entry[],
  { number, hash }: BookMark,
  book: BookName,
): readonly Entry[] {
  if (number === 0 || entries[number - 1]?.hash === hash) return entries.slice(number);
  const what = entries.length < number ? `ends at entry ${entries.length}` : 'has another one';
  throw new InputError(
    'BOOK_BROKEN',
    `The audit knows entry ${number} of the ${book}, and their history ${what}`,
    'Nothing is changed until it is restored from a copy, or its loss accepted (centinela audit accept-loss)',
  );
}

/**
 * Moves the mark up to the last of the entries.
 *
 * @param entries of the book, in their order; some may have been marked meanwhile
 * @returns those that were not: their entries of the audit belong into this transaction
 */
export async function moveMark<Entry extends BookEntry>(
  tx: Kysely<Database>,
  book: BookName,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const { number } = await bookMark(tx, book);
  const rest = entries.filter((entry) => entry.number > number);
  const last = rest.at(-1);
  if (last === undefined) return [];
  const row = { number: last.number, hash: last.hash };
  await tx
    .insertInto('audited_books')
    .values({ book, ...row })
    .onConflict((conflict) => conflict.column('book').doUpdateSet(row))
    .execute();
  return rest;
}

/** Puts the mark where it was not moved to: what was audited after it is lost, and that is accepted. */
export async function putMark(tx: Kysely<Database>, book: BookName, { number, hash }: BookMark): Promise<void> {
  await tx.deleteFrom('audited_books').where('book', '=', book).execute();
  if (number > 0) await tx.insertInto('audited_books').values({ book, number, hash }).execute();
}
