// The audit of an archive as it lies there, to be verified, offline and against public keys alone.
import type { ObjectStore } from '../ports.ts';
import { type ArchivePart, listParts, readHeadLine, readPartLines } from './archive-part.ts';
import type { AuditSource, TellBreak } from './audit-source.ts';
import { START } from './chain.ts';

/** Entries that are handed on at once. */
const LINES_AT_ONCE = 2000;

/** What is wrong with a file is told once, though it may be met twice. */
export function archiveAuditSource(objects: ObjectStore, name = 'archive'): AuditSource {
  const problems: string[] = [];
  let listed: Promise<ArchivePart[]> | null = null;
  const parts = () => {
    listed ??= listParts(objects, (what) => void problems.push(what));
    return listed;
  };
  const problemOf = (tell: TellBreak, part: ArchivePart | null) => (message: string) => {
    const { firstSequence: from, lastSequence: to } = part?.statement ?? { firstSequence: null, lastSequence: null };
    tell({ kind: 'archive-changed', from, to, message });
  };
  return {
    name,
    async start() {
      const [first] = await parts();
      if (first === undefined) return START;
      const { firstSequence, previous } = first.statement;
      return { sequence: firstSequence - 1, hash: previous };
    },
    end: async () => null,
    keys: async () => [],
    async *entries(tell) {
      const all = await parts();
      for (const problem of problems) problemOf(tell, null)(problem);
      for (const part of all) {
        const lines = (await readPartLines(objects, part, 'entries', problemOf(tell, part))) ?? [];
        for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
          const some = lines.slice(from, from + LINES_AT_ONCE);
          yield some.map((text) => ({ text, hash: null, columns: null }));
        }
      }
    },
    async *seals(tell) {
      for (const part of await parts()) {
        const problem = problemOf(tell, part);
        const lines = (await readPartLines(objects, part, 'heads', problem)) ?? [];
        const heads = lines.map(readHeadLine);
        if (heads.includes(null)) problem(`${part.statement.heads.file} has a line that is no head`);
        yield [...heads.filter((head) => head !== null), part.signed].map((signed) => ({ ...signed, columns: null }));
      }
    },
  };
}
