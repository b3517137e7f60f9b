// What a worker is given: the log, what decides, how it works, and who is told what it does.
import type { StreamLog } from '../../ports.ts';
import type { LetterSealer } from '../../privacy/sealed-letter.ts';
import type { EvidencePacker } from '../evidence/draft.ts';
import { type BatchSizeSettings, DEFAULT_BATCH_SIZE } from './batch-size.ts';
import type { CheckpointStore, WrittenCheckpoint } from './checkpoint-store.ts';
import { MAX_RECORD_BYTES } from './dead-letter.ts';
import { DEFAULT_DEGRADED_MODE, type DegradedModeSettings } from './degraded-mode.ts';
import type { AddressToken } from './outputs.ts';
import type { DecidedRecord, FoldOutput, LiveVersion } from './partition-fold.ts';
import type { Step } from './step-times.ts';
import type { TopicNames } from './topics.ts';
import type { PartitionSetup, VersionSource } from './versions.ts';

/** What the worker does, for metrics and logs. Times are durations. */
export interface WorkerObserver {
  batch(done: BatchDone): void;
  committed(outputs: number, tookMs: number): void;
  queued(depths: QueueDepths): void;
  /** From this offset on decisions are made without these parts; none: with all they need, again. */
  leftOut(partition: number, offset: number, parts: readonly string[]): void;
  restored(partition: number, from: number, upTo: number, tookMs: number): void;
  checkpointed(partition: number, written: WrittenCheckpoint, tookMs: number): void;
  changed(partition: number, offset: number, version: Pick<LiveVersion, 'model' | 'rules' | 'thresholds'>): void;
  /** Something went wrong and the worker begins again. */
  troubled(code: string, message: string): void;
  assigned(partitions: readonly number[]): void;
  revoked(partitions: readonly number[]): void;
  /** Records that wait, by partition of the stream. */
  lagging(waiting: readonly { readonly partition: number; readonly records: number }[]): void;
}

export interface QueueDepths {
  /** Records that were fetched and are not folded yet. */
  readonly records: number;
  /** Outputs that are not committed yet. */
  readonly outputs: number;
  /** What the log has read ahead. */
  readonly heldBytes: number;
}

export interface BatchDone {
  readonly partition: number;
  readonly records: number;
  readonly output: FoldOutput;
  readonly foldMs: number;
  /** Steps that missed their deadline. */
  readonly missed: readonly Step[];
  /** How long the oldest record of the batch had waited since it was written, when its decision was durable. */
  readonly oldestWaitMs: number;
}

export interface WorkerSettings {
  readonly group: string;
  readonly topics: TopicNames;
  /** What is folded: a stage's topic, or the transactions with the labels and changes that are passed on into them. */
  readonly input?: string;
  /** Where changes are passed on to; default the transactions. */
  readonly changesTo?: string;
  readonly batchSize: BatchSizeSettings;
  readonly pollWaitMs: number;
  /** A partition is checkpointed this often, where it moved on. */
  readonly checkpointEveryMs: number;
  /** What is only passed on to the next stage moves the group on this often: what comes twice after a crash is known there. */
  readonly commitEveryMs: number;
  /** The lag is looked at this often. */
  readonly lagEveryMs: number;
  /** Attempts at a log that does not answer, before the worker gives up. */
  readonly attempts: number;
  readonly firstRetryMs: number;
  /** What the log takes as one record. */
  readonly maxRecordBytes: number;
  /** null: nothing is left out for want of time, and a detector that fails stops the worker. */
  readonly degradedMode: DegradedModeSettings | null;
}

export const DEFAULT_WORKER: Omit<WorkerSettings, 'topics'> = {
  ...{ group: 'centinela', batchSize: DEFAULT_BATCH_SIZE, pollWaitMs: 100 },
  ...{ checkpointEveryMs: 10_000, commitEveryMs: 500, lagEveryMs: 5000, attempts: 8, firstRetryMs: 100 },
  ...{ maxRecordBytes: MAX_RECORD_BYTES, degradedMode: DEFAULT_DEGRADED_MODE },
};

export interface WorkerOptions {
  readonly log: StreamLog;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
  /** A new one each time that a partition is taken over. */
  readonly checkpoints: (partition: number) => CheckpointStore;
  readonly settings: WorkerSettings;
  /** Seals dead letters; null or left out: they are written as they came. */
  readonly letters?: LetterSealer | null;
  /** Makes the evidence that the fold asks for; null or left out: none is made. */
  readonly evidence?: EvidencePacker | null;
  /** By which alerts name the address that a transaction came from; left out: they have none. */
  readonly addressToken?: AddressToken;
  readonly observer: WorkerObserver;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Decisions that are durable, in the order of their partition. */
  readonly onDecided?: (decided: readonly DecidedRecord[]) => void;
}
