// Card numbers in clear become tokens where they come in, so that none is kept, shown or logged. (The service has a pepper
// under its master keys, and makes tokens with that: privacy/tokens.ts.)
import { createHmac } from 'node:crypto';
import { InputError } from '../lib/errors.ts';

/**
 * Keys the tokens of card numbers where the installation has no secret of its own. It is public: it keeps card numbers out of
 * files, screens and logs and keeps one card one token across files, but who knows it can try all numbers.
 */
const PUBLIC_KEY = 'centinela/card-token/v1';
const LEAST_SECRET_CHARACTERS = 32;

let key = PUBLIC_KEY;

/**
 * Once, before anything is read: tokens of before are not those of after.
 *
 * @throws InputError where it is too short to keep anybody from trying all
 */
export function keyCardTokens(secret: string): void {
  if (secret.length < LEAST_SECRET_CHARACTERS) {
    throw new InputError(
      'CARD_KEY_SHORT',
      `CENTINELA_CARD_KEY has fewer than ${LEAST_SECRET_CHARACTERS} characters`,
      'Make one with: openssl rand -hex 32',
    );
  }
  key = secret;
}

/** "tok_3f9a6c21d4e80b57_1234": 64 bits of HMAC-SHA-256 and the last four characters (PCI DSS 3.4.1). */
export function cardToken(text: string): string {
  const digits = text.replace(/[ -]/g, '');
  const hash = createHmac('sha256', key).update(digits).digest('hex').slice(0, 16);
  return `tok_${hash}_${digits.length > 8 ? digits.slice(-4) : '****'}`;
}
