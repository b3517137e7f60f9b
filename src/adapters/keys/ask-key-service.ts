// One question to a service of master keys over HTTP: bounded in time, size and attempts. What is asked holds keys in clear,
// so it goes over TLS, or stays on this machine.
import { InputError, KeysUnavailableError } from '../../lib/errors.ts';

export interface AskSettings {
  /** Of one question. */
  readonly attempts: number;
  readonly firstRetryMs: number;
  /** Of one attempt. */
  readonly timeoutMs: number;
}

export const DEFAULT_ASKING: AskSettings = { attempts: 4, firstRetryMs: 100, timeoutMs: 5000 };

export interface KeyServiceAnswer {
  readonly status: number;
  /** An empty object where the body is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

const MOST_ANSWER_BYTES = 4 * 1024 * 1024;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** @throws InputError KEY_SERVICE_ADDRESS */
export function serviceAddress(text: string): URL {
  const url = URL.parse(text);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url !== null && isSafe && url.username === '') return url;
  throw new InputError(
    'KEY_SERVICE_ADDRESS',
    'The address of the key service is not https://host (http only on this machine)',
    'Keys travel on it: give it a certificate',
  );
}

/**
 * @param request makes the request anew for each attempt: signatures have a time
 * @param isBusy whether the answer asks to try again
 * @throws KeysUnavailableError after the last attempt
 */
export async function askKeyService(
  name: string,
  { attempts, firstRetryMs, timeoutMs }: AskSettings,
  request: () => Promise<Request>,
  isBusy: (answer: KeyServiceAnswer) => boolean,
): Promise<KeyServiceAnswer> {
  let trouble = '';
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await pause(firstRetryMs * 2 ** (attempt - 1));
    try {
      const made = await request();
      const response = await fetch(made, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
      const answer = { status: response.status, body: readObject(await readText(response)) };
      if (!isBusy(answer)) return answer;
      trouble = `it answered ${answer.status}`;
    } catch (error) {
      if (error instanceof InputError) throw error;
      const { message, cause } = error as Error;
      trouble = cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }
  throw new KeysUnavailableError(`${name}, which has the master keys, does not answer: ${trouble}`);
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MOST_ANSWER_BYTES) throw new Error(`its answer has more than ${MOST_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
