// A simulated stream that never ends: the same transactions again, each time with new ids and later.
import { streamKeyOf } from '../../src/jobs/stream/feed-stream.ts';
import type { OutgoingRecord, StreamLog } from '../../src/ports.ts';

const NO_HEADERS: OutgoingRecord['headers'] = [];
const BATCH_RECORDS = 2000;
const BATCHES_IN_FLIGHT = 4;
const DAY_MS = 86_400_000;

/** A transaction without what each repetition changes. */
interface Pattern {
  readonly key: Uint8Array;
  readonly eventTimeMs: number;
  readonly ingestTimeMs: number | null;
  readonly externalId: string | null;
  /** The other fields as JSON, without the opening brace. */
  readonly rest: string;
}

export interface EndlessStream {
  /** Of a place in the stream, from 0; its id is `B` and the place. */
  record(place: number, topic: string): OutgoingRecord;
}

/** @param lines transactions as JSON; each is one of a period of whole days, so that the hours of the day stay */
export function endlessStream(lines: readonly string[]): EndlessStream {
  const encoder = new TextEncoder();
  const patterns = lines.map((line): Pattern => {
    const { id, eventTimeMs, ingestTimeMs = null, externalId = null, ...others } = JSON.parse(line);
    const key = encoder.encode(streamKeyOf({ payerId: null, cardId: null, id, ...others }));
    return { key, eventTimeMs, ingestTimeMs, externalId, rest: JSON.stringify(others).slice(1) };
  });
  const times = patterns.map(({ eventTimeMs }) => eventTimeMs);
  const spanMs = times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b));
  const periodMs = Math.ceil((spanMs + 1) / DAY_MS) * DAY_MS;
  return {
    record(place, topic) {
      const round = Math.floor(place / patterns.length);
      const { key, eventTimeMs, ingestTimeMs, externalId, rest } = patterns[place % patterns.length];
      const shiftMs = round * periodMs;
      const received = ingestTimeMs === null ? '' : `"ingestTimeMs":${ingestTimeMs + shiftMs},`;
      // The same external id again would be a duplicated posting.
      const external = externalId === null ? '' : `"externalId":${JSON.stringify(`${externalId}-${round}`)},`;
      const text = `{"id":"B${place}","eventTimeMs":${eventTimeMs + shiftMs},${received}${external}${rest}`;
      return { topic, partition: null, key, value: encoder.encode(text), headers: NO_HEADERS, timestampMs: null };
    },
  };
}

/** The place of a record in the stream, by its id. */
export function placeOf(id: string): number {
  return Number(id.slice(1));
}

/** Writes the places from 0 up to `count`. @returns bytes of a value, mean */
export async function writeBacklog(
  log: StreamLog,
  topic: string,
  stream: EndlessStream,
  count: number,
): Promise<number> {
  let next = 0;
  let bytes = 0;
  const writer = async () => {
    while (next < count) {
      const from = next;
      next = Math.min(count, from + BATCH_RECORDS);
      const records = Array.from({ length: next - from }, (_, index) => stream.record(from + index, topic));
      bytes += records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      await log.append(records);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, writer));
  return bytes / count;
}
