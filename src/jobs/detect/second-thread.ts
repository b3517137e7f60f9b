// One worker thread that performs tasks in turn. Transferred arrays are not copied and not readable here afterwards.
import { Worker } from 'node:worker_threads';
import type { Task, TaskResult } from './fit-and-score.worker.ts';

export interface SecondThread {
  perform<T extends Task>(task: T, transfer?: readonly ArrayBufferLike[]): Promise<TaskResult<T>>;
  stop(): Promise<void>;
}

export function startSecondThread(): SecondThread {
  // The same file extension as this file: .ts from the sources, .js from the build.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const worker = new Worker(new URL(`fit-and-score.worker${extension}`, import.meta.url));
  const waiting: { resolve: (result: unknown) => void; reject: (error: unknown) => void }[] = [];
  worker.on('message', (result: unknown) => waiting.shift()?.resolve(result));
  worker.on('error', (error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return {
    perform: (task, transfer = []) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve: resolve as (result: unknown) => void, reject });
        worker.postMessage(task, transfer as ArrayBuffer[]);
      }),
    stop: async () => {
      await worker.terminate();
    },
  };
}
