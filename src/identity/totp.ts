// One-time codes by time (TOTP, RFC 6238, over HOTP, RFC 4226), as authenticator apps make them: SHA-1, six digits, a new
// one every 30 s. A code of one step earlier or later is taken, for clocks that are off. No code twice: whoever keeps the
// step of the last one that was taken passes it here, and only later steps count (RFC 6238 5.2).
import { createHmac, timingSafeEqual } from 'node:crypto';

export const TOTP_STEP_MS = 30_000;
export const TOTP_DIGITS = 6;
/** RFC 4226 4, R6: 160 bits. */
export const TOTP_SECRET_BYTES = 20;
/** Steps before and after the present one. */
const TOLERANCE_STEPS = 1;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export type OtpHash = 'sha1' | 'sha256' | 'sha512';

/** RFC 4226 5.3. */
export function hotp(secret: Uint8Array, counter: number, digits = TOTP_DIGITS, hash: OtpHash = 'sha1'): string {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setBigUint64(0, BigInt(counter));
  const mac = createHmac(hash, secret).update(message).digest();
  const truncated = mac.readUInt32BE(mac[mac.length - 1] & 0xf) & 0x7fffffff;
  return String(truncated % 10 ** digits).padStart(digits, '0');
}

export function totpStep(atMs: number): number {
  return Math.floor(atMs / TOTP_STEP_MS);
}

/**
 * The step that a code belongs to; null where it belongs to none that counts.
 *
 * @param lastStep of the last code that was taken; null where there was none
 */
export function matchingStep(secret: Uint8Array, code: string, nowMs: number, lastStep: number | null): number | null {
  const given = code.replace(/\s/g, '');
  if (!/^\d{6}$/.test(given)) return null;
  const present = totpStep(nowMs);
  let found: number | null = null;
  // All are compared, whichever it is.
  for (let step = present - TOLERANCE_STEPS; step <= present + TOLERANCE_STEPS; step++) {
    const isSame = timingSafeEqual(Buffer.from(hotp(secret, step)), Buffer.from(given));
    if (isSame && step > (lastStep ?? -1)) found = step;
  }
  return found;
}

/** RFC 4648 without padding, as people type it. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let word = 0;
  for (const byte of bytes) {
    word = ((word << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(word >>> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + BASE32[(word << (5 - bits)) & 31];
}

/** What a QR code says to an authenticator app. */
export function totpUri(secret: Uint8Array, issuer: string, login: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(login)}`;
  const parameters = `secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`;
  return `otpauth://totp/${label}?${parameters}&algorithm=SHA1&digits=${TOTP_DIGITS}&period=${TOTP_STEP_MS / 1000}`;
}
