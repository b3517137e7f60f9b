// The service as an operator starts it, a process of its own, with its first administrator and a key for the bank's system.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BUILT_IN_RULES } from '../../src/cli/rule-files.ts';
import { hotp, totpStep } from '../../src/identity/totp.ts';
import { type PreparedModel, ROOT } from '../kafka/prepared-model.ts';

export interface ServiceProcess {
  /** `https://127.0.0.1:8443` */
  readonly url: string;
  /** Of metrics and health. */
  readonly opsPort: number;
  readonly authority: string;
  /** From the start of the process to its being ready. */
  readonly startMs: number;
  readonly pid: number;
  /** Ends with it. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface ProcessOptions {
  /** Of its environment, beside our own. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Told each line that it writes. */
  readonly onLine?: (line: string) => void;
}

const START_LIMIT_MS = 60_000;
const LOOK_MS = 20;
const PASSWORD = 'cuatro palabras sin orden 7';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export async function startServiceProcess(
  folder: string,
  prepared: PreparedModel | null,
  more: readonly string[] = [],
  { variables = {}, onLine = () => undefined }: ProcessOptions = {},
): Promise<ServiceProcess & { readonly setupToken: string | null }> {
  const main = join(ROOT, 'src', 'main.ts');
  const model = prepared === null ? [] : ['--model', prepared.model, '--registry', prepared.registry];
  const begunMs = performance.now();
  const child = spawn(
    process.execPath,
    [main, 'serve', '--data', folder, '--port', '0', '--ops-port', '0', '--rules', BUILT_IN_RULES, ...model, ...more],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...variables } },
  );
  const lines: string[] = [];
  let url: string | null = null;
  let opsPort = 0;
  let setupToken: string | null = null;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      onLine(line);
      if (lines.length > 50) lines.shift();
      if (line.includes('"serving"')) {
        const serving = JSON.parse(line) as { readonly address: string; readonly opsPort: number };
        [url, opsPort] = [serving.address, serving.opsPort];
      }
      setupToken = /^ {2}([A-Za-z0-9_-]{40,})$/.exec(line)?.[1] ?? setupToken;
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const authority = join(folder, 'keys', 'own-certificate.pem');
  while (url === null || !(await isReady(url, authority))) {
    if (child.exitCode !== null || performance.now() - begunMs > START_LIMIT_MS) {
      child.kill('SIGKILL');
      throw new Error(`the service did not start:\n${lines.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  const startMs = performance.now() - begunMs;
  // The link is told after `serving`.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return {
    url,
    opsPort,
    authority,
    startMs,
    pid: child.pid!,
    setupToken,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** The first administrator, with a second factor. @returns what is sent with each of their requests */
export async function firstAdministrator(
  { url, authority }: ServiceProcess,
  setupToken: string,
): Promise<Readonly<Record<string, string>>> {
  const login = 'administracion';
  await call(
    url,
    authority,
    'POST',
    '/v1/setup',
    {},
    { token: setupToken, login, displayName: 'Administración', password: PASSWORD },
  );
  const first = await call(url, authority, 'POST', '/v1/session', {}, { login, password: PASSWORD });
  const secret = fromBase32((await call(url, authority, 'POST', '/v1/session:enrol-totp', first.headers)).body.secret);
  const code = hotp(secret, totpStep(Date.now()));
  return (await call(url, authority, 'POST', '/v1/session:confirm-totp', first.headers, { code })).headers;
}

/** The first administrator makes a key that may have transactions decided. */
export async function makeScoringKey(service: ServiceProcess, setupToken: string): Promise<string> {
  const headers = await firstAdministrator(service, setupToken);
  const draft = { name: 'autorizador', scopes: ['transactions:score'], expiresMs: Date.now() + 86_400_000 };
  return (await call(service.url, service.authority, 'POST', '/v1/api-keys', headers, draft)).body.text;
}

/** What is looked at of the answers. */
interface Told {
  readonly secret: string;
  readonly text: string;
}

async function isReady(url: string, authority: string): Promise<boolean> {
  if (!existsSync(authority)) return false;
  try {
    await call(url, authority, 'GET', '/readyz', {});
    return true;
  } catch {
    return false;
  }
}

function call(
  url: string,
  authority: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  given?: object,
): Promise<{ body: Told; headers: Record<string, string> }> {
  const content = given === undefined ? null : JSON.stringify(given);
  const type = content === null ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      { method, ca: readFileSync(authority), headers: { ...type, ...headers } },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.on('end', () => {
          if ((incoming.statusCode ?? 500) >= 400)
            return reject(new Error(`${method} ${path}: ${incoming.statusCode} ${text}`));
          const body = text === '' ? null : JSON.parse(text);
          const cookie = incoming.headers['set-cookie']?.[0]?.split(';')[0];
          const csrf = (body?.session ?? body)?.csrfToken;
          resolve({ body, headers: cookie === undefined ? headers : { cookie, 'x-csrf-token': csrf } });
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.end(content);
  });
}

function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
