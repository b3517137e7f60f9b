// A member of a group on Kafka: what the port promises, put together from the membership, the reader and the transactions.
//
// Ownership changes only inside `poll` and `close`: heartbeats and rounds go on in the background, and what they bring is
// told to the listener when the caller polls, so that nothing of a partition is given after it was given up.
import { FencedError, StreamUnavailableError } from '../../lib/errors.ts';
import type {
  AssignmentListener,
  OutgoingRecord,
  StreamBatch,
  StreamConsumer,
  StreamPartition,
  StreamPosition,
} from '../../ports.ts';
import type { KafkaCluster } from './cluster.ts';
import { listOffsets } from './fetch.ts';
import { committedOffsets } from './group-offsets.ts';
import type { Membership } from './membership.ts';
import type { PartitionReader } from './partition-reader.ts';
import { partitionName, type RecordSorter } from './produce.ts';
import { type Committer, type GroupMember, OutcomeUnknownError } from './transactions.ts';

export interface ConsumerParts {
  readonly cluster: KafkaCluster;
  readonly group: string;
  readonly listener: AssignmentListener;
  readonly membership: Membership;
  readonly reader: PartitionReader;
  readonly producer: Committer;
  readonly sort: RecordSorter;
  /** An earlier run of the same name may have left transactions open. */
  readonly isNamed: boolean;
  /** After brokers have been silent for so long, `poll` says so. */
  readonly unavailableAfterMs: number;
  /** Called when it has left the group. */
  readonly closed: () => void;
}

type Committed = StreamPosition | 'asked for';

export class KafkaConsumer implements StreamConsumer {
  readonly #parts: ConsumerParts;
  readonly #owned = new Map<string, StreamPartition>();
  /** Partitions that are ours to take, and where the group stands in them. */
  readonly #coming = new Map<string, Committed>();
  /** Positions of a commit of which nobody knows whether it took place. */
  #doubtful: readonly StreamPosition[] | null = null;
  #wake: (() => void) | null = null;
  #refusal: Error | null = null;
  #closed = false;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
  }

  /** Something has come that `poll` may be waiting for. */
  notify(): void {
    this.#wake?.();
  }

  async poll(maxRecords: number, maxWaitMs: number): Promise<readonly StreamBatch[]> {
    const untilMs = Date.now() + maxWaitMs;
    const { reader, unavailableAfterMs } = this.#parts;
    for (;;) {
      // Made before looking, so that nothing is missed between looking and waiting.
      const news = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await this.#keepUp();
      const batches = reader.take(maxRecords);
      reader.readAhead();
      if (batches.length > 0) return batches;
      const nowMs = Date.now();
      if (reader.silentMs(nowMs) > unavailableAfterMs) {
        throw new StreamUnavailableError(`The brokers have not answered for ${unavailableAfterMs / 1000} s`);
      }
      if (nowMs >= untilMs) return [];
      await within(news, untilMs - nowMs);
    }
  }

  async commit(outputs: readonly OutgoingRecord[], positions: readonly StreamPosition[]): Promise<void> {
    this.#checkOwned(positions);
    const { membership, producer, sort, cluster } = this.#parts;
    if (this.#doubtful !== null && (await this.#settled(positions))) return;
    const groups = outputs.length === 0 ? [] : await cluster.retrying('Looking at topics', () => sort(outputs));
    if (groups.length === 0 && positions.length === 0) return;
    try {
      // Lost and joined again while this was under way, the new generation would let pass what is somebody else's by now.
      const asOwner = (send: (member: GroupMember) => Promise<void>) =>
        membership.asMember((member) => {
          this.#checkOwned(positions);
          return send(member);
        });
      await producer.run(groups, positions, asOwner);
    } catch (error) {
      // What the caller had taken since its last commit is not going to be committed: it gets all of it anew.
      if (error instanceof FencedError) membership.abandon();
      if (!(error instanceof OutcomeUnknownError)) throw error;
      this.#doubtful = positions;
      throw new StreamUnavailableError(error.message, { cause: error });
    }
  }

  #checkOwned(positions: readonly StreamPosition[]): void {
    for (const at of positions) {
      if (!this.#owned.has(partitionName(at))) {
        throw new FencedError(`${partitionName(at)} is not this member's: nothing was written`);
      }
    }
  }

  heldBytes(): number {
    return this.#parts.reader.heldBytes;
  }

  async ends(): Promise<readonly StreamPosition[]> {
    const { cluster, reader } = this.#parts;
    const ends = await listOffsets(cluster, [...this.#owned.values()], 'newest');
    return ends.map((end) => {
      // The last offsets may be markers of transactions: who has been given everything stands at the end.
      const standing = reader.standing(end);
      return standing !== null && standing.fetched >= end.offset ? { ...end, offset: standing.given } : end;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { listener, membership, reader, closed } = this.#parts;
    const owned = [...this.#owned.values()];
    for (const at of owned) reader.stop(at);
    try {
      if (owned.length > 0) await listener.revoked(owned);
    } finally {
      this.#owned.clear();
      reader.close();
      await membership.leave();
      closed();
    }
  }

  /** Tells the listener what has changed, and begins what takes long. */
  async #keepUp(): Promise<void> {
    const { membership } = this.#parts;
    if (this.#refusal !== null) throw this.#refusal;
    if (await membership.attend()) await this.#lose();
    const { target } = membership;
    if (target === null) return;
    const wanted = new Map(target.map((at) => [partitionName(at), at]));
    for (const name of this.#coming.keys()) if (!wanted.has(name)) this.#coming.delete(name);
    await this.#giveUp([...this.#owned].filter(([name]) => !wanted.has(name)).map(([, at]) => at));
    const unknown = [...wanted].filter(([name]) => !this.#owned.has(name) && !this.#coming.has(name));
    if (unknown.length > 0) this.#askCommitted(unknown.map(([, at]) => at));
    await this.#takeOver([...this.#coming.values()].filter((known) => known !== 'asked for'));
  }

  async #lose(): Promise<void> {
    const { listener, reader, producer } = this.#parts;
    const lost = [...this.#owned.values()];
    this.#owned.clear();
    this.#coming.clear();
    this.#doubtful = null;
    reader.stopAll();
    producer.forget();
    if (lost.length > 0) await listener.lost(lost);
  }

  async #giveUp(partitions: readonly StreamPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const { listener, membership, reader } = this.#parts;
    // Not read from here on; still ours for a last commit.
    for (const at of partitions) reader.stop(at);
    try {
      await listener.revoked(partitions);
    } finally {
      for (const at of partitions) this.#owned.delete(partitionName(at));
      await membership.own([...this.#owned.values()]);
    }
  }

  async #takeOver(committed: readonly StreamPosition[]): Promise<void> {
    if (committed.length === 0) return;
    const { listener, membership, reader } = this.#parts;
    for (const { topic, partition } of committed) {
      const name = partitionName({ topic, partition });
      this.#coming.delete(name);
      this.#owned.set(name, { topic, partition });
    }
    await membership.own([...this.#owned.values()]);
    for (const from of await listener.assigned(committed)) {
      if (this.#owned.has(partitionName(from))) reader.begin(from);
    }
  }

  /** In the background: offsets of a transaction that its writer left open are waited for. */
  #askCommitted(partitions: readonly StreamPartition[]): void {
    for (const at of partitions) this.#coming.set(partitionName(at), 'asked for');
    this.#committed(partitions)
      .then((positions) => {
        for (const at of positions) {
          if (this.#coming.get(partitionName(at)) === 'asked for') this.#coming.set(partitionName(at), at);
        }
      })
      .catch((error) => {
        if (!(error instanceof StreamUnavailableError)) this.#refusal = error;
        for (const at of partitions) this.#coming.delete(partitionName(at));
      })
      .finally(() => this.notify());
  }

  async #committed(partitions: readonly StreamPartition[]): Promise<StreamPosition[]> {
    const { cluster, group, producer, isNamed } = this.#parts;
    // Their offsets would be waited for until they time out.
    if (isNamed) await producer.begin();
    return committedOffsets(cluster, group, partitions, true, () => this.#closed);
  }

  /**
   * Finds out what became of a commit whose answer never came: taking the transactional id ends the transaction one way
   * or the other, and then the group's offsets tell.
   *
   * @returns true where it took place and it is the one that is being asked for again
   */
  async #settled(positions: readonly StreamPosition[]): Promise<boolean> {
    const { producer } = this.#parts;
    const doubtful = this.#doubtful ?? [];
    producer.forget();
    await producer.begin();
    const standing = new Map((await this.#committed(doubtful)).map((at) => [partitionName(at), at.offset]));
    this.#doubtful = null;
    const tookPlace = doubtful.length > 0 && doubtful.every((at) => standing.get(partitionName(at)) === at.offset);
    return tookPlace && JSON.stringify(positions) === JSON.stringify(doubtful);
  }
}

/** Until there is news, but no longer. */
export async function within(news: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([news, late]);
  clearTimeout(timer);
}
