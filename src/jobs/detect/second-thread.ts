// One worker thread that performs tasks in turn. Transferred arrays are not copied and not readable here afterwards.
import { Worker } from 'node:worker_threads';
import type { Task, TaskResult } from './fit-and-score.ts';

export interface SecondThread {
  perform<T extends Task>(task: T, transfer?: readonly ArrayBufferLike[]): Promise<TaskResult<T>>;
  stop(): Promise<void>;
}

/** Where the other thread begins. */
export interface ThreadEntry {
  /** A module that answers every message, a task, with its result. */
  readonly module: URL;
  /** What it needs to know beforehand; copied. */
  readonly data: unknown;
}

export function startSecondThread({ module, data }: ThreadEntry): SecondThread {
  const worker = new Worker(module, { workerData: data });
  const waiting: { resolve: (result: unknown) => void; reject: (error: unknown) => void }[] = [];
  worker.on('message', (result: unknown) => waiting.shift()?.resolve(result));
  worker.on('error', (error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return {
    perform: (task, transfer = []) => {
      const result = new Promise<TaskResult<typeof task>>((resolve, reject) => {
        waiting.push({ resolve: resolve as (result: unknown) => void, reject });
        worker.postMessage(task, transfer as ArrayBuffer[]);
      });
      // Whoever awaits the result sees the failure; where this thread has failed meanwhile, nobody does.
      result.catch(() => {});
      return result;
    },
    stop: async () => {
      await worker.terminate();
    },
  };
}
