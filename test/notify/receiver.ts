// A server that takes what is posted to it and answers as it is told, over TLS or in clear.
import { createServer as createHttp, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { ServerCertificate } from './certificates.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  /** 'hang': never; 'drop': the connection is cut. */
  readonly instead?: 'hang' | 'drop';
}

export interface Receiver {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  /** What is answered from now on. */
  answer: (request: Received) => Answer;
  close(): Promise<void>;
}

export async function startReceiver(certificate: ServerCertificate | null = null): Promise<Receiver> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) };
      received.push(one);
      const { status, headers = {}, text = '', instead } = receiver.answer(one);
      if (instead === 'hang') return;
      if (instead === 'drop') {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, headers).end(text);
    });
  };
  const server: Server & { closeAllConnections(): void } =
    certificate === null
      ? createHttp(listener)
      : createHttps({ key: certificate.key, cert: certificate.cert }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    ...{ port, url: `${certificate === null ? 'http' : 'https'}://127.0.0.1:${port}`, received },
    answer: () => ({ status: 200 }),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return receiver;
}
