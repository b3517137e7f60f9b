// A partition as a worker owns it, and how it becomes so: its state is had again (restore.ts), and what decides in it is what the
// last change before made of the worker's first version.
import type { StreamPosition } from '../../ports.ts';
import type { CheckpointedPartition } from './checkpointing.ts';
import type { LeftOutHistory } from './left-out.ts';
import type { LiveVersion } from './partition-fold.ts';
import { restoreFold } from './restore.ts';
import type { StreamFold } from './stream-fold.ts';
import type { WorkerOptions } from './worker-options.ts';

export interface OwnedPartition extends CheckpointedPartition {
  fold: StreamFold;
  version: LiveVersion;
  offset: number;
  /** Outputs of all before it are out. */
  settled: number;
  last: CheckpointedPartition['last'];
  /** What was and is left out. */
  readonly leftOut: LeftOutHistory;
  readonly restoredFrom: number;
  readonly beganMs: number;
}

/**
 * @param committed where the group stands: what is before was decided, and is folded without a word
 * @param bounds of the partition in the log
 * @returns its `offset` is where reading begins
 * @throws as `restoreFold` and `VersionSource` do
 */
export async function takeOver(
  committed: StreamPosition,
  bounds: { readonly start: number; readonly end: number },
  options: WorkerOptions,
): Promise<OwnedPartition> {
  const { log, setup, versions, checkpoints, now, observer, settings } = options;
  const { partition } = committed;
  const beganMs = now();
  const store = checkpoints(partition);
  const sources = { log, store, setup, observer, leftOut: settings.topics['left-out'] };
  const { restored, fold, offset, leftOut } = await restoreFold(committed, bounds, sources);
  const initial = await versions.initial(setup.definitions);
  const change = restored?.head.change ?? null;
  const version = change === null ? initial : await versions.change(initial, change, setup.definitions);
  return {
    ...{ partition, fold, version, offset, settled: offset, last: restored?.last ?? null },
    ...{ leftOut, silentBefore: committed.offset, restoredFrom: offset, beganMs, store },
    checkpoint: { offset: restored?.offset ?? 0, atMs: beganMs },
  };
}
