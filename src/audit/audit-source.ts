// What an audit is verified from: a database or an archive, read as it lies there, without believing any of it.
import type { ChainPoint } from './chain.ts';
import type { SignedText } from './signing.ts';

/** An entry as it is kept. */
export interface KeptEntry {
  readonly text: string;
  /** null where it is not kept beside the text. */
  readonly hash: string | null;
  /** What is kept beside the text to be looked for, by the names of `entryColumns`; null where nothing is. */
  readonly columns: Readonly<Record<string, unknown>> | null;
}

/** A signed head, or the signed statement about a part of the archive. */
export interface KeptSeal extends SignedText {
  /** By the names of the statement's members; null where nothing is kept beside the text. */
  readonly columns: Readonly<Record<string, unknown>> | null;
}

export interface KeptKey extends SignedText {
  readonly columns: Readonly<Record<string, unknown>> | null;
  /** The private key, sealed, and the hash that is kept of that; null where only public keys are. */
  readonly sealed: { readonly bytes: Uint8Array; readonly sha256: string } | null;
}

export type AuditBreakKind =
  /** An entry's text does not have its hash, or is no entry. */
  | 'entry-changed'
  | 'columns-differ'
  /** An entry does not follow the one before it that is there. */
  | 'link-broken'
  | 'missing'
  | 'reordered'
  | 'repeated'
  | 'forked'
  /** Fewer entries than were signed, or than the database says there are. */
  | 'truncated'
  /** Entries after the one that the database says is the newest, or the newest is another. */
  | 'end-differs'
  /** The entry is not the one that was signed. */
  | 'head-differs'
  | 'head-changed'
  | 'signature-wrong'
  | 'key-changed'
  | 'key-unknown'
  /** There are keys and no signature. */
  | 'unsigned'
  /** A file of the archive is missing or is not what its manifest says. */
  | 'archive-changed';

export interface AuditBreak {
  readonly kind: AuditBreakKind;
  /** Entries, by sequence; null where it is about none. */
  readonly from: number | null;
  readonly to: number | null;
  readonly message: string;
}

export type TellBreak = (found: AuditBreak) => void;

export interface AuditSource {
  /** In messages. */
  readonly name: string;
  /** Where its entries begin. */
  start(): Promise<ChainPoint>;
  /** What it says is its newest entry: null where it says nothing of it, 'gone' where it should. */
  end(): Promise<ChainPoint | null | 'gone'>;
  keys(): Promise<readonly KeptKey[]>;
  /** In their order; some at a time. */
  entries(tell: TellBreak): AsyncIterable<readonly KeptEntry[]>;
  /** In the order of the entries they are about. */
  seals(tell: TellBreak): AsyncIterable<readonly KeptSeal[]>;
}
