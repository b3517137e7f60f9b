// What a member reads ahead of its partitions, within bounds: one request at a time to each broker, a partition is asked
// for again only when little of it is left, and nothing is asked while much is held altogether.
import type { StreamBatch, StreamPartition, StreamPosition, StreamRecord } from '../../ports.ts';
import type { KafkaCluster, Purpose } from './cluster.ts';
import { committedBatches, type FetchedPartition, fetchFrom, listOffsets } from './fetch.ts';
import { isRetriable, translated } from './kafka-errors.ts';
import { partitionName } from './produce.ts';
import { type BatchHead, readRecords } from './record-batch.ts';

export interface ReaderLimits {
  /** Of one answer. */
  readonly maxFetchBytes: number;
  readonly maxPartitionFetchBytes: number;
  /** Of all that is held; an answer that is under way may go beyond. */
  readonly maxHeldBytes: number;
}

interface Reading {
  readonly at: StreamPartition;
  /** Where the next request begins. */
  fetchOffset: number;
  /** What the caller gets next: the offset from which nothing was given yet. */
  givenOffset: number;
  batches: BatchHead[];
  heldBytes: number;
  /** Of the first batch, once unpacked, and how many of it were given. */
  records: readonly StreamRecord[];
  given: number;
}

/** How long a broker holds a request that it has nothing for. */
const LONG_WAIT_MS = 250;
/** The same where a partition is left out because there is enough of it: it must be asked for again soon. */
const SHORT_WAIT_MS = 5;
const PAUSE_MS = 100;
const NONE: readonly StreamRecord[] = [];

export class PartitionReader {
  readonly #cluster: KafkaCluster;
  readonly #purpose: Purpose;
  readonly #limits: ReaderLimits;
  readonly #arrived: () => void;
  readonly #readings = new Map<string, Reading>();
  readonly #asking = new Set<number>();
  #heldBytes = 0;
  #turn = 0;
  #closed = false;
  #starting = false;
  /** Since when brokers have not answered; null while they do. */
  #silentSinceMs: number | null = null;
  #failure: Error | null = null;

  constructor(cluster: KafkaCluster, purpose: Purpose, limits: ReaderLimits, arrived: () => void) {
    this.#cluster = cluster;
    this.#purpose = purpose;
    this.#limits = limits;
    this.#arrived = arrived;
  }

  begin({ topic, partition, offset }: StreamPosition): void {
    const at = { topic, partition };
    const empty = { batches: [], heldBytes: 0, records: NONE, given: 0 };
    this.#readings.set(partitionName(at), { at, fetchOffset: offset, givenOffset: offset, ...empty });
  }

  stop(at: StreamPartition): void {
    const name = partitionName(at);
    this.#heldBytes -= this.#readings.get(name)?.heldBytes ?? 0;
    this.#readings.delete(name);
  }

  stopAll(): void {
    this.#readings.clear();
    this.#heldBytes = 0;
  }

  /** Where the caller is, and whether all that was fetched has been given. */
  standing(at: StreamPartition): { readonly fetched: number; readonly given: number } | null {
    const reading = this.#readings.get(partitionName(at));
    if (reading === undefined) return null;
    return { fetched: reading.batches.length > 0 ? -1 : reading.fetchOffset, given: reading.givenOffset };
  }

  /**
   * What is there, each partition with its share first and then with what is left of `maxRecords`.
   *
   * @throws what reading failed with for good
   */
  take(maxRecords: number): StreamBatch[] {
    if (this.#failure !== null) throw this.#failure;
    const ready = [...this.#readings.values()].filter(({ batches }) => batches.length > 0);
    if (ready.length === 0) return [];
    this.#turn++;
    const share = Math.ceil(maxRecords / ready.length);
    const taken = new Map<Reading, StreamRecord[]>();
    let left = maxRecords;
    for (const limit of [share, maxRecords]) {
      for (let i = 0; i < ready.length && left > 0; i++) {
        const reading = ready[(i + this.#turn) % ready.length];
        const records = taken.get(reading) ?? [];
        const before = records.length;
        this.#giveFrom(reading, records, Math.min(left, limit - before));
        left -= records.length - before;
        if (records.length > 0) taken.set(reading, records);
      }
    }
    return [...taken].map(([{ at }, records]) => ({ ...at, records }));
  }

  #giveFrom(reading: Reading, into: StreamRecord[], wanted: number): void {
    let left = wanted;
    while (left > 0 && reading.batches.length > 0) {
      const [head] = reading.batches;
      if (reading.records === NONE) {
        reading.records = readRecords(head);
        reading.given = 0;
      }
      const { records } = reading;
      while (reading.given < records.length && left > 0) {
        const record = records[reading.given++];
        // A batch may begin before the offset that was asked for.
        if (record.offset < reading.givenOffset) continue;
        into.push(record);
        reading.givenOffset = record.offset + 1;
        left--;
      }
      if (reading.given < records.length) return;
      reading.batches.shift();
      reading.heldBytes -= head.bytes.length;
      this.#heldBytes -= head.bytes.length;
      reading.records = NONE;
    }
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** How long brokers have been silent, 0 while they answer. */
  silentMs(nowMs: number): number {
    return this.#silentSinceMs === null ? 0 : nowMs - this.#silentSinceMs;
  }

  /** Asks for what may be asked for; returns at once. */
  readAhead(): void {
    if (this.#starting || this.#closed || this.#cluster.closed || this.#failure !== null) return;
    this.#starting = true;
    this.#askAll()
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#starting = false;
      });
  }

  close(): void {
    this.#closed = true;
    this.stopAll();
    this.#cluster.hangUp(this.#purpose);
  }

  async #askAll(): Promise<void> {
    if (this.#heldBytes >= this.#limits.maxHeldBytes) return;
    const readings = [...this.#readings.values()];
    const wanted = new Map<number, Reading[]>();
    const leftOut = new Set<number>();
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[(i + this.#turn) % readings.length];
      const leader = await this.#cluster.leader(reading.at.topic, reading.at.partition);
      if (this.#asking.has(leader)) continue;
      if (reading.heldBytes > this.#limits.maxPartitionFetchBytes / 2) leftOut.add(leader);
      else wanted.set(leader, [...(wanted.get(leader) ?? []), reading]);
    }
    for (const [leader, some] of wanted) this.#ask(leader, some, leftOut.has(leader) ? SHORT_WAIT_MS : LONG_WAIT_MS);
  }

  #ask(leader: number, readings: readonly Reading[], maxWaitMs: number): void {
    this.#asking.add(leader);
    const positions = readings.map(({ at, fetchOffset }) => ({ ...at, offset: fetchOffset }));
    const { maxFetchBytes: maxBytes, maxPartitionFetchBytes: maxBytesPerPartition } = this.#limits;
    fetchFrom(this.#cluster, leader, this.#purpose, positions, { maxWaitMs, maxBytes, maxBytesPerPartition })
      .then((answer) => this.#receive(answer, positions))
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#asking.delete(leader);
        this.readAhead();
      });
  }

  async #receive(answer: readonly FetchedPartition[], asked: readonly StreamPosition[]): Promise<void> {
    this.#silentSinceMs = null;
    const offsets = new Map(asked.map((at) => [partitionName(at), at.offset]));
    let stale = false;
    for (const fetched of answer) {
      const name = partitionName(fetched);
      const reading = this.#readings.get(name);
      // Given up, or begun anew elsewhere, while the answer was under way.
      if (reading === undefined || reading.fetchOffset !== offsets.get(name)) continue;
      if (fetched.errorCode === 0) this.#keep(reading, fetched);
      else if (fetched.errorCode === OFFSET_OUT_OF_RANGE) await this.#beginAnew(reading);
      else stale = true;
    }
    if (!stale) return;
    this.#cluster.learnFrom(Object.assign(new Error('a partition has moved'), { apiId: 'NOT_LEADER_OR_FOLLOWER' }));
    await this.#cluster.pause(PAUSE_MS);
  }

  #keep(reading: Reading, fetched: FetchedPartition): void {
    const { batches, next } = committedBatches(fetched, reading.fetchOffset);
    reading.fetchOffset = next;
    if (batches.length === 0) return;
    for (const batch of batches) {
      reading.batches.push(batch);
      reading.heldBytes += batch.bytes.length;
      this.#heldBytes += batch.bytes.length;
    }
    this.#arrived();
  }

  /** Retention has taken what was asked for: reading goes on with the oldest that is left. */
  async #beginAnew(reading: Reading): Promise<void> {
    const [oldest] = await listOffsets(this.#cluster, [reading.at], 'oldest');
    const [newest] = await listOffsets(this.#cluster, [reading.at], 'newest');
    reading.fetchOffset = Math.min(Math.max(reading.fetchOffset, oldest.offset), newest.offset);
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#closed || this.#cluster.closed) return;
    this.#cluster.learnFrom(error);
    if (!isRetriable(error) && !(error instanceof Error && error.name === 'StreamUnavailableError')) {
      this.#failure = translated('Reading', error);
      this.#arrived();
      return;
    }
    this.#silentSinceMs ??= Date.now();
    await this.#cluster.pause(PAUSE_MS);
    this.readAhead();
  }
}

const OFFSET_OUT_OF_RANGE = 1;
