// The door of the stream: labels and changes come on topics of their own and are passed on into the stream of transactions.
//
// What could not be processed there is refused here, once, as a dead letter: beyond the door a change would be refused in every
// partition, and one that only some workers can make would divide them.
import type { ControlRecord } from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamBatch, StreamLog, StreamRecord } from '../../ports.ts';
import { bytesOf, deadLetter, MOST_OWN_HEADERS } from './dead-letter.ts';
import { readySeal } from './letter-seal.ts';
import { KIND_HEADER, kindHeader, type RecordKind, VALUE_MISSING } from './record-kinds.ts';
import type { TopicNames } from './topics.ts';
import { type PartitionSetup, type VersionSource, VersionUnavailableError } from './versions.ts';
import type { WorkerOptions } from './worker-options.ts';

export type ForwardedKind = Exclude<RecordKind, 'transaction'>;

/** What comes on which topic. */
export const FORWARDED: readonly (readonly ['labels' | 'control', ForwardedKind])[] = [
  ['labels', 'label'],
  ['control', 'control'],
];

/** What the door needs of the worker. */
interface Door extends Pick<WorkerOptions, 'letters' | 'now' | 'observer'> {
  readonly log: StreamLog;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
  readonly settings: { readonly topics: TopicNames; readonly maxRecordBytes: number; readonly changesTo?: string };
}

/**
 * Onto the stream of transactions: a label to its payer's partition, a change to every one, of the last stage where there
 * are stages; or a dead letter.
 *
 * @throws StreamUnavailableError where the log or the store of models does not answer; LetterKeyError
 */
export async function forwardedRecords(
  { topic, partition, records }: StreamBatch,
  kind: ForwardedKind,
  door: Door,
): Promise<OutgoingRecord[]> {
  const { topics, maxRecordBytes, changesTo } = door.settings;
  const goesTo = kind === 'control' ? (changesTo ?? topics.transactions) : topics.transactions;
  const everywhere = (await door.log.bounds(goesTo)).map((each) => each.partition as number | null);
  const partitions = kind === 'control' ? everywhere : [null];
  const outputs: OutgoingRecord[] = [];
  if (kind === 'label') {
    await door.setup.decoders.prepareLabels?.(records.flatMap(({ value }) => (value === null ? [] : [value])));
  }
  for (const record of records) {
    const { key, value, timestampMs } = record;
    // Whatever the record says of itself, it is what its topic is for.
    const headers = [...record.headers.filter(({ name }) => name !== KIND_HEADER), kindHeader(kind)];
    try {
      await admit({ ...record, headers }, kind, door);
      const copy = { topic: goesTo, key, value, timestampMs, headers };
      outputs.push(...partitions.map((to) => ({ ...copy, partition: to })));
    } catch (error) {
      if (!(error instanceof InputError || error instanceof VersionUnavailableError)) throw error;
      const at = { topic, partition, offset: record.offset };
      outputs.push(deadLetter(topics['dead-letters'], at, record, error, maxRecordBytes, await readySeal(door)));
    }
  }
  return outputs;
}

/** @throws InputError, VersionUnavailableError where the record has no business in the stream */
async function admit(record: StreamRecord, kind: ForwardedKind, { setup, versions, settings }: Door): Promise<void> {
  if (record.value === null) throw VALUE_MISSING();
  if (bytesOf(record) > settings.maxRecordBytes || record.headers.length > MOST_OWN_HEADERS) {
    throw new InputError('RECORD_TOO_LARGE', 'The record leaves no room to say what it is', 'Send a smaller one');
  }
  if (kind === 'label') {
    setup.decoders.label(record.value);
    return;
  }
  const change: ControlRecord = setup.decoders.control(record.value);
  await versions.change(await versions.initial(setup.definitions), change, setup.definitions);
}
