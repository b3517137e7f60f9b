// A record that cannot be processed: why, where it was, and its bytes as they came, so that it can be sent again once the
// cause is gone. A record that fills what the log takes leaves no room for the reason: its letter only says where it is.
//
// What could not be read may hold anybody's data: where there are master keys, key, bytes and headers are sealed together.
import { InputError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamPosition, StreamRecord } from '../../ports.ts';
import { type LetterOpener, type LetterParts, SEALED_BY, type SealedLetter } from '../../privacy/sealed-letter.ts';

/** @throws LetterKeyError where there is no key: the letter is not written then, nor is the group moved on */
export type LetterSeal = (parts: LetterParts, at: StreamPosition) => SealedLetter;

/** Why a record is refused, by the code that counts and alerts name. */
export interface Refusal {
  readonly code: string;
  /** What is wrong and where, without the values: they may be personal. */
  readonly message: string;
}

const HEADERS = {
  ...{ code: 'centinela-reason', message: 'centinela-message', from: 'centinela-from' },
  byReference: 'centinela-by-reference',
} as const;
const ADDED: ReadonlySet<string> = new Set([...Object.values(HEADERS), SEALED_BY]);
/** Of a record that the log takes for sure: Kafka's own limit is 1 MiB with what it adds. */
export const MAX_RECORD_BYTES = 1_000_000;
/** Some logs take no more than 100; four are ours, and of a sealed letter nothing else is. */
export const MOST_OWN_HEADERS = 96;
const MOST_MESSAGE = 1000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The record on its way to the topic of dead letters: its key, bytes and headers, and three headers more.
 *
 * @param maxRecordBytes beyond so many the letter has neither key nor value nor headers of the record
 * @param seal null: in clear, as it came
 * @throws LetterKeyError
 */
export function deadLetter(
  topic: string,
  at: StreamPosition,
  record: StreamRecord,
  refusal: Refusal,
  maxRecordBytes = MAX_RECORD_BYTES,
  seal: LetterSeal | null = null,
): OutgoingRecord {
  const added = [
    header(HEADERS.code, refusal.code),
    header(HEADERS.message, refusal.message.slice(0, MOST_MESSAGE)),
    header(HEADERS.from, nameOf(at)),
  ];
  const { timestampMs } = record;
  const parts = { key: record.key, value: record.value, headers: ownHeaders(record) };
  const letter = (held: LetterParts) => ({ topic, partition: null, timestampMs, ...held });
  if (parts.headers.length <= MOST_OWN_HEADERS && bytesOf(parts) <= maxRecordBytes) {
    const held = seal === null ? parts : sealedParts(seal(parts, at));
    const whole = letter({ ...held, headers: [...held.headers, ...added] });
    if (bytesOf(whole) <= maxRecordBytes) return whole;
  }
  return letter({ key: null, value: null, headers: [...added, header(HEADERS.byReference, '1')] });
}

/** Its key would tell who it is of. */
function sealedParts({ value, header: sealedBy }: SealedLetter): LetterParts {
  return { key: null, value, headers: [sealedBy] };
}

/**
 * The record as it was before it was refused, for the topic that it came from.
 *
 * @param opener null where there are no master keys
 * @throws InputError LETTER_SEALED where it is sealed and there are none; EnvelopeError where it was changed; what the master
 *   keys throw
 */
export async function revivedRecord(
  letter: StreamRecord,
  topic: string,
  opener: Pick<LetterOpener, 'open'> | null,
): Promise<OutgoingRecord> {
  const isSealed = letter.headers.some(({ name }) => name === SEALED_BY);
  return copyFor(topic, isSealed ? { ...letter, ...(await openLetter(letter, opener)) } : letter);
}

/** A record without what was added to it. */
export function copyFor(topic: string, record: StreamRecord): OutgoingRecord {
  const { key, value, timestampMs } = record;
  return { topic, partition: null, key, value, timestampMs, headers: ownHeaders(record) };
}

async function openLetter(letter: StreamRecord, opener: Pick<LetterOpener, 'open'> | null): Promise<LetterParts> {
  const { from } = originOf(letter);
  if (opener !== null && from !== null) return await opener.open(letter, from);
  const how = 'Give --master-keys FILE, or CENTINELA_MASTER_KEYS: those of the service that wrote them';
  throw new InputError('LETTER_SEALED', 'Dead letters are sealed, and there is no master key to open them with', how);
}

export interface DeadLetterOrigin extends Refusal {
  readonly from: StreamPosition | null;
  /** The letter does not hold the record: it is where it came from, for as long as that topic keeps it. */
  readonly byReference: boolean;
}

/** `from` is null where the letter does not say. */
export function originOf({ headers }: Pick<StreamRecord, 'headers'>): DeadLetterOrigin {
  // The last of a name is ours.
  const text = (name: string) => {
    const found = headers.findLast((each) => each.name === name);
    return found === undefined ? '' : decoder.decode(found.value);
  };
  return {
    ...{ code: text(HEADERS.code), message: text(HEADERS.message), from: positionOf(text(HEADERS.from)) },
    byReference: text(HEADERS.byReference) !== '',
  };
}

/** Bytes of a record's own parts. */
export function bytesOf({ key, value, headers }: Pick<StreamRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const each of headers) bytes += each.name.length + each.value.length;
  return bytes;
}

/** `topic/partition/offset`; topics have no slash in their names. */
function nameOf({ topic, partition, offset }: StreamPosition): string {
  return `${topic}/${partition}/${offset}`;
}

function positionOf(name: string): StreamPosition | null {
  const [topic, partition, offset, ...more] = name.split('/');
  const at = { topic, partition: Number(partition), offset: Number(offset) };
  const isWhole = Number.isSafeInteger(at.partition) && Number.isSafeInteger(at.offset);
  return topic !== '' && isWhole && more.length === 0 ? at : null;
}

function header(name: string, text: string): StreamRecord['headers'][number] {
  return { name, value: encoder.encode(text) };
}

function ownHeaders({ headers }: Pick<StreamRecord, 'headers'>): StreamRecord['headers'] {
  return headers.filter(({ name }) => !ADDED.has(name));
}
