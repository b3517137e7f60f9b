// The topics that Centinela reads and writes, with what each is for.
import type { TopicSettings } from '../../ports.ts';

const DAY_MS = 86_400_000;

export const TOPIC_ROLES = ['transactions', 'decisions', 'alerts', 'dead-letters', 'labels', 'control'] as const;
export type TopicRole = (typeof TOPIC_ROLES)[number];

export type TopicNames = Readonly<Record<TopicRole, string>>;

/** @param prefix before each name, so that several installations share one cluster */
export function topicNames(prefix = ''): TopicNames {
  return Object.fromEntries(TOPIC_ROLES.map((role) => [role, `${prefix}${role}`])) as TopicNames;
}

/**
 * Retention: transactions for as long as a lost state is rebuilt from them (the longest window, 30 days, and a margin);
 * decisions and alerts until the archive and the cases have them; dead letters until people have looked.
 *
 * @param partitions of the stream; more than workers will ever be, for they cannot be changed without moving entities
 */
export function topicSettings(names: TopicNames, partitions: number, replicas: number): TopicSettings[] {
  const topic = (role: TopicRole, more: Partial<TopicSettings>): TopicSettings => ({
    ...{ name: names[role], partitions, replicas, retentionMs: 7 * DAY_MS, compacted: false, ...more },
  });
  return [
    topic('transactions', { retentionMs: 38 * DAY_MS }),
    topic('decisions', {}),
    topic('alerts', {}),
    topic('dead-letters', { retentionMs: 30 * DAY_MS }),
    topic('labels', {}),
    topic('control', { partitions: 1, retentionMs: null }),
  ];
}
