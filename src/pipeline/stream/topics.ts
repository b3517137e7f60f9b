// The topics that Centinela reads and writes, with what each is for and how long it is kept. docs/streaming.md explains each.
import type { TopicSettings } from '../../ports.ts';

export const TOPIC_ROLES = [
  ...(['transactions', 'decisions', 'alerts', 'dead-letters', 'labels', 'control', 'left-out', 'evidence'] as const),
] as const;
export type TopicRole = (typeof TOPIC_ROLES)[number];

export type TopicNames = Readonly<Record<TopicRole, string>>;

export interface TopicPlan extends Pick<TopicSettings, 'retentionMs' | 'compacted'> {
  /** null: as many as asked for; fixed where order over all of it is the point. */
  readonly partitions: number | null;
  /** What is on it, for people. */
  readonly holds: string;
}

const DAY_MS = 86_400_000;

/** An entity's partition changes with their number, so choose it once, with room: more than workers will ever be. */
export const DEFAULT_PARTITIONS = 8;

export const TOPIC_PLANS: Readonly<Record<TopicRole, TopicPlan>> = {
  transactions: {
    holds: 'what the bank sends, keyed by who pays; labels and changes among them',
    partitions: null,
    // A lost state is rebuilt from them: the longest window, 30 days, and a margin.
    retentionMs: 38 * DAY_MS,
    compacted: false,
  },
  decisions: {
    holds: 'what was decided of each transaction, keyed by its id',
    partitions: null,
    retentionMs: 30 * DAY_MS,
    compacted: false,
  },
  alerts: {
    holds: 'decisions that somebody has to look at, and what the safety governor says',
    partitions: null,
    retentionMs: 90 * DAY_MS,
    compacted: false,
  },
  'dead-letters': {
    holds: 'what could not be read or decided, with the reason; sent again when the cause is gone',
    partitions: null,
    retentionMs: 90 * DAY_MS,
    compacted: false,
  },
  labels: {
    holds: 'what turned out to be fraud or not, keyed as the transaction was',
    partitions: null,
    // Models learn from them for years.
    retentionMs: null,
    compacted: false,
  },
  control: {
    holds: 'changes of models and rules',
    // One order for all: a change comes before or after another for everybody alike.
    partitions: 1,
    retentionMs: null,
    compacted: false,
  },
  'left-out': {
    holds: 'what decisions were made without, from which offset of `transactions` on, partition by partition',
    partitions: null,
    // Without it a decision cannot be made again. It is written only where it changes.
    retentionMs: null,
    compacted: false,
  },
  evidence: {
    holds: 'what decisions were made of, to make them again; the service keeps it longer',
    partitions: null,
    retentionMs: 30 * DAY_MS,
    compacted: false,
  },
};

/** @param prefix before each name, `pe.` for several installations on one cluster */
export function topicNames(prefix = ''): TopicNames {
  return Object.fromEntries(TOPIC_ROLES.map((role) => [role, `${prefix}${role}`])) as TopicNames;
}

export function topicSettings(names: TopicNames, partitions: number, replicas: number): TopicSettings[] {
  return TOPIC_ROLES.map((role) => {
    const { partitions: fixed, retentionMs, compacted } = TOPIC_PLANS[role];
    return { name: names[role], partitions: fixed ?? partitions, retentionMs, compacted, replicas };
  });
}
