// Writing batches to the leaders of their partitions, by an idempotent producer or in a transaction: what is sent again
// after a lost answer carries the same sequence numbers, and the broker drops it.
import { createAPI, type Writer as KafkaWriter, ProtocolError, produceV11, Writer } from '@platformatic/kafka';
import { InputError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamPartition, TopicSettings } from '../../ports.ts';
import { createRecordRouter } from '../streams/outgoing-records.ts';
import type { KafkaCluster } from './cluster.ts';
import type { Compression } from './compressions.ts';
import { encodeBatch, type RecordToWrite, recordBytes } from './record-batch.ts';

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** null: idempotent without transactions. */
  readonly transactionalId: string | null;
  /** Of each `topic/partition`, the sequence number that comes next; moved on by `produce`. */
  readonly sequences: Map<string, number>;
}

/** Records of one partition, with where they stood among the caller's. */
export interface PartitionRecords {
  readonly topic: string;
  readonly partition: number;
  readonly records: RecordToWrite[];
  readonly places: number[];
}

interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
  readonly places: readonly number[];
}

/** Below the brokers' usual limit of a batch (message.max.bytes, 1 MiB), whatever compression leaves of it. */
const MAX_BATCH_BYTES = 900_000;
const MAX_RECORD_BYTES = 1_000_000;
const ACKNOWLEDGED_BY_ALL = -1;
/** How long a broker waits for the copies. */
const REPLICATION_TIMEOUT_MS = 15_000;
const MAX_SEQUENCE = 0x7fffffff;

type ProduceResponse = ReturnType<typeof produceV11.parseResponse>;
type Api = ReturnType<typeof createAPI<[string | null, readonly PartitionBatch[]], ProduceResponse>>;

const produceRequest = (version: number): Api => createAPI(0, version, writeRequest, produceV11.parseResponse);
/** 9 is known from Kafka 2.8 on; 12 says that partitions join the transaction by being written to. */
const PRODUCE_9 = produceRequest(9);
const PRODUCE_12 = produceRequest(12);

function writeRequest(transactionalId: string | null, batches: readonly PartitionBatch[]): KafkaWriter {
  const byTopic = Map.groupBy(batches, ({ topic }) => topic);
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(ACKNOWLEDGED_BY_ALL)
    .appendInt32(REPLICATION_TIMEOUT_MS)
    .appendArray([...byTopic], (writer, [topic, parts]) => {
      writer.appendString(topic).appendArray(parts, (inner, { partition, batch }) => {
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch);
      });
    })
    .appendTaggedFields();
}

export type RecordSorter = (records: readonly OutgoingRecord[]) => Promise<PartitionRecords[]>;

/**
 * Checks records, all before the first is written, and puts them together by partition.
 *
 * The sorter throws InputError where one can never be written, and library errors where the topics cannot be asked for.
 */
export function createRecordSorter(cluster: KafkaCluster, nowMs: () => number): RecordSorter {
  const settings = new Map<string, TopicSettings>();
  const route = createRecordRouter((name) => settings.get(name), MAX_RECORD_BYTES);
  return async (records) => {
    for (const topic of new Set(records.map((record) => record.topic))) {
      const { leaders, replicas } = await cluster.layout(topic);
      // Whether it is compacted only the broker knows; it refuses records without a key by itself.
      settings.set(topic, { name: topic, partitions: leaders.length, replicas, retentionMs: null, compacted: false });
    }
    const partitions = route(records);
    const groups = new Map<string, PartitionRecords>();
    const now = nowMs();
    for (let place = 0; place < records.length; place++) {
      const { topic, key, value, headers, timestampMs } = records[place];
      const partition = partitions[place];
      const name = partitionName({ topic, partition });
      let group = groups.get(name);
      if (group === undefined) {
        group = { topic, partition, records: [], places: [] };
        groups.set(name, group);
      }
      group.records.push({ key, value, headers, timestampMs: timestampMs ?? now });
      group.places.push(place);
    }
    return [...groups.values()];
  };
}

export const partitionName = ({ topic, partition }: StreamPartition) => `${topic}/${partition}`;

/** Cuts a partition's records into batches of the size that brokers take. */
function* inBatches({ records, places }: PartitionRecords): Generator<{ records: RecordToWrite[]; places: number[] }> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < records.length; i++) {
    const more = recordBytes(records[i]);
    if (i > from && bytes + more > MAX_BATCH_BYTES) {
      yield { records: records.slice(from, i), places: places.slice(from, i) };
      from = i;
      bytes = 0;
    }
    bytes += more;
  }
  yield from === 0 ? { records, places } : { records: records.slice(from), places: places.slice(from) };
}

/**
 * Writes all of it durably, one batch per partition at a time.
 *
 * @returns the offset of each record, by the caller's place
 * @throws StreamUnavailableError, FencedError; InputError where a record is too large for the broker
 */
export async function produce(
  cluster: KafkaCluster,
  producer: ProducerIdentity,
  groups: Iterable<PartitionRecords>,
  compression: Compression,
): Promise<Map<number, number>> {
  const { transactions2 } = await cluster.features();
  const api = producer.transactionalId !== null && transactions2 ? PRODUCE_12 : PRODUCE_9;
  const offsets = new Map<number, number>();
  const queues = [...groups].map((group) => ({ group, batches: inBatches(group) }));
  for (;;) {
    const round: PartitionBatch[] = [];
    for (const { group, batches } of queues) {
      const next = batches.next();
      if (next.done === true) continue;
      const name = partitionName(group);
      const firstSequence = producer.sequences.get(name) ?? 0;
      const { producerId, producerEpoch, transactionalId, sequences } = producer;
      const head = { producerId, producerEpoch, firstSequence, transactional: transactionalId !== null };
      const batch = encodeBatch(next.value.records, head, compression);
      sequences.set(name, afterSequence(firstSequence, next.value.records.length));
      round.push({ topic: group.topic, partition: group.partition, batch, places: next.value.places });
    }
    if (round.length === 0) return offsets;
    await produceRound(cluster, producer.transactionalId, api, round, offsets);
  }
}

/** Sequence numbers go round. */
const afterSequence = (first: number, count: number) => (first + count) % (MAX_SEQUENCE + 1);

async function produceRound(
  cluster: KafkaCluster,
  transactionalId: string | null,
  api: Api,
  round: readonly PartitionBatch[],
  offsets: Map<number, number>,
): Promise<void> {
  let left = round;
  await cluster.retrying(`Writing to ${round[0].topic}`, async () => {
    const byLeader = new Map<number, PartitionBatch[]>();
    for (const batch of left) {
      const leader = await cluster.leader(batch.topic, batch.partition);
      const batches = byLeader.get(leader);
      if (batches === undefined) byLeader.set(leader, [batch]);
      else batches.push(batch);
    }
    const failed: PartitionBatch[] = [];
    const errors: unknown[] = [];
    await Promise.all(
      [...byLeader].map(async ([leader, batches]) => {
        try {
          const answer = await cluster.askInParts(leader, 'produce', api, transactionalId, batches);
          failed.push(...accept(answer, batches, offsets, errors));
        } catch (error) {
          failed.push(...batches);
          errors.push(error);
        }
      }),
    );
    left = failed;
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything was written');
  });
}

/** @returns the batches that were not taken */
function accept(
  answer: ProduceResponse,
  batches: readonly PartitionBatch[],
  offsets: Map<number, number>,
  errors: unknown[],
): PartitionBatch[] {
  const failed: PartitionBatch[] = [];
  const answers = new Map<string, ProduceResponse['responses'][number]['partitionResponses'][number]>();
  for (const { name, partitionResponses } of answer.responses) {
    for (const one of partitionResponses) answers.set(`${name}/${one.index}`, one);
  }
  for (const batch of batches) {
    const one = answers.get(`${batch.topic}/${batch.partition}`);
    // 46: what was sent before has arrived, and its answer was lost; the offset is not told any more.
    if (one !== undefined && (one.errorCode === 0 || one.errorCode === 46)) {
      const first = Number(one.baseOffset);
      for (let i = 0; i < batch.places.length; i++) offsets.set(batch.places[i], first < 0 ? -1 : first + i);
      continue;
    }
    failed.push(batch);
    errors.push(refusal(batch, one));
  }
  return failed;
}

function refusal(
  batch: PartitionBatch,
  one: { errorCode: number; errorMessage?: string | null | undefined } | undefined,
): Error {
  if (one === undefined) return new ProtocolError('UNKNOWN_SERVER_ERROR', 'no answer for the partition');
  const error = new ProtocolError(one.errorCode, one.errorMessage ?? null);
  if (error.apiId !== 'MESSAGE_TOO_LARGE' && error.apiId !== 'INVALID_RECORD') return error;
  return new InputError(
    'RECORD_REFUSED',
    `${batch.topic}/${batch.partition} refuses a batch of ${batch.batch.length} bytes: ${error.apiId}`,
    'Raise max.message.bytes of the topic, or give records of a compacted topic a key',
  );
}
