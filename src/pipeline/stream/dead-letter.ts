// A record that cannot be processed: why, where it was, and its bytes as they came, so that it can be sent again once the
// cause is gone.
import type { OutgoingRecord, StreamPosition, StreamRecord } from '../../ports.ts';

/** Why a record is refused, by the code that counts and alerts name. */
export interface Refusal {
  readonly code: string;
  /** What is wrong and where, without the values: they may be personal. */
  readonly message: string;
}

const HEADERS = { code: 'centinela-reason', message: 'centinela-message', from: 'centinela-from' } as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The record on its way to the topic of dead letters: its key, bytes and headers, and three headers more. */
export function deadLetter(topic: string, at: StreamPosition, record: StreamRecord, refusal: Refusal): OutgoingRecord {
  const from = `${at.topic}/${at.partition}/${at.offset}`;
  return {
    ...{ topic, partition: null, key: record.key, value: record.value, timestampMs: record.timestampMs },
    headers: [
      ...ownHeaders(record),
      { name: HEADERS.code, value: encoder.encode(refusal.code) },
      { name: HEADERS.message, value: encoder.encode(refusal.message) },
      { name: HEADERS.from, value: encoder.encode(from) },
    ],
  };
}

/** The record as it was before it was refused, for the topic that it came from. */
export function revivedRecord(letter: StreamRecord, topic: string): OutgoingRecord {
  const { key, value, timestampMs } = letter;
  return { topic, partition: null, key, value, timestampMs, headers: ownHeaders(letter) };
}

export interface DeadLetterOrigin extends Refusal {
  /** `topic/partition/offset` */
  readonly from: string;
}

export function originOf({ headers }: StreamRecord): DeadLetterOrigin {
  const text = (name: string) => {
    const header = headers.find((each) => each.name === name);
    return header === undefined ? '' : decoder.decode(header.value);
  };
  return { code: text(HEADERS.code), message: text(HEADERS.message), from: text(HEADERS.from) };
}

function ownHeaders({ headers }: StreamRecord): StreamRecord['headers'] {
  const added: readonly string[] = Object.values(HEADERS);
  return headers.filter(({ name }) => !added.includes(name));
}
