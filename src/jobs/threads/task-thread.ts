// Work that would hold decisions up, in a thread beside the one that decides: one task at a time, a bounded queue, and so long
// for each. A thread that does not come back in time, or that a task has killed, is replaced for the next.
//
// The thread is started for the first task. `answerTasks` (answer-tasks.ts) is its other side.
import { Worker } from 'node:worker_threads';
import { InputError } from '../../lib/errors.ts';
import type { ThreadEntry } from '../detect/second-thread.ts';

/** From the thread. `failed`: with a code what was wrong with the task; without one a bug. */
export type TaskOutput<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly code: string | null; readonly problem: string; readonly hint: string };

export interface TaskThreadOptions {
  readonly entry: ThreadEntry;
  /** That wait for the one that is performed. */
  readonly mostWaiting: number;
  /** Of one task, with the thread's start where it has to be started. */
  readonly deadlineMs: number;
  readonly memoryMb: number;
  /** Told to who comes when the queue is full. */
  readonly full: () => InputError;
  /** Told where a task takes longer than it may, or more memory. */
  readonly tooMuch: () => InputError;
}

interface Waiting<Task, Result> {
  readonly task: Task;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

export class TaskThread<Task, Result> {
  readonly #options: TaskThreadOptions;
  readonly #waiting: Waiting<Task, Result>[] = [];
  #worker: Worker | null = null;
  #isBusy = false;
  #isStopped = false;
  #abandon: (error: Error) => void = () => undefined;

  constructor(options: TaskThreadOptions) {
    this.#options = options;
  }

  /**
   * @param transfer arrays of the task that are handed over instead of copied
   * @throws InputError of the task, or of its limits
   */
  perform(task: Task, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    const { full, mostWaiting } = this.#options;
    if (this.#isStopped) return Promise.reject(stopped());
    if (this.#isBusy && this.#waiting.length >= mostWaiting) return Promise.reject(full());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, transfer, resolve, reject });
      this.#next();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { reject } of this.#waiting.splice(0)) reject(stopped());
    this.#abandon(stopped());
    await this.#replace();
  }

  #next(): void {
    if (this.#isBusy) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#isBusy = true;
    this.#run(next)
      .then(next.resolve, next.reject)
      .finally(() => {
        this.#isBusy = false;
        this.#next();
      });
  }

  async #run({ task, transfer }: Waiting<Task, Result>): Promise<Result> {
    const { deadlineMs, tooMuch } = this.#options;
    const worker = this.#started();
    const ended = new AbortController();
    const { signal } = ended;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const fail = (error: Error) => {
          // What it was in the middle of is not the next one's matter.
          this.#replace();
          reject(error);
        };
        this.#abandon = fail;
        const timer = setTimeout(() => fail(tooMuch()), deadlineMs);
        const onMessage = (output: TaskOutput<Result>) => {
          if (output.kind === 'done') resolve(output.result);
          else reject(errorOf(output));
        };
        const onError = (error: Error) => fail(isOutOfMemory(error) ? tooMuch() : error);
        const onExit = () => fail(new Error('the thread has ended by itself'));
        worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        });
        worker.postMessage(task, transfer as ArrayBuffer[]);
      });
    } finally {
      this.#abandon = () => undefined;
      ended.abort();
    }
  }

  #started(): Worker {
    if (this.#worker !== null) return this.#worker;
    const { entry, memoryMb } = this.#options;
    const worker = new Worker(entry.module, {
      workerData: entry.data,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    // Between two tasks, and after a task that was given up.
    worker
      .on('error', () => undefined)
      .on('exit', () => {
        if (this.#worker === worker) this.#worker = null;
      });
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  async #replace(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

function errorOf({ code, problem, hint }: Extract<TaskOutput<unknown>, { kind: 'failed' }>): Error {
  return code === null ? new Error(problem) : new InputError(code, problem, hint);
}

function isOutOfMemory(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function stopped(): Error {
  return new Error('the thread was stopped with the service');
}
