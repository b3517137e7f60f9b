// Secrets that stand for somebody: sessions, invitations, keys. 256 random bits, which nobody guesses, so the plain SHA-256
// of one is all that is kept, and whoever reads the database cannot use what is there.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

export type RandomBytes = (size: number) => Uint8Array;

const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const ID_BYTES = 16;
const ID = /^[0-9a-f]{32}$/;

/** In base64url, 43 characters. */
export function newToken(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(TOKEN_BYTES)).toString('base64url');
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** 128 random bits in hexadecimal. */
export function newId(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(ID_BYTES)).toString('hex');
}

export function isId(text: string): boolean {
  return ID.test(text);
}

export function hashSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * What a page sends along with whatever changes something, to show that it could read what this session was answered
 * (OWASP's HMAC pattern). Bound to the session by the session's own secret: there is no key to keep, and it ends with the
 * session.
 */
export function csrfToken(sessionToken: string, sessionId: string): string {
  return createHmac('sha256', sessionToken).update(`csrf ${sessionId}`).digest('base64url');
}

export function isCsrfToken(given: string, sessionToken: string, sessionId: string): boolean {
  return isSameHash(Buffer.from(given), Buffer.from(csrfToken(sessionToken, sessionId)));
}
