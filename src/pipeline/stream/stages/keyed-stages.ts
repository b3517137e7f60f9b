// What each worker of a keyed stream is given: one for the stream itself, one for each stage.
import { createFeatureEngine } from '../../../features/engine.ts';
import { DAY_MS } from '../../../features/limits.ts';
import type { EngineStage } from '../../../features/stage.ts';
import type { LiveVersion, RecordDecoders } from '../partition-fold.ts';
import type { StoredFold, StreamFold } from '../stream-fold.ts';
import type { TopicNames } from '../topics.ts';
import type { PartitionSetup, VersionSource } from '../versions.ts';
import { DecideFold } from './decide-fold.ts';
import { sealedWithin } from './frame.ts';
import { StageFold, type StageParts } from './stage-fold.ts';
import type { StageTopics } from './stage-topics.ts';
import { LAST_STAGE, STAGE_NAMES, type StageName, topologyOf } from './topology.ts';

export interface KeyedStage {
  readonly name: 'transactions' | StageName;
  /** The topic that it reads. */
  readonly input: string;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
}

/**
 * A stage's partition is fed by all partitions before it, and one of them may be behind the others (after a pause, while a
 * backlog is worked off): what it brings is not late. Further behind than this, idle entities may be forgotten too early.
 */
const SKEW_MS = 7 * DAY_MS;
/** Of a set that nothing is put into. */
const NO_IDS = 4096;

/**
 * From the stream to the stage that decides, in the order in which a transaction comes to them.
 *
 * @param decidedBefore up to where each partition of the stream was decided before there were stages
 */
export function keyedStages(
  whole: PartitionSetup,
  versions: VersionSource,
  topics: TopicNames,
  between: StageTopics,
  decidedBefore: ReadonlyMap<number, number> = new Map(),
): KeyedStage[] {
  const topology = topologyOf(whole.definitions);
  const parts: StageParts = { topology, topics: between, decoders: whole.decoders };
  const { maxIds } = whole.fold;
  const first = stageSetup(whole, { kinds: [], values: false }, maxIds, (engine, stored, partition) => {
    const own = { decidedBefore: decidedBefore.get(partition) ?? 0 };
    return new StageFold(engine, parts, { stage: 0, partition }, own, maxIds, stored);
  });
  const later = topology.stages.map((name): KeyedStage => {
    const isLast = name === LAST_STAGE;
    const setup = stageSetup(
      { ...whole, decoders: framed(whole.decoders), limits: { ...whole.limits, skewMs: SKEW_MS } },
      topology.engineStage(name),
      NO_IDS,
      (engine, stored, partition) =>
        isLast
          ? new DecideFold(engine, parts, { ...whole.fold, maxIds: NO_IDS }, stored)
          : new StageFold(engine, parts, { stage: numberOf(name), partition }, null, NO_IDS, stored),
    );
    return {
      name,
      input: between[name],
      setup: { ...setup, decides: isLast },
      versions: isLast ? versions : NO_VERSIONS,
    };
  });
  return [{ name: 'transactions', input: topics.transactions, setup: first, versions }, ...later];
}

/** Of what a later stage reads: what lies within has to be opened. */
function framed(decoders: RecordDecoders): RecordDecoders {
  const within = (values: readonly Uint8Array[]) => values.map(sealedWithin).filter((value) => value !== null);
  return {
    ...decoders,
    prepare: (values) => decoders.prepare?.(within(values)) ?? null,
    prepareLabels: (values) => decoders.prepareLabels?.(within(values)) ?? null,
  };
}

/** The same whichever stages there are: it is kept with what is passed on. */
function numberOf(name: StageName): number {
  return 1 + STAGE_NAMES.indexOf(name);
}

/** The group of a stage's workers, so that each stage stands where it stands. */
export function groupOfStage(group: string, name: KeyedStage['name']): string {
  return `${group}-keyed-${name}`;
}

function stageSetup(
  whole: PartitionSetup,
  stage: EngineStage,
  maxIds: number,
  createFold: (engine: StreamFold['engine'], stored: StoredFold | null, partition: number) => StreamFold,
): PartitionSetup {
  const { definitions, limits, decoders, fold } = whole;
  return {
    ...{ definitions, limits, decoders, decides: false, stage, createFold, fold: { ...fold, maxIds } },
    createEngine: () => createFeatureEngine(definitions, limits, stage),
  };
}

const NOTHING_DECIDES: LiveVersion = {
  model: null,
  rules: '',
  thresholds: null,
  get decider(): never {
    throw new Error('a stage that decides nothing was asked to decide');
  },
};

const NO_VERSIONS: VersionSource = {
  initial: async () => NOTHING_DECIDES,
  change: async (from) => from,
};
