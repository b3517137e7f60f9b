// The tail of topics on Kafka: what is committed from now on, of all partitions, read ahead as a member of a group would.
import { StreamUnavailableError } from '../../lib/errors.ts';
import type { StreamBatch, StreamPosition, StreamTail } from '../../ports.ts';
import { within } from './kafka-consumer.ts';
import type { PartitionReader } from './partition-reader.ts';

export class KafkaTail implements StreamTail {
  readonly #reader: PartitionReader;
  readonly #unavailableAfterMs: number;
  #wake: (() => void) | null = null;
  #isClosed = false;

  /** @param unavailableAfterMs after brokers have been silent for so long, `poll` says so */
  constructor(reader: PartitionReader, ends: readonly StreamPosition[], unavailableAfterMs: number) {
    this.#reader = reader;
    this.#unavailableAfterMs = unavailableAfterMs;
    for (const end of ends) reader.begin(end);
    reader.readAhead();
  }

  /** Something has come that `poll` may be waiting for. */
  notify(): void {
    this.#wake?.();
  }

  async poll(maxRecords: number, maxWaitMs: number): Promise<readonly StreamBatch[]> {
    const untilMs = Date.now() + maxWaitMs;
    for (;;) {
      const news = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (this.#isClosed) return [];
      const batches = this.#reader.take(maxRecords);
      this.#reader.readAhead();
      const nowMs = Date.now();
      if (batches.length === 0 && this.#reader.silentMs(nowMs) > this.#unavailableAfterMs) {
        throw new StreamUnavailableError(`The brokers have not answered for ${this.#unavailableAfterMs / 1000} s`);
      }
      if (batches.length > 0 || nowMs >= untilMs) return batches;
      await within(news, untilMs - nowMs);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#reader.close();
    this.notify();
  }
}
