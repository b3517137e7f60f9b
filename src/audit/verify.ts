// Verifies an audit: recomputes every hash, follows the chain, checks what is kept beside each text, every signature and
// the keys behind them, and says where it breaks and how. Memory does not grow with the number of entries.
import type { AuditBreak, AuditSource, KeptSeal, TellBreak } from './audit-source.ts';
import type { ChainPoint } from './chain.ts';
import { ChainCheck } from './chain-check.ts';
import { type CheckedSeal, type KeyReport, SealCheck, sealedSequence } from './seal-check.ts';

export interface VerifyOptions {
  /** Of keys that are trusted, base64; where there are none the audit vouches for itself alone. */
  readonly publicKeys: readonly string[];
  /** Points that were written down elsewhere, and must be in the chain. */
  readonly expected?: readonly ChainPoint[];
  /** The first entry that must be there; later than 1 where older parts of an archive have been removed after their time. */
  readonly startsAt?: number;
  /** More are counted and not told. */
  readonly mostBreaks?: number;
}

export interface AuditReport {
  readonly source: string;
  readonly entries: number;
  readonly first: number | null;
  readonly last: ChainPoint;
  /** The newest signature of a trusted key. */
  readonly signed: { readonly sequence: number; readonly atMs: number; readonly keyId: string } | null;
  /** Entries after it: a cut there would not be found. */
  readonly unsigned: number;
  readonly keys: readonly KeyReport[];
  /** false: no key was given, and who could write anew all there is, keys too, is not found. */
  readonly isTrustGiven: boolean;
  /** By the entries they are about. */
  readonly breaks: readonly AuditBreak[];
  readonly moreBreaks: number;
}

const MOST_BREAKS = 1000;

export async function verifyAudit(source: AuditSource, options: VerifyOptions): Promise<AuditReport> {
  const { publicKeys, expected = [], startsAt = 1, mostBreaks = MOST_BREAKS } = options;
  const breaks: AuditBreak[] = [];
  let moreBreaks = 0;
  const tell: TellBreak = (found) => {
    if (breaks.length < mostBreaks) breaks.push(found);
    else moreBreaks++;
  };
  const end = await source.end();
  const start = await source.start();
  const seals = new SealCheck(publicKeys, tell);
  for (const key of await source.keys()) seals.takeKey(key);
  const chain = new ChainCheck(start, tell);
  const ends = new EndCheck(seals, source.seals(tell), { start, startsAt, expected }, tell);
  await ends.reach(start, true);
  let first: number | null = null;
  for await (const some of source.entries(tell)) {
    for (const kept of some) {
      const { sequence, hash, entry, isSound } = chain.take(kept);
      first ??= sequence;
      if (entry !== null) seals.takeEntry(entry);
      await ends.reach({ sequence, hash }, isSound);
    }
  }
  chain.finish();
  await ends.finish(chain.last, end);
  const keys = seals.finish();
  const trusted = keys.filter(({ isTrusted, seals: count }) => isTrusted && count > 0);
  const newest = trusted.sort((a, b) => b.signedUpTo! - a.signedUpTo!).at(0);
  if (keys.length > 0 && keys.every(({ seals: count }) => count === 0) && chain.count > 0) {
    tell({ kind: 'unsigned', from: null, to: null, message: 'there are keys, and no signature of any of them' });
  }
  const signed =
    newest === undefined ? null : { sequence: newest.signedUpTo!, atMs: newest.signedAtMs!, keyId: newest.keyId };
  return {
    ...{ source: source.name, entries: chain.count, first, last: chain.last, signed },
    unsigned: Math.max(0, chain.last.sequence - Math.max(signed?.sequence ?? 0, start.sequence)),
    ...{ keys, isTrustGiven: publicKeys.length > 0 },
    breaks: breaks.sort((a, b) => (a.from ?? 0) - (b.from ?? 0)),
    moreBreaks,
  };
}

interface Expectations {
  readonly start: ChainPoint;
  readonly startsAt: number;
  readonly expected: readonly ChainPoint[];
}

/** Compares what was signed, expected and said to be the end with the entries, as they go by. */
class EndCheck {
  readonly #seals: SealCheck;
  readonly #waiting: SealReader;
  readonly #expected: Map<number, string>;
  readonly #start: ChainPoint;
  readonly #tell: TellBreak;
  #archivedUpTo: number;
  #signedBeyond = 0;

  constructor(
    seals: SealCheck,
    kept: AsyncIterable<readonly KeptSeal[]>,
    { start, startsAt, expected }: Expectations,
    tell: TellBreak,
  ) {
    this.#seals = seals;
    this.#waiting = new SealReader(kept, (each) => this.#read(each));
    this.#start = start;
    this.#archivedUpTo = startsAt - 1;
    this.#expected = new Map(expected.map(({ sequence, hash }) => [sequence, hash]));
    this.#tell = tell;
  }

  /** @param isSound otherwise it has been told already that the entry is not what it was */
  async reach({ sequence, hash }: ChainPoint, isSound: boolean): Promise<void> {
    if (isSound) this.#compare(this.#expected.get(sequence), sequence, hash, 'that was written down elsewhere');
    // An entry out of its place meets no seal: those up to the newest have been read.
    for (;;) {
      const seal = await this.#waiting.upTo(sequence);
      if (seal === null) return;
      if (seal.sequence === sequence && isSound) this.#compare(seal.hash, sequence, hash, 'that was signed');
    }
  }

  async finish(last: ChainPoint, end: ChainPoint | null | 'gone'): Promise<void> {
    for (;;) {
      const seal = await this.#waiting.upTo(Number.POSITIVE_INFINITY);
      if (seal === null) break;
      this.#signedBeyond = Math.max(this.#signedBeyond, seal.sequence);
    }
    const { sequence } = last;
    const beyond = Math.max(this.#signedBeyond, ...this.#expected.keys());
    if (beyond > sequence) {
      const message = `entries ${sequence + 1} to ${beyond} were there when entry ${beyond} was signed, and are gone`;
      this.#tell({ kind: 'truncated', from: sequence + 1, to: beyond, message });
    }
    if (end === null) return;
    if (end === 'gone') {
      this.#tell({
        kind: 'end-differs',
        from: sequence,
        to: null,
        message: 'where the chain ends is not kept any more',
      });
    } else if (end.sequence > sequence) {
      if (end.sequence === beyond) return;
      const message = `the newest entry is ${sequence}, and ${end.sequence} is kept as the newest`;
      this.#tell({ kind: 'truncated', from: sequence + 1, to: end.sequence, message });
    } else if (end.sequence < sequence || end.hash !== last.hash) {
      const message = `the chain ends with entry ${sequence} ${last.hash}, and ${end.sequence} ${end.hash} is kept as its end`;
      this.#tell({ kind: 'end-differs', from: end.sequence, to: sequence, message });
    }
  }

  #read(kept: KeptSeal): CheckedSeal | null {
    const seal = this.#seals.takeSeal(kept);
    if (seal?.archive != null) this.#follow(seal.archive);
    return seal;
  }

  /** What is archived and not read here must be archived without gaps, too. */
  #follow({ firstSequence, lastSequence }: NonNullable<CheckedSeal['archive']>): void {
    const expected = this.#archivedUpTo + 1;
    this.#archivedUpTo = Math.max(this.#archivedUpTo, lastSequence);
    if (firstSequence <= expected || firstSequence - 1 > this.#start.sequence) return;
    const message = `no part of the archive is known to have entries ${expected} to ${firstSequence - 1}`;
    this.#tell({ kind: 'missing', from: expected, to: firstSequence - 1, message });
  }

  #compare(wanted: string | undefined, sequence: number, hash: string, which: string): void {
    if (wanted === undefined || wanted === hash) return;
    const message = `entry ${sequence} is not the one ${which}: it has SHA-256 ${hash}, not ${wanted}`;
    this.#tell({ kind: 'head-differs', from: sequence, to: sequence, message });
  }
}

/** The seals that are right in themselves, one by one; each is checked when its entry, which may bring its key, has been. */
class SealReader {
  readonly #kept: AsyncIterator<readonly KeptSeal[]>;
  readonly #check: (kept: KeptSeal) => CheckedSeal | null;
  #some: readonly KeptSeal[] = [];
  #place = 0;
  #isDone = false;

  constructor(kept: AsyncIterable<readonly KeptSeal[]>, check: (kept: KeptSeal) => CheckedSeal | null) {
    this.#kept = kept[Symbol.asyncIterator]();
    this.#check = check;
  }

  /** The next one of an entry up to this. */
  async upTo(sequence: number): Promise<CheckedSeal | null> {
    for (;;) {
      if (this.#place === this.#some.length && !(await this.#more())) return null;
      const kept = this.#some[this.#place];
      if (sealedSequence(kept.text) > sequence) return null;
      this.#place++;
      const seal = this.#check(kept);
      if (seal !== null) return seal;
    }
  }

  async #more(): Promise<boolean> {
    while (!this.#isDone) {
      const { value, done } = await this.#kept.next();
      this.#isDone = done === true;
      if (this.#isDone || value.length === 0) continue;
      this.#some = value;
      this.#place = 0;
      return true;
    }
    return false;
  }
}
