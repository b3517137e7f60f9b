// Follows a topic as a member of a group and writes its records into an archive, each once.
//
// A part and the group's position are two writes, the part first. What a crash leaves between the two comes again and is
// known by its offsets (day-files.ts), so nothing is twice and nothing is missing. Until it is in a file a record is held in
// memory, where searches find it; beyond a limit nothing more is taken from the log, which keeps it.
import { FencedError, InputError } from '../../lib/errors.ts';
import type { StreamBatch, StreamConsumer, StreamLog, StreamPartition, StreamPosition } from '../../ports.ts';
import { Catalogue } from './catalogue.ts';
import { type ArchiveCounters, type ArchiveGauges, noCounts } from './counters.ts';
import { type HeldPart, HeldRecords } from './held-records.ts';
import { checkTable } from './table.ts';
import { KnownOffsets, type PartTools, type WrittenFile, writePart } from './write-part.ts';

export interface ArchiverSettings {
  /** A part is closed by whichever comes first. */
  readonly partRows: number;
  readonly partBytes: number;
  readonly partAgeMs: number;
  /** Of all that is held; beyond it the log waits. */
  readonly heldBytes: number;
  /** Taken from the log at once: the event loop is not held up for longer. */
  readonly pollRecords: number;
  readonly firstRetryMs: number;
  readonly mostRetryMs: number;
}

export const DEFAULT_ARCHIVER: ArchiverSettings = {
  partRows: 100_000,
  partBytes: 32 * 1024 * 1024,
  partAgeMs: 5 * 60_000,
  heldBytes: 128 * 1024 * 1024,
  pollRecords: 500,
  firstRetryMs: 200,
  mostRetryMs: 30_000,
};

export interface ArchiverObserver {
  written?(file: WrittenFile): void;
  troubled?(error: Error): void;
}

export interface ArchiverOptions extends PartTools {
  readonly log: StreamLog;
  readonly topic: string;
  readonly group: string;
  readonly settings?: Partial<ArchiverSettings>;
  readonly observer?: ArchiverObserver;
  /** ms UTC */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const POLL_WAIT_MS = 200;
const LAG_EVERY_MS = 5000;
/** Where nothing came so often in a row, perhaps nothing is left. */
const EMPTY_POLLS = 3;
/** So often partitions may be missing, where nothing comes: a minute, longer than a group takes to notice a death. */
const HOMELESS_POLLS = 300;
const decoder = new TextDecoder();

export class Archiver {
  readonly held = new HeldRecords();
  readonly catalogue: Catalogue;
  readonly counts: ArchiveCounters = noCounts();
  readonly #options: ArchiverOptions;
  readonly #settings: ArchiverSettings;
  readonly #known: KnownOffsets;
  /** The offset that comes next, of the partitions that are ours. */
  readonly #next = new Map<number, number>();
  /** Written and not committed yet, by partition. */
  readonly #written = new Map<number, number>();
  #consumer: StreamConsumer | null = null;
  #writing: Promise<void> | null = null;
  /** Why writing did not succeed last time; it is tried again. */
  #failure: Error | null = null;
  #failures = 0;
  #lag = 0;
  #lagMs = Number.NEGATIVE_INFINITY;
  #isStopping = false;

  constructor(options: ArchiverOptions) {
    checkTable(options.table);
    this.#options = options;
    this.#settings = { ...DEFAULT_ARCHIVER, ...options.settings };
    this.#known = new KnownOffsets(options);
    this.catalogue = new Catalogue({ store: options.store, table: options.table.name, now: options.now });
  }

  gauges(): ArchiveGauges {
    const { rows: heldRows, bytes: heldBytes, oldestMs } = this.held;
    const oldestUnarchivedMs = oldestMs === null ? 0 : Math.max(0, this.#options.now() - oldestMs);
    return { lagRecords: this.#lag + heldRows, heldRows, heldBytes, oldestUnarchivedMs };
  }

  /** Ends `run`, which first writes what is held. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Until it is stopped. What fails is tried again, less and less often; only a log that is another's ends it. */
  async run(): Promise<void> {
    await this.#work(async () => {
      while (!this.#isStopping) await this.#attempt(() => this.#step(POLL_WAIT_MS));
    });
  }

  /**
   * Archives what the topic has now, and ends.
   *
   * @throws what fails; InputError ARCHIVE_GROUP_BUSY where other members of the group keep partitions
   */
  async runOnce(): Promise<void> {
    const { log, topic, group } = this.#options;
    const ends = (await log.bounds(topic)).filter(({ start, end }) => end > start);
    const isTaken = ({ partition, end }: (typeof ends)[number]) => (this.#next.get(partition) ?? -1) >= end;
    /** The last offsets of a partition may be no records, so that its end is never seen. */
    const isOver = async (at: (typeof ends)[number]) => {
      const offset = this.#next.get(at.partition);
      if (offset === undefined) return false;
      return isTaken(at) || (await log.read({ topic, partition: at.partition, offset }, 1, 0)).length === 0;
    };
    await this.#work(async () => {
      for (let [empty, homeless] = [0, 0]; !ends.every(isTaken) && !this.#isStopping; ) {
        const came = await this.#step(POLL_WAIT_MS);
        if (this.#failure !== null) throw this.#failure;
        // Those of a member that died come when the group has noticed.
        if (!came) homeless = ends.every(({ partition }) => this.#next.has(partition)) ? 0 : homeless + 1;
        if (homeless === HOMELESS_POLLS) throw withoutPartitions(group);
        empty = came ? 0 : empty + 1;
        if (empty >= EMPTY_POLLS && (await Promise.all(ends.map(isOver))).every(Boolean)) return;
      }
    });
  }

  async #work(until: () => Promise<void>): Promise<void> {
    try {
      await until();
      await this.#finish();
    } finally {
      await this.#writing;
      const consumer = this.#consumer;
      this.#consumer = null;
      await consumer?.close();
    }
  }

  /** Writes all that is held and commits it; once, for who stops does not wait for ever. */
  async #finish(): Promise<void> {
    await this.#writing;
    for (const { partition } of this.held.filling) this.held.close(partition);
    this.#failures = 0;
    this.#write();
    await this.#writing;
    await this.#commit();
    if (this.#failure !== null) throw this.#failure;
  }

  /** @returns whether there was something to take */
  async #step(waitMs: number): Promise<boolean> {
    this.#consumer ??= await this.#join();
    const { heldBytes, pollRecords } = this.#settings;
    let came = true;
    if (this.held.bytes >= heldBytes) {
      for (const { partition } of this.held.filling) this.held.close(partition);
      this.#write();
      await Promise.race([this.#writing, this.#options.sleep(waitMs)]);
    } else {
      const batches = await this.#consumer.poll(pollRecords, waitMs);
      came = batches.length > 0;
      for (const batch of batches) this.#take(batch);
      // A log may have its records at hand: whatever else the process does has its turn after each poll.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#closeAged();
    this.#write();
    await this.#commit();
    await this.#measureLag();
    return came;
  }

  async #attempt(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#troubled(error as Error);
      if (error instanceof InputError && error.code === 'ARCHIVE_OF_ANOTHER_LOG') throw error;
      if (error instanceof FencedError) await this.#leave();
      await this.#options.sleep(this.#settings.firstRetryMs);
    }
    if (this.#failure instanceof InputError && this.#failure.code === 'ARCHIVE_OF_ANOTHER_LOG') throw this.#failure;
  }

  /** What was taken and not committed comes again, to whoever has the partition then. */
  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = null;
    this.#forget([...this.#next.keys()]);
    await consumer?.close().catch((error) => this.#troubled(error));
  }

  async #join(): Promise<StreamConsumer> {
    const { log, group, topic } = this.#options;
    const numbers = (partitions: readonly StreamPartition[]) => partitions.map(({ partition }) => partition);
    return await log.join({
      ...{ group, topics: [topic] },
      listener: {
        assigned: async (committed) => {
          for (const { partition, offset } of committed) this.#next.set(partition, offset);
          return committed;
        },
        revoked: async (partitions) => {
          // What is being written ends first: the next owner then finds it.
          await this.#writing;
          await this.#commit().catch((error) => this.#troubled(error));
          this.#forget(numbers(partitions));
        },
        lost: async (partitions) => this.#forget(numbers(partitions)),
      },
    });
  }

  #forget(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#next.delete(partition);
      this.#written.delete(partition);
      this.#known.forget(partition);
      this.held.forget(partition);
    }
  }

  #take({ partition, records }: StreamBatch): void {
    const { now } = this.#options;
    const { partRows, partBytes } = this.#settings;
    const nowMs = now();
    for (const { offset, timestampMs, key, value } of records) {
      const next = this.#next.get(partition);
      // Delivered again: what is held is not taken twice.
      if (next === undefined || offset < next) continue;
      this.#next.set(partition, offset + 1);
      const text = key === null ? '' : decoder.decode(key);
      const record = { recordedMs: timestampMs, offset, key: text, value: value ?? new Uint8Array(0) };
      const part = this.held.add(partition, record, nowMs);
      if (part.records.length >= partRows || part.bytes >= partBytes) this.held.close(partition);
    }
  }

  #closeAged(): void {
    const nowMs = this.#options.now();
    for (const { partition, sinceMs } of this.held.filling) {
      if (nowMs - sinceMs >= this.#settings.partAgeMs) this.held.close(partition);
    }
  }

  /** Begins to write what is closed, where nothing is being written. */
  #write(): void {
    if (this.#writing !== null || this.held.nextClosed === null) return;
    this.#writing = this.#writeClosed().finally(() => {
      this.#writing = null;
    });
  }

  async #writeClosed(): Promise<void> {
    const { firstRetryMs, mostRetryMs } = this.#settings;
    try {
      for (let part = this.held.nextClosed; part !== null; part = this.held.nextClosed) await this.#writeOne(part);
      [this.#failure, this.#failures] = [null, 0];
    } catch (error) {
      this.#failure = error as Error;
      this.#troubled(error as Error);
      if (!this.#isStopping) await this.#options.sleep(Math.min(mostRetryMs, firstRetryMs * 2 ** this.#failures++));
    }
  }

  async #writeOne(part: HeldPart): Promise<void> {
    const { partition, records } = part;
    const { files, rowsKnown } = await writePart(this.#options, this.#known, part);
    for (const file of files) {
      this.counts.rows += file.rows;
      this.counts.parts++;
      this.counts.bytes += file.bytes;
      if (file.hasUnread) this.counts.partsWithUnread++;
      this.catalogue.add(file.day, file.fileName);
      this.#options.observer?.written?.(file);
    }
    this.counts.rowsKnown += rowsKnown;
    // In the same breath as the files become known to searches: every record is found in one of the two.
    this.held.letGo(part);
    if (this.#next.has(partition)) this.#written.set(partition, records[records.length - 1].offset + 1);
  }

  async #commit(): Promise<void> {
    if (this.#written.size === 0 || this.#consumer === null) return;
    const { topic } = this.#options;
    const positions = [...this.#written].map(([partition, offset]): StreamPosition => ({ topic, partition, offset }));
    await this.#consumer.commit([], positions);
    for (const { partition, offset } of positions) {
      if (this.#written.get(partition) === offset) this.#written.delete(partition);
    }
  }

  async #measureLag(): Promise<void> {
    const nowMs = this.#options.now();
    if (nowMs - this.#lagMs < LAG_EVERY_MS || this.#consumer === null) return;
    this.#lagMs = nowMs;
    const ends = await this.#consumer.ends();
    this.#lag = ends.reduce(
      (sum, { partition, offset }) => sum + Math.max(0, offset - (this.#next.get(partition) ?? offset)),
      0,
    );
  }

  #troubled(error: Error): void {
    this.counts.troubles++;
    this.#options.observer?.troubled?.(error);
  }
}

function withoutPartitions(group: string): InputError {
  return new InputError(
    'ARCHIVE_GROUP_BUSY',
    `Group ${group} does not give this archiver all partitions`,
    'Another archiver of the group is at work: stop it, or let it archive',
  );
}
