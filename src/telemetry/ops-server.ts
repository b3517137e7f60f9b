// What operators and orchestrators ask a running role over HTTP: metrics, whether it is alive, whether it is ready.
import { createServer, type Server } from 'node:http';

export interface OpsAnswers {
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  metricsType: string;
  isAlive(): boolean;
  isReady(): boolean;
}

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 5000;

/** @param host loopback unless the deployment says otherwise @param port 0 for any free one */
export async function startOpsServer(host: string, port: number, answers: OpsAnswers): Promise<OpsServer> {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: 8192 }, (request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
    };
    if (request.method !== 'GET') return answer(405, 'only GET\n');
    switch (request.url?.split('?')[0]) {
      case '/metrics':
        answers.metrics().then(
          (text) => answer(200, text, answers.metricsType),
          () => answer(500, 'the metrics could not be collected\n'),
        );
        return;
      case '/healthz':
        return answers.isAlive() ? answer(200, 'ok\n') : answer(503, 'stuck\n');
      case '/readyz':
        return answers.isReady() ? answer(200, 'ready\n') : answer(503, 'not ready\n');
      default:
        return answer(404, 'there are /metrics, /healthz and /readyz\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return { port: portOf(server), close: () => new Promise((resolve) => closeNow(server, resolve)) };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function closeNow(server: Server, done: () => void): void {
  server.close(() => done());
  server.closeAllConnections();
}
