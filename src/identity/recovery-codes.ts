// Codes for whoever has lost the device that makes one-time codes: ten, each for once. 80 random bits each and hashed with
// whose they are, which is beyond guessing even for somebody who has the hashes (NIST SP 800-63B-4 3.1.2.2).
import { hashSecret } from './tokens.ts';
import { base32, TOTP_DIGITS } from './totp.ts';

export const RECOVERY_CODES = 10;
const CODE_BYTES = 10;
const GROUP = /.{4}/g;

/** `abcd-efgh-ijkl-mnop` each; shown once. */
export function newRecoveryCodes(randomBytes: (size: number) => Uint8Array): string[] {
  return Array.from({ length: RECOVERY_CODES }, () =>
    (base32(randomBytes(CODE_BYTES)).toLowerCase().match(GROUP) ?? []).join('-'),
  );
}

/** With or without dashes, spaces and capitals. */
export function hashRecoveryCode(userId: string, code: string): Uint8Array {
  return hashSecret(`${userId} ${code.toLowerCase().replace(/[\s-]/g, '')}`);
}

/** Told from a code of an app by its length. */
export function isRecoveryCode(code: string): boolean {
  const plain = code.replace(/[\s-]/g, '');
  return plain.length > TOTP_DIGITS && /^[a-z2-7]{16}$/i.test(plain);
}
