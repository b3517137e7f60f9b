// What was written to a partition last, still in memory: whoever follows the log reads it without asking the disk again.
//
// A service that waits for each decision reads every record twice a moment after it was written; a read of a file through
// the thread pool costs more than what is read. Only what counts (durable, accepted) is put here, and records never change.
import type { StreamRecord } from '../../../ports.ts';
import { decodeRecord } from './record-format.ts';

/** The records of one group commit. */
interface Write {
  /** Offset of the first record, and one past the last. */
  readonly first: number;
  readonly next: number;
  readonly content: Buffer;
  /** Where each record begins in the content. */
  readonly starts: readonly number[];
}

/** Of one partition. */
const MOST_BYTES = 65_536;

export class RecentWrites {
  #writes: Write[] = [];
  #bytes = 0;

  /** @param starts where each record begins in the content, the first of them `first` */
  add(first: number, content: Buffer, starts: readonly number[]): void {
    if (starts.length === 0) return;
    if (content.length > MOST_BYTES) {
      this.clear();
      return;
    }
    this.#writes.push({ first, next: first + starts.length, content, starts });
    this.#bytes += content.length;
    while (this.#bytes > MOST_BYTES) this.#bytes -= this.#writes.shift()!.content.length;
  }

  /** What lies on the disk is not what was written any more. */
  clear(): void {
    this.#writes = [];
    this.#bytes = 0;
  }

  /** Consecutive records from the offset on; null where it is not here. The first is given whatever its size. */
  read(offset: number, maxRecords: number, maxBytes: number): StreamRecord[] | null {
    let at = this.#writes.findLastIndex(({ first }) => first <= offset);
    if (at < 0 || offset >= this.#writes[at].next) return null;
    const records: StreamRecord[] = [];
    let bytes = 0;
    for (let from = offset; at < this.#writes.length && this.#writes[at].first <= from; at++) {
      const { first, next, content, starts } = this.#writes[at];
      for (; from < next; from++) {
        const index = from - first;
        bytes += (starts[index + 1] ?? content.length) - starts[index];
        if (records.length === maxRecords || (records.length > 0 && bytes > maxBytes)) return records;
        records.push(decodeRecord(content, starts[index]));
      }
    }
    return records;
  }
}
