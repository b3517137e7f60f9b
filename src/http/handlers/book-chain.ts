// Whether a book's history is what was written: read again from where it lies, and held against what the audit knows of it.
import type { BookMark } from '../../records/books/audited.ts';
import type { Answer } from '../asked.ts';

export interface ChainReport {
  /** Of the entries that could be read; 0 where the chain is broken. */
  readonly entries: number;
  readonly head: string | null;
  readonly audited: BookMark;
  /** null: it is whole. */
  readonly problem: string | null;
}

export function chainHandler(verify: () => Promise<ChainReport>) {
  return async (): Promise<
    Answer<{ isWhole: boolean; problem: string | null; entries: number; head: string | null; audited: number }>
  > => {
    const { entries, head, audited, problem } = await verify();
    return { body: { isWhole: problem === null, problem, entries, head, audited: audited.number } };
  };
}
