// Reading partitions: one request to one broker, and what of the answer has been committed.
import {
  createAPI,
  FetchIsolationLevels,
  fetchV12,
  listOffsetsV6,
  ProtocolError,
  type Reader,
} from '@platformatic/kafka';
import type { StreamPartition, StreamPosition } from '../../ports.ts';
import type { KafkaCluster, Purpose } from './cluster.ts';
import { type BatchHead, isAbortMarker, isControl, isTransactional, readBatchHeads } from './record-batch.ts';

export interface FetchedPartition extends StreamPartition {
  /** Of a broker's answer; 0 is good. */
  readonly errorCode: number;
  /** One past the newest committed offset, the markers of transactions included. */
  readonly lastStableOffset: number;
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  readonly bytes: Buffer;
}

export interface FetchLimits {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
}

const NO_BYTES = Buffer.alloc(0);
const WITHOUT_SESSION = { id: 0, epoch: -1 };

type FetchArguments = Parameters<typeof fetchV12.createRequest>;
const FETCH = createAPI<FetchArguments, FetchedPartition[]>(1, 12, fetchV12.createRequest, readAnswer);

function readAnswer(_correlation: number, _key: number, _version: number, reader: Reader): FetchedPartition[] {
  reader.readInt32();
  const errorCode = reader.readInt16();
  if (errorCode !== 0) throw new ProtocolError(errorCode);
  reader.readInt32();
  const partitions: FetchedPartition[] = [];
  reader.readArray((outer) => {
    const topic = outer.readString();
    outer.readArray((inner) => partitions.push(readPartition(inner, topic)));
  });
  return partitions;
}

function readPartition(reader: Reader, topic: string): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt64();
  const lastStableOffset = Number(reader.readInt64());
  reader.readInt64();
  const aborted =
    reader.readNullableArray((inner) => ({
      producerId: inner.readInt64(),
      firstOffset: Number(inner.readInt64()),
    })) ?? [];
  reader.readInt32();
  const length = reader.readUnsignedVarInt() - 1;
  let bytes: Buffer = NO_BYTES;
  if (length > 0) {
    // A copy of its own: the socket's buffers are given back.
    bytes = reader.buffer.slice(reader.position, reader.position + length);
    reader.skip(length);
  }
  return { topic, partition, errorCode, lastStableOffset, aborted, bytes };
}

/** One request for partitions that one broker leads, in the order given. @throws library errors */
export function fetchFrom(
  cluster: KafkaCluster,
  node: number,
  purpose: Purpose,
  positions: readonly StreamPosition[],
  { maxWaitMs, maxBytes, maxBytesPerPartition }: FetchLimits,
): Promise<FetchedPartition[]> {
  // A topic may come more than once in a request, and the order is what keeps a full answer fair.
  const topics = [...Map.groupBy(positions, ({ topic }) => topic)].map(([topic, parts]) => ({
    topicId: topic,
    partitions: parts.map(({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: maxBytesPerPartition,
    })),
  }));
  const { id, epoch } = WITHOUT_SESSION;
  const committed = FetchIsolationLevels.READ_COMMITTED;
  return cluster.ask(node, purpose, FETCH, maxWaitMs, 1, maxBytes, committed, id, epoch, topics, [], '');
}

export interface CommittedBatches {
  readonly batches: readonly BatchHead[];
  /** Where reading goes on: past what was skipped too. */
  readonly next: number;
}

/**
 * Batches with records from `offset` on, without markers and without what was aborted. An answer lists, for each
 * producer, where its aborted transactions begin; each ends at the producer's next abort marker.
 */
export function committedBatches(fetched: FetchedPartition, offset: number): CommittedBatches {
  const batches: BatchHead[] = [];
  const starts = [...fetched.aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<bigint>();
  let started = 0;
  let next = offset;
  for (const head of readBatchHeads(fetched.bytes)) {
    while (started < starts.length && starts[started].firstOffset <= head.lastOffset) {
      aborting.add(starts[started++].producerId);
    }
    if (head.lastOffset < offset) continue;
    next = head.lastOffset + 1;
    if (isControl(head)) {
      if (isAbortMarker(head)) aborting.delete(head.producerId);
    } else if (head.records > 0 && !(isTransactional(head) && aborting.has(head.producerId))) {
      batches.push(head);
    }
  }
  return { batches, next };
}

const OLDEST = -2n;
const NEWEST = -1n;

/** Offset of the oldest record, or one past the newest committed one, of partitions of any leaders. */
export async function listOffsets(
  cluster: KafkaCluster,
  partitions: readonly StreamPartition[],
  which: 'oldest' | 'newest',
): Promise<StreamPosition[]> {
  return cluster.retrying('Asking for offsets', async () => {
    const byLeader = new Map<number, StreamPartition[]>();
    for (const one of partitions) {
      const leader = await cluster.leader(one.topic, one.partition);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), one]);
    }
    const found: StreamPosition[] = [];
    await Promise.all(
      [...byLeader].map(async ([leader, some]) => {
        const topics = [...Map.groupBy(some, ({ topic }) => topic)].map(([name, parts]) => ({
          name,
          partitions: parts.map(({ partition }) => ({
            partitionIndex: partition,
            currentLeaderEpoch: -1,
            timestamp: which === 'oldest' ? OLDEST : NEWEST,
          })),
        }));
        const isolation = FetchIsolationLevels.READ_COMMITTED;
        const answer = await cluster.ask(leader, 'ask', listOffsetsV6.api, -1, isolation, topics);
        for (const { name, partitions: parts } of answer.topics) {
          for (const { partitionIndex, offset } of parts) {
            found.push({ topic: name, partition: partitionIndex, offset: Number(offset) });
          }
        }
      }),
    );
    return found.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  });
}
