// Signatures over the chain: Ed25519 (RFC 8032, FIPS 186-5), which openssl verifies too.
//
// A chain alone shows that nothing was changed in the middle; whoever may write to the database could cut its end off, or
// write all of it anew. A signed head says: this was the newest entry then, and this its hash. Keys follow each other in the
// chain itself: a new one is vouched for by the one before.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson, readCanonicalJson } from './canonical-json.ts';
import type { ChainPoint } from './chain.ts';
import type { JsonValue } from './entry.ts';

/** A statement and the signature over its UTF-8 bytes. */
export interface SignedText {
  readonly text: string;
  readonly signature: Uint8Array;
}

export interface SigningKey {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
  /** 32 bytes; whoever has them signs. */
  readonly seed: Uint8Array;
  sign(text: string): Uint8Array;
}

/** `format` says what a signed text is about, so that one is never taken for another. */
export const HEAD_FORMAT = 'centinela-audit-head';
export const KEY_FORMAT = 'centinela-audit-key';
export const ARCHIVE_FORMAT = 'centinela-audit-archive';

export interface HeadStatement extends ChainPoint {
  readonly format: typeof HEAD_FORMAT;
  readonly atMs: number;
  readonly keyId: string;
}

/** The action of the entry that brings a key into the chain; its detail is `{ statement, signature (base64) }`. */
export const KEY_ADDED = 'audit.key-added';

export interface KeyStatement {
  readonly format: typeof KEY_FORMAT;
  readonly atMs: number;
  readonly keyId: string;
  readonly publicKey: string;
  /** Who signs the statement; null for the first key, which signs itself. */
  readonly previousKeyId: string | null;
}

/** One file of an archive: its entries, their place in the chain, its bytes. */
export interface ArchiveStatement {
  readonly format: typeof ARCHIVE_FORMAT;
  readonly atMs: number;
  readonly keyId: string;
  /** In Lima: `2026-01`. */
  readonly month: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Hash of the entry before the first. */
  readonly previous: string;
  readonly lastHash: string;
  readonly entries: ArchivedFile;
  /** Signed heads of these entries. */
  readonly heads: ArchivedFile;
  /** Kept at least until then. */
  readonly keepUntilMs: number;
}

export interface ArchivedFile {
  readonly file: string;
  readonly lines: number;
  /** Of the file as it is, compressed. */
  readonly sha256: string;
  readonly bytes: number;
  /** Of what is in it. */
  readonly plainBytes: number;
}

const SEED_BYTES = 32;
/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_ID_DIGITS = 32;

/** @param seed 32 random bytes */
export function signingKeyOf(seed: Uint8Array): SigningKey {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a key's seed has ${SEED_BYTES} bytes, this ${seed.length}`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    keyId: keyIdOf(spki),
    publicKey: spki.toString('base64'),
    seed,
    sign: (text) => new Uint8Array(sign(null, Buffer.from(text), privateKey)),
  };
}

/** The first half of the public key's SHA-256: the id proves which key it is. */
export function keyIdOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('hex').slice(0, KEY_ID_DIGITS);
}

/** @returns null where the text is no Ed25519 public key */
export function readPublicKey(base64: string): { readonly keyId: string; readonly key: KeyObject } | null {
  const spki = Buffer.from(base64, 'base64');
  const isKey =
    spki.toString('base64') === base64 &&
    spki.length === PUBLIC_PREFIX.length + SEED_BYTES &&
    spki.subarray(0, PUBLIC_PREFIX.length).equals(PUBLIC_PREFIX);
  if (!isKey) return null;
  return { keyId: keyIdOf(spki), key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

/** As files of public keys are: what openssl reads. */
export function pemOf(publicKey: string): string {
  return `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`;
}

/** All public keys of a PEM text, base64. */
export function keysOfPem(pem: string): string[] {
  const blocks = pem.matchAll(/-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/g);
  return [...blocks].map(([, body]) => body.replace(/\s/g, '')).filter((each) => readPublicKey(each) !== null);
}

export function verifySignature(key: KeyObject, { text, signature }: SignedText): boolean {
  return verify(null, Buffer.from(text), key, signature);
}

export function signStatement(key: SigningKey, statement: HeadStatement | KeyStatement | ArchiveStatement): SignedText {
  const text = canonicalJson(statement as unknown as JsonValue);
  return { text, signature: key.sign(text) };
}

export function signHead(key: SigningKey, { sequence, hash }: ChainPoint, atMs: number): SignedText {
  return signStatement(key, { format: HEAD_FORMAT, atMs, keyId: key.keyId, sequence, hash });
}

/** @param previous null for the first key of all */
export function introduceKey(key: SigningKey, previous: SigningKey | null, atMs: number): SignedText {
  const { keyId, publicKey } = key;
  const statement = { format: KEY_FORMAT, atMs, keyId, publicKey, previousKeyId: previous?.keyId ?? null } as const;
  return signStatement(previous ?? key, statement);
}

type Statement = HeadStatement | KeyStatement | ArchiveStatement;

/** @returns null where the text is no statement of that kind */
export function readStatement<Format extends Statement['format']>(
  text: string,
  format: Format,
): Extract<Statement, { readonly format: Format }> | null {
  const value = readCanonicalJson(text) as Partial<Statement> | null | undefined;
  if (value?.format !== format || typeof value.keyId !== 'string' || !Number.isSafeInteger(value.atMs)) return null;
  return hasShape[format](value as never) ? (value as Extract<Statement, { readonly format: Format }>) : null;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isFile = (file: Partial<ArchivedFile> | undefined): boolean =>
  [file?.file, file?.sha256].every(isText) && [file?.lines, file?.bytes, file?.plainBytes].every(Number.isSafeInteger);

const hasShape: { readonly [Format in Statement['format']]: (value: never) => boolean } = {
  [HEAD_FORMAT]: ({ sequence, hash }: HeadStatement) => Number.isSafeInteger(sequence) && isText(hash),
  [KEY_FORMAT]: ({ publicKey, previousKeyId }: KeyStatement) =>
    isText(publicKey) && (previousKeyId === null || isText(previousKeyId)),
  [ARCHIVE_FORMAT]: (given: ArchiveStatement) =>
    [given.firstSequence, given.lastSequence, given.keepUntilMs].every(Number.isSafeInteger) &&
    [given.month, given.previous, given.lastHash].every(isText) &&
    [given.entries, given.heads].every(isFile),
};
