// The topics between the stages of a keyed stream. docs/streaming.md explains them.
import type { TopicSettings } from '../../../ports.ts';
import { TOPIC_PLANS } from '../topics.ts';
import { STAGE_NAMES, type StageName } from './topology.ts';

export type StageTopics = Readonly<Record<StageName, string>>;

/** What is on each, for people. */
export const STAGE_HOLDS: Readonly<Record<StageName, string>> = {
  accounts: 'transactions on their way, keyed by payer, then by payee',
  devices: 'transactions on their way, keyed by device',
  cards: 'transactions on their way, keyed by card',
  places: 'transactions on their way, keyed by place',
  terminals: 'transactions to be decided, keyed by terminal, else by payer; changes among them',
};

/** @param prefix before each name, as of the other topics */
export function stageTopics(prefix = ''): StageTopics {
  return Object.fromEntries(STAGE_NAMES.map((name) => [name, `${prefix}stage-${name}`])) as StageTopics;
}

/** Kept as the transactions are: a stage's lost state is made again from them. */
export function stageTopicSettings(names: StageTopics, partitions: number, replicas: number): TopicSettings[] {
  const { retentionMs } = TOPIC_PLANS.transactions;
  return STAGE_NAMES.map((stage) => ({ name: names[stage], partitions, retentionMs, compacted: false, replicas }));
}
