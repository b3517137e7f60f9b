// The thread of the embedded database: opens it, and answers one request after another.
import { parentPort, workerData } from 'node:worker_threads';
import { InputError, RecordsUnavailableError } from '../../lib/errors.ts';
import { isDamage } from '../postgres/sql-errors.ts';
import { type OpenDatabase, openDatabase } from './database.ts';
import { SqlFailureError } from './engine.ts';
import type { Reply, Request, WireError, WorkerStart } from './messages.ts';
import { CommitFailedError } from './transactions.ts';

const port = parentPort!;
const send = (reply: Reply) => port.postMessage(reply);

let opened: OpenDatabase;
try {
  opened = await openDatabase(workerData as WorkerStart, (text) => send({ kind: 'recovery', text }));
  send({ kind: 'done', rows: null, isTidy: opened.isTidy() });
} catch (error) {
  send({ kind: 'failed', error: wireError(error) });
}

port.on('message', async (request: Request) => {
  try {
    const rows = await answer(request);
    send({ kind: 'done', rows, isTidy: request.kind === 'close' || opened.isTidy() });
  } catch (error) {
    send({ kind: 'failed', error: distrusted(error) ?? wireError(error) });
  }
  if (request.kind === 'close') port.close();
});

async function answer(request: Request) {
  const { transactions, engine } = opened;
  switch (request.kind) {
    case 'run':
      return engine.run({ text: request.text, parameters: request.parameters });
    case 'statement':
      return transactions.run({ text: request.text, parameters: request.parameters });
    case 'begin':
      await transactions.begin();
      return null;
    case 'end':
      await transactions.end();
      return null;
    case 'undo':
      await transactions.undo();
      return null;
    case 'commit':
      await transactions.commit();
      return null;
    case 'tidy':
      await opened.tidy();
      return null;
    case 'close':
      await opened.close();
      return null;
  }
}

/** What is on the disk is not what was written: the next start makes it again, and this thread is of no use any more. */
function distrusted(error: unknown): WireError | null {
  if (!(error instanceof SqlFailureError && isDamage(error.failure.code))) return null;
  opened.distrust(error.message);
  return { kind: 'broken', message: error.message };
}

function wireError(error: unknown): WireError {
  if (error instanceof SqlFailureError) return { kind: 'sql', failure: error.failure };
  if (error instanceof InputError) {
    const { code, hint, message } = error;
    return { kind: 'input', code, problem: message.slice(0, -hint.length - 2), hint };
  }
  if (error instanceof RecordsUnavailableError) return { kind: 'unavailable', message: error.message };
  const { message } = error as Error;
  if (error instanceof CommitFailedError) return { kind: 'broken', message };
  if ((error as Error).name === 'AssertionError') return { kind: 'assertion', message };
  return { kind: 'broken', message };
}
