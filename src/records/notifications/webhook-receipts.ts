// Ids of inbound webhooks: each counts once, though it may be sent again (by its sender, or by somebody who recorded it).
//
// Kept for a day, far beyond the window in which a signature is believed, because honest senders try again for hours.
import type { Kysely } from 'kysely';
import type { Database } from '../database.ts';

export const RECEIPT_KEPT_MS = 24 * 3_600_000;

/**
 * In the transaction that does what the webhook asks for.
 *
 * @param source whose ids they are
 * @returns false where it came before: it is answered as if it were new, and nothing is done
 */
export async function takeOnce(tx: Kysely<Database>, source: string, id: string, atMs: number): Promise<boolean> {
  const inserted = await tx
    .insertInto('webhook_receipts')
    .values({ source, id, at_ms: atMs })
    .onConflict((conflict) => conflict.columns(['source', 'id']).doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows ?? 0) > 0;
}
