// Signing what is sent to other systems, and telling whether what comes from them is theirs.
//
// HMAC-SHA-256 (RFC 2104) over `timestamp.body`, hexadecimal, in one header:
//
//   Centinela-Signature: t=1764172800,v1=5257a869…,v1=9b71d224…
//
// `t` is in seconds. While a secret is being changed there is a `v1` of each, so that the receiver changes when it likes.
// The time is signed, so what was recorded cannot be sent again after `REPLAY_WINDOW_MS`; within it each id counts once
// (`takeOnce` of the records), which is why the id is in the body, too.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { InputError } from '../lib/errors.ts';

export const SIGNATURE_HEADER = 'Centinela-Signature';
export const REPLAY_WINDOW_MS = 5 * 60_000;
export const MOST_BODY_BYTES = 64 * 1024;
/** A secret is at least as long as the hash (RFC 2104 §3 discourages less). */
const LEAST_SECRET_BYTES = 32;

const MOST_HEADER = 1024;
const MOST_SIGNATURES = 4;

export type SignatureProblem =
  | 'header-missing'
  | 'header-malformed'
  | 'body-too-large'
  | 'too-old'
  | 'in-the-future'
  | 'signature-wrong';

export type Verification =
  | { readonly isValid: true; readonly signedMs: number }
  | { readonly isValid: false; readonly problem: SignatureProblem };

/** The header's value. @param secrets one, or two while they are changed, newest first */
export function signWebhook(body: Uint8Array, secrets: readonly Uint8Array[], nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  return [`t=${seconds}`, ...secrets.map((secret) => `v1=${digest(body, secret, seconds).toString('hex')}`)].join(',');
}

/**
 * Whether the bytes were signed by somebody who has one of the secrets, a short while ago. Takes the same time whatever
 * signature it is given.
 *
 * @param header what came; null where it is missing
 * @param body the bytes as they came, before they are parsed
 */
export function verifyWebhook(
  header: string | null,
  body: Uint8Array,
  secrets: readonly Uint8Array[],
  nowMs: number,
): Verification {
  if (header === null || header === '') return { isValid: false, problem: 'header-missing' };
  if (body.length > MOST_BODY_BYTES) return { isValid: false, problem: 'body-too-large' };
  const read = readHeader(header);
  if (read === null) return { isValid: false, problem: 'header-malformed' };
  let isSigned = false;
  for (const secret of secrets) {
    const expected = digest(body, secret, read.seconds);
    for (const signature of read.signatures) {
      // No early end: how long it takes does not tell which one was right.
      isSigned = timingSafeEqual(expected, signature) || isSigned;
    }
  }
  if (!isSigned) return { isValid: false, problem: 'signature-wrong' };
  const signedMs = read.seconds * 1000;
  if (signedMs < nowMs - REPLAY_WINDOW_MS) return { isValid: false, problem: 'too-old' };
  if (signedMs > nowMs + REPLAY_WINDOW_MS) return { isValid: false, problem: 'in-the-future' };
  return { isValid: true, signedMs };
}

/** @throws InputError where one is too short to keep anybody out */
export function demandSecrets(secrets: readonly Uint8Array[]): void {
  if (secrets.length > 0 && secrets.every((secret) => secret.length >= LEAST_SECRET_BYTES)) return;
  throw new InputError(
    'WEBHOOK_SECRET_SHORT',
    `A webhook's secret is missing or shorter than ${LEAST_SECRET_BYTES} bytes`,
    'Make one with: openssl rand -hex 32',
  );
}

function readHeader(header: string): { seconds: number; signatures: Buffer[] } | null {
  if (header.length > MOST_HEADER) return null;
  let seconds: number | null = null;
  const signatures: Buffer[] = [];
  for (const part of header.split(',')) {
    const [, name, value] = /^\s*([a-z][a-z0-9]*)=([0-9a-zA-Z]+)\s*$/.exec(part) ?? [];
    if (name === undefined) return null;
    if (name === 't') {
      if (seconds !== null || !/^\d{1,12}$/.test(value)) return null;
      seconds = Number(value);
    }
    if (name === 'v1') {
      if (!/^[0-9a-f]{64}$/.test(value) || signatures.length >= MOST_SIGNATURES) return null;
      signatures.push(Buffer.from(value, 'hex'));
    }
  }
  return seconds === null || signatures.length === 0 ? null : { seconds, signatures };
}

function digest(body: Uint8Array, secret: Uint8Array, seconds: number): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();
}
