// Runs the replays that wait in the records, one at a time for all processes together, and tells the records how far each is.
//
// Whoever runs a job renews a lease; a job whose runner died is queued once more (records/replays/replay-jobs.ts). A service that
// stops in order gives its job back.

import type { ReplayEnd, ReplayJob } from '../../records/replays/replay-jobs.ts';
import type { ReplayResult } from '../../records/replays/tables.ts';
import { ReplayRefusedError } from './replay-thread.ts';

export interface ReplayQueueRecords {
  /** Looks after jobs whose runner died. @param isStart this process has just begun */
  takeUp(isStart: boolean): Promise<unknown>;
  claim(leaseMs: number): Promise<ReplayJob | null>;
  /** false: it was cancelled, or is another's by now */
  beat(job: ReplayJob, progress: number, leaseMs: number): Promise<boolean>;
  end(job: ReplayJob, end: ReplayEnd): Promise<unknown>;
  giveBack(job: ReplayJob): Promise<unknown>;
}

export interface ReplayQueueOptions {
  readonly records: ReplayQueueRecords;
  readonly run: (
    job: ReplayJob,
    how: { readonly signal: AbortSignal; readonly onProgress: (share: number) => void },
  ) => Promise<ReplayResult>;
  readonly onTrouble: (error: Error) => void;
  readonly lookEveryMs?: number;
}

const LOOK_MS = 5_000;
const BEAT_MS = 1_000;
const LEASE_MS = 20_000;
/** Of JSON: hundreds of rules have less. */
const MOST_RESULT_CHARACTERS = 8_000_000;
const MOST_PROBLEM_CHARACTERS = 4_000;

export class ReplayQueue {
  readonly #options: ReplayQueueOptions;
  #isStopping = false;
  #wake: () => void = () => undefined;
  #isAwaited = false;
  #current: AbortController | null = null;
  #running: Promise<void> | null = null;

  constructor(options: ReplayQueueOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#loop();
  }

  /** There may be something new to do, or to stop. */
  poke(): void {
    this.#isAwaited = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#current?.abort(STOPPING);
    this.#wake();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { records, onTrouble, lookEveryMs = LOOK_MS } = this.#options;
    let isStart = true;
    while (!this.#isStopping) {
      this.#isAwaited = false;
      try {
        await records.takeUp(isStart);
        isStart = false;
        const job = await records.claim(LEASE_MS);
        if (job !== null) {
          await this.#work(job);
          continue;
        }
      } catch (error) {
        onTrouble(error as Error);
      }
      if (!this.#isAwaited && !this.#isStopping) await this.#pause(lookEveryMs);
    }
  }

  async #work(job: ReplayJob): Promise<void> {
    const { records, run, onTrouble } = this.#options;
    const controller = new AbortController();
    this.#current = controller;
    if (this.#isStopping) controller.abort(STOPPING);
    let progress = 0;
    const beat = async () => {
      if (!(await records.beat(job, progress, LEASE_MS))) controller.abort(CANCELLED);
    };
    let isBeating = false;
    const timer = setInterval(() => {
      if (isBeating) return;
      isBeating = true;
      beat()
        .catch(onTrouble)
        .finally(() => {
          isBeating = false;
        });
    }, BEAT_MS);
    const onProgress = (share: number) => {
      progress = share;
    };
    try {
      const result = await run(job, { signal: controller.signal, onProgress });
      await records.end(job, endOf(result));
    } catch (error) {
      if (error === STOPPING) await records.giveBack(job);
      else await records.end(job, error === CANCELLED ? { state: 'cancelled' } : failureOf(error, onTrouble));
    } finally {
      clearInterval(timer);
      this.#current = null;
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const STOPPING = new Error('the service stops');
const CANCELLED = new Error('the replay was cancelled');

function endOf(result: ReplayResult): ReplayEnd {
  if (JSON.stringify(result).length <= MOST_RESULT_CHARACTERS) return { state: 'done', result };
  const problem = `What came of it is larger than ${MOST_RESULT_CHARACTERS} characters. Replay fewer rules at once`;
  return { state: 'failed', code: 'REPLAY_RESULT_TOO_LARGE', problem };
}

/** What is wrong with the request is told; what is wrong with the program is in the logs. */
function failureOf(error: unknown, onTrouble: (error: Error) => void): ReplayEnd {
  if (error instanceof ReplayRefusedError) {
    return { state: 'failed', code: error.code, problem: error.message.slice(0, MOST_PROBLEM_CHARACTERS) };
  }
  onTrouble(error as Error);
  const problem = 'The replay failed; why is in the logs. Ask for it again';
  return { state: 'failed', code: 'REPLAY_FAILED', problem };
}
