// What a worker needs to make the state of a partition, and what decides in it.
import type { ControlRecord } from '../../domain/stream-records.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { createFeatureEngine, type FeatureEngine } from '../../features/engine.ts';
import type { EngineLimits } from '../../features/limits.ts';
import type { EngineStage } from '../../features/stage.ts';
import { type FoldSettings, type LiveVersion, PartitionFold, type RecordDecoders } from './partition-fold.ts';
import type { StoredFold, StreamFold } from './stream-fold.ts';

export interface PartitionSetup {
  /** Of every partition, for as long as the checkpoints are to be continued. */
  readonly definitions: readonly FeatureDefinition[];
  readonly limits: Partial<EngineLimits>;
  readonly decoders: RecordDecoders;
  readonly fold: FoldSettings;
  /** false for a stage that only passes on. */
  readonly decides: boolean;
  /** null where the engine has all entities. */
  readonly stage: EngineStage | null;
  createEngine(): FeatureEngine;
  createFold(engine: FeatureEngine, stored: StoredFold | null, partition: number): StreamFold;
}

/** What a change asks for is not to be had here; elsewhere, or later, it may be. */
export class VersionUnavailableError extends Error {
  override readonly name = 'VersionUnavailableError';
  readonly code = 'VERSION_UNAVAILABLE';
}

/** Makes what decides, over the engine's features. */
export interface VersionSource {
  /** What decides before the first change. */
  initial(definitions: readonly FeatureDefinition[]): Promise<LiveVersion>;
  /**
   * @throws InputError where the change is wrong in itself, the same for every worker: rules with mistakes, features that
   *   the engine does not compute
   * @throws VersionUnavailableError where the model is not in this worker's store
   * @throws StreamUnavailableError where the store does not answer
   */
  change(from: LiveVersion, change: ControlRecord, definitions: readonly FeatureDefinition[]): Promise<LiveVersion>;
}

export function partitionSetup(
  definitions: readonly FeatureDefinition[],
  limits: Partial<EngineLimits>,
  decoders: RecordDecoders,
  fold: FoldSettings,
): PartitionSetup {
  return {
    ...{ definitions, limits, decoders, fold, decides: true, stage: null },
    createEngine: () => createFeatureEngine(definitions, limits),
    createFold: (engine, stored) => new PartitionFold(engine, decoders, fold, stored),
  };
}
