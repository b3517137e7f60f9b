// What retention knows of folders of objects that tell their age only when they are read: when the oldest of each was made, so that
// a folder is not looked into before anything in it may go.
import type { Tx } from '../alerts/act.ts';

export interface FolderLook {
  /** The last key that was looked at; empty where no look is under way. */
  readonly after: string;
  /** Of what was looked at and stays, when the oldest was made; null where there was nothing. */
  readonly oldestMs: number | null;
}

/** @param prefix of the folders' names */
export async function folderLooks(db: Tx, prefix: string): Promise<ReadonlyMap<string, FolderLook>> {
  const rows = await db.selectFrom('retention_folders').selectAll().where('folder', 'like', `${prefix}%`).execute();
  return new Map(rows.map(({ folder, after, oldest_ms: oldestMs }) => [folder, { after, oldestMs }]));
}

export async function keepFolderLook(tx: Tx, folder: string, { after, oldestMs }: FolderLook): Promise<void> {
  const look = { after, oldest_ms: oldestMs };
  await tx
    .insertInto('retention_folders')
    .values({ folder, ...look })
    .onConflict((conflict) => conflict.column('folder').doUpdateSet(look))
    .execute();
}
