// What goes between the program's thread and the database's thread. One request at a time; each gets one reply.
import type { SqlRows } from '../../ports.ts';
import type { ParameterText } from '../postgres/parameter-text.ts';
import type { SqlFailure } from '../postgres/sql-errors.ts';

export interface StatementText {
  readonly text: string;
  readonly parameters: readonly ParameterText[];
}

/** What the database's thread needs to know when it begins. */
export interface WorkerStart {
  /** null: in memory, nothing is kept. */
  readonly folder: string | null;
  /** Where the image of an empty database is kept for the next start; null: it is made anew each time. */
  readonly cacheFolder: string | null;
  readonly limits: PgliteLimits;
}

export interface PgliteLimits {
  /** Requests that wait; beyond it they are turned away. */
  readonly queued: number;
  /** A transaction in which nothing happens for so long is undone: all others wait for it. */
  readonly idleInTransactionMs: number;
  /** Of the statements and parameters of one transaction; a group that has more is committed. */
  readonly transactionBytes: number;
  /** Transactions that share one sync, at most, and how long the first of them waits for the others. */
  readonly groupTransactions: number;
  readonly groupMs: number;
  /** A file of the redo log is followed by another one from this size on. */
  readonly redoSegmentBytes: number;
  /** Redo after which PostgreSQL's own log is folded into its tables, and they are vacuumed. */
  readonly checkpointAfterBytes: number;
  /** Redo since the last snapshot after which a new one is made, */
  readonly snapshotAfterBytes: number;
  /** but not before it is so many times the size of the last one: a large database is not copied as often. */
  readonly snapshotAfterTimes: number;
  /** The same when the database is closed. */
  readonly snapshotAtCloseBytes: number;
}

export type Request =
  /** A statement on its own, for reading. */
  | ({ readonly kind: 'run' } & StatementText)
  /** Begins a transaction; those since the last `commit` become durable together. */
  | { readonly kind: 'begin' }
  | ({ readonly kind: 'statement' } & StatementText)
  /** The transaction's work is done: it becomes part of what the next `commit` makes durable. */
  | { readonly kind: 'end' }
  | { readonly kind: 'undo' }
  | { readonly kind: 'commit' }
  /** What can be done while nobody waits, and must be done now and then. */
  | { readonly kind: 'tidy' }
  | { readonly kind: 'close' };

/** An error that can be copied between threads. */
export type WireError =
  | { readonly kind: 'sql'; readonly failure: SqlFailure }
  | { readonly kind: 'input'; readonly code: string; readonly problem: string; readonly hint: string }
  /** A bug of the caller. */
  | { readonly kind: 'assertion'; readonly message: string }
  /** Nothing of it was done; the same may succeed later. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** The database's thread is of no use any more, and what became of the request is not known. */
  | { readonly kind: 'broken'; readonly message: string };

export type Reply =
  | { readonly kind: 'done'; readonly rows: SqlRows | null; readonly isTidy: boolean }
  | { readonly kind: 'failed'; readonly error: WireError }
  /** In between, as it happens. */
  | { readonly kind: 'recovery'; readonly text: string };
