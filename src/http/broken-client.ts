// The answer to what is no HTTP request, or was too slow or too large to become one: a problem like others.
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, problemBody } from './problem.ts';

const NOT_HTTP = new Problem(400, 'NOT_HTTP', 'What came is no HTTP request');
const BROKEN_CLIENTS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem(431, 'HEADERS_TOO_LARGE', 'Address and headers have more than 16 KiB. Send less'),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem(408, 'REQUEST_TOO_SLOW', 'The request took too long to come. Send it at once'),
};

/** What is not HTTP, or too slow or too large to become it. */
export function answerBrokenClient(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = BROKEN_CLIENTS[error.code ?? ''] ?? NOT_HTTP;
  const body = JSON.stringify(problemBody(problem, randomUUID()));
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
