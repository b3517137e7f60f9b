// Whose turn it is: of several processes on one database one deletes, and nobody else begins meanwhile. A process that dies
// leaves its turn to end by itself.
import type { RecordStore } from '../record-store.ts';

/**
 * @param turnMs for so long at most; it must be done before
 * @param restMs nobody begins so soon after all was done; 0: at once
 * @returns whether it is ours
 */
export async function takeTurn(
  store: RecordStore,
  holder: string,
  { nowMs, turnMs, restMs }: { readonly nowMs: number; readonly turnMs: number; readonly restMs: number },
): Promise<boolean> {
  return await store.transact(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('retention_turn')
      .set({ holder, until_ms: nowMs + turnMs })
      .where('id', '=', 1)
      .where('until_ms', '<=', nowMs)
      .where((where) => where.or([where('done_ms', 'is', null), where('done_ms', '<=', nowMs - restMs)]))
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  });
}

/** @param isDone false: there is more to do, by whoever looks next */
export async function endTurn(store: RecordStore, holder: string, nowMs: number, isDone: boolean): Promise<void> {
  await store.transact(async (tx) => {
    await tx
      .updateTable('retention_turn')
      .set({ until_ms: 0, ...(isDone && { done_ms: nowMs }) })
      .where('id', '=', 1)
      .where('holder', '=', holder)
      .execute();
  });
}
