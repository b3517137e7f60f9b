// A replay in a thread of its own, so that what decides payments goes on undisturbed: this side reads history and hands it over
// batch by batch, the other computes features, decides by both versions and compares.
import { Worker } from 'node:worker_threads';
import type { DecisionThresholds } from '../../decisions/decision.ts';
import type { RuleOverride } from '../../decisions/verdict.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { ReplayRequest, ReplayResult } from '../../records/replays/tables.ts';
import type { ListState } from '../../registry/list-book-state.ts';
import type { ThreadEntry } from '../detect/second-thread.ts';
import type { SentRule } from '../rules/sent-rules.ts';
import type { HistoryBatch } from './log-history.ts';

/** What is live as the job begins. */
export interface LiveDecider {
  readonly name: string;
  /** `name@version`; null without a model. */
  readonly model: string | null;
  /** Those in force where they are not the model's own. */
  readonly thresholds: DecisionThresholds | null;
  readonly rules: readonly SentRule[];
  readonly overrides: readonly RuleOverride[];
}

export interface ReplayTask {
  readonly request: ReplayRequest;
  readonly live: LiveDecider;
  /** With all that is or was on them. */
  readonly lists: readonly ListState[];
  readonly nowMs: number;
}

/** To the thread. `null`: there is no more. */
export type ReplayInput = readonly Transaction[] | null;

/** From the thread. */
export type ReplayOutput =
  | { readonly kind: 'taken' }
  | { readonly kind: 'done'; readonly result: ReplayResult }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string };

/** What is wrong with what was asked for, as the thread says it; other errors of it are bugs. */
export class ReplayRefusedError extends Error {
  override readonly name = 'ReplayRefusedError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Batches that the thread has and is not done with. */
const MOST_AHEAD = 4;

/**
 * @param history is ended where the thread has enough
 * @throws ReplayRefusedError; what aborts the signal
 */
export async function replayInThread(
  { module, data }: ThreadEntry,
  task: ReplayTask,
  history: AsyncGenerator<HistoryBatch>,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (share: number) => void },
): Promise<ReplayResult> {
  const worker = new Worker(module, {
    workerData: { place: data, task },
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  try {
    const ended = endOf(worker, signal);
    ended.promise.catch(() => undefined);
    await Promise.race([feed(worker, history, onProgress, ended), ended.promise]);
    return await ended.promise;
  } finally {
    await history.return(undefined);
    await worker.terminate();
  }
}

interface End {
  readonly promise: Promise<ReplayResult>;
  isOver: boolean;
}

function endOf(worker: Worker, signal: AbortSignal): End {
  const end: { promise: Promise<ReplayResult>; isOver: boolean } = { promise: Promise.reject(), isOver: false };
  end.promise.catch(() => undefined);
  end.promise = new Promise<ReplayResult>((resolve, reject) => {
    const fail = (error: unknown) => {
      end.isOver = true;
      reject(error);
    };
    worker.on('message', (output: ReplayOutput) => {
      if (output.kind === 'failed') {
        const { code, message } = output;
        fail(code === null ? new Error(message) : new ReplayRefusedError(code, message));
      } else if (output.kind === 'done') {
        end.isOver = true;
        resolve(output.result);
      }
    });
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('the thread of the replay has ended by itself')));
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
  });
  return end;
}

async function feed(
  worker: Worker,
  history: AsyncGenerator<HistoryBatch>,
  onProgress: (share: number) => void,
  end: End,
): Promise<void> {
  let ahead = 0;
  let wake: (() => void) | null = null;
  worker.on('message', ({ kind }: ReplayOutput) => {
    if (kind === 'taken') ahead--;
    wake?.();
  });
  for await (const { transactions, progress } of history) {
    if (end.isOver) return;
    ahead++;
    worker.postMessage(transactions satisfies ReplayInput);
    onProgress(progress);
    while (ahead >= MOST_AHEAD && !end.isOver) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  worker.postMessage(null satisfies ReplayInput);
}
