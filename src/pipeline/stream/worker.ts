// The worker: polls the stream, folds its partitions, and commits what they decide with how far it got, together.
//
// Exactly once. Outputs and positions are one commit of the log. State is ahead of what is committed for the length of one
// commit only; when that fails, or the partition was somebody else's meanwhile, the state is thrown away and made again:
// from the newest checkpoint, and the records since, which are folded without a word up to where the group stands.
//
// Labels and changes of rules or model come on topics of their own, and are passed on into the stream of transactions:
// there they have a place among them, the same for everybody who ever reads it.
import type { ControlRecord } from '../../domain/stream-records.ts';
import { FencedError, InputError, StreamUnavailableError } from '../../lib/errors.ts';
import type {
  OutgoingRecord,
  StreamBatch,
  StreamConsumer,
  StreamLog,
  StreamPartition,
  StreamPosition,
  StreamRecord,
} from '../../ports.ts';
import { BatchSize, type BatchSizeSettings } from './batch-size.ts';
import { type CheckpointStore, snapshotOf, type WrittenCheckpoint } from './checkpoint-store.ts';
import { outputsOf } from './outputs.ts';
import { type DecidedRecord, type FoldOutput, PartitionFold } from './partition-fold.ts';
import { kindHeader, type RecordKind } from './record-kinds.ts';
import type { TopicNames } from './topics.ts';
import type { PartitionSetup, VersionSource } from './versions.ts';

/** What the worker does, for metrics and logs. Times are durations. */
export interface WorkerObserver {
  batch(done: BatchDone): void;
  restored(partition: number, from: number, upTo: number, tookMs: number): void;
  checkpointed(partition: number, written: WrittenCheckpoint, tookMs: number): void;
  changed(partition: number, offset: number, model: string | null, rules: string): void;
  /** Something went wrong and the worker begins again. */
  troubled(code: string, message: string): void;
  assigned(partitions: readonly number[]): void;
  revoked(partitions: readonly number[]): void;
  /** Records that wait, by partition of the stream. */
  lagging(waiting: readonly { readonly partition: number; readonly records: number }[]): void;
}

export interface BatchDone {
  readonly partition: number;
  readonly records: number;
  readonly output: FoldOutput;
  readonly foldMs: number;
  /** How long the oldest record of the batch had waited since it was written, when its decision was durable. */
  readonly oldestWaitMs: number;
}

export interface WorkerSettings {
  readonly group: string;
  readonly topics: TopicNames;
  readonly batchSize: BatchSizeSettings;
  readonly pollWaitMs: number;
  /** A partition is checkpointed this often, where it moved on. */
  readonly checkpointEveryMs: number;
  /** The lag is looked at this often. */
  readonly lagEveryMs: number;
  /** Attempts at a log that does not answer, before the worker gives up. */
  readonly attempts: number;
  readonly firstRetryMs: number;
}

export const DEFAULT_WORKER: Omit<WorkerSettings, 'topics'> = {
  ...{ group: 'centinela', batchSize: { fewest: 64, most: 4096, budgetMs: 120 }, pollWaitMs: 100 },
  ...{ checkpointEveryMs: 10_000, lagEveryMs: 5000, attempts: 8, firstRetryMs: 100 },
};

export interface WorkerOptions {
  readonly log: StreamLog;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
  readonly checkpoints: (partition: number) => CheckpointStore;
  readonly settings: WorkerSettings;
  readonly observer: WorkerObserver;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Decisions that are durable, in the order of their partition. */
  readonly onDecided?: (decided: readonly DecidedRecord[]) => void;
}

interface OwnedPartition {
  readonly partition: number;
  fold: PartitionFold;
  version: Awaited<ReturnType<VersionSource['initial']>>;
  /** The record that comes next in the state. */
  offset: number;
  /** Outputs of records before it are out already. */
  readonly silentBefore: number;
  readonly restoredFrom: number;
  readonly beganMs: number;
  checkpoint: { offset: number; atMs: number; running: Promise<void> | null };
}

const FORWARDED: readonly (readonly ['labels' | 'control', RecordKind])[] = [
  ['labels', 'label'],
  ['control', 'control'],
];

export class Worker {
  readonly #options: WorkerOptions;
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #batchSize: BatchSize;
  #stopping = false;
  #ready = false;
  #nextLagMs = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#batchSize = new BatchSize(options.settings.batchSize);
  }

  /** It is a member of its group, and what it owns has caught up with where the group stood. */
  get isReady(): boolean {
    return this.#ready && [...this.#owned.values()].every(({ offset, silentBefore }) => offset >= silentBefore);
  }

  /** What it owns, and where its state stands. */
  positions(): StreamPosition[] {
    const topic = this.#options.settings.topics.transactions;
    return [...this.#owned.values()].map(({ partition, offset }) => ({ topic, partition, offset }));
  }

  /** Ends after the batch at hand, with a last checkpoint. */
  stop(): void {
    this.#stopping = true;
  }

  /**
   * Works until it is stopped.
   *
   * @throws StreamUnavailableError where the log has not answered for so many attempts
   */
  async run(): Promise<void> {
    const { settings, sleep, observer } = this.#options;
    let failures = 0;
    while (!this.#stopping) {
      try {
        await this.#work(() => {
          failures = 0;
        });
      } catch (error) {
        this.#ready = false;
        if (!(error instanceof FencedError || error instanceof StreamUnavailableError)) throw error;
        failures++;
        observer.troubled(error.code, error.message);
        if (failures >= settings.attempts) throw error;
        await sleep(settings.firstRetryMs * 2 ** (failures - 1));
      }
    }
  }

  /** One membership of the group. */
  async #work(onProgress: () => void): Promise<void> {
    const { log, settings } = this.#options;
    const { topics, group } = settings;
    const consumer = await log.join({
      ...{ group, topics: [topics.transactions, topics.labels, topics.control] },
      listener: {
        assigned: (committed) => this.#assigned(committed),
        revoked: (partitions) => this.#revoked(partitions),
        lost: async (partitions) => this.#forget(partitions),
      },
    });
    this.#ready = true;
    try {
      while (!this.#stopping) {
        const batches = await consumer.poll(this.#batchSize.records, settings.pollWaitMs);
        if (batches.length > 0) await this.#process(consumer, batches);
        onProgress();
        this.#startCheckpoints();
        await this.#lookAtLag(consumer);
      }
      await this.#finishCheckpoints([...this.#owned.values()]);
    } catch (error) {
      // What the state holds beyond the commit that failed is nobody's: it is made again.
      this.#owned.clear();
      await consumer.close().catch(() => undefined);
      throw error;
    }
    await consumer.close();
    this.#owned.clear();
  }

  async #process(consumer: StreamConsumer, batches: readonly StreamBatch[]): Promise<void> {
    const { settings, now, observer, onDecided } = this.#options;
    const startedMs = now();
    const outputs: OutgoingRecord[] = [];
    const positions: StreamPosition[] = [];
    const done: BatchDone[] = [];
    let records = 0;
    for (const batch of batches) {
      if (batch.records.length === 0) continue;
      const forwarded = FORWARDED.find(([role]) => settings.topics[role] === batch.topic);
      if (forwarded !== undefined) outputs.push(...(await this.#forward(batch.records, forwarded[1])));
      else done.push(...(await this.#fold(batch, outputs)));
      records += batch.records.length;
      const { topic, partition } = batch;
      positions.push({ topic, partition, offset: batch.records[batch.records.length - 1].offset + 1 });
    }
    const moved = positions.filter((position) => !this.#isSilent(position));
    if (moved.length > 0) await consumer.commit(outputs, moved);
    const endedMs = now();
    this.#batchSize.observe(records, endedMs - startedMs);
    for (const each of done) {
      observer.batch({ ...each, oldestWaitMs: endedMs - each.oldestWaitMs });
      onDecided?.(each.output.decided);
    }
  }

  /** A position that the group has passed already. */
  #isSilent({ topic, partition, offset }: StreamPosition): boolean {
    if (topic !== this.#options.settings.topics.transactions) return false;
    const owned = this.#owned.get(partition);
    return owned !== undefined && offset <= owned.silentBefore;
  }

  async #fold(batch: StreamBatch, outputs: OutgoingRecord[]): Promise<BatchDone[]> {
    const { settings, observer, now } = this.#options;
    const owned = this.#owned.get(batch.partition);
    if (owned === undefined) throw new FencedError(`partition ${batch.partition} is not ours`);
    const done: BatchDone[] = [];
    let rest: readonly StreamRecord[] = batch.records.filter(({ offset }) => offset >= owned.offset);
    while (rest.length > 0) {
      // What is made again and what is new are never one run: the first is silent.
      const boundary = rest.findIndex(({ offset }) => offset >= owned.silentBefore);
      const isSilent = boundary !== 0;
      const run = isSilent && boundary > 0 ? rest.slice(0, boundary) : rest;
      const startedMs = now();
      const output = owned.fold.take(run, owned.version);
      const foldMs = now() - startedMs;
      const last = run[output.taken - 1];
      owned.offset = last.offset + 1;
      if (output.change !== null) await this.#change(owned, last.offset, output.change);
      if (!isSilent) {
        outputs.push(...outputsOf(output, batch, settings.topics));
        done.push({
          ...{ partition: batch.partition, records: output.taken, output, foldMs },
          oldestWaitMs: run[0].timestampMs,
        });
      } else if (owned.offset >= owned.silentBefore) {
        observer.restored(owned.partition, owned.restoredFrom, owned.silentBefore, now() - owned.beganMs);
      }
      rest = rest.slice(output.taken);
    }
    return done;
  }

  /** A version that cannot be made leaves what decides as it was. */
  async #change(owned: OwnedPartition, offset: number, change: ControlRecord): Promise<void> {
    const { versions, observer } = this.#options;
    try {
      owned.version = await versions.change(owned.version, change, owned.fold.engine.definitions);
      observer.changed(owned.partition, offset, owned.version.model, owned.version.rules);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      observer.troubled(
        error.code,
        `the change at offset ${offset} of partition ${owned.partition} was left out: ${error.message}`,
      );
    }
  }

  /** Onto the stream of transactions: a label to its payer's partition, a change to every one. */
  async #forward(records: readonly StreamRecord[], kind: RecordKind): Promise<OutgoingRecord[]> {
    const { log, settings } = this.#options;
    const topic = settings.topics.transactions;
    const partitions =
      kind === 'control' ? (await log.bounds(topic)).map(({ partition }) => partition as number | null) : [null];
    return records.flatMap(({ key, value, headers, timestampMs }) =>
      partitions.map((partition) => ({
        ...{ topic, partition, key, value, timestampMs },
        headers: [...headers, kindHeader(kind)],
      })),
    );
  }

  async #assigned(committed: readonly StreamPosition[]): Promise<readonly StreamPosition[]> {
    const { settings, observer } = this.#options;
    const ours = committed.filter(({ topic }) => topic === settings.topics.transactions);
    const others = committed.filter(({ topic }) => topic !== settings.topics.transactions);
    const begun: StreamPosition[] = [];
    for (const position of ours) begun.push({ ...position, offset: await this.#restore(position) });
    observer.assigned(ours.map(({ partition }) => partition));
    return [...begun, ...others];
  }

  /** @returns where reading begins */
  async #restore({ partition, offset: committed }: StreamPosition): Promise<number> {
    const { setup, versions, checkpoints, now } = this.#options;
    const held = this.#owned.get(partition);
    if (held !== undefined && held.offset === committed) return committed;
    const beganMs = now();
    const restored = await checkpoints(partition).restore(
      committed,
      setup.definitions,
      setup.limits,
      setup.fold.maxIds,
    );
    const fold =
      restored === null
        ? new PartitionFold(setup.createEngine(), setup.decoders, setup.fold)
        : new PartitionFold(restored.engine, setup.decoders, setup.fold, restored);
    const offset = restored?.offset ?? 0;
    const initial = await versions.initial(setup.definitions);
    const change = restored?.head.change ?? null;
    const version = change === null ? initial : await versions.change(initial, change, setup.definitions);
    this.#owned.set(partition, {
      ...{ partition, fold, version, offset, silentBefore: committed, restoredFrom: offset, beganMs },
      checkpoint: { offset, atMs: beganMs, running: null },
    });
    return offset;
  }

  async #revoked(partitions: readonly StreamPartition[]): Promise<void> {
    const { settings, observer } = this.#options;
    const ours = partitions.filter(({ topic }) => topic === settings.topics.transactions);
    const given = ours.map(({ partition }) => this.#owned.get(partition)).filter((owned) => owned !== undefined);
    // The next owner continues from here.
    await this.#finishCheckpoints(given);
    this.#forget(partitions);
    observer.revoked(ours.map(({ partition }) => partition));
  }

  #forget(partitions: readonly StreamPartition[]): void {
    for (const { topic, partition } of partitions) {
      if (topic === this.#options.settings.topics.transactions) this.#owned.delete(partition);
    }
  }

  async #lookAtLag(consumer: StreamConsumer): Promise<void> {
    const { settings, now, observer } = this.#options;
    if (now() < this.#nextLagMs) return;
    this.#nextLagMs = now() + settings.lagEveryMs;
    const waiting = (await consumer.ends()).flatMap(({ topic, partition, offset }) => {
      const owned = topic === settings.topics.transactions ? this.#owned.get(partition) : undefined;
      return owned === undefined ? [] : [{ partition, records: Math.max(0, offset - owned.offset) }];
    });
    observer.lagging(waiting);
  }

  /** One at a time per partition, beside the work. */
  #startCheckpoints(): void {
    const { settings, now } = this.#options;
    for (const owned of this.#owned.values()) {
      const { checkpoint } = owned;
      const isDue = now() - checkpoint.atMs >= settings.checkpointEveryMs && owned.offset > checkpoint.offset;
      if (isDue && checkpoint.running === null && owned.offset >= owned.silentBefore) this.#checkpoint(owned);
    }
  }

  #checkpoint(owned: OwnedPartition): void {
    const { checkpoints, now, observer } = this.#options;
    const { checkpoint, partition, offset } = owned;
    const startedMs = now();
    checkpoint.offset = offset;
    checkpoint.atMs = startedMs;
    checkpoint.running = checkpoints(partition)
      .write(snapshotOf(owned.fold, offset), startedMs)
      .then(
        (written) => observer.checkpointed(partition, written, now() - startedMs),
        (error: Error) => observer.troubled('CHECKPOINT_FAILED', error.message),
      )
      .finally(() => {
        checkpoint.running = null;
      });
  }

  async #finishCheckpoints(owned: readonly OwnedPartition[]): Promise<void> {
    for (const each of owned) {
      await each.checkpoint.running;
      if (each.offset > each.checkpoint.offset && each.offset >= each.silentBefore) this.#checkpoint(each);
      await each.checkpoint.running;
    }
  }
}
