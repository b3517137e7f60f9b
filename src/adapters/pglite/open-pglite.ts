// The embedded database: PGlite in a thread of its own, because its queries would block the event loop that decides
// payments. Requests wait in one bounded line and are done one after another.
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError, RecordsUnavailableError } from '../../lib/errors.ts';
import type { SqlDatabase, SqlRows, SqlRun } from '../../ports.ts';
import { lockFolder } from '../files/stream-log/folder-lock.ts';
import type { PgliteLimits, StatementText } from './messages.ts';
import { performWork } from './perform-work.ts';
import { textOf } from './statement-text.ts';
import { startWorker, type WorkerLink } from './worker-link.ts';

export interface PgliteOptions {
  /** Where it is kept, made if it is not there; null: in memory, nothing is kept. */
  readonly folder: string | null;
  /** Told in words what had to be mended when it was opened. */
  readonly onRecovery: (text: string) => void;
  /** Where the image of an empty database is kept between starts; the user's cache where it is left out, null: nowhere. */
  readonly cacheFolder?: string | null;
  readonly limits?: Partial<PgliteLimits>;
}

const LIMITS: PgliteLimits = {
  queued: 1000,
  idleInTransactionMs: 30_000,
  transactionBytes: 32 * 1_048_576,
  groupTransactions: 64,
  groupMs: 20,
  redoSegmentBytes: 8 * 1_048_576,
  checkpointAfterBytes: 8 * 1_048_576,
  snapshotAfterBytes: 32 * 1_048_576,
  snapshotAfterTimes: 2,
  snapshotAtCloseBytes: 8 * 1_048_576,
};

type Job =
  | { readonly kind: 'read'; readonly statement: StatementText; readonly done: PromiseWithResolvers<SqlRows> }
  | {
      readonly kind: 'transaction';
      readonly work: (run: SqlRun) => Promise<unknown>;
      readonly done: PromiseWithResolvers<unknown>;
    };

/** @throws InputError RECORDS_IN_USE where another process has the folder, RECORDS_DAMAGED where nothing whole is left */
export async function openPglite(options: PgliteOptions): Promise<SqlDatabase> {
  const { folder, onRecovery } = options;
  const limits = { ...LIMITS, ...options.limits };
  const unlock = folder === null ? null : await lock(folder);
  const cacheFolder = options.cacheFolder === undefined ? join(homedir(), '.cache', 'centinela') : options.cacheFolder;
  const start = () => startWorker({ folder, cacheFolder, limits }, onRecovery);
  try {
    return createDatabase(start, await start(), limits, folder === null, unlock);
  } catch (error) {
    await unlock?.();
    throw error;
  }
}

async function lock(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await lockFolder(folder);
  } catch (error) {
    if (!(error instanceof InputError && error.code === 'LOG_IN_USE')) throw error;
    const problem = `the records in ${folder} are in use by another process (its number is in ${join(folder, 'lock')})`;
    throw new InputError('RECORDS_IN_USE', problem, error.hint);
  }
}

function createDatabase(
  start: () => Promise<WorkerLink>,
  started: WorkerLink,
  limits: PgliteLimits,
  isInMemory: boolean,
  unlock: (() => Promise<void>) | null,
): SqlDatabase {
  let link = started;
  const jobs: Job[] = [];
  let isRunning = false;
  /** Ends when the line is empty. */
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  function add(job: Job): void {
    if (isClosed) throw new RecordsUnavailableError('the embedded database was closed');
    if (jobs.length >= limits.queued) {
      throw new RecordsUnavailableError(
        `${jobs.length} requests wait for the embedded database, at most ${limits.queued} may: it is slower than what comes in`,
      );
    }
    jobs.push(job);
    if (!isRunning) running = work();
  }

  async function work(): Promise<void> {
    isRunning = true;
    // Whatever else is asked for in this turn of the event loop may share a commit.
    await Promise.resolve();
    while (jobs.length > 0) {
      if (link.broken !== null && !(await restart())) continue;
      if (jobs[0]!.kind === 'read') await read(jobs.shift() as Job & { kind: 'read' });
      else await group();
      if (link.broken === null && !link.isTidy) await link.ask({ kind: 'tidy' }).catch(() => undefined);
    }
    // Not in a callback of the promise: what is asked for before that ran would wait for ever.
    isRunning = false;
  }

  /** @returns false where it does not start; those that wait were told */
  async function restart(): Promise<boolean> {
    await link.stop();
    try {
      if (isInMemory) throw new RecordsUnavailableError(`the database in memory is gone: ${link.broken}`);
      link = await start();
      return true;
    } catch (error) {
      for (const { done } of jobs.splice(0)) done.reject(error);
      return false;
    }
  }

  async function read({ statement, done }: Job & { kind: 'read' }): Promise<void> {
    await link.ask({ kind: 'run', ...statement }).then(done.resolve, done.reject);
  }

  /** Transactions that wait one behind another share one commit. */
  async function group(): Promise<void> {
    const settled: (() => void)[] = [];
    const failed: ((error: unknown) => void)[] = [];
    const untilMs = performance.now() + limits.groupMs;
    let bytes = 0;
    const count = (more: number) => {
      bytes += more;
    };
    do {
      const job = jobs.shift() as Job & { kind: 'transaction' };
      try {
        const result = await perform(job.work, count);
        settled.push(() => job.done.resolve(result));
        failed.push(job.done.reject);
      } catch (error) {
        job.done.reject(error);
      }
    } while (
      jobs[0]?.kind === 'transaction' &&
      settled.length < limits.groupTransactions &&
      performance.now() < untilMs &&
      bytes < limits.transactionBytes &&
      link.broken === null
    );
    if (settled.length === 0) return;
    try {
      await link.ask({ kind: 'commit' });
      for (const resolve of settled) resolve();
    } catch (error) {
      for (const reject of failed) reject(error);
    }
  }

  async function perform(work: (run: SqlRun) => Promise<unknown>, count: (bytes: number) => void): Promise<unknown> {
    await link.ask({ kind: 'begin' });
    try {
      const result = await performWork(link, work, limits.idleInTransactionMs, count);
      await link.ask({ kind: 'end' });
      return result;
    } catch (error) {
      if (link.broken === null) await link.ask({ kind: 'undo' });
      throw error;
    }
  }

  return {
    engine: 'pglite',
    async run(statement) {
      const done = Promise.withResolvers<SqlRows>();
      add({ kind: 'read', statement: textOf(statement), done });
      return done.promise;
    },
    async transact<Result>(work: (run: SqlRun) => Promise<Result>) {
      const done = Promise.withResolvers<unknown>();
      add({ kind: 'transaction', work, done });
      return done.promise as Promise<Result>;
    },
    load: () => ({ open: isClosed ? 0 : 1, idle: isRunning || isClosed ? 0 : 1, waiting: jobs.length }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await running;
      try {
        if (link.broken === null) await link.ask({ kind: 'close' });
      } finally {
        await link.stop();
        await unlock?.();
      }
    },
  };
}
