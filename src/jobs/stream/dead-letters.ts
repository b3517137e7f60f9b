// Dead letters for people: how many there are of each reason, and sending them again once its cause is gone.
//
// What was sent again is marked by a group of its own for each reason, whose position moves on in the same commit that
// writes the records: asked twice, nothing is sent twice. Letters that arrive meanwhile wait for the next time.
import { InputError } from '../../lib/errors.ts';
import { copyFor, originOf, revivedRecord } from '../../pipeline/stream/dead-letter.ts';
import type { TopicNames } from '../../pipeline/stream/topics.ts';
import type { OutgoingRecord, StreamLog, StreamPosition, StreamRecord } from '../../ports.ts';
import { EnvelopeError } from '../../privacy/envelope.ts';
import type { LetterOpener } from '../../privacy/sealed-letter.ts';

export interface DeadLetterWish {
  /** Of this reason only; null for all. */
  readonly reason: string | null;
  /** Refused records that were written then or later, ms UTC; null for all. */
  readonly sinceMs: number | null;
}

export interface DeadLetterExample {
  /** Where the record was; null where the letter does not say. */
  readonly from: StreamPosition | null;
  readonly message: string;
}

export interface DeadLetterReason {
  readonly reason: string;
  readonly letters: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** At most three, the newest; fields are named and values are not. */
  readonly examples: readonly DeadLetterExample[];
}

export interface ReplayedReason {
  readonly reason: string;
  /** Written to where they came from. */
  readonly sent: number;
  /** Before `sinceMs`: passed over for good. */
  readonly passed: number;
  /** Whose record is no longer where the letter says. */
  readonly gone: number;
  /** That do not say where they came from, or from no topic of the stream's. */
  readonly homeless: number;
  /** Sealed, and changed since. */
  readonly broken: number;
}

const MOST_AT_ONCE = 500;
const MOST_REASONS = 200;
const EXAMPLES = 3;
const WAIT_MS = 500;
/** Polls in a row without a letter before the rest is taken to be gaps, or another replay's. */
const MOST_EMPTY_POLLS = 6;
const REASON = /^[A-Z][A-Z0-9_]{0,60}$/;
const OTHER = 'OTHER';

/** Sorted by how many there are. */
export async function listDeadLetters(
  log: StreamLog,
  topics: TopicNames,
  wish: DeadLetterWish,
): Promise<DeadLetterReason[]> {
  const found = new Map<string, { letters: number; firstMs: number; lastMs: number; examples: DeadLetterExample[] }>();
  const topic = topics['dead-letters'];
  for (const { partition, start, end } of await log.bounds(topic)) {
    for (let offset = start; offset < end; ) {
      const letters = await log.read({ topic, partition, offset }, MOST_AT_ONCE, WAIT_MS);
      if (letters.length === 0) break;
      for (const letter of letters) {
        if (letter.offset >= end || !isWished(letter, wish)) continue;
        const { from, message } = originOf(letter);
        const { timestampMs } = letter;
        const reason = reasonOf(letter);
        const one = found.get(reason) ?? { letters: 0, firstMs: timestampMs, lastMs: timestampMs, examples: [] };
        one.letters++;
        one.firstMs = Math.min(one.firstMs, timestampMs);
        one.lastMs = Math.max(one.lastMs, timestampMs);
        one.examples = [{ from, message }, ...one.examples].slice(0, EXAMPLES);
        if (!found.has(reason)) addReason(found, reason, one);
      }
      offset = letters[letters.length - 1].offset + 1;
    }
  }
  const reasons = [...found].map(([reason, rest]) => ({ reason, ...rest }));
  return reasons.sort((a, b) => b.letters - a.letters || (a.reason < b.reason ? -1 : 1));
}

/**
 * Sends letters to where they came from, each once however often it is asked for.
 *
 * @param group whose transactions they are; the marks are kept in groups named after it
 * @param opener of sealed ones; null where there are no master keys
 * @throws InputError LETTER_SEALED where one is sealed and there is no opener; what the master keys throw
 */
export async function replayDeadLetters(
  log: StreamLog,
  topics: TopicNames,
  group: string,
  wish: DeadLetterWish,
  opener: LetterOpener | null = null,
): Promise<ReplayedReason[]> {
  const reasons =
    wish.reason === null
      ? (await listDeadLetters(log, topics, { reason: null, sinceMs: null })).map(({ reason }) => reason).sort()
      : [wish.reason];
  const replayed: ReplayedReason[] = [];
  for (const reason of reasons) replayed.push(await replayReason(log, topics, group, { ...wish, reason }, opener));
  return replayed;
}

async function replayReason(
  log: StreamLog,
  topics: TopicNames,
  group: string,
  wish: DeadLetterWish & { readonly reason: string },
  opener: LetterOpener | null,
): Promise<ReplayedReason> {
  const topic = topics['dead-letters'];
  const counts = { sent: 0, passed: 0, gone: 0, homeless: 0, broken: 0 };
  const reviving: Reviving = { log, topics, sinceMs: wish.sinceMs, opener };
  const ends = new Map((await log.bounds(topic)).map(({ partition, end }) => [partition, end]));
  const done = new Map<number, number>();
  const consumer = await log.join({
    ...{ group: `${group}-replay-${wish.reason}`, topics: [topic] },
    listener: {
      async assigned(committed) {
        for (const { partition, offset } of committed) done.set(partition, offset);
        return committed;
      },
      revoked: async () => undefined,
      lost: async () => undefined,
    },
  });
  const isDone = () => [...ends].every(([partition, end]) => end === 0 || (done.get(partition) ?? -1) >= end);
  try {
    for (let empty = 0; !isDone() && empty < MOST_EMPTY_POLLS; ) {
      const batches = await consumer.poll(MOST_AT_ONCE, WAIT_MS);
      empty = batches.length === 0 ? empty + 1 : 0;
      const outputs: OutgoingRecord[] = [];
      const positions: StreamPosition[] = [];
      for (const { partition, records } of batches) {
        const from = done.get(partition) ?? 0;
        const letters = records.filter(({ offset }) => offset >= from && offset < ends.get(partition)!);
        if (letters.length === 0) continue;
        for (const letter of letters) {
          if (reasonOf(letter) === wish.reason) await revive(reviving, letter, outputs, counts);
        }
        const offset = letters[letters.length - 1].offset + 1;
        done.set(partition, offset);
        positions.push({ topic, partition, offset });
      }
      if (positions.length > 0) await consumer.commit(outputs, positions);
      counts.sent += outputs.length;
    }
  } finally {
    await consumer.close();
  }
  return { reason: wish.reason, ...counts };
}

interface Reviving {
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly sinceMs: number | null;
  readonly opener: LetterOpener | null;
}

async function revive(
  { log, topics, sinceMs, opener }: Reviving,
  letter: StreamRecord,
  outputs: OutgoingRecord[],
  counts: { passed: number; gone: number; homeless: number; broken: number },
): Promise<void> {
  const { from, byReference } = originOf(letter);
  // A header says where to: into topics of the stream only, whatever it says.
  const homes: readonly string[] = [topics.transactions, topics.labels, topics.control];
  if (from === null || !homes.includes(from.topic)) counts.homeless++;
  else if (sinceMs !== null && letter.timestampMs < sinceMs) counts.passed++;
  else {
    const original = byReference
      ? (await log.read(from, 1, WAIT_MS)).find(({ offset }) => offset === from.offset)
      : letter;
    if (original === undefined) counts.gone++;
    else {
      const record = byReference
        ? copyFor(from.topic, original)
        : await revivedRecord(original, from.topic, opener).catch(noneOfBroken);
      if (record === null) counts.broken++;
      // Its own time is long past: retention would take it at once.
      else outputs.push({ ...record, timestampMs: null, partition: record.key === null ? from.partition : null });
    }
  }
}

/** One that somebody changed must not hold up the others. */
function noneOfBroken(error: unknown): null {
  if (error instanceof EnvelopeError) return null;
  throw error;
}

function isWished(letter: StreamRecord, { reason, sinceMs }: DeadLetterWish): boolean {
  return (reason === null || reasonOf(letter) === reason) && (sinceMs === null || letter.timestampMs >= sinceMs);
}

/** A code as ours are; what anybody else wrote into the topic is one reason of its own. */
function reasonOf(letter: StreamRecord): string {
  const { code } = originOf(letter);
  return REASON.test(code) ? code : OTHER;
}

function addReason<T>(found: Map<string, T>, reason: string, one: T): void {
  if (found.size >= MOST_REASONS) {
    throw new InputError('TOO_MANY_REASONS', `There are letters of more than ${MOST_REASONS} reasons`, 'Name one');
  }
  found.set(reason, one);
}
