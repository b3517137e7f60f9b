// Cursors of lists that are sorted by a time and an id: opaque to clients, checked when they come back.
import { Problem } from './problem.ts';

export interface CursorPlace {
  readonly ms: number;
  readonly id: string;
}

export function writeCursor({ ms, id }: CursorPlace): string {
  return Buffer.from(JSON.stringify([ms, id])).toString('base64url');
}

/** null: from the beginning. @throws Problem */
export function readCursor(cursor: string | undefined): CursorPlace | null {
  if (cursor === undefined) return null;
  try {
    const [ms, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown, unknown];
    if (Number.isSafeInteger(ms) && typeof id === 'string' && !id.includes('\u0000')) return { ms: ms as number, id };
  } catch {
    // Told below.
  }
  throw new Problem(422, 'CURSOR_INVALID', 'The cursor is none of ours. Begin with the first page');
}
