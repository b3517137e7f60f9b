// Passwords at rest: Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet recommends first
// for a server that logs many people in: 19 MiB, 2 passes, 1 lane.
//
// A hash is kept as a PHC string, so it says with which parameters it was made: they can rise later, and whoever logs in
// next is hashed anew. Every hash costs 19 MiB while it runs, so only a few run at once, a bounded number waits, and what
// is beyond is turned away instead of taking the machine's memory.
import { argon2, timingSafeEqual } from 'node:crypto';
import { InputError } from '../lib/errors.ts';

export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

export const OWASP_COST: PasswordCost = { memoryKib: 19_456, passes: 2, lanes: 1 };

export interface PasswordHasherSettings {
  readonly cost: PasswordCost;
  readonly mostAtOnce: number;
  /** Beyond those that run. */
  readonly mostWaiting: number;
}

export const DEFAULT_PASSWORD_HASHER: PasswordHasherSettings = { cost: OWASP_COST, mostAtOnce: 2, mostWaiting: 64 };

export interface PasswordHasher {
  /** @param salt 16 random bytes */
  hash(password: string, salt: Uint8Array): Promise<string>;
  /**
   * Takes the same time where there is no hash (null: nobody of that name, or no password): the answer is then false.
   *
   * @throws InputError with code `IDENTITY_BUSY` where too many wait already
   */
  verify(password: string, stored: string | null): Promise<boolean>;
  /** Made with other parameters than those of today. */
  isOutdated(stored: string): boolean;
}

const TAG_BYTES = 32;
const SALT_BYTES = 16;
/** Of hashes that are read; what is beyond was not written by Centinela. */
const MOST_MEMORY_KIB = 4 * 1024 * 1024;
const MOST_PASSES = 100;
const MOST_LANES = 64;

interface StoredHash {
  readonly cost: PasswordCost;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

export function createPasswordHasher(settings: PasswordHasherSettings = DEFAULT_PASSWORD_HASHER): PasswordHasher {
  const { cost, mostAtOnce, mostWaiting } = settings;
  const nobody: StoredHash = { cost, salt: new Uint8Array(SALT_BYTES), tag: new Uint8Array(TAG_BYTES) };
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= mostAtOnce) {
      if (waiting.length >= mostWaiting) {
        throw new InputError('IDENTITY_BUSY', 'Too many passwords are being checked', 'Try again in a few seconds');
      }
      // Whoever finishes hands its place over, so nobody slips in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  return {
    async hash(password, salt) {
      const tag = await inTurn(() => deriveTag(password, salt, cost));
      const { memoryKib, passes, lanes } = cost;
      return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${base64(salt)}$${base64(tag)}`;
    },
    async verify(password, stored) {
      const { salt, tag, cost: storedCost } = stored === null ? nobody : readHash(stored);
      const given = await inTurn(() => deriveTag(password, salt, storedCost, tag.length));
      return timingSafeEqual(given, tag) && stored !== null;
    },
    isOutdated(stored) {
      const { memoryKib, passes, lanes } = readHash(stored).cost;
      return memoryKib !== cost.memoryKib || passes !== cost.passes || lanes !== cost.lanes;
    },
  };
}

/** The same text typed on another keyboard is the same password (NFKC, NIST SP 800-63B 3.1.1.2). */
function deriveTag(password: string, salt: Uint8Array, cost: PasswordCost, tagBytes = TAG_BYTES): Promise<Uint8Array> {
  const parameters = {
    ...{ message: password.normalize('NFKC'), nonce: salt, tagLength: tagBytes },
    ...{ memory: cost.memoryKib, passes: cost.passes, parallelism: cost.lanes },
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{22,128})$/;

function readHash(stored: string): StoredHash {
  const match = PHC.exec(stored);
  const [memoryKib, passes, lanes] = (match?.slice(1, 4) ?? []).map(Number);
  if (match === null || memoryKib > MOST_MEMORY_KIB || passes > MOST_PASSES || lanes > MOST_LANES) {
    throw new InputError(
      'PASSWORD_HASH_INVALID',
      'A stored password hash is not one that Centinela writes',
      'Have the password reset',
    );
  }
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  return { cost: { memoryKib, passes, lanes }, salt: bytes(match[4]), tag: bytes(match[5]) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
