// Objects in a bucket of Amazon S3 or of a store that speaks its protocol (MinIO, Ceph, Cloudflare R2 …).
//
// Requests are signed by aws4fetch (Signature Version 4, the body's SHA-256 with it) and tried again where the store is busy
// or does not answer. `putNew` is a conditional write (`If-None-Match: *`); a store that ignores the condition would let two
// workers take the same place, so `probe` finds out before anything depends on it.
import { createHash, randomUUID } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { InputError, StoreUnavailableError } from '../../lib/errors.ts';
import type { ObjectStore } from '../../ports.ts';
import { readListPage } from './list-page.ts';

export interface S3Options {
  readonly bucket: string;
  /** Before all keys; empty or without a slash at its end. */
  readonly prefix: string;
  readonly region: string;
  /** https://host of a store other than Amazon's, whose buckets are named in the path. null: Amazon S3. */
  readonly endpoint: string | null;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Of one request; default 6. */
  readonly attempts?: number;
  readonly firstRetryMs?: number;
  /** Of one attempt; default 30 s. */
  readonly timeoutMs?: number;
}

export interface S3ObjectStore extends ObjectStore {
  /**
   * Whether the bucket is there, may be written to, and honours conditional writes.
   *
   * @throws InputError where it is not so; StoreUnavailableError where it does not answer
   */
  probe(): Promise<void>;
}

interface Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const DEFAULTS = { attempts: 6, firstRetryMs: 100, timeoutMs: 30_000 };
const CONDITION = { 'if-none-match': '*' };
/** Conflict of two conditional writes at once: Amazon asks to try again. */
const CONFLICT = 409;
const PRECONDITION_FAILED = 412;
const PAGE_KEYS = 1000;

export function createS3ObjectStore(options: S3Options): S3ObjectStore {
  return new S3Store({ ...DEFAULTS, ...options });
}

class S3Store implements S3ObjectStore {
  readonly #options: Required<S3Options>;
  readonly #base: string;
  readonly #keyPrefix: string;
  /** Signing keys by day, as aws4fetch keeps them. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  #probed: Promise<void> | null = null;

  constructor(options: Required<S3Options>) {
    const { bucket, prefix, region, endpoint } = options;
    this.#options = options;
    // A dot in the bucket's name does not fit the certificate of a host of its own.
    const isInPath = endpoint !== null || bucket.includes('.');
    const amazon = `s3.${region}.amazonaws.com`;
    const host = endpoint?.replace(/\/+$/, '') ?? (isInPath ? `https://${amazon}` : `https://${bucket}.${amazon}`);
    this.#base = isInPath ? `${host}/${bucket}` : host;
    this.#keyPrefix = prefix === '' ? '' : `${prefix}/`;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const request = { method: 'PUT', url: this.#urlOf(key), body: owned(bytes) } as const;
    this.#expect(await this.#send(request), [200], `Writing ${key}`);
  }

  async putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    this.#probed ??= this.probe().catch((error) => {
      this.#probed = null;
      throw error;
    });
    await this.#probed;
    return this.#putNew(key, bytes);
  }

  async #putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    const request = { method: 'PUT', url: this.#urlOf(key), body: owned(bytes), headers: CONDITION } as const;
    const answer = await this.#send(request, [CONFLICT]);
    this.#expect(answer, [200, PRECONDITION_FAILED], `Writing ${key}`);
    return answer.status === 200;
  }

  async get(key: string): Promise<Uint8Array | null> {
    const answer = await this.#send({ method: 'GET', url: this.#urlOf(key) });
    if (answer.status === 404 && errorCodeOf(answer) !== 'NoSuchBucket') return null;
    this.#expect(answer, [200], `Reading ${key}`);
    return answer.bytes;
  }

  async remove(key: string): Promise<void> {
    const answer = await this.#send({ method: 'DELETE', url: this.#urlOf(key) });
    if (answer.status === 404 && errorCodeOf(answer) !== 'NoSuchBucket') return;
    this.#expect(answer, [200, 204], `Removing ${key}`);
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    let token: string | null = null;
    do {
      const query = new URLSearchParams({
        'list-type': '2',
        prefix: this.#keyPrefix + prefix,
        'encoding-type': 'url',
        'max-keys': String(PAGE_KEYS),
        ...(token !== null && { 'continuation-token': token }),
      });
      const answer = await this.#send({ method: 'GET', url: `${this.#base}/?${query}` });
      this.#expect(answer, [200], `Listing ${prefix}`);
      const page = readListPage(new TextDecoder().decode(answer.bytes));
      for (const key of page.keys) keys.push(key.slice(this.#keyPrefix.length));
      token = page.next;
    } while (token !== null);
    return keys.sort();
  }

  async probe(): Promise<void> {
    // A name of its own: others may be probing too.
    const key = `.centinela-probe-${randomUUID()}`;
    await this.put(key, new Uint8Array(0));
    const isIgnored = await this.#putNew(key, new Uint8Array(0));
    await this.remove(key);
    if (isIgnored) {
      throw new InputError(
        'S3_NOT_CONDITIONAL',
        `${this.#base} ignores the condition of a write (If-None-Match: *)`,
        'Two workers could then overwrite one another: use a store that honours it, or a folder',
      );
    }
  }

  #urlOf(key: string): string {
    return `${this.#base}/${(this.#keyPrefix + key).split('/').map(encoded).join('/')}`;
  }

  /**
   * @param retried statuses besides those of a busy store
   * @throws StoreUnavailableError after the last attempt
   */
  async #send(request: Request, retried: readonly number[] = []): Promise<Answer> {
    const { attempts, firstRetryMs } = this.#options;
    let trouble = '';
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await pause(firstRetryMs * 2 ** (attempt - 1));
      try {
        const answer = await this.#attempt(request);
        if (!isBusy(answer.status) && !retried.includes(answer.status)) return answer;
        trouble = `it answered ${answer.status} ${errorCodeOf(answer)}`.trim();
      } catch (error) {
        trouble = causeOf(error);
      }
    }
    throw new StoreUnavailableError(`${this.#base} does not take a ${request.method}: ${trouble}`);
  }

  async #attempt({ method, url, body, headers }: Request): Promise<Answer> {
    const { accessKeyId, secretAccessKey, sessionToken, region, timeoutMs } = this.#options;
    const hash = createHash('sha256')
      .update(body ?? '')
      .digest('hex');
    const signer = new AwsV4Signer({
      ...{ method, url, accessKeyId, secretAccessKey, region, service: 's3', cache: this.#signingKeys },
      ...(sessionToken !== null && { sessionToken }),
      headers: { ...headers, 'x-amz-content-sha256': hash },
    });
    const signed = await signer.sign();
    const response = await fetch(signed.url, {
      ...{ method, headers: signed.headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
  }

  #expect(answer: Answer, statuses: readonly number[], doing: string): void {
    if (statuses.includes(answer.status)) return;
    const { bucket, region } = this.#options;
    const code = errorCodeOf(answer);
    const told = `${doing} in ${this.#base}: the store answered ${answer.status} ${code}`.trim();
    if (code === 'NoSuchBucket') {
      throw new InputError('S3_NO_BUCKET', `There is no bucket ${bucket} at ${this.#base}`, 'Make it, or name another');
    }
    if (answer.status === 401 || answer.status === 403) {
      throw new InputError(
        'S3_REFUSED',
        told,
        'Look at the access key (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and at what it may do: get, put, delete and list',
      );
    }
    if (answer.status >= 300 && answer.status < 400) {
      throw new InputError('S3_ELSEWHERE', told, `The bucket is not in ${region}: set AWS_REGION to where it is`);
    }
    throw new InputError('S3_UNEXPECTED', told, 'Look at AWS_ENDPOINT_URL_S3 and at the store');
  }
}

function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

/** `NoSuchKey`, `SlowDown` …; empty where the body does not say. */
function errorCodeOf({ bytes }: Answer): string {
  return /<Code>(\w{1,60})<\/Code>/.exec(new TextDecoder().decode(bytes.subarray(0, 2000)))?.[1] ?? '';
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** As signatures are made: `encodeURIComponent` leaves five signs as they are. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** fetch takes bytes of an ArrayBuffer only. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
