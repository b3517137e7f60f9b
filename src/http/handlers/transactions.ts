// Transactions to be decided: each goes through the stream, and its decision is waited for.
//
// A transaction's id makes the call repeatable: the same id again is answered with the decision that was made.
import type { Transaction } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import type { ScoreAnswer } from '../../pipeline/stream/sync-scoring.ts';
import type { Handlers } from '../asked.ts';
import { MOST_BATCH } from '../contract/transactions.ts';
import { Problem } from '../problem.ts';
import { parseJson } from '../validate.ts';

export interface TransactionServices {
  /** @throws InputError */
  decode(bytes: Uint8Array): Transaction;
  /** @throws InputError */
  read(value: unknown): Transaction;
  score(transaction: Transaction, options: { readonly deadlineMs: number }): Promise<ScoreAnswer>;
  readonly deadlineMs: number;
}

type Answered = Awaited<ReturnType<Handlers['scoreTransaction']>>['body'];

/** Of an upload: so many are in flight, in their order, while it is read. */
const IN_FLIGHT = 256;
const MOST_LINE_BYTES = 64 * 1024;
/** An upload is no authorisation: its answers may wait for their turn. */
const UPLOAD_DEADLINE_MS = 30_000;

export function transactionHandlers(
  services: TransactionServices,
): Pick<Handlers, 'scoreTransaction' | 'scoreBatch' | 'uploadTransactions'> {
  const { score, decode, read } = services;
  return {
    async scoreTransaction({ body, query }) {
      const transaction = decode(body);
      return {
        body: answerOf(
          transaction.id,
          await score(transaction, { deadlineMs: query.deadlineMs ?? services.deadlineMs }),
        ),
      };
    },
    async scoreBatch({ body }) {
      const given = batchOf(parseJson(body));
      const transactions = given.map((value, index) => readAt(read, value, index));
      const { deadlineMs } = services;
      const answers = await Promise.all(
        transactions.map(async (transaction) => answerOf(transaction.id, await score(transaction, { deadlineMs }))),
      );
      return { body: { answers } };
    },
    async uploadTransactions({ body, aborted }) {
      return { body: answerLines(linesOf(body), services, aborted) };
    },
  };
}

/** As clients read it. */
function answerOf(id: string, answer: ScoreAnswer): Answered {
  const nothing = { id, action: null, decision: null, isEarlier: false, refusal: null };
  switch (answer.kind) {
    case 'decided':
      return { ...nothing, ...answer, action: answer.decision.action };
    case 'refused':
      return { ...nothing, kind: 'refused', refusal: answer.refusal };
    case 'decided-before':
      return { ...nothing, kind: 'decided-before', isEarlier: true };
    default:
      return { ...nothing, kind: answer.kind, action: answer.action };
  }
}

function batchOf(value: unknown): readonly unknown[] {
  const { transactions } = (value ?? {}) as { transactions?: unknown };
  if (Array.isArray(transactions) && transactions.length > 0 && transactions.length <= MOST_BATCH) return transactions;
  throw new Problem(422, 'BODY_INVALID', `transactions must be an array of 1 to ${MOST_BATCH} transactions. See /docs`);
}

/** One that is wrong is told with its place, and none is written. */
function readAt(read: TransactionServices['read'], value: unknown, index: number): Transaction {
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new Problem(422, error.code, `transactions[${index}]: ${error.message}`);
  }
}

async function* answerLines(
  lines: AsyncIterable<Uint8Array>,
  { decode, score }: TransactionServices,
  aborted: AbortSignal,
): AsyncGenerator<string> {
  const waiting: Promise<Answered>[] = [];
  const answerLine = async (line: Uint8Array): Promise<Answered> => {
    let transaction: Transaction;
    try {
      transaction = decode(line);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const refusal = { code: error.code, message: error.message };
      return { id: '', kind: 'refused', action: null, decision: null, isEarlier: false, refusal };
    }
    return answerOf(transaction.id, await score(transaction, { deadlineMs: UPLOAD_DEADLINE_MS }));
  };
  for await (const line of lines) {
    if (aborted.aborted) return;
    const answer = answerLine(line);
    // Heard of where it is waited for, in its turn.
    answer.catch(() => undefined);
    waiting.push(answer);
    if (waiting.length >= IN_FLIGHT) yield `${JSON.stringify(await waiting.shift())}\n`;
  }
  for (const answer of waiting) yield `${JSON.stringify(await answer)}\n`;
}

/** @throws Problem where a line is too long */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(10, from); end >= 0; end = bytes.indexOf(10, from)) {
      if (end > from) yield bytes.subarray(from, end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > MOST_LINE_BYTES) {
      throw new Problem(
        413,
        'LINE_TOO_LONG',
        `A line is longer than ${MOST_LINE_BYTES} bytes. Send one transaction a line`,
      );
    }
  }
  if (rest.length > 0) yield rest;
}
