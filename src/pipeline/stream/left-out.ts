// What the decisions of a partition were made without, by offset.
//
// Time and failures are the one thing in a decision that the stream's records do not determine, so what was left out for
// their sake is written down: on a topic of its own, in the commit of the decisions that were made so, and only where it
// changes. Who makes the state again reads it there and leaves out the same, so that verdicts, the governor's state and
// what follows from it are the same bits.
import { StreamUnavailableError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamLog, StreamPartition, StreamRecord } from '../../ports.ts';
import type { Taking } from './partition-fold.ts';

/** From this offset of the stream on, until the next. */
export interface LeftOutFrom {
  readonly from: number;
  /** Detectors in the model's order, and perhaps `REASONS`. */
  readonly leftOut: readonly string[];
}

const NOTHING: readonly string[] = [];
const PAGE_RECORDS = 1000;
const PAGE_WAIT_MS = 1000;
/** Longer than a transaction that its dead writer left open holds up readers. */
const MOST_EMPTY_PAGES = 60;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class LeftOutHistory {
  /** Rising by `from`. */
  readonly #entries: LeftOutFrom[] = [];
  /** The topic has entries beyond where the group stands: it was set back, and they are void. */
  #isVoidBeyond = false;

  /** As it was written: an entry makes those void that were written before it and begin at or after its offset. */
  add(entry: LeftOutFrom): void {
    while (this.#entries.length > 0 && this.#entries[this.#entries.length - 1].from >= entry.from) this.#entries.pop();
    this.#entries.push(entry);
  }

  at(offset: number): readonly string[] {
    return this.#entries.findLast(({ from }) => from <= offset)?.leftOut ?? NOTHING;
  }

  /** The first offset beyond this one from which something else is left out; Infinity where there is none. */
  nextChange(offset: number): number {
    return this.#entries.find(({ from }) => from > offset)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** What was decided once is decided again in runs of what was left out then: the next one of these records. */
  again(rest: readonly StreamRecord[], before: number): { run: readonly StreamRecord[]; taking: Partial<Taking> } {
    const [{ offset }] = rest;
    const until = Math.min(before, this.nextChange(offset));
    const end = rest.findIndex((record) => record.offset >= until);
    return { run: end < 0 ? rest : rest.slice(0, end), taking: { leftOut: this.at(offset), isSilent: true } };
  }

  /** Drops what only records before the offset, or at and beyond where the group stands, would need. */
  keepOnly(offset: number, committed: number): void {
    this.#isVoidBeyond = this.#entries.some(({ from }) => from >= committed);
    const inForce = this.#entries.findLastIndex(({ from }) => from <= offset);
    const kept = this.#entries.slice(Math.max(0, inForce)).filter(({ from }) => from < committed);
    this.#entries.splice(0, this.#entries.length, ...kept);
  }

  /** @returns what has to be written with the decisions from this offset on; null where it is known already */
  choose(from: number, leftOut: readonly string[]): LeftOutFrom | null {
    const isSame = JSON.stringify(this.at(from)) === JSON.stringify(leftOut);
    if (isSame && !this.#isVoidBeyond) return null;
    this.#isVoidBeyond = false;
    // What was before is behind.
    this.#entries.splice(0, this.#entries.length, { from, leftOut });
    return { from, leftOut };
  }
}

export function leftOutRecord(topic: string, partition: number, entry: LeftOutFrom): OutgoingRecord {
  return { topic, partition, key: null, value: encoder.encode(JSON.stringify(entry)), headers: [], timestampMs: null };
}

/** null for a record that only marks a place. */
export function leftOutOf({ value }: Pick<StreamRecord, 'value'>): LeftOutFrom | null {
  return value === null ? null : (JSON.parse(decoder.decode(value)) as LeftOutFrom);
}

/**
 * All that was committed before now. Where the group stands may be known before what was committed with it can be read; so
 * a mark is written first, and the topic is read up to the mark: nobody who reads what is committed gets past a transaction
 * that is not decided.
 *
 * @param at the partition of the topic
 * @throws StreamUnavailableError where the mark does not come
 */
export async function readLeftOut(
  log: Pick<StreamLog, 'append' | 'read' | 'bounds'>,
  at: StreamPartition,
): Promise<LeftOutHistory> {
  const history = new LeftOutHistory();
  const [mark] = await log.append([{ ...at, key: null, value: null, headers: [], timestampMs: null }]);
  const bounds = (await log.bounds(at.topic)).find(({ partition }) => partition === at.partition);
  let empty = 0;
  for (let offset = bounds?.start ?? 0; offset <= mark.offset; ) {
    const records = await log.read({ ...at, offset }, PAGE_RECORDS, PAGE_WAIT_MS);
    if (records.length === 0 && ++empty >= MOST_EMPTY_PAGES) {
      throw new StreamUnavailableError(
        `what was left out cannot be read: ${at.topic}/${at.partition} ends at ${offset}`,
      );
    }
    for (const record of records) {
      const entry = leftOutOf(record);
      if (entry !== null) history.add(entry);
      offset = record.offset + 1;
    }
  }
  return history;
}
