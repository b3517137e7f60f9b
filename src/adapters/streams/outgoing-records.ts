// What every log of ours demands of a record before it takes it, and which partition a record goes to.
import { InputError } from '../../lib/errors.ts';
import { partitionOfKey } from '../../lib/murmur2.ts';
import type { OutgoingRecord, TopicSettings } from '../../ports.ts';

/** Kafka's own rule for topics: what is also safe as a folder's name. */
const TOPIC_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/;
const MAX_PARTITIONS = 10_000;
const MAX_HEADERS = 100;

/** @throws InputError where a topic has a name or a number of partitions that cannot be */
export function checkTopic({ name, partitions }: TopicSettings): void {
  if (!TOPIC_NAME.test(name)) {
    throw new InputError(
      'TOPIC_NAME',
      `'${name}' is no name for a topic`,
      'Use letters, digits, dots, dashes and underscores',
    );
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new InputError(
      'TOPIC_PARTITIONS',
      `topic '${name}' cannot have ${partitions} partitions`,
      `Use 1 to ${MAX_PARTITIONS}`,
    );
  }
}

export function unknownTopic(topic: string): InputError {
  return new InputError('TOPIC_UNKNOWN', `there is no topic '${topic}'`, "Make it with 'centinela topics apply'");
}

/** Bytes that a record's own parts take. */
export function recordBytes({ key, value, headers }: OutgoingRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) bytes += header.name.length + header.value.length;
  return bytes;
}

/**
 * Checks records and says where each goes; records without a key and a partition take turns.
 *
 * @returns a partition for each record
 * @throws InputError where one can never be written: unknown topic or partition, too large, no key in a compacted topic
 */
export function createRecordRouter(
  topic: (name: string) => TopicSettings | undefined,
  maxRecordBytes: number,
): (records: readonly OutgoingRecord[]) => number[] {
  const turns = new Map<string, number>();

  function partitionFor(record: OutgoingRecord, partitions: number): number {
    if (record.partition !== null) return record.partition;
    if (record.key !== null) return partitionOfKey(record.key, partitions);
    const turn = turns.get(record.topic) ?? 0;
    turns.set(record.topic, (turn + 1) % partitions);
    return turn;
  }

  return (records) =>
    records.map((record) => {
      const settings = topic(record.topic);
      if (settings === undefined) throw unknownTopic(record.topic);
      const bytes = recordBytes(record);
      if (bytes > maxRecordBytes) {
        throw new InputError(
          'RECORD_TOO_LARGE',
          `a record of ${bytes} bytes for topic '${record.topic}'`,
          `At most ${maxRecordBytes} bytes are taken`,
        );
      }
      if (record.headers.length > MAX_HEADERS) {
        throw new InputError(
          'RECORD_HEADERS',
          `a record with ${record.headers.length} headers for topic '${record.topic}'`,
          `At most ${MAX_HEADERS} are taken`,
        );
      }
      if (settings.compacted && record.key === null) {
        throw new InputError(
          'RECORD_WITHOUT_KEY',
          `a record without a key for the compacted topic '${record.topic}'`,
          'Give it the key under which it replaces older ones',
        );
      }
      if (record.timestampMs !== null && !Number.isSafeInteger(record.timestampMs)) {
        throw new InputError(
          'RECORD_TIME',
          `a record with the time ${record.timestampMs} for topic '${record.topic}'`,
          'Use whole milliseconds UTC',
        );
      }
      const partition = partitionFor(record, settings.partitions);
      if (!Number.isInteger(partition) || partition < 0 || partition >= settings.partitions) {
        throw new InputError(
          'PARTITION_UNKNOWN',
          `topic '${record.topic}' has no partition ${partition}`,
          `It has 0 to ${settings.partitions - 1}`,
        );
      }
      return partition;
    });
}
