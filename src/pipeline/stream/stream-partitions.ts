// Partitions by a name, for tables of them.
import type { StreamPartition } from '../../ports.ts';

export function nameOf({ topic, partition }: StreamPartition): string {
  return `${topic}/${partition}`;
}
