// The door as a worker keeps it: how far it has taken the labels and changes of the partitions that are its own, so that what
// is delivered again is passed on once. What is passed on, and what is refused, is said in forward.ts.
import type { OutgoingRecord, StreamBatch, StreamPartition, StreamPosition } from '../../ports.ts';
import { FORWARDED, type ForwardedKind, forwardedRecords } from './forward.ts';
import { newRecords } from './record-kinds.ts';
import { nameOf } from './stream-partitions.ts';
import type { WorkerOptions } from './worker-options.ts';

/** To be made durable together with the position. */
interface PassedOn {
  readonly outputs: readonly OutgoingRecord[];
  readonly position: StreamPosition;
  readonly records: number;
}

export class Door {
  readonly #options: WorkerOptions;
  /** The next record of each partition. */
  readonly #next = new Map<string, number>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** What comes on a topic; null where it is not one of the door's. */
  kindOf(topic: string): ForwardedKind | null {
    const { topics } = this.#options.settings;
    return FORWARDED.find(([role]) => topics[role] === topic)?.[1] ?? null;
  }

  begin(position: StreamPosition): void {
    this.#next.set(nameOf(position), position.offset);
  }

  /** @returns null where nothing of it is new @throws as `forwardedRecords` does */
  async pass(batch: StreamBatch, kind: ForwardedKind): Promise<PassedOn | null> {
    const { topic, partition } = batch;
    const name = nameOf(batch);
    const records = newRecords(batch.records, this.#next.get(name) ?? 0);
    if (records.length === 0) return null;
    const outputs = await forwardedRecords({ topic, partition, records }, kind, this.#options);
    const offset = records[records.length - 1].offset + 1;
    this.#next.set(name, offset);
    return { outputs, position: { topic, partition, offset }, records: records.length };
  }

  forget(partition: StreamPartition): void {
    this.#next.delete(nameOf(partition));
  }

  forgetAll(): void {
    this.#next.clear();
  }
}
