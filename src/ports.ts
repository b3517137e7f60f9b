// The few interfaces that adapters implement and jobs use: a job never knows whether its rows come from a CSV or a topic.
import type { Transaction } from './domain/transaction.ts';

/** What feeds one field of the canonical transaction. */
export type FieldSource =
  | { readonly kind: 'column'; readonly column: string; readonly detail: string }
  | { readonly kind: 'constant'; readonly value: string }
  | { readonly kind: 'row-number' }
  | { readonly kind: 'derived'; readonly detail: string };

/** A mapping applied to one file: which column feeds which field. */
export interface ResolvedMapping {
  /** Built-in name, path of the YAML file, or `guessed`. */
  readonly name: string;
  /** True where nobody gave a mapping and the columns were recognised by name and content. */
  readonly guessed: boolean;
  readonly fields: ReadonlyMap<keyof Transaction, FieldSource>;
  /** Columns of the file that feed nothing. */
  readonly unusedColumns: readonly string[];
  /** IANA name or fixed offset of times written without one. */
  readonly timeZone: string;
  /** Days after which a label is known; null where it is not stated. */
  readonly labelDelayDays: number | null;
  /** The feature catalogue that the mapping asks for; null for the default one. */
  readonly catalogue: string | null;
  /** Lines to print, one per field. */
  describe(): string[];
}

/** A row that was refused, as it is shown to people (card numbers masked). */
export interface RejectedExample {
  /** Line of the file (row number in Parquet), 1-based. */
  readonly line: number;
  readonly field: string;
  readonly reason: string;
  readonly value: string;
  readonly message: string;
}

export interface ReadSummary {
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  /** reason code → rows */
  readonly byReason: Readonly<Record<string, number>>;
  /** At most ten, in file order. */
  readonly firstExamples: readonly RejectedExample[];
  /** What was accepted but deserves a look: rounded amounts, a changing UTC offset, ambiguous local times. */
  readonly findings: readonly string[];
}

/** Batches of transactions in file order. Iterating again reads the source again, and the summary starts anew. */
export interface TransactionReader extends AsyncIterable<Transaction[]> {
  readonly mapping: ResolvedMapping;
  /** Fields fed by the file's columns, and the four that are always there; constants are not counted. */
  readonly fieldsPresent: ReadonlySet<keyof Transaction>;
  /** Offset that the mapping says local hours are in, at the file's first rows. */
  readonly utcOffsetMinutes: number;
  /** Share of the source that has been read, 0–1. */
  progress(): number;
  summary(): ReadSummary;
}

export type ColumnType = 'text' | 'integer' | 'number' | 'boolean';
export type Cell = string | number | boolean | null;

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A sink of rows. Nothing appears under the final name before `close`; `abort` leaves nothing behind. */
export interface RowWriter<Row> {
  write(rows: readonly Row[]): Promise<void>;
  close(): Promise<{ readonly rows: number; readonly bytes: number }>;
  abort(): Promise<void>;
}

/** Rows are cells in the order of the columns; a NaN is written as missing. */
export type TableWriter = RowWriter<readonly Cell[]>;

/** Bytes under keys (`models/x/manifest.json`): a folder or a bucket. */
export interface ObjectStore {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Only where there is nothing under the key yet, all or nothing; false where another was first. */
  putNew(key: string, bytes: Uint8Array): Promise<boolean>;
  /** null where there is no such key */
  get(key: string): Promise<Uint8Array | null>;
  /** Keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<string[]>;
  /** Nothing happens where there is no such key. */
  remove(key: string): Promise<void>;
}

/** A text and what it is called in messages. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A row of a published or hand-kept list, before it is put on a list of ours. */
export interface ListRow {
  /** An id, account or document, or a name. */
  readonly value: string;
  /** null where the file does not say. */
  readonly reason: string | null;
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

export interface RejectedListRow {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** A whole file of such rows. */
export interface ListFile {
  readonly rows: readonly ListRow[];
  readonly rejected: readonly RejectedListRow[];
  /** Of rows that were left out on purpose: other names that the publisher itself calls weak. */
  readonly weakNames: number;
}

/** A dense tensor in row-major order. int64 tensors are `BigInt64Array`. */
export interface GraphTensor {
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
  readonly dims: readonly number[];
}

/** A graph that is ready to run; inputs and outputs are named. */
export interface GraphSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs to the end before it returns, on the calling thread alone.
   *
   * @param outputs which outputs to compute; all where it is left out.
   * @throws InputError if an input is missing or has another type or shape.
   */
  run(
    inputs: Readonly<Record<string, GraphTensor>>,
    outputs?: readonly string[],
  ): Readonly<Record<string, GraphTensor>>;
  close(): void;
}

/** Runs ONNX graphs: the native model runtime. */
export interface GraphRuntime {
  /**
   * @param model bytes of an ONNX file.
   * @throws InputError if the bytes are no ONNX model or need what this runtime lacks.
   */
  open(model: Uint8Array): GraphSession;
}

/** A place in a stream. Offsets rise within a partition and may have gaps. */
export interface StreamPosition {
  readonly topic: string;
  readonly partition: number;
  /** The record that comes next. */
  readonly offset: number;
}

export type StreamPartition = Omit<StreamPosition, 'offset'>;

export interface StreamHeader {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface StreamRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** null: a compacted topic forgets the key. */
  readonly value: Uint8Array | null;
  readonly headers: readonly StreamHeader[];
}

/** Consecutive records of one partition. */
export interface StreamBatch extends StreamPartition {
  readonly records: readonly StreamRecord[];
}

export interface OutgoingRecord {
  readonly topic: string;
  /** null: chosen by the key, the same partition for the same key whatever the log (murmur2, as Kafka's own clients do). */
  readonly partition: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly StreamHeader[];
  /** null: the time of writing. */
  readonly timestampMs: number | null;
}

/** What a member of a group is told of its partitions; awaited before anything else happens. */
export interface AssignmentListener {
  /**
   * The partitions are this member's from now on.
   *
   * @param committed where the group stands in each; offset 0 where it never was
   * @returns where reading begins in each, which may be earlier
   */
  assigned(committed: readonly StreamPosition[]): Promise<readonly StreamPosition[]>;
  /** They are given up: the last chance to commit for them. */
  revoked(partitions: readonly StreamPartition[]): Promise<void>;
  /** They are somebody else's already: what was not committed is not ours any more. */
  lost(partitions: readonly StreamPartition[]): Promise<void>;
}

/** One member of a group. Not for concurrent use: one call at a time. */
export interface StreamConsumer {
  /**
   * What has been committed by its producers, in order within each partition; of several partitions none is starved.
   *
   * @param maxRecords at most so many of all partitions together
   * @param maxWaitMs returns empty-handed after so long without a record
   */
  poll(maxRecords: number, maxWaitMs: number): Promise<readonly StreamBatch[]>;
  /**
   * Writes the outputs and moves the group's positions on, both or neither, durably. One at a time; `poll` may be called
   * meanwhile.
   *
   * @throws FencedError where another member owns a partition by now; nothing was written
   * @throws StreamUnavailableError where the log does not answer; what became of it is not known before it answers again
   */
  commit(outputs: readonly OutgoingRecord[], positions: readonly StreamPosition[]): Promise<void>;
  /** What has been read ahead and not been given yet; 0 for a log at hand. */
  heldBytes(): number;
  /** Offset one past each assigned partition's newest committed record. */
  ends(): Promise<readonly StreamPosition[]>;
  /** Gives the partitions up (`revoked` is called) and leaves the group. */
  close(): Promise<void>;
}

/** Follows topics as they grow, without a group. Not for concurrent use: one call at a time. */
export interface StreamTail {
  /**
   * What has been committed since, in order within each partition; each record once.
   *
   * @param maxWaitMs returns empty-handed after so long without a record
   * @throws StreamUnavailableError where the log does not answer; it goes on from the same place when asked again
   */
  poll(maxRecords: number, maxWaitMs: number): Promise<readonly StreamBatch[]>;
  close(): Promise<void>;
}

export interface TopicSettings {
  readonly name: string;
  readonly partitions: number;
  /** null: kept for ever. */
  readonly retentionMs: number | null;
  /** Of each key only the newest record is kept. */
  readonly compacted: boolean;
  /** Copies on different brokers, where the log has brokers. */
  readonly replicas: number;
}

export interface StreamConsumerOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly listener: AssignmentListener;
}

/** Topics of partitions of records: segment files, Kafka, or memory. */
export interface StreamLog {
  /** Those there are, with what is set for them. */
  topics(): Promise<readonly TopicSettings[]>;
  /** Makes those that are missing; never changes what is there. */
  createTopics(wanted: readonly TopicSettings[]): Promise<void>;
  /** Returns once all records are durable; offsets in the order of the records. */
  append(records: readonly OutgoingRecord[]): Promise<readonly StreamPosition[]>;
  join(options: StreamConsumerOptions): Promise<StreamConsumer>;
  /** Committed records from a position on, without a group; an empty array where there are none (yet). */
  read(from: StreamPosition, maxRecords: number, maxWaitMs: number): Promise<readonly StreamRecord[]>;
  /** All partitions of the topics from their ends on, as they are when this returns: what is committed later is told. */
  tail(topics: readonly string[]): Promise<StreamTail>;
  /** Offsets of the oldest record and one past the newest committed one, for every partition of a topic. */
  bounds(
    topic: string,
  ): Promise<readonly { readonly partition: number; readonly start: number; readonly end: number }[]>;
  /**
   * Where a group stands in every partition of a topic; offset 0 where it never was. Asking does not join it.
   *
   * @param isSettled commits that nobody has ended yet are waited for; otherwise they do not count
   */
  groupPositions(group: string, topic: string, isSettled: boolean): Promise<readonly StreamPosition[]>;
  close(): Promise<void>;
}

/** A statement of PostgreSQL's SQL; `$1` and so on stand for its parameters. */
export interface SqlStatement {
  readonly text: string;
  /** Texts, numbers, booleans, null, bytes, arrays of those, and plain objects for `jsonb`. */
  readonly parameters: readonly unknown[];
}

export interface SqlRows {
  /** `bigint` columns are JavaScript numbers, `jsonb` is parsed, `bytea` are bytes. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Rows that an insert, update or delete touched. */
  readonly changed: number;
}

export type SqlRun = (statement: SqlStatement) => Promise<SqlRows>;

/** A database that speaks PostgreSQL's SQL: one embedded in the program, or a server. */
export interface SqlDatabase {
  readonly engine: 'pglite' | 'postgres';
  /** For reading; sees what was committed. */
  run: SqlRun;
  /**
   * All that is written by `work` or nothing, durable when this resolves. A transaction that lost against another one is
   * tried again, so `work` does nothing but read and write through what it is given.
   *
   * @throws InputError with code `RECORD_CONFLICT` where a constraint is broken
   * @throws RecordsUnavailableError where the database does not answer; what became of it is not known
   */
  transact<Result>(work: (run: SqlRun) => Promise<Result>): Promise<Result>;
  load(): DatabaseLoad;
  close(): Promise<void>;
}

export interface DatabaseLoad {
  /** Connections that are open, and those of them that nobody uses. */
  readonly open: number;
  readonly idle: number;
  /** Requests that wait for one. */
  readonly waiting: number;
}

/** What master keys wrap, and what it is. */
export interface WrapRequest {
  /** A data key, or what wrapping made of it. */
  readonly bytes: Uint8Array;
  /** What it is (`data-key/<id>`): authenticated, so that a wrapped key does not open as another one. */
  readonly context: string;
}

/**
 * They wrap data keys. A master has an id that says which key and version it is (`file:3f9a21c04be7d815`,
 * `vault:transit/centinela:v3`) and is kept beside what it wrapped. One is current and wraps; several open, so that data keys
 * are wrapped anew while all goes on.
 *
 * Requests that concern each other are given together: a service is asked once for many.
 *
 * All throw an error with code `KEYS_UNAVAILABLE` where the service does not answer (later it may), and
 * InputError MASTER_KEY_REFUSED where it refuses or the bytes are not what was wrapped.
 */
export interface MasterKeys {
  /** Wraps from now on. */
  readonly currentId: string;
  /** Whether what this master wrapped can be opened here. */
  opens(masterId: string): boolean;
  /** In the order of the requests. */
  wrap(requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]>;
  unwrap(masterId: string, requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]>;
}

/** What became of a message. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** Later it may go. `reason` has no secret and no personal data. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number | null }
  /** It will not go, however often it is tried. */
  | { readonly kind: 'refused'; readonly reason: string };
