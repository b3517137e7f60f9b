// Sends transactions to an HTTP interface and waits for each decision; a process of its own, so that it has its own
// processor time. Plain sockets and as little work for each answer as there can be: what is measured is the service.
//
// `closed`: each connection sends its next request when it has its answer. `open`: requests are due at a steady rate, and
// count from when they were due, whoever is late.
//
// usage: node bench/api/load-generator.ts '{"url": …, "path": …, "key": …, "authority": FILE, "lines": FILE, "mode": "closed", …}'
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { endlessStream } from '../kafka/endless-stream.ts';

export interface LoadOptions {
  /** `https://127.0.0.1:8443` */
  readonly url: string;
  readonly path: string;
  /** Sent as `Authorization: Bearer`; null for none. */
  readonly key: string | null;
  /** PEM file; null in clear. */
  readonly authority: string | null;
  /** File of transactions, one a line: a stream that never ends is made of them (endless-stream.ts). */
  readonly lines: string;
  /** Place in that stream of the first one that is sent. */
  readonly from: number;
  readonly mode: 'closed' | 'open';
  readonly connections: number;
  readonly perSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface LoadFigures {
  readonly answered: number;
  /** From the first place on, answered or not. */
  readonly sent: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** Other statuses than 200. */
  readonly refused: number;
  /** Decided by the amount alone: no decision came in time. */
  readonly undecided: number;
  /** Of the ids that were answered, in the order of sending: whoever reads the decisions can compare. */
  readonly idsSha256: string;
}

interface Request {
  readonly id: string;
  readonly dueMs: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const TICK_MS = 1;

class Connection {
  readonly #socket: Socket;
  readonly #onAnswer: (request: Request, status: number, body: Buffer) => void;
  #buffer: Buffer = Buffer.alloc(0);
  #request: Request | null = null;

  constructor(socket: Socket, onAnswer: (request: Request, status: number, body: Buffer) => void) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
    socket.setNoDelay(true).on('data', (chunk: Buffer) => this.#take(chunk));
  }

  send(request: Request, bytes: Buffer): void {
    this.#request = request;
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const headEnd = this.#buffer.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#buffer.toString('latin1', 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + HEAD_END.length + length;
    if (this.#buffer.length < end) return;
    const body = this.#buffer.subarray(headEnd + HEAD_END.length, end);
    this.#buffer = this.#buffer.subarray(end);
    const request = this.#request!;
    this.#request = null;
    this.#onAnswer(request, Number(head.slice(9, 12)), body);
  }
}

async function run(options: LoadOptions): Promise<LoadFigures> {
  const { mode, connections, perSecond, warmUpSeconds, seconds, from } = options;
  const stream = endlessStream(readFileSync(options.lines, 'utf8').split('\n').filter(Boolean));
  const requestOf = requestMaker(options);
  const waits: number[] = [];
  const ids = createHash('sha256');
  let [answered, refused, undecided, sent] = [0, 0, 0, 0];
  const beginMs = performance.now();
  const countFromMs = beginMs + warmUpSeconds * 1000;
  const endMs = countFromMs + seconds * 1000;
  const idle: Connection[] = [];
  const due: number[] = [];
  const sendNext = (connection: Connection) => {
    const isMore = mode === 'open' ? due.length > 0 : performance.now() < endMs;
    if (!isMore) {
      idle.push(connection);
      return;
    }
    const place = from + sent++;
    const request = { id: `B${place}`, dueMs: due.shift() ?? performance.now() };
    connection.send(request, requestOf(stream.record(place, '').value!));
  };
  const all: Connection[] = [];
  for (let i = 0; i < connections; i++) {
    const connection: Connection = new Connection(await open(options), ({ id, dueMs }, status, body) => {
      const nowMs = performance.now();
      if (status !== 200) refused++;
      else {
        ids.update(id);
        if (body.includes('"kind":"timeout"') || body.includes('"kind":"unavailable"')) undecided++;
      }
      if (nowMs >= countFromMs && nowMs < endMs) {
        answered++;
        waits.push(nowMs - dueMs);
      }
      sendNext(connection);
    });
    all.push(connection);
  }
  if (mode === 'closed') {
    for (const connection of all) sendNext(connection);
    await pause(endMs - performance.now());
  } else {
    idle.push(...all);
    for (let made = 0; performance.now() < endMs; ) {
      const nowMs = performance.now();
      for (; beginMs + (made / perSecond) * 1000 <= nowMs; made++) due.push(beginMs + (made / perSecond) * 1000);
      while (due.length > 0 && idle.length > 0) sendNext(idle.pop()!);
      await pause(TICK_MS);
    }
  }
  const limitMs = performance.now() + 10_000;
  while (idle.length < all.length && performance.now() < limitMs) await pause(10);
  for (const connection of all) connection.end();
  waits.sort((a, b) => a - b);
  const at = (share: number) => waits[Math.floor(share * (waits.length - 1))] ?? Number.NaN;
  return {
    ...{ answered, sent, perSecond: answered / seconds, p50: at(0.5), p99: at(0.99), most: at(1), refused, undecided },
    idsSha256: ids.digest('hex'),
  };
}

function requestMaker({ path, key, url }: LoadOptions): (body: Uint8Array) => Buffer {
  const authorization = key === null ? '' : `authorization: Bearer ${key}\r\n`;
  const head = `POST ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\n${authorization}content-type: application/json\r\ncontent-length: `;
  return (body) => Buffer.concat([Buffer.from(`${head}${body.length}\r\n\r\n`), body]);
}

function open({ url, authority }: LoadOptions): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket =
      authority === null
        ? connectPlain(Number(port), hostname, () => resolve(socket))
        : connectTls({ host: hostname, port: Number(port), ca: readFileSync(authority) }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

const figures = await run(JSON.parse(process.argv[2]) as LoadOptions);
process.stdout.write(`${JSON.stringify(figures)}\n`);
