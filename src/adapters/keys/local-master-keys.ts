// Master keys that are here: AES-256-GCM with keys from a file or from the configuration. They are as safe as where they
// were read from; a bank that has Vault or a key service uses that.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { InputError } from '../../lib/errors.ts';
import type { MasterKeys, WrapRequest } from '../../ports.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';
const TAG = { authTagLength: TAG_BYTES } as const;
const MOST_KEYS = 20;

export class LocalMasterKeys implements MasterKeys {
  readonly currentId: string;
  readonly #keys = new Map<string, KeyObject>();

  /**
   * @param kind what ids begin with: `file`, `variable`
   * @param keys the current one first; their bytes are overwritten with zeros
   * @throws InputError MASTER_KEY_INVALID
   */
  constructor(kind: string, keys: readonly Uint8Array[]) {
    const ids = keys.map((key) => `${kind}:${fingerprintOf(key)}`);
    if (keys.length === 0 || keys.length > MOST_KEYS || new Set(ids).size < ids.length) {
      throw new InputError(
        'MASTER_KEY_INVALID',
        `There must be 1 to ${MOST_KEYS} different master keys, and there are ${keys.length}`,
        'Take out what is too much',
      );
    }
    keys.forEach((key, index) => {
      if (key.length !== KEY_BYTES) throw wrongLength(key.length);
      this.#keys.set(ids[index], createSecretKey(key));
      key.fill(0);
    });
    this.currentId = ids[0];
  }

  opens(masterId: string): boolean {
    return this.#keys.has(masterId);
  }

  async wrap(requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]> {
    const key = this.#keyOf(this.currentId);
    return requests.map(({ bytes, context }) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, TAG);
      cipher.setAAD(Buffer.from(context));
      const sealed = [nonce, cipher.update(bytes), cipher.final()];
      return Buffer.concat([...sealed, cipher.getAuthTag()]);
    });
  }

  async unwrap(masterId: string, requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]> {
    const key = this.#keyOf(masterId);
    return requests.map(({ bytes, context }) => {
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw notWrapped(masterId);
      const end = bytes.length - TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), TAG);
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(end));
      const plain = decipher.update(bytes.subarray(NONCE_BYTES, end));
      try {
        decipher.final();
      } catch {
        throw notWrapped(masterId);
      }
      return plain;
    });
  }

  #keyOf(masterId: string): KeyObject {
    const key = this.#keys.get(masterId);
    if (key !== undefined) return key;
    throw new InputError(
      'MASTER_KEY_MISSING',
      `The master key ${masterId} is not here`,
      'Give it beside the current one, as an older key; without it what it wrapped cannot be read',
    );
  }
}

/** 64 bits that name a key and say nothing about it. */
function fingerprintOf(key: Uint8Array): string {
  return createHmac('sha256', key).update('centinela/master-key-id').digest('hex').slice(0, 16);
}

function wrongLength(bytes: number): InputError {
  return new InputError(
    'MASTER_KEY_INVALID',
    `A master key has ${bytes} bytes; it must have ${KEY_BYTES}`,
    'Make one with: openssl rand -base64 32',
  );
}

function notWrapped(masterId: string): InputError {
  return new InputError(
    'MASTER_KEY_REFUSED',
    `The bytes are not what ${masterId} wrapped`,
    'They were changed, or belong to another key: restore them from a copy',
  );
}
