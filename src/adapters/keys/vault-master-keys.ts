// Master keys in HashiCorp Vault's (or OpenBao's) transit engine: the key never leaves it. Its versions are Vault's: after a
// rotation there, the next start wraps with the new one, and all versions that Vault still decrypts open.
// https://developer.hashicorp.com/vault/api-docs/secret/transit (encrypt, decrypt: batch_input, associated_data)
import { InputError } from '../../lib/errors.ts';
import type { MasterKeys, WrapRequest } from '../../ports.ts';
import {
  type AskSettings,
  askKeyService,
  DEFAULT_ASKING,
  type KeyServiceAnswer,
  serviceAddress,
} from './ask-key-service.ts';

export interface VaultOptions {
  /** https://host:8200 */
  readonly address: string;
  /** Where the engine is mounted: `transit`. */
  readonly mount: string;
  readonly keyName: string;
  /** null: none. */
  readonly namespace: string | null;
  /** Asked before each request: a token that an agent renews in a file is read again. */
  readonly token: () => Promise<string>;
  readonly asking?: Partial<AskSettings>;
}

const MOST_BATCH = 250;
const NAME = /^[\w.-]{1,100}$/;
const MOUNT = /^[\w.-]{1,100}(?:\/[\w.-]{1,100}){0,5}$/;
const CIPHERTEXT = /^vault:v(\d{1,9}):[A-Za-z0-9+/=]{1,10000}$/;
/** Of these types what a value is of can be authenticated with it. */
const AUTHENTICATING = new Set(['aes128-gcm96', 'aes256-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305']);

/**
 * Asks for the key's newest version.
 *
 * @throws InputError VAULT_KEY_INVALID, MASTER_KEY_REFUSED, KEY_SERVICE_ADDRESS; KeysUnavailableError
 */
export async function openVaultMasterKeys(options: VaultOptions): Promise<VaultMasterKeys> {
  const { mount, keyName } = options;
  if (!MOUNT.test(mount) || !NAME.test(keyName)) {
    throw new InputError(
      'VAULT_KEY_INVALID',
      'The mount or the name of the key in Vault has signs it may not have',
      'Letters, digits, . _ -',
    );
  }
  const vault = new VaultTransit(options);
  const { data } = await vault.ask('GET', `keys/${keyName}`, null);
  const { type, latest_version: version } = (data ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(version) || !AUTHENTICATING.has(String(type))) {
    throw new InputError(
      'VAULT_KEY_INVALID',
      `The key ${keyName} in Vault has type ${String(type).slice(0, 40)}`,
      'Make one of type aes256-gcm96',
    );
  }
  return new VaultMasterKeys(vault, `${mount}/${keyName}`, keyName, version as number);
}

export class VaultMasterKeys implements MasterKeys {
  readonly currentId: string;
  readonly #vault: VaultTransit;
  readonly #keyName: string;
  readonly #version: number;
  readonly #idStart: string;

  constructor(vault: VaultTransit, path: string, keyName: string, version: number) {
    this.#vault = vault;
    this.#keyName = keyName;
    this.#version = version;
    this.#idStart = `vault:${path}:v`;
    this.currentId = `${this.#idStart}${version}`;
  }

  opens(masterId: string): boolean {
    return masterId.startsWith(this.#idStart) && /^\d{1,9}$/.test(masterId.slice(this.#idStart.length));
  }

  async wrap(requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]> {
    const input = requests.map(({ bytes, context }) => ({
      ...{ plaintext: base64(bytes), associated_data: base64(Buffer.from(context)), key_version: this.#version },
    }));
    const results = await this.#askInBatches('encrypt', input);
    return results.map(({ ciphertext }) => {
      const text = String(ciphertext);
      if (CIPHERTEXT.exec(text)?.[1] !== String(this.#version))
        throw refused('it did not wrap with the version asked for');
      return Buffer.from(text, 'latin1');
    });
  }

  async unwrap(masterId: string, requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]> {
    if (!this.opens(masterId)) throw refused(`${masterId} is not a version of ${this.#idStart.slice(0, -2)}`);
    const input = requests.map(({ bytes, context }) => {
      const ciphertext = Buffer.from(bytes).toString('latin1');
      if (!CIPHERTEXT.test(ciphertext)) throw refused('the bytes are nothing that Vault wrapped');
      return { ciphertext, associated_data: base64(Buffer.from(context)) };
    });
    const results = await this.#askInBatches('decrypt', input);
    return results.map(({ plaintext }) => Buffer.from(String(plaintext), 'base64'));
  }

  async #askInBatches(doing: 'encrypt' | 'decrypt', input: readonly object[]): Promise<Record<string, unknown>[]> {
    const all: Record<string, unknown>[] = [];
    for (let from = 0; from < input.length; from += MOST_BATCH) {
      const batch = input.slice(from, from + MOST_BATCH);
      const { data } = await this.#vault.ask('POST', `${doing}/${this.#keyName}`, { batch_input: batch });
      const results = (data as { batch_results?: unknown } | undefined)?.batch_results;
      if (!Array.isArray(results) || results.length !== batch.length) throw refused('its answer is incomplete');
      for (const result of results) {
        const { error } = result as { error?: unknown };
        if (error !== undefined && error !== '') throw refused(`it cannot ${doing} one of them`);
        all.push(result);
      }
    }
    return all;
  }
}

class VaultTransit {
  readonly #options: VaultOptions;
  readonly #base: string;
  readonly #asking: AskSettings;

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#base = `${serviceAddress(options.address).origin}/v1/${options.mount}`;
    this.#asking = { ...DEFAULT_ASKING, ...options.asking };
  }

  async ask(method: 'GET' | 'POST', path: string, body: object | null): Promise<KeyServiceAnswer['body']> {
    const answer = await askKeyService('Vault', this.#asking, () => this.#request(method, path, body), isBusy);
    if (answer.status === 200) return answer.body;
    const hint = answer.status === 403 ? 'the token is not valid or may not do it' : `it answered ${answer.status}`;
    throw refused(`${method} ${path}: ${hint}`);
  }

  async #request(method: string, path: string, body: object | null): Promise<Request> {
    const { namespace, token } = this.#options;
    const headers = {
      ...{ 'x-vault-token': (await token()).trim(), 'x-vault-request': 'true' },
      ...(body !== null && { 'content-type': 'application/json' }),
      ...(namespace !== null && { 'x-vault-namespace': namespace }),
    };
    const text = body === null ? null : JSON.stringify(body);
    return new Request(`${this.#base}/${path}`, { method, headers, body: text });
  }
}

/** 412: this node is behind; 429: too many; 473 and 503: stand-by or sealed. */
function isBusy({ status }: KeyServiceAnswer): boolean {
  return status === 412 || status === 429 || status === 472 || status === 473 || status >= 500;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function refused(what: string): InputError {
  return new InputError(
    'MASTER_KEY_REFUSED',
    `Vault: ${what}`,
    'Look at the policy of its token (read on keys, update on encrypt and decrypt) and at min_decryption_version',
  );
}
