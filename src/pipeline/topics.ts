// The topics of Centinela: what is on them, how many partitions, how long it is kept. docs/kafka.md explains each.
import type { TopicSettings } from '../ports.ts';

export interface TopicPlan extends Omit<TopicSettings, 'partitions' | 'replicas'> {
  /** null: as many as asked for; fixed where order over all of it is the point. */
  readonly partitions: number | null;
  /** What is on it, for people. */
  readonly holds: string;
}

const DAY_MS = 86_400_000;

/** Partitions of the topics that scale; an entity's partition changes with it, so choose it once, with room. */
export const DEFAULT_PARTITIONS = 8;

export const TOPICS: readonly TopicPlan[] = [
  {
    name: 'transactions',
    holds: 'what the bank sends, keyed by who pays',
    partitions: null,
    // State is rebuilt from a checkpoint and what came after it; a week leaves time to notice.
    retentionMs: 7 * DAY_MS,
    compacted: false,
  },
  {
    name: 'decisions',
    holds: 'what was decided of each transaction, keyed as it was',
    partitions: null,
    retentionMs: 30 * DAY_MS,
    compacted: false,
  },
  {
    name: 'alerts',
    holds: 'decisions that somebody has to look at, keyed by who pays',
    partitions: null,
    retentionMs: 90 * DAY_MS,
    compacted: false,
  },
  {
    name: 'dead-letters',
    holds: 'what could not be read or decided, with the reason; replayed when the cause is gone',
    partitions: null,
    retentionMs: 90 * DAY_MS,
    compacted: false,
  },
  {
    name: 'labels',
    holds: 'what turned out to be fraud or not, keyed as the transaction was',
    partitions: null,
    // Models learn from them for years.
    retentionMs: null,
    compacted: false,
  },
  {
    name: 'control',
    holds: 'which models and rules are in force from when on: the newest of each key',
    // One order for all: a switch comes before or after another for everybody alike.
    partitions: 1,
    retentionMs: null,
    compacted: true,
  },
];

/** @param prefix put before each name, `pe.` for several installations on one cluster */
export function plannedTopics(prefix: string, partitions: number, replicas: number): TopicSettings[] {
  return TOPICS.map(({ name, partitions: fixed, retentionMs, compacted }) => ({
    ...{ name: `${prefix}${name}`, partitions: fixed ?? partitions, retentionMs, compacted, replicas },
  }));
}
