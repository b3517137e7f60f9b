// Entries of lists that ended so long ago that they need not be kept: their places stay, what they said goes (list-book.ts).
// Whose they are is not known, so they stay while anybody is under a hold.
import { randomBytes } from 'node:crypto';
import { SYSTEM } from '../../identity/principal.ts';
import type { ListBook } from '../../registry/list-book.ts';

export interface PrunedLists {
  readonly lists: number;
  readonly held: number;
  readonly isMore: boolean;
}

const WHY = 'retention';

export async function pruneLists(
  book: Pick<ListBook, 'prunable' | 'prune'>,
  endedBeforeMs: number,
  how: { readonly isAnyHeld: boolean; readonly isDryRun: boolean; readonly nowMs: number },
): Promise<PrunedLists> {
  if (how.isAnyHeld || how.isDryRun) {
    const found = await book.prunable(endedBeforeMs);
    const count = [...found.values()].reduce((sum, { length }) => sum + length, 0);
    return { lists: how.isAnyHeld ? 0 : count, held: how.isAnyHeld ? count : 0, isMore: false };
  }
  const { id, name } = SYSTEM;
  const salt = randomBytes(16).toString('hex');
  const via = { kind: 'system', name, address: null, request: `${WHY}/${how.nowMs}`, salt } as const;
  const { entries, isMore } = await book.prune(endedBeforeMs, { by: id, why: WHY, atMs: how.nowMs, via });
  return { lists: entries, held: 0, isMore };
}
