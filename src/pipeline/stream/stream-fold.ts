// What a worker asks of the fold of a partition: the whole of a stream, or one stage of it.
import type { ControlRecord } from '../../domain/stream-records.ts';
import type { FeatureEngine } from '../../features/engine.ts';
import type { FingerprintSet } from '../../lib/fingerprint-set.ts';
import type { StreamRecord } from '../../ports.ts';
import type { FoldHead, FoldOutput, LiveVersion, Taking } from './partition-fold.ts';

export interface StreamFold {
  readonly engine: FeatureEngine;
  readonly seen: FingerprintSet;
  head(): FoldHead;
  /** A change that was made is made again after a restart. */
  keep(change: ControlRecord): void;
  /**
   * Takes records until one of them changes what decides.
   *
   * @throws DetectorFailedError where a detector fails and none may
   */
  take(records: readonly StreamRecord[], version: LiveVersion, taking?: Partial<Taking>): FoldOutput;
}

/** Of a fold, from a checkpoint; the engine is restored besides. */
export interface StoredFold {
  readonly head: FoldHead;
  readonly seen: FingerprintSet;
}
