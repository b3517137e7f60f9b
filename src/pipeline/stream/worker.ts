// The worker: polls the stream, folds its partitions, and commits what they decide with how far it got, together.
//
// Exactly once. Outputs and positions are one commit of the log. Where the stream is behind, the next batch is folded while
// that is under way, and is committed after it, so that state is ahead of what is committed by two batches at most. When a
// commit fails, or the partition was somebody else's meanwhile, the state is thrown away and made again: from the newest
// checkpoint, and the records since, which are folded without a word up to where the group stands.
//
// What a stage passes on to the next is not waited for in this way: it is appended, and the group moved on now and then. After a
// crash some is passed on again, and the next stage knows it (stages/source-marks.ts).
//
// Labels and changes of rules or model come on topics of their own, and are passed on into the stream of transactions:
// there they have a place among them, the same for everybody who ever reads it. What is wrong with them is found at this
// door, once: a change that cannot be made never gets into the stream, and one that is in it is made by everybody.
import type { ControlRecord } from '../../domain/stream-records.ts';
import { FencedError, InputError } from '../../lib/errors.ts';
import type {
  OutgoingRecord,
  StreamBatch,
  StreamConsumer,
  StreamPartition,
  StreamPosition,
  StreamRecord,
} from '../../ports.ts';
import { REASONS } from '../explain-decision.ts';
import { BatchSize } from './batch-size.ts';
import { Checkpointing } from './checkpointing.ts';
import type { LetterSeal } from './dead-letter.ts';
import { DegradedMode } from './degraded-mode.ts';
import { Door } from './door.ts';
import { leftOutRecord } from './left-out.ts';
import { readySeal } from './letter-seal.ts';
import { outputsOf } from './outputs.ts';
import { packEvidence } from './pack-evidence.ts';
import type { FoldOutput, LiveVersion, Taking } from './partition-fold.ts';
import { kindOf, newRecords, type RecordKind } from './record-kinds.ts';
import { isPassing } from './restore.ts';
import { nameOf } from './stream-partitions.ts';
import { type OwnedPartition, takeOver } from './take-over.ts';
import type { BatchDone, WorkerOptions } from './worker-options.ts';

/** What has been folded and is to be made durable, together. */
interface Folded {
  /** By partition. */
  readonly positions: Map<string, StreamPosition>;
  readonly outputs: OutgoingRecord[];
  readonly done: BatchDone[];
  records: number;
}

/** What goes out of a fold's output with what had to be waited for. */
interface Sealed {
  readonly seal: LetterSeal | null;
  readonly evidence: Awaited<ReturnType<typeof packEvidence>>;
}

/** A commit under way. Its failure is heard of where it is waited for. */
interface Committing {
  readonly durable: Promise<void>;
}
/** So many are decided alike at most: what is late is noticed in the midst of a large batch. */
const MOST_RUN_RECORDS = 512;

export class Worker {
  readonly #options: WorkerOptions;
  /** The topic that is folded. */
  readonly #input: string;
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #batchSize: BatchSize;
  readonly #mode: DegradedMode | null;
  readonly #door: Door;
  #committing: Committing | null = null;
  readonly #checkpointing: Checkpointing;
  /** Positions of what has been passed on, with which the group is still to be moved on. */
  #pending = new Map<string, StreamPosition>();
  #consumer: StreamConsumer | null = null;
  #committedMs = 0;
  #stopping = false;
  #ready = false;
  #nextLagMs = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { input, topics, batchSize, degradedMode, checkpointEveryMs } = options.settings;
    const { now, observer } = options;
    this.#checkpointing = new Checkpointing({ everyMs: checkpointEveryMs, now, observer });
    this.#input = input ?? topics.transactions;
    this.#door = new Door(options);
    this.#batchSize = new BatchSize(batchSize);
    this.#mode = degradedMode === null || !options.setup.decides ? null : new DegradedMode(degradedMode);
  }

  /** It is a member of its group, and what it owns has caught up with where the group stood. */
  get isReady(): boolean {
    return this.#ready && [...this.#owned.values()].every(({ offset, silentBefore }) => offset >= silentBefore);
  }

  /** What it owns, and how far it is done with: folded, and its outputs are durable. */
  positions(): StreamPosition[] {
    const topic = this.#input;
    return [...this.#owned.values()].map(({ partition, settled }) => ({ topic, partition, offset: settled }));
  }

  /** What decides in each of its partitions. */
  live(): LiveVersion[] {
    return [...this.#owned.values()].map(({ version }) => version);
  }

  /** Ends after the batch at hand, with a last checkpoint. */
  stop(): void {
    this.#stopping = true;
  }

  /**
   * Works until it is stopped.
   *
   * @throws StreamUnavailableError, VersionUnavailableError, FencedError, LetterKeyError where so many attempts in a row failed
   * @throws InputError where a checkpoint cannot be continued with these settings
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
        if (!isPassing(error)) throw error;
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
    const isDoor = this.#input === topics.transactions;
    this.#forgetAll();
    const consumer = await log.join({
      ...{ group, topics: [this.#input, ...(isDoor ? [topics.labels, topics.control] : [])] },
      listener: {
        assigned: (committed) => this.#assigned(committed),
        revoked: (partitions) => this.#revoked(partitions),
        lost: (partitions) => this.#lost(partitions),
      },
    });
    this.#consumer = consumer;
    this.#ready = true;
    try {
      while (!this.#stopping) {
        const most = this.#batchSize.records;
        const batches = await consumer.poll(most, settings.pollWaitMs);
        const polled = batches.reduce((sum, batch) => sum + batch.records.length, 0);
        if (polled > 0) await this.#process(batches, polled, onProgress);
        // Folding ahead is for who is behind: otherwise what comes now would wait for two commits instead of one.
        if (polled < most) await this.#settle();
        if (this.#committing === null) onProgress();
        await this.#checkpointing.begin(this.#owned.values(), () => this.#commitAll());
        await this.#lookAtLag(consumer);
      }
      await this.#commitAll();
      await this.#checkpointing.finish([...this.#owned.values()]);
    } catch (error) {
      // What the state holds beyond the commit that failed is nobody's: it is made again. One that is still under way must
      // have ended before the group is asked where it stands.
      await this.#committing?.durable.catch(() => undefined);
      this.#forgetAll();
      await consumer.close().catch(() => undefined);
      throw error;
    }
    this.#ready = false;
    await consumer.close();
    this.#forgetAll();
  }

  async #process(batches: readonly StreamBatch[], polled: number, onProgress: () => void): Promise<void> {
    const { now, observer } = this.#options;
    const startedMs = now();
    const folded: Folded = { positions: new Map(), outputs: [], done: [], records: 0 };
    let waiting = polled;
    const tellQueues = () =>
      observer.queued({
        records: waiting,
        outputs: folded.outputs.length,
        heldBytes: this.#consumer?.heldBytes() ?? 0,
      });
    tellQueues();
    for (const batch of batches) {
      const kind = this.#door.kindOf(batch.topic);
      if (kind !== null) {
        const passed = await this.#door.pass(batch, kind);
        if (passed !== null) {
          folded.outputs.push(...passed.outputs);
          folded.positions.set(nameOf(passed.position), passed.position);
          folded.records += passed.records;
        }
        waiting -= batch.records.length;
        continue;
      }
      const owned = this.#owned.get(batch.partition);
      if (owned === undefined) throw new FencedError(`partition ${batch.partition} is not ours`);
      let rest = newRecords(batch.records, owned.offset);
      waiting -= batch.records.length - rest.length;
      await this.#prepare(rest);
      while (rest.length > 0) {
        const taken = await this.#fold(owned, rest, folded);
        rest = rest.slice(taken);
        waiting -= taken;
      }
    }
    const foldMs = now() - startedMs;
    tellQueues();
    await this.#committed();
    const durable = this.#makeDurable(folded, foldMs).then(onProgress);
    durable.catch(() => undefined);
    this.#committing = { durable };
  }

  async #makeDurable({ positions, outputs, done, records }: Folded, foldMs: number): Promise<void> {
    const { log, now, observer, onDecided } = this.#options;
    const startedMs = now();
    const passed = done.flatMap(({ output }) => output.passed ?? []);
    if (passed.length > 0) await log.append(passed);
    for (const [name, position] of positions) if (!this.#isSilent(position)) this.#pending.set(name, position);
    const isDecided = done.some(({ output }) => output.passed === undefined);
    if (outputs.length > 0 || isDecided || this.#isTimeToCommit()) await this.#commitPending(outputs);
    for (const { topic, partition, offset } of positions.values()) {
      const owned = topic === this.#input ? this.#owned.get(partition) : undefined;
      if (owned !== undefined) owned.settled = offset;
    }
    const endedMs = now();
    this.#batchSize.observe(records, foldMs + (endedMs - startedMs));
    observer.queued({ records: 0, outputs: 0, heldBytes: this.#consumer?.heldBytes() ?? 0 });
    for (const each of done) {
      observer.batch({ ...each, oldestWaitMs: Math.max(0, endedMs - each.oldestWaitMs) });
      onDecided?.(each.output.decided);
    }
  }

  /**
   * Waits for the commit under way.
   *
   * @throws what it failed with
   */
  async #committed(): Promise<void> {
    const { durable } = this.#committing ?? { durable: null };
    await durable;
    this.#committing = null;
  }

  /** Nothing is under way then; and what has only been passed on moves the group on, where it is time. */
  async #settle(): Promise<void> {
    await this.#committed();
    if (this.#isTimeToCommit()) await this.#commitPending();
  }

  async #commitAll(): Promise<void> {
    await this.#committed();
    await this.#commitPending();
  }

  /** One at a time: what is under way has been waited for. */
  async #commitPending(outputs: readonly OutgoingRecord[] = []): Promise<void> {
    if (this.#pending.size === 0) return;
    const { now, observer } = this.#options;
    const startedMs = now();
    await this.#consumer?.commit(outputs, [...this.#pending.values()]);
    // A new one: emptied again and again, it would keep what it held (lib/churning-map.ts).
    this.#pending = new Map();
    this.#committedMs = now();
    observer.committed(outputs.length, Math.max(0, this.#committedMs - startedMs));
  }

  #isTimeToCommit(): boolean {
    const sinceMs = this.#options.now() - this.#committedMs;
    return sinceMs >= this.#options.settings.commitEveryMs || sinceMs < 0;
  }

  /** A position that the group has passed already. */
  #isSilent({ topic, partition, offset }: StreamPosition): boolean {
    if (topic !== this.#input) return false;
    const owned = this.#owned.get(partition);
    return owned !== undefined && offset <= owned.silentBefore;
  }

  /** @returns how many records were taken: as many as are decided alike */
  async #fold(owned: OwnedPartition, rest: readonly StreamRecord[], folded: Folded): Promise<number> {
    const { observer, now } = this.#options;
    const { partition } = owned;
    const isSilent = rest[0].offset < owned.silentBefore;
    const { run, taking } = isSilent ? owned.leftOut.again(rest, owned.silentBefore) : this.#anew(rest);
    const startedMs = now();
    const output = owned.fold.take(run, owned.version, taking);
    const foldMs = Math.max(0, now() - startedMs);
    const from = owned.offset;
    const last = run[output.taken - 1];
    owned.offset = last.offset + 1;
    owned.last = last;
    if (output.change !== null) await this.#change(owned, last.offset, output.change);
    if (!isSilent) {
      const seal = output.refused.length > 0 ? await readySeal(this.#options) : null;
      const evidence = await packEvidence(output, { topic: this.#input, partition }, this.#options.evidence);
      const missed = this.#emit(owned, from, output, { seal, evidence }, folded.outputs);
      folded.done.push({ partition, records: output.taken, output, foldMs, missed, oldestWaitMs: run[0].timestampMs });
    } else if (owned.offset >= owned.silentBefore) {
      observer.restored(partition, owned.restoredFrom, owned.silentBefore, now() - owned.beganMs);
    }
    const position = { topic: this.#input, partition, offset: owned.offset };
    folded.positions.set(nameOf(position), position);
    folded.records += output.taken;
    return output.taken;
  }

  async #prepare(records: readonly StreamRecord[]): Promise<void> {
    const { decoders } = this.#options.setup;
    const valuesOf = (kind: RecordKind) =>
      records.flatMap((record) => (record.value !== null && kindOf(record) === kind ? [record.value] : []));
    const waits = [decoders.prepare?.(valuesOf('transaction')), decoders.prepareLabels?.(valuesOf('label'))];
    for (const wait of waits) if (wait !== null && wait !== undefined) await wait;
  }

  /** As many as are decided alike, and what they are decided without. */
  #anew(rest: readonly StreamRecord[]): { run: readonly StreamRecord[]; taking: Taking } {
    const { now } = this.#options;
    const { leftOut, mostRecords } = this.#mode?.next(now()) ?? { leftOut: [], mostRecords: MOST_RUN_RECORDS };
    const run = rest.slice(0, Math.min(mostRecords, MOST_RUN_RECORDS));
    return { run, taking: { leftOut, mayFail: this.#mode !== null, isSilent: false, now } };
  }

  /** @returns the steps that missed their deadline */
  #emit(
    owned: OwnedPartition,
    from: number,
    output: FoldOutput,
    { seal, evidence }: Sealed,
    outputs: OutgoingRecord[],
  ): BatchDone['missed'] {
    const { settings, observer, now } = this.#options;
    const { topics, maxRecordBytes } = settings;
    const { partition } = owned;
    const { leftOut, failures, times, counts } = output;
    const at = { topic: this.#input, partition };
    const { addressToken = null } = this.#options;
    const parts = { maxRecordBytes, seal, evidence, addressToken };
    outputs.push(...times.measure('emit', () => outputsOf(output, at, topics, parts)));
    const chosen = owned.leftOut.choose(from, leftOut);
    if (chosen !== null) {
      outputs.push(leftOutRecord(topics['left-out'], partition, chosen));
      observer.leftOut(partition, from, leftOut);
    }
    const failed = failures.map(({ detector }) => detector).filter((detector) => detector !== REASONS);
    return this.#mode?.observe({ records: counts.transactions, times, failed }, now()) ?? [];
  }

  /**
   * A change that is wrong in itself is so for everybody, and leaves what decides as it was. One that only this worker
   * cannot make stops it: to go on with what decided before would be a decision that nobody could ever repeat.
   */
  async #change(owned: OwnedPartition, offset: number, change: ControlRecord): Promise<void> {
    const { versions, observer } = this.#options;
    try {
      owned.version = await versions.change(owned.version, change, owned.fold.engine.definitions);
      owned.fold.keep(change);
      observer.changed(owned.partition, offset, owned.version);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      observer.troubled(
        error.code,
        `the change at offset ${offset} of partition ${owned.partition} was left out: ${error.message}`,
      );
    }
  }

  async #assigned(committed: readonly StreamPosition[]): Promise<readonly StreamPosition[]> {
    const { log, observer } = this.#options;
    const ours = committed.filter(({ topic }) => topic === this.#input);
    const others = committed.filter(({ topic }) => topic !== this.#input);
    for (const position of others) this.#door.begin(position);
    const bounds = ours.length === 0 ? [] : await log.bounds(this.#input);
    const begun: StreamPosition[] = [];
    for (const position of ours) {
      const own = bounds.find(({ partition }) => partition === position.partition)!;
      const owned = await takeOver(position, own, this.#options);
      this.#owned.set(owned.partition, owned);
      begun.push({ ...position, offset: owned.offset });
    }
    observer.assigned(ours.map(({ partition }) => partition));
    return [...begun, ...others];
  }

  async #revoked(partitions: readonly StreamPartition[]): Promise<void> {
    const { observer } = this.#options;
    await this.#commitAll();
    const ours = partitions.filter(({ topic }) => topic === this.#input);
    const given = ours.map(({ partition }) => this.#owned.get(partition)).filter((owned) => owned !== undefined);
    // The next owner continues from here.
    await this.#checkpointing.finish(given);
    this.#forget(partitions);
    observer.revoked(ours.map(({ partition }) => partition));
  }

  /** What was on its way counts or does not before the partitions can come back: it would be allowed in their name then. */
  async #lost(partitions: readonly StreamPartition[]): Promise<void> {
    try {
      await this.#committed();
    } finally {
      this.#forget(partitions);
    }
  }

  #forget(partitions: readonly StreamPartition[]): void {
    for (const { topic, partition } of partitions) {
      this.#pending.delete(nameOf({ topic, partition }));
      if (topic === this.#input) this.#owned.delete(partition);
      else this.#door.forget({ topic, partition });
    }
  }

  #forgetAll(): void {
    this.#committing = null;
    this.#owned.clear();
    this.#door.forgetAll();
    this.#pending.clear();
  }

  async #lookAtLag(consumer: StreamConsumer): Promise<void> {
    const { settings, now, observer } = this.#options;
    // Nor longer where the clock was set back.
    if (now() < this.#nextLagMs && now() > this.#nextLagMs - settings.lagEveryMs) return;
    this.#nextLagMs = now() + settings.lagEveryMs;
    const waiting = (await consumer.ends()).flatMap(({ topic, partition, offset }) => {
      const owned = topic === this.#input ? this.#owned.get(partition) : undefined;
      return owned === undefined ? [] : [{ partition, records: Math.max(0, offset - owned.offset) }];
    });
    observer.lagging(waiting);
  }
}
