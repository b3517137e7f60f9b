// Small servers that speak the protocols of Vault's transit engine and of AWS KMS and really encrypt, on this machine: what
// is tested against them is our side of the protocol, not theirs.
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SmallService {
  readonly address: string;
  /** Requests that were answered. */
  requests: number;
  /** Statuses to answer with instead, one a request. */
  readonly troubles: number[];
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Handler = (request: IncomingMessage, body: string) => Answer;

export const VAULT_TOKEN = 'hvs.test-token-of-a-small-server';

export interface SmallVault extends SmallService {
  rotate(): void;
  leastVersion: number;
  readonly batches: number[];
}

export async function startVault(type = 'aes256-gcm96'): Promise<SmallVault> {
  const keys = [randomBytes(32)];
  const batches: number[] = [];
  const own = { leastVersion: 1, batches, rotate: () => void keys.push(randomBytes(32)) };
  const service = await start((request, body) => {
    if (request.headers['x-vault-token'] !== VAULT_TOKEN)
      return { status: 403, body: { errors: ['permission denied'] } };
    if (request.url === '/v1/transit/keys/centinela' && request.method === 'GET') {
      const data = { type, latest_version: keys.length, min_decryption_version: vault.leastVersion };
      return { status: 200, body: { data } };
    }
    const doing = /^\/v1\/transit\/(encrypt|decrypt)\/centinela$/.exec(request.url ?? '')?.[1];
    if (doing === undefined || request.method !== 'POST') return { status: 404, body: { errors: [] } };
    const input = JSON.parse(body).batch_input as Record<string, string>[];
    batches.push(input.length);
    const results = input.map((item) => {
      const aad = Buffer.from(item.associated_data ?? '', 'base64');
      if (doing === 'encrypt') {
        const version = Number(item.key_version ?? keys.length);
        const sealed = seal(keys[version - 1], Buffer.from(item.plaintext, 'base64'), aad);
        return { ciphertext: `vault:v${version}:${sealed.toString('base64')}`, key_version: version };
      }
      const [, version, text] = /^vault:v(\d+):(.+)$/.exec(item.ciphertext) ?? [];
      const plain = Number(version) < vault.leastVersion ? null : open(keys[Number(version) - 1], text, aad);
      return plain === null
        ? { error: 'cipher: message authentication failed' }
        : { plaintext: plain.toString('base64') };
    });
    const hasFailed = results.some((result) => 'error' in result);
    return { status: hasFailed ? 400 : 200, body: { data: { batch_results: results } } };
  });
  const vault = Object.assign(service, own);
  return vault;
}

export const KMS_KEY = '1234abcd-12ab-34cd-56ef-1234567890ab';
export const KMS_ACCESS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-of-a-small-server' };

/** Checks each request's signature by its own reading of Signature Version 4. */
export async function startKms(): Promise<SmallService> {
  const key = randomBytes(32);
  return await start((request, body) => {
    if (!isSigned(request, body)) return { status: 400, body: { __type: 'IncompleteSignatureException' } };
    const action = String(request.headers['x-amz-target']).replace('TrentService.', '');
    const given = JSON.parse(body) as Record<string, string> & { EncryptionContext: Record<string, string> };
    if (given.KeyId !== KMS_KEY) return { status: 400, body: { __type: 'NotFoundException' } };
    const aad = Buffer.from(JSON.stringify(given.EncryptionContext));
    if (action === 'Encrypt') {
      const sealed = seal(key, Buffer.from(given.Plaintext, 'base64'), aad);
      return { status: 200, body: { CiphertextBlob: sealed.toString('base64'), KeyId: KMS_KEY } };
    }
    const plain = open(key, given.CiphertextBlob, aad);
    if (plain === null) return { status: 400, body: { __type: 'InvalidCiphertextException' } };
    return { status: 200, body: { Plaintext: plain.toString('base64'), KeyId: KMS_KEY } };
  });
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function isSigned(request: IncomingMessage, body: string): boolean {
  const header = String(request.headers.authorization);
  const [, scope, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\S+), ?SignedHeaders=(\S+), ?Signature=([0-9a-f]{64})$/.exec(header) ??
    [];
  if (scope === undefined) return false;
  const time = String(request.headers['x-amz-date']);
  const [day, region, service, end] = scope.split('/');
  if (!time.startsWith(day) || region !== 'us-east-1' || service !== 'kms' || end !== 'aws4_request') return false;
  if (!names.split(';').includes('host') || !names.split(';').includes('x-amz-target')) return false;
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, request.url, '', headers.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const signing = [day, region, service, end].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${KMS_ACCESS.secretAccessKey}`),
  );
  return hmac(signing, toSign).toString('hex') === signature;
}

async function start(handle: Handler): Promise<SmallService> {
  const troubles: number[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      service.requests++;
      const trouble = troubles.shift();
      if (trouble === 0) return void request.socket.destroy();
      const body = Buffer.concat(parts).toString();
      const answer = trouble === undefined ? handle(request, body) : { status: trouble, body: {} };
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const service: SmallService = {
    ...{ address: `http://127.0.0.1:${port}`, requests: 0, troubles },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return service;
}

function seal(key: Buffer, plain: Buffer, aad: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer | undefined, text: string, aad: Buffer): Buffer | null {
  if (key === undefined) return null;
  const sealed = Buffer.from(text, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    return null;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
