// A value at rest, sealed: AES-256-GCM (NIST SP 800-38D) under a data key, in one compact run of bytes.
//
//   version 1 byte | id of the data key 16 | nonce 12 | ciphertext | tag 16
//
// What the value is of (table, row, field) is authenticated with it: a ciphertext that was moved elsewhere does not open.
// Nonces are random, so one key seals at most 2^32 values (SP 800-38D, 8.3); keys are replaced long before (data-keys.ts).
// Keys are kept as `KeyObject`: given as bytes, node:crypto prepares them anew each time, which costs five times the sealing.
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomFillSync } from 'node:crypto';
import { assert } from '../lib/assert.ts';

/** Opened: it can seal and open. */
export interface DataKey {
  readonly id: DataKeyId;
  readonly key: KeyObject;
  /** ms UTC; a key is replaced after a while. */
  readonly createdMs: number;
}

/** 32 hexadecimal digits: 128 random bits. */
export type DataKeyId = string;

/** What a value is of. */
export interface SealedPlace {
  readonly table: string;
  readonly row: string;
  readonly field: string;
}

/** The bytes are not what was sealed there: changed, moved from elsewhere, or no envelope at all. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
  readonly code = 'ENVELOPE_BROKEN';
}

export const KEY_BYTES = 32;
export const KEY_ID_BYTES = 16;
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TEXT_AT = NONCE_AT + NONCE_BYTES;
/** What sealing adds. */
export const ENVELOPE_BYTES = TEXT_AT + TAG_BYTES;
const CIPHER = 'aes-256-gcm';
const TAG = { authTagLength: TAG_BYTES } as const;

/** Random bytes are drawn for many nonces at once; each is used once. */
const NONCES = Buffer.alloc(NONCE_BYTES * 1024);
let nextNonce = NONCES.length;

/** @param bytes 32 random bytes; they are copied and overwritten with zeros */
export function dataKey(id: DataKeyId, bytes: Uint8Array, createdMs: number): DataKey {
  assert(bytes.length === KEY_BYTES && id.length === 2 * KEY_ID_BYTES, 'a data key has 32 bytes and an id of 16');
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, key, createdMs };
}

export function sealBytes(key: DataKey, plain: Uint8Array, place: SealedPlace): Uint8Array {
  const sealed = Buffer.allocUnsafe(plain.length + ENVELOPE_BYTES);
  sealed[0] = VERSION;
  sealed.write(key.id, 1, 'hex');
  takeNonce().copy(sealed, NONCE_AT);
  const cipher = createCipheriv(CIPHER, key.key, sealed.subarray(NONCE_AT, TEXT_AT), TAG);
  cipher.setAAD(authenticated(place));
  cipher.update(plain).copy(sealed, TEXT_AT);
  cipher.final();
  cipher.getAuthTag().copy(sealed, TEXT_AT + plain.length);
  return sealed;
}

/** Which key opens it. @throws EnvelopeError where it is no envelope of this version */
export function keyIdOf(sealed: Uint8Array): DataKeyId {
  if (sealed.length < ENVELOPE_BYTES) throw new EnvelopeError('The bytes are too short for an envelope');
  if (sealed[0] !== VERSION) throw new EnvelopeError(`There is no version ${sealed[0]} of envelopes`);
  return bufferOf(sealed).toString('hex', 1, NONCE_AT);
}

/** @throws EnvelopeError where the bytes are not what this key sealed at this place */
export function openBytes(key: DataKey, sealed: Uint8Array, place: SealedPlace): Uint8Array {
  if (keyIdOf(sealed) !== key.id) throw new EnvelopeError('The envelope was sealed with another key');
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key.key, sealed.subarray(NONCE_AT, TEXT_AT), TAG);
  decipher.setAAD(authenticated(place));
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(TEXT_AT, end));
  try {
    decipher.final();
  } catch {
    throw new EnvelopeError(`What is sealed in ${place.table}.${place.field} was changed, or is of another row`);
  }
  return plain;
}

/** Lengths come before the texts, so that no two places give the same bytes. */
function authenticated({ table, row, field }: SealedPlace): Buffer {
  return Buffer.from(`centinela/${VERSION}/${table.length}:${table}/${row.length}:${row}/${field}`);
}

function takeNonce(): Buffer {
  if (nextNonce === NONCES.length) {
    randomFillSync(NONCES);
    nextNonce = 0;
  }
  nextNonce += NONCE_BYTES;
  return NONCES.subarray(nextNonce - NONCE_BYTES, nextNonce);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
