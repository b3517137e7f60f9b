// When the states of a worker's partitions are checkpointed: one at a time, beside the work, the longest due first. To copy
// several at once would hold up decisions.
import type { StreamRecord } from '../../ports.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { type LastRecord, lastRecordOf, SnapshotMemory, snapshotOf } from './fold-snapshot.ts';
import type { StreamFold } from './stream-fold.ts';
import type { WorkerObserver } from './worker-options.ts';

/** A partition as far as its checkpoints go. */
export interface CheckpointedPartition {
  readonly partition: number;
  readonly fold: StreamFold;
  readonly store: CheckpointStore;
  /** The record that comes next in the state. */
  readonly offset: number;
  /** Outputs of records before it were out when the partition was taken over: till there the state is behind the group. */
  readonly silentBefore: number;
  /** The one before `offset`, or what the checkpoint says of it; null where the state is empty. */
  readonly last: StreamRecord | LastRecord | null;
  /** The newest. */
  readonly checkpoint: { offset: number; atMs: number };
}

export interface CheckpointingOptions {
  readonly everyMs: number;
  readonly now: () => number;
  readonly observer: Pick<WorkerObserver, 'checkpointed' | 'troubled'>;
}

export class Checkpointing {
  readonly #options: CheckpointingOptions;
  /** The one that is being written or prepared. */
  #underWay: Promise<void> | null = null;
  readonly #memory = new SnapshotMemory();

  constructor(options: CheckpointingOptions) {
    this.#options = options;
  }

  /**
   * Begins the one that is due, if any; it goes on by itself.
   *
   * @param commitAll waits until all that is folded is committed: no state beyond that is kept
   */
  async begin(owned: Iterable<CheckpointedPartition>, commitAll: () => Promise<void>): Promise<void> {
    if (this.#underWay !== null) return;
    const due = this.#due(owned);
    if (due === null) return;
    const bytes = due.fold.engine.checkpointBytes();
    if (!this.#memory.hasRoomFor(bytes)) {
      this.#goOn(due.store.makeRoom(this.#memory, bytes));
      return;
    }
    await commitAll();
    this.#write(due);
  }

  /** Writes those that moved on since their last one, and waits for them. */
  async finish(owned: readonly CheckpointedPartition[]): Promise<void> {
    await this.#underWay;
    for (const each of owned) {
      if (hasMovedOn(each)) this.#write(each);
      await this.#underWay;
    }
  }

  #due(owned: Iterable<CheckpointedPartition>): CheckpointedPartition | null {
    const { now, everyMs } = this.#options;
    const due = [...owned].filter((each) => {
      const sinceMs = now() - each.checkpoint.atMs;
      // A clock that was set back would put it off for as long as it was ahead.
      return (sinceMs >= everyMs || sinceMs < 0) && hasMovedOn(each);
    });
    return due.sort((a, b) => a.checkpoint.atMs - b.checkpoint.atMs)[0] ?? null;
  }

  #write({ checkpoint, partition, offset, store, last, fold }: CheckpointedPartition): void {
    const { now, observer } = this.#options;
    const before = checkpoint.offset;
    const startedMs = now();
    checkpoint.offset = offset;
    checkpoint.atMs = startedMs;
    const lastRecord = last === null || 'hash' in last ? last : lastRecordOf(last);
    this.#goOn(
      store.write(snapshotOf(fold, offset, lastRecord, this.#memory), startedMs).then(
        (written) => observer.checkpointed(partition, written, Math.max(0, now() - startedMs)),
        (error: Error) => {
          checkpoint.offset = before;
          observer.troubled('CHECKPOINT_FAILED', error.message);
        },
      ),
    );
  }

  #goOn(work: Promise<void>): void {
    this.#underWay = work.finally(() => {
      this.#underWay = null;
    });
  }
}

function hasMovedOn({ offset, checkpoint, silentBefore }: CheckpointedPartition): boolean {
  return offset > checkpoint.offset && offset >= silentBefore;
}
