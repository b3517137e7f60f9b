// One Kafka transaction per commit: the outputs and the group's offsets, both or neither.
//
// How a zombie is fenced, and why that is exact
//
// Each member has a transactional id of its own, and the offsets are sent into the transaction with the member's id and
// generation (KIP-447). The group's coordinator takes them only while that generation is the newest and the member is in
// the group; it hands a partition to another member only after this one gave it up or was thrown out, and either gives a
// new generation. So offsets of a partition that has moved are refused, and with them the transaction.
// - kill -9 in the middle: nobody ends the transaction. The partition's next owner asks for stable offsets, which the
//   coordinator withholds while offsets of an open transaction are pending; after `transactionTimeoutMs` the transaction
//   is aborted, and readers of committed records never see its outputs. With a fixed `instanceId` the same worker's
//   restart ends it at once: it takes its transactional ids over before it asks where the group stands.
// - A member that stalls between sending the offsets and ending the transaction, and is thrown out meanwhile: the new
//   owner waits for stable offsets as above. If the stalled one ends first, its outputs and offsets count and the new
//   owner goes on after them; if the timeout is first, its producer's epoch is old and ending is refused. Never both.
// - An answer to "end" that was lost: asked again with the same epoch, the coordinator tells what became of it. Only
//   where it does not answer at all for `retryForMs` is the outcome unknown; KafkaConsumer then finds out by the offsets.
// Why each member has two transactional ids, taken in turns: when "end" is answered, the markers of the transaction are still being
// written, and until they are the next of the same id is put off by the broker, in steps of 20 ms. The other id's goes on at once.
// Their order is the same: one begins after the other has been ended, and of two offsets that are pending in the group the
// coordinator keeps the one that was written later, whichever marker comes first.
//
// A transactional id per partition (as before KIP-447) would fence by producer epoch instead, with a producer, and so a
// transaction, for every partition: as many round trips as partitions.
//
// Where brokers have KIP-890 (Kafka 4.0) each transaction gets an epoch of its own, which also closes the door to
// requests of an earlier transaction that were held up in the network; partitions then join by being written to.
import {
  type API,
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  createAPI,
  endTxnV3,
  initProducerIdV4,
  type Reader,
  ResponseError,
  txnOffsetCommitV3,
  txnOffsetCommitV4,
} from '@platformatic/kafka';
import type { StreamPosition } from '../../ports.ts';
import type { KafkaCluster } from './cluster.ts';
import type { Compression } from './compressions.ts';
import { type PartitionRecords, type ProducerIdentity, produce } from './produce.ts';

/** Who commits, for the group's coordinator. */
export interface GroupMember {
  readonly group: string;
  readonly memberId: string;
  /** Of the classic protocol; the member's epoch in the consumer protocol. */
  readonly generation: number;
}

export interface TransactionOptions {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly compression: Compression;
}

const ABORT_LIMIT_MS = 2000;

const OFFSETS_5 = createAPI<Parameters<typeof txnOffsetCommitV4.createRequest>, unknown>(
  28,
  5,
  txnOffsetCommitV4.createRequest,
  txnOffsetCommitV4.parseResponse,
);

interface Ended {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

const END_5 = createAPI<Parameters<typeof endTxnV3.createRequest>, Ended>(26, 5, endTxnV3.createRequest, readEnded);

function readEnded(_correlation: number, key: number, version: number, reader: Reader): Ended {
  reader.readInt32();
  const errorCode = reader.readInt16();
  const ended = { producerId: reader.readInt64(), producerEpoch: reader.readInt16() };
  if (errorCode !== 0) throw new ResponseError(key, version, { '/': [errorCode, null] }, ended);
  return ended;
}

/** Whether a transaction came to its end is not known: the coordinator did not answer. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';
}

/** What commits, one transaction at a time. */
export interface Committer {
  /**
   * Takes the transactional ids over: what was left open under them is ended, and who had them is fenced.
   *
   * @throws StreamUnavailableError
   */
  begin(): Promise<void>;
  /** The next transaction takes the ids anew. */
  forget(): void;
  /**
   * @param positions with `member`, so that a zombie's are refused; sent through `asMember`, which sees to it that the
   *   generation is the newest while they are
   * @throws FencedError, InputError, StreamUnavailableError with nothing written; OutcomeUnknownError
   */
  run(
    outputs: readonly PartitionRecords[],
    positions: readonly StreamPosition[],
    asMember: (send: (member: GroupMember) => Promise<void>) => Promise<void>,
  ): Promise<void>;
}

/** Two producers in turns. */
export function createCommitter(cluster: KafkaCluster, options: TransactionOptions): Committer {
  const producers = ['a', 'b'].map(
    (name) => new TransactionalProducer(cluster, { ...options, transactionalId: `${options.transactionalId}-${name}` }),
  );
  let turn = 0;
  const begin = async () => {
    await Promise.all(producers.map((producer) => producer.begin()));
  };
  return {
    begin,
    forget() {
      for (const producer of producers) producer.forget();
    },
    async run(outputs, positions, asMember) {
      // Both, or what a former incarnation left open under the other would hold up readers until it times out.
      await begin();
      turn = (turn + 1) % producers.length;
      await producers[turn].run(outputs, positions, asMember);
    },
  };
}

class TransactionalProducer {
  readonly #cluster: KafkaCluster;
  readonly #options: TransactionOptions;
  #identity: ProducerIdentity | null = null;
  /** Asked for twice at once, the second answer would fence the first. */
  #beginning: Promise<ProducerIdentity> | null = null;

  constructor(cluster: KafkaCluster, options: TransactionOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  begin(): Promise<ProducerIdentity> {
    if (this.#identity !== null) return Promise.resolve(this.#identity);
    if (this.#beginning !== null) return this.#beginning;
    const beginning = this.#takeId();
    this.#beginning = beginning;
    const isOurs = () => this.#beginning === beginning;
    beginning.then(
      (identity) => {
        if (isOurs()) this.#identity = identity;
        if (isOurs()) this.#beginning = null;
      },
      () => {
        if (isOurs()) this.#beginning = null;
      },
    );
    return beginning;
  }

  async #takeId(): Promise<ProducerIdentity> {
    const { transactionalId, transactionTimeoutMs } = this.#options;
    const { producerId, producerEpoch } = await this.#cluster.retrying('Taking the transactional id', async () =>
      this.#ask(initProducerIdV4.api, transactionalId, transactionTimeoutMs, -1n, -1),
    );
    return { producerId, producerEpoch, transactionalId, sequences: new Map() };
  }

  forget(): void {
    this.#identity = null;
    this.#beginning = null;
  }

  async run(
    outputs: readonly PartitionRecords[],
    positions: readonly StreamPosition[],
    asMember: (send: (member: GroupMember) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const identity = await this.begin();
    const { transactions2 } = await this.#cluster.features();
    try {
      // Offsets first: who is fenced writes nothing.
      if (positions.length > 0)
        await asMember((member) => this.#sendOffsets(identity, member, positions, transactions2));
      if (!transactions2 && outputs.length > 0) await this.#addPartitions(identity, outputs);
      await produce(this.#cluster, identity, outputs, this.#options.compression);
    } catch (error) {
      await this.#abort(identity, transactions2);
      throw error;
    }
    try {
      await this.#end(identity, true, transactions2);
    } catch (error) {
      this.forget();
      if (error instanceof Error && error.name === 'StreamUnavailableError') {
        throw new OutcomeUnknownError(error.message, { cause: error });
      }
      throw error;
    }
  }

  async #sendOffsets(
    identity: ProducerIdentity,
    { group, memberId, generation }: GroupMember,
    positions: readonly StreamPosition[],
    transactions2: boolean,
  ): Promise<void> {
    const { producerId, producerEpoch } = identity;
    const { transactionalId } = this.#options;
    if (!transactions2) {
      await this.#cluster.retrying('Adding offsets to a transaction', () =>
        this.#ask(addOffsetsToTxnV3.api, transactionalId, producerId, producerEpoch, group),
      );
    }
    const topics = [...Map.groupBy(positions, ({ topic }) => topic)].map(([name, parts]) => ({
      name,
      partitions: parts.map(({ partition, offset }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: null,
      })),
    }));
    const api = transactions2 ? OFFSETS_5 : txnOffsetCommitV3.api;
    await this.#cluster.retrying('Sending offsets into a transaction', async () => {
      const node = await this.#cluster.coordinator('group', group);
      const who = [transactionalId, group, producerId, producerEpoch, generation, memberId, null] as const;
      await this.#cluster.ask(node, 'group', api as typeof OFFSETS_5, ...who, topics);
    });
  }

  async #addPartitions({ producerId, producerEpoch }: ProducerIdentity, outputs: readonly PartitionRecords[]) {
    const { transactionalId } = this.#options;
    const topics = [...Map.groupBy(outputs, ({ topic }) => topic)].map(([name, parts]) => ({
      name,
      partitions: parts.map(({ partition }) => partition),
    }));
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics };
    await this.#cluster.retrying('Adding partitions to a transaction', () =>
      this.#ask(addPartitionsToTxnV3.api, [transaction]),
    );
  }

  async #end(identity: ProducerIdentity, commit: boolean, transactions2: boolean, limitMs?: number): Promise<void> {
    const { producerId, producerEpoch } = identity;
    const { transactionalId } = this.#options;
    const ended = await this.#cluster.retrying(
      'Ending a transaction',
      async () => {
        if (transactions2) return this.#ask(END_5, transactionalId, producerId, producerEpoch, commit);
        await this.#ask(endTxnV3.api, transactionalId, producerId, producerEpoch, commit);
        return null;
      },
      limitMs,
    );
    if (ended === null || ended.producerId < 0n) return;
    const same = ended.producerId === producerId && ended.producerEpoch === producerEpoch;
    if (!same) this.#identity = { ...ended, transactionalId, sequences: new Map() };
  }

  /** As good as it can be had: what cannot be aborted now is by the next `begin`, or by its timeout. */
  async #abort(identity: ProducerIdentity, transactions2: boolean): Promise<void> {
    this.forget();
    await this.#end(identity, false, transactions2, ABORT_LIMIT_MS).catch(() => {});
    // A batch may be under way still: only a new epoch is sure to be without it.
    this.forget();
  }

  async #ask<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    const node = await this.#cluster.coordinator('transaction', this.#options.transactionalId);
    return this.#cluster.ask(node, 'produce', api, ...args);
  }
}
