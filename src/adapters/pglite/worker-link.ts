// The program's end of the line to the database's thread.
import { Worker } from 'node:worker_threads';
import { InputError, RecordsUnavailableError } from '../../lib/errors.ts';
import type { SqlRows } from '../../ports.ts';
import { errorOf } from '../postgres/sql-errors.ts';
import type { Reply, Request, WireError, WorkerStart } from './messages.ts';

export interface WorkerLink {
  /** One at a time. */
  ask(request: Request): Promise<SqlRows>;
  /** False where the last answer said that something wants tidying. */
  readonly isTidy: boolean;
  /** Set once the thread is of no use any more. */
  readonly broken: string | null;
  stop(): Promise<void>;
}

const NO_ROWS: SqlRows = { rows: [], changed: 0 };

/** Returns once the database is open. */
export async function startWorker(start: WorkerStart, onRecovery: (text: string) => void): Promise<WorkerLink> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const worker = new Worker(new URL(`pglite.worker${extension}`, import.meta.url), { workerData: start });
  let waiting: PromiseWithResolvers<SqlRows> | null = null;
  let isTidy = true;
  let broken: string | null = null;

  function settle(act: (asked: PromiseWithResolvers<SqlRows>) => void): void {
    const asked = waiting;
    waiting = null;
    if (asked !== null) act(asked);
  }

  function fail(message: string): void {
    broken ??= message;
    settle(({ reject }) => reject(unknownOutcome(message)));
  }

  worker.on('message', (reply: Reply) => {
    if (reply.kind === 'recovery') onRecovery(reply.text);
    else if (reply.kind === 'done') {
      isTidy = reply.isTidy;
      settle(({ resolve }) => resolve(reply.rows ?? NO_ROWS));
    } else {
      if (reply.error.kind === 'broken') broken ??= reply.error.message;
      settle(({ reject }) => reject(fromWire(reply.error)));
    }
  });
  worker.on('error', (error) => fail(error.message));
  worker.on('exit', (code) => fail(`the database's thread ended with ${code}`));

  function wait(): Promise<SqlRows> {
    waiting = Promise.withResolvers<SqlRows>();
    return waiting.promise;
  }

  const link: WorkerLink = {
    ask(request) {
      if (broken !== null) return Promise.reject(unknownOutcome(broken));
      const answer = wait();
      worker.postMessage(request);
      return answer;
    },
    get isTidy() {
      return isTidy;
    },
    get broken() {
      return broken;
    },
    stop: async () => {
      await worker.terminate();
    },
  };
  try {
    await wait();
  } catch (error) {
    await link.stop();
    throw error;
  }
  return link;
}

function unknownOutcome(message: string): RecordsUnavailableError {
  return new RecordsUnavailableError(
    `the embedded database stopped: ${message}; it starts anew with the next call, and what became of this one is not known`,
  );
}

function fromWire(error: WireError): Error {
  switch (error.kind) {
    case 'sql':
      return errorOf(error.failure);
    case 'input':
      return new InputError(error.code, error.problem, error.hint);
    case 'unavailable':
      return new RecordsUnavailableError(error.message);
    case 'assertion':
      return new Error(error.message);
    case 'broken':
      return unknownOutcome(error.message);
  }
}
