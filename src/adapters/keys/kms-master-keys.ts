// A master key in AWS KMS (or a service that speaks its protocol): Encrypt and Decrypt of data keys by signed requests
// (Signature Version 4, by aws4fetch); the key never leaves it. KMS turns the material of a key by itself once a year and opens
// what older material wrapped; another key is another master here.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html, API_Decrypt.html (EncryptionContext is authenticated)
import { AwsV4Signer } from 'aws4fetch';
import { InputError } from '../../lib/errors.ts';
import type { MasterKeys, WrapRequest } from '../../ports.ts';
import {
  type AskSettings,
  askKeyService,
  DEFAULT_ASKING,
  type KeyServiceAnswer,
  serviceAddress,
} from './ask-key-service.ts';

export interface KmsOptions {
  readonly region: string;
  /** null: Amazon's. */
  readonly endpoint: string | null;
  /** Id or ARN. An alias may come to mean another key, so it is refused. */
  readonly keyId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly asking?: Partial<AskSettings>;
}

/** KMS takes one key a request; so many are under way at once. */
const MOST_AT_ONCE = 16;
const KEY_ID = /^(?:arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/)?[\w-]{1,100}$/;
const BUSY = new Set([
  ...['ThrottlingException', 'LimitExceededException', 'KMSInternalException', 'DependencyTimeoutException'],
  'KeyUnavailableException',
]);

export class KmsMasterKeys implements MasterKeys {
  readonly currentId: string;
  readonly #options: KmsOptions;
  readonly #url: string;
  readonly #asking: AskSettings;
  /** Signing keys by day, as aws4fetch keeps them. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  /** @throws InputError KMS_KEY_INVALID, KEY_SERVICE_ADDRESS */
  constructor(options: KmsOptions) {
    if (!KEY_ID.test(options.keyId)) {
      throw new InputError('KMS_KEY_INVALID', 'The key of KMS is not named by its id or ARN', 'An alias is not enough');
    }
    this.#options = options;
    this.#url = serviceAddress(options.endpoint ?? `https://kms.${options.region}.amazonaws.com`).href;
    this.#asking = { ...DEFAULT_ASKING, ...options.asking };
    this.currentId = `kms:${options.keyId}`;
  }

  opens(masterId: string): boolean {
    return masterId === this.currentId;
  }

  async wrap(requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]> {
    return await inOrder(requests, async ({ bytes, context }) => {
      const body = { KeyId: this.#options.keyId, Plaintext: base64(bytes), EncryptionContext: { centinela: context } };
      return bytesOf((await this.#ask('Encrypt', body)).CiphertextBlob);
    });
  }

  async unwrap(masterId: string, requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]> {
    if (!this.opens(masterId)) throw refused(`${masterId} is another key than ${this.currentId}`);
    const { keyId } = this.#options;
    return await inOrder(requests, async ({ bytes, context }) => {
      const body = { KeyId: keyId, CiphertextBlob: base64(bytes), EncryptionContext: { centinela: context } };
      return bytesOf((await this.#ask('Decrypt', body)).Plaintext);
    });
  }

  async #ask(action: 'Encrypt' | 'Decrypt', body: object): Promise<KeyServiceAnswer['body']> {
    const answer = await askKeyService('KMS', this.#asking, () => this.#request(action, JSON.stringify(body)), isBusy);
    if (answer.status === 200) return answer.body;
    throw refused(`${action}: it answered ${answer.status} ${typeOf(answer)}`);
  }

  async #request(action: string, body: string): Promise<Request> {
    const { region, accessKeyId, secretAccessKey, sessionToken } = this.#options;
    const signer = new AwsV4Signer({
      ...{ method: 'POST', url: this.#url, accessKeyId, secretAccessKey, region, service: 'kms', body },
      ...(sessionToken !== null && { sessionToken }),
      cache: this.#signingKeys,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` },
    });
    const signed = await signer.sign();
    return new Request(signed.url, { method: 'POST', headers: signed.headers, body });
  }
}

/** A few at a time; the first error ends it. */
async function inOrder<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) done[at] = await work(items[at]);
  };
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, items.length) }, worker));
  return done;
}

function isBusy(answer: KeyServiceAnswer): boolean {
  return answer.status === 429 || answer.status >= 500 || BUSY.has(typeOf(answer));
}

/** `ThrottlingException`; with a name space before a # in some answers. */
function typeOf({ body }: KeyServiceAnswer): string {
  return String(body.__type ?? '')
    .replace(/^.*#/, '')
    .slice(0, 60);
}

function bytesOf(text: unknown): Uint8Array {
  if (typeof text === 'string' && text !== '') return Buffer.from(text, 'base64');
  throw refused('its answer is incomplete');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function refused(what: string): InputError {
  return new InputError(
    'MASTER_KEY_REFUSED',
    `KMS: ${what}`,
    'Look at the key and its policy: kms:Encrypt and kms:Decrypt are needed',
  );
}
