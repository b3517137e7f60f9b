// Checks signatures: whose they are, whether they are right, and who vouches for the keys.
//
// Trust goes one way: from the keys that the verifier brings to those that they vouched for. That a key stands in the chain
// says nothing, for whoever may write to the database can put one there. A key from before the trusted ones, which vouched
// for them, is no break as long as a trusted signature covers all that it signed.
import { createHash, type KeyObject } from 'node:crypto';
import type { AuditBreakKind, KeptKey, KeptSeal, TellBreak } from './audit-source.ts';
import type { AuditEntry } from './chain.ts';
import { differingColumns } from './chain-check.ts';
import {
  ARCHIVE_FORMAT,
  type ArchiveStatement,
  HEAD_FORMAT,
  KEY_ADDED,
  KEY_FORMAT,
  type KeyStatement,
  readPublicKey,
  readStatement,
  type SignedText,
  verifySignature,
} from './signing.ts';

/** More are not taken in: a bank that changes its key every day has so many after 27 years. */
const MOST_KEYS = 10_000;

interface Known {
  readonly key: KeyObject;
  /** Whose signature brought it in; null where nobody's did. */
  vouchedBy: string | null;
  isFirst: boolean;
  /** When it was brought in, as the statement says. */
  sinceMs: number;
  /** Entries that brought it in. */
  sequence: number | null;
  seals: number;
  signedUpTo: number;
  signedAtMs: number;
}

/** A seal that is right in itself. */
export interface CheckedSeal {
  readonly sequence: number;
  readonly hash: string;
  readonly atMs: number;
  readonly keyId: string;
  /** null for a head. */
  readonly archive: ArchiveStatement | null;
}

export interface KeyReport {
  readonly keyId: string;
  readonly isTrusted: boolean;
  /** Right signatures. */
  readonly seals: number;
  readonly signedUpTo: number | null;
  readonly signedAtMs: number | null;
}

export class SealCheck {
  readonly #tell: TellBreak;
  readonly #keys = new Map<string, Known>();
  readonly #given = new Set<string>();
  /** Keys whose voucher has not come yet. */
  readonly #waiting: { signed: SignedText; statement: KeyStatement; sequence: number | null }[] = [];
  /** Ids that signatures name and nobody knows, with how many there are and the greatest sequence. */
  readonly #strangers = new Map<string, { seals: number; upTo: number }>();

  /** @param given public keys that are trusted, base64; where there are none, the first key of all is */
  constructor(given: readonly string[], tell: TellBreak) {
    this.#tell = tell;
    for (const each of given) {
      const read = readPublicKey(each);
      if (read === null) throw new RangeError('a public key that is trusted is no Ed25519 key');
      this.#given.add(read.keyId);
      this.#know(read.keyId, read.key);
    }
  }

  takeKey({ text, signature, columns, sealed }: KeptKey): void {
    const statement = this.#introduce({ text, signature }, null);
    if (statement === null) return;
    const differing = columns === null ? [] : differingColumns(columns, { ...statement });
    if (differing.length > 0) {
      this.#say('key-changed', null, `key ${statement.keyId}: ${differing.join(', ')} beside its text differs`);
    }
    if (sealed !== null && createHash('sha256').update(sealed.bytes).digest('hex') !== sealed.sha256) {
      this.#say('key-changed', null, `key ${statement.keyId}: its sealed private key was changed`);
    }
  }

  takeEntry({ sequence, action, detail }: AuditEntry): void {
    if (action !== KEY_ADDED) return;
    const { statement, signature } = detail;
    if (typeof statement === 'string' && typeof signature === 'string') {
      this.#introduce({ text: statement, signature: Buffer.from(signature, 'base64') }, sequence);
    } else this.#say('key-changed', sequence, `entry ${sequence} brings a key and does not say which`);
  }

  /** @returns null where it is not right in itself, which was told */
  takeSeal({ text, signature, columns }: KeptSeal): CheckedSeal | null {
    const head = readStatement(text, HEAD_FORMAT);
    const archive = head === null ? readStatement(text, ARCHIVE_FORMAT) : null;
    const statement = head ?? archive;
    const near = typeof columns?.sequence === 'number' ? columns.sequence : null;
    if (statement === null) {
      this.#say('head-changed', near, `the signed head of entry ${near ?? '?'}: its text is no head's any more`);
      return null;
    }
    const sequence = head?.sequence ?? archive!.lastSequence;
    const differing = columns === null ? [] : differingColumns(columns, { ...statement });
    if (differing.length > 0) {
      this.#say(
        'head-changed',
        sequence,
        `the signed head of entry ${sequence}: ${differing.join(', ')} beside it differs`,
      );
    }
    const known = this.#keys.get(statement.keyId);
    if (known === undefined) {
      const stranger = this.#strangers.get(statement.keyId) ?? { seals: 0, upTo: 0 };
      if (this.#strangers.size >= MOST_KEYS) return null;
      const upTo = Math.max(stranger.upTo, sequence);
      this.#strangers.set(statement.keyId, { seals: stranger.seals + 1, upTo });
      return null;
    }
    if (!verifySignature(known.key, { text, signature })) {
      this.#say(
        'signature-wrong',
        sequence,
        `the signature on the head of entry ${sequence} is not key ${statement.keyId}'s`,
      );
      return null;
    }
    known.seals++;
    if (sequence >= known.signedUpTo) {
      known.signedUpTo = sequence;
      known.signedAtMs = statement.atMs;
    }
    const { atMs, keyId } = statement;
    return { sequence, hash: head?.hash ?? archive!.lastHash, atMs, keyId, archive };
  }

  /** Tells of signatures that nobody vouches for. */
  finish(): readonly KeyReport[] {
    // Those that came before the key that vouches for them.
    for (const { signed, statement, sequence } of this.#waiting.splice(0)) {
      if (this.#keys.has(statement.previousKeyId!)) this.#introduce(signed, sequence);
    }
    const trusted = this.#trusted();
    const covered = Math.max(-1, ...[...trusted].map((keyId) => this.#keys.get(keyId)!.signedUpTo));
    const ancestors = this.#ancestorsOf(trusted);
    for (const [keyId, { seals, signedUpTo, sequence }] of this.#keys) {
      if (trusted.has(keyId) || (ancestors.has(keyId) && signedUpTo <= covered)) continue;
      if (seals > 0) this.#say('key-unknown', signedUpTo, unvouched(keyId, seals, signedUpTo));
      else if (sequence !== null) {
        this.#say('key-unknown', sequence, `entry ${sequence} brings in key ${keyId}, which nobody vouches for`);
      }
    }
    for (const [keyId, { seals, upTo }] of this.#strangers) {
      this.#say('key-unknown', upTo, unvouched(keyId, seals, upTo));
    }
    return [...this.#keys].map(([keyId, { seals, signedUpTo, signedAtMs }]) => ({
      ...{ keyId, isTrusted: trusted.has(keyId), seals },
      ...(seals > 0 ? { signedUpTo, signedAtMs } : { signedUpTo: null, signedAtMs: null }),
    }));
  }

  #know(keyId: string, key: KeyObject): Known {
    const known = this.#keys.get(keyId);
    if (known !== undefined) return known;
    const fresh = { key, vouchedBy: null, isFirst: false, sinceMs: 0, sequence: null };
    const made = { ...fresh, seals: 0, signedUpTo: -1, signedAtMs: 0 };
    if (this.#keys.size < MOST_KEYS) this.#keys.set(keyId, made);
    return made;
  }

  #introduce(signed: SignedText, sequence: number | null) {
    const where = sequence === null ? 'among the keys' : `entry ${sequence}`;
    const statement = readStatement(signed.text, KEY_FORMAT);
    const read = statement === null ? null : readPublicKey(statement.publicKey);
    if (statement === null || read === null || read.keyId !== statement.keyId) {
      this.#say('key-changed', sequence, `${where}: a key is not what its id says`);
      return null;
    }
    const known = this.#know(statement.keyId, read.key);
    known.sequence ??= sequence;
    known.sinceMs = statement.atMs;
    const { previousKeyId } = statement;
    const voucher = previousKeyId === null ? known : this.#keys.get(previousKeyId);
    if (voucher === undefined) {
      if (this.#waiting.length < MOST_KEYS) this.#waiting.push({ signed, statement, sequence });
    } else if (!verifySignature(voucher.key, signed)) {
      this.#say('signature-wrong', sequence, `${where}: key ${statement.keyId} is not vouched for as it says`);
    } else if (previousKeyId === null) known.isFirst = true;
    else known.vouchedBy = previousKeyId;
    return statement;
  }

  #trusted(): ReadonlySet<string> {
    const first = [...this.#keys].filter(([, { isFirst }]) => isFirst).sort(([, a], [, b]) => a.sinceMs - b.sinceMs);
    const trusted = new Set(this.#given.size > 0 ? this.#given : first.slice(0, 1).map(([keyId]) => keyId));
    for (let size = -1; size !== trusted.size; ) {
      size = trusted.size;
      for (const [keyId, { vouchedBy }] of this.#keys) {
        if (vouchedBy !== null && trusted.has(vouchedBy)) trusted.add(keyId);
      }
    }
    return trusted;
  }

  #ancestorsOf(keyIds: ReadonlySet<string>): ReadonlySet<string> {
    const ancestors = new Set<string>();
    for (const keyId of keyIds) {
      let voucher = this.#keys.get(keyId)?.vouchedBy ?? null;
      while (voucher !== null && !ancestors.has(voucher)) {
        ancestors.add(voucher);
        voucher = this.#keys.get(voucher)?.vouchedBy ?? null;
      }
    }
    return ancestors;
  }

  #say(kind: AuditBreakKind, sequence: number | null, message: string): void {
    this.#tell({ kind, from: sequence, to: sequence, message });
  }
}

/** The entry that a seal is about; 0 where its text does not say. */
export function sealedSequence(text: string): number {
  return readStatement(text, HEAD_FORMAT)?.sequence ?? readStatement(text, ARCHIVE_FORMAT)?.lastSequence ?? 0;
}

function unvouched(keyId: string, seals: number, upTo: number): string {
  return `${seals} signed heads, the last of entry ${upTo}, are of key ${keyId}, which nobody vouches for`;
}
