// Follows the chain entry by entry and says what is wrong with which: changed, missing, out of order, twice, forked.
import type { AuditBreakKind, KeptEntry, TellBreak } from './audit-source.ts';
import { type AuditEntry, type ChainPoint, readEntry } from './chain.ts';

/** Gaps that may still be filled by entries that come later; more are told at once. */
const MOST_GAPS = 1000;

export interface CheckedEntry {
  readonly sequence: number;
  /** Of its text, as it is. */
  readonly hash: string;
  /** null where the text is no entry's. */
  readonly entry: AuditEntry | null;
  /** It stands where it belongs and nothing is wrong with itself. */
  readonly isSound: boolean;
}

/** What is kept beside an entry's text, from the text. */
export function entryColumns({ sequence, atMs, actor, action, subject, address, hash }: AuditEntry) {
  return {
    ...{ sequence, atMs, actorKind: actor.kind, actorId: actor.id, actorName: actor.name, action },
    ...{ subjectKind: subject?.kind ?? null, subjectId: subject?.id ?? null, address, hash },
  };
}

/** Names of those columns that do not say what the text says. */
export function differingColumns(
  columns: Readonly<Record<string, unknown>>,
  fromText: Readonly<Record<string, unknown>>,
): string[] {
  return Object.keys(columns).filter((name) => columns[name] !== fromText[name]);
}

export class ChainCheck {
  readonly #tell: TellBreak;
  readonly #gaps: { from: number; to: number }[] = [];
  #last: number;
  /** What the next entry may give as the hash before it: of the last one's text, and what is kept as its hash. */
  #hashes: string[];
  #count = 0;

  constructor(start: ChainPoint, tell: TellBreak) {
    this.#tell = tell;
    this.#last = start.sequence;
    this.#hashes = [start.hash];
  }

  get count(): number {
    return this.#count;
  }

  /** The newest so far. */
  get last(): ChainPoint {
    return { sequence: this.#last, hash: this.#hashes[0] };
  }

  take(kept: KeptEntry): CheckedEntry {
    this.#count++;
    const entry = readEntry(kept.text);
    const named = kept.columns?.sequence;
    const sequence = entry?.sequence ?? (typeof named === 'number' ? named : this.#last + 1);
    const isWhole = this.#checkItself(kept, entry, sequence);
    const hash = entry?.hash ?? kept.hash ?? '';
    const isNext = sequence === this.#last + 1;
    const follows = this.#checkPlace(sequence, entry, hash);
    if (sequence > this.#last) {
      this.#last = sequence;
      this.#hashes = kept.hash === null || kept.hash === hash ? [hash] : [hash, kept.hash];
    }
    return { sequence, hash, entry, isSound: isWhole && follows && isNext };
  }

  finish(): void {
    for (const { from, to } of this.#gaps) this.#say('missing', from, to, missing(from, to));
  }

  #checkItself({ hash, columns }: KeptEntry, entry: AuditEntry | null, sequence: number): boolean {
    if (entry === null) {
      this.#say('entry-changed', sequence, sequence, `entry ${sequence}: its text is no entry's any more`);
      return false;
    }
    const isHash = hash === null || hash === entry.hash;
    if (!isHash) {
      const what = `its text has SHA-256 ${entry.hash}, and ${hash} is kept: one of the two was changed`;
      this.#say('entry-changed', sequence, sequence, `entry ${sequence}: ${what}`);
    }
    const { hash: _, ...fromText } = entryColumns(entry);
    const differing = columns === null ? [] : differingColumns(columns, fromText);
    if (differing.length > 0) {
      const what = `${differing.join(', ')} beside its text ${differing.length === 1 ? 'says' : 'say'} something else`;
      this.#say('columns-differ', sequence, sequence, `entry ${sequence}: ${what}`);
    }
    return isHash && differing.length === 0;
  }

  #checkPlace(sequence: number, entry: AuditEntry | null, hash: string): boolean {
    const next = this.#last + 1;
    if (sequence === next) {
      if (entry === null || this.#hashes.includes(entry.previous)) return true;
      const what = `does not follow the entry ${sequence - 1} that is there: what is before it was written anew`;
      this.#say('link-broken', sequence - 1, sequence, `entry ${sequence} ${what}`);
      return false;
    }
    if (sequence > next) {
      const gap = { from: next, to: sequence - 1 };
      if (this.#gaps.length < MOST_GAPS) this.#gaps.push(gap);
      else this.#say('missing', gap.from, gap.to, missing(gap.from, gap.to));
      return false;
    }
    if (this.#fillGap(sequence)) {
      this.#say('reordered', sequence, sequence, `entry ${sequence} stands after entry ${this.#last}`);
    } else if (sequence === this.#last && !this.#hashes.includes(hash)) {
      this.#hashes.push(hash);
      this.#say('forked', sequence, sequence, `there are two different entries ${sequence}`);
    } else {
      this.#say('repeated', sequence, sequence, `entry ${sequence} comes once more after entry ${this.#last}`);
    }
    return false;
  }

  #fillGap(sequence: number): boolean {
    const index = this.#gaps.findIndex(({ from, to }) => from <= sequence && sequence <= to);
    if (index === -1) return false;
    const { from, to } = this.#gaps[index];
    const rest = [
      { from, to: sequence - 1 },
      { from: sequence + 1, to },
    ].filter((gap) => gap.from <= gap.to);
    this.#gaps.splice(index, 1, ...rest);
    return true;
  }

  #say(kind: AuditBreakKind, from: number, to: number, message: string): void {
    this.#tell({ kind, from, to, message });
  }
}

function missing(from: number, to: number): string {
  return from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;
}
